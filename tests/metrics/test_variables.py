"""Variables of metrics: names, order and shapes of Keras 3.15 (torch),
and that reading and writing them is the state.
"""

import copy
import pickle

import numpy as np
import pytest

from tinynet import metrics

ROWS, CHANCES = (
    np.array([[1, 0, 0], [0, 1, 0]], "float32"),
    np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], "float32"),
)
LABELS, SCORES, CLASSES = np.array([1, 0]), np.array([0.7, 0.2], "float32"), np.array([0, 2])
ONE, FOUR = (
    {"total": (), "count": ()},
    ("true_positives", "false_positives", "true_negatives", "false_negatives"),
)
VALUES, AT_FOUR = np.array([1.0, 2.0, 6.0]), ([1, 1, 1, 0], [1, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 1])

# make, arguments of update_state, {name: shape} in order,
# values of the first two variables (None: not looked at)
CASES = [
    (metrics.Mean, (VALUES,), ONE, (9, 3)),
    (metrics.Sum, (VALUES,), {"total": ()}, (9,)),
    (metrics.MeanSquaredError, (ROWS, CHANCES), ONE, None),
    (metrics.RootMeanSquaredError, (ROWS, CHANCES), ONE, None),
    (metrics.BinaryAccuracy, (LABELS, SCORES), ONE, (2, 2)),
    (lambda: metrics.MeanMetricWrapper(lambda a, b: a - b), (LABELS, LABELS), ONE, (0, 2)),
    (metrics.TruePositives, (LABELS, SCORES), {"accumulator": (1,)}, ([1],)),
    (metrics.TrueNegatives, (LABELS, SCORES), {"accumulator": (1,)}, ([1],)),
    (metrics.FalsePositives, (LABELS, SCORES), {"accumulator": (1,)}, ([0],)),
    (lambda: metrics.FalseNegatives([0.2, 0.9]), (LABELS, SCORES), {"accumulator": (2,)}, ([0, 1],)),
    (metrics.Precision, (LABELS, SCORES), {"true_positives": (1,), "false_positives": (1,)}, ([1], [0])),
    (
        lambda: metrics.Recall([0.9, 0.3]),
        (LABELS, SCORES),
        {"true_positives": (2,), "false_negatives": (2,)},
        ([0, 1], [1, 0]),
    ),
    (
        lambda: metrics.AUC(num_thresholds=5),
        (LABELS, SCORES),
        dict.fromkeys(FOUR, (5,)),
        ([1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [0, 1, 1, 1, 1], [0, 0, 0, 1, 1]),
    ),
    (
        lambda: metrics.AUC(num_thresholds=5, multi_label=True),
        (ROWS, CHANCES),
        dict.fromkeys(FOUR, (5, 3)),
        None,
    ),
    *(
        (
            lambda name=name: getattr(metrics, name)(0.5, num_thresholds=4),
            (LABELS, SCORES),
            dict.fromkeys(FOUR, (4,)),
            AT_FOUR,
        )
        for name in (
            "SensitivityAtSpecificity",
            "SpecificityAtSensitivity",
            "PrecisionAtRecall",
            "RecallAtPrecision",
        )
    ),
    (
        metrics.F1Score,
        (ROWS, CHANCES),
        dict.fromkeys(("true_positives", "false_positives", "false_negatives", "intermediate_weights"), (3,)),
        ([1, 1, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0]),
    ),
    (
        metrics.R2Score,
        (ROWS, CHANCES),
        {"num_samples": (), "squared_sum": (3,), "sum": (3,), "residual": (3,), "count": (3,)},
        (2, [1, 1, 0], [1, 1, 0]),
    ),
    (
        lambda: metrics.MeanIoU(3),
        (CLASSES, CLASSES),
        {"total_confusion_matrix": (3, 3)},
        (np.diag([1, 0, 1]),),
    ),
    (lambda: metrics.IoU(3, [0]), (CLASSES, CLASSES), {"total_confusion_matrix": (3, 3)}, None),
    (metrics.BinaryIoU, (LABELS, SCORES), {"total_confusion_matrix": (2, 2)}, (np.eye(2),)),
    (lambda: metrics.OneHotIoU(3, [0]), (ROWS, CHANCES), {"total_confusion_matrix": (3, 3)}, None),
]
IDS = [f"{i}_{make().name}" for i, (make, *_) in enumerate(CASES)]


@pytest.mark.parametrize(("make", "given", "shapes", "values"), CASES, ids=IDS)
def test_variables_are_keras_s(make, given, shapes, values):
    metric = make()
    metric.update_state(*given)
    assert [(v.name, v.shape) for v in metric.variables] == list(shapes.items())
    for variable, expected in zip(metric.variables, values or (), strict=False):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(("make", "given", "shapes", "values"), CASES, ids=IDS)
def test_variables_are_the_state(make, given, shapes, values):
    whole, first, other = make(), make(), make()
    for metric in (whole, first):
        metric.update_state(*given)
    kept = [variable.numpy() for variable in first.variables]
    other.update_state(*given)
    other.update_state(*given)
    for variable, value in zip(other.variables, kept, strict=True):
        variable.assign(value)
    expected = np.asarray(whole.result())
    np.testing.assert_array_equal(np.asarray(other.result()), expected)
    whole.update_state(*given)
    other.update_state(*given)
    np.testing.assert_array_equal(np.asarray(other.result()), np.asarray(whole.result()))
    for variable in whole.variables:
        variable.assign(np.zeros(variable.shape))
    first.reset_state()
    np.testing.assert_array_equal(np.asarray(whole.result()), np.asarray(first.result()))
    assert all((variable.numpy() == 0).all() for variable in first.variables)
    whole.update_state(*given)
    np.testing.assert_array_equal(np.asarray(whole.result()), expected)


@pytest.mark.parametrize(("make", "given", "shapes", "values"), CASES, ids=IDS)
def test_results_answer_as_numbers_and_as_keras_s_do(make, given, shapes, values):
    metric = make()
    found = metric(*given)
    as_array = found.numpy()
    assert type(as_array) is np.ndarray
    np.testing.assert_array_equal(as_array, np.asarray(found))
    if as_array.ndim:
        before = as_array.copy()
        metric.update_state(*given)
        np.testing.assert_array_equal(found, before)
    else:
        assert isinstance(found, float)
        assert float(found) == as_array == found
        assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
        assert f"{found:.3f}" == f"{float(found):.3f}"


def test_copies_have_variables_of_their_own():
    mean = metrics.Mean()
    mean.update_state([2.0])
    for twin in (copy.deepcopy(mean), pickle.loads(pickle.dumps(mean))):
        twin.update_state([4.0])
        assert (twin.result(), mean.result()) == (3.0, 2.0)
        twin.variables[0].assign(10.0)
        assert (twin.result(), mean.result()) == (5.0, 2.0)


def test_weights_of_one_column_are_weights_of_samples():
    mean = metrics.Mean()
    mean.update_state([1.0, 3.0], sample_weight=[[1.0], [3.0]])
    assert mean.result() == 2.5  # (1 + 9) / 4


def test_an_iou_of_classes_that_occur():
    """Truth 0 0 1 1, prediction 0 0 1 0: 2 of 3 and 1 of 2;
    the third class occurs nowhere and does not count.
    """
    for make in (lambda: metrics.MeanIoU(3), lambda: metrics.IoU(3, [0, 1, 2])):
        assert make()([0, 0, 1, 1], [0, 0, 1, 0]) == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-6)
