"""Metrics made of counts, against Keras (fixtures/make_losses.py) and in cases where the answer is known."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from tinynet import metrics
from tinynet.metrics import MetricList

import strict_array

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FIXTURE["counted"], ids=lambda case: f"{case['name']}-{case['settings']}")
def test_counts_of_keras(case):
    metric = getattr(metrics, case["name"])(**case["settings"])
    y_true, y_pred = (np.array(FIXTURE["many"][case[name]]) for name in ("y_true", "y_pred"))
    weight = None if case["sample_weight"] is None else np.array(FIXTURE["many"][case["sample_weight"]])
    metric.update_state(y_true, y_pred, sample_weight=weight)
    np.testing.assert_allclose(metric.result(), case["first"], rtol=1e-6)
    metric.update_state(y_true[:25], y_pred[:25])
    np.testing.assert_allclose(metric.result(), case["second"], rtol=1e-6)


def test_arrays_of_another_module():
    rng = np.random.default_rng(0)
    y_true, y_pred, weight = np.eye(3)[rng.integers(0, 3, 20)], rng.random((20, 3)), rng.random(20)
    for make in (
        metrics.AUC,
        metrics.Precision,
        metrics.F1Score,
        metrics.R2Score,
        lambda: metrics.ConfusionMatrix(3),
    ):
        ours, theirs = make(), make()
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(*(strict_array.asarray(array) for array in (y_true, y_pred, weight)))
        np.testing.assert_array_equal(theirs.result(), ours.result())


class TestCounts:
    def test_a_prediction_at_the_threshold_is_negative(self):
        y_true, y_pred = [1, 1, 0, 0], np.array([0.5, 0.6, 0.5, 0.4])
        assert [metrics.TruePositives()(y_true, y_pred), metrics.FalseNegatives()(y_true, y_pred)] == [1, 1]
        assert [metrics.FalsePositives()(y_true, y_pred), metrics.TrueNegatives()(y_true, y_pred)] == [0, 2]

    @pytest.mark.parametrize("settings", [{}, {"num_thresholds": 5}, {"thresholds": [0.3, 0.4]}])
    def test_area_of_a_perfect_and_of_a_useless_order(self, settings):
        y_true, y_pred = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9])
        for curve in ("ROC", "PR"):
            assert metrics.AUC(curve=curve, **settings)(y_true, y_pred) == pytest.approx(1.0, abs=1e-6)
        assert metrics.AUC(**settings)(1 - y_true, y_pred) == pytest.approx(0.0, abs=1e-6)

    def test_area_is_the_share_of_pairs_in_the_right_order(self):
        rng = np.random.default_rng(0)
        y_true, y_pred = rng.random(300) < 0.4, rng.random(300)
        differences = y_pred[y_true][:, None] - y_pred[~y_true]  # Mann and Whitney's statistic
        assert metrics.AUC(num_thresholds=10_000)(y_true, y_pred) == pytest.approx(
            (differences > 0).mean(), abs=1e-3
        )

    def test_nothing_predicted_or_asked_for(self):
        assert metrics.Precision()([1, 1], np.zeros(2)) == 0.0
        assert metrics.Recall()([0, 0], np.ones(2)) == 0.0
        assert metrics.AUC().result() == 0.0
        assert metrics.AUC(multi_label=True).result() == 0.0

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: metrics.Precision(thresholds=1.5), "thresholds must lie"),
            (lambda: metrics.AUC(curve="LIFT"), "curve must be one of 'ROC', 'PR', 'PRGAIN', got 'LIFT'"),
            (lambda: metrics.AUC(summation_method="simpson"), "summation_method"),
            (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
            (lambda: metrics.AUC(num_labels=3), "multi_label=True"),
            (lambda: metrics.AUC(multi_label=True)(np.zeros(3), np.zeros(3)), r"\(N, L\)"),
            (lambda: metrics.RecallAtPrecision(1.2), "precision must lie in 0 .. 1"),
            (lambda: metrics.Recall()([0, 1], np.zeros((2, 3))), "to_categorical"),
            (lambda: metrics.Recall(class_id=1)([0, 1], np.zeros(2)), "class_id"),
            (lambda: metrics.F1Score()(np.zeros(3), np.zeros(3)), r"\(N, C\)"),
            (lambda: metrics.F1Score(average="mean"), "'weighted'"),
            (lambda: metrics.FBetaScore(beta=1), "beta must be a float"),
            (lambda: metrics.F1Score(threshold=1.5), "threshold"),
            (lambda: metrics.R2Score(class_aggregation="mean"), "class_aggregation"),
            (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
            (lambda: metrics.IoU(3, [3]), "target_class_ids"),
            (lambda: metrics.ConfusionMatrix(1), "num_classes"),
            (lambda: metrics.ConfusionMatrix(3)([0, 3], [0, 1]), r"0 \.\. 2"),
        ],
    )
    def test_errors(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_the_adjusted_score_needs_samples(self):
        with pytest.warns(UserWarning, match="regressors"):
            metrics.R2Score(num_regressors=5)([[1.0], [2.0]], [[1.0], [2.5]])


def test_fractions_of_weights_of_an_overlap():
    y_true, y_pred, weight = [0, 0, 1], [0, 1, 1], [1.5, 2.0, 0.5]
    with pytest.warns(UserWarning, match="cut off"):
        assert metrics.MeanIoU(2)(np.array(y_true), np.array(y_pred), weight) == pytest.approx(
            (1 / 3 + 0) / 2, rel=1e-6
        )
    exact = metrics.MeanIoU(2, dtype="float32")
    assert exact(np.array(y_true), np.array(y_pred), weight) == pytest.approx(
        (1.5 / 3.5 + 0.5 / 2.5) / 2, rel=1e-6
    )


def test_confusion_matrix():
    metric = metrics.ConfusionMatrix(3)
    np.testing.assert_array_equal(metric([0, 1, 2, 2], [0, 2, 2, 2]), [[1, 0, 0], [0, 0, 1], [0, 0, 2]])
    metric.update_state(np.eye(3)[[1]], np.array([[0.1, 0.7, 0.2]]), sample_weight=[0.5])
    np.testing.assert_array_equal(metric.result(), [[1, 0, 0], [0, 0.5, 1], [0, 0, 2]])
    collection = MetricList([metric, "accuracy"])
    collection.update_state([np.array([2])], [np.array([[0.1, 0.7, 0.2]])])
    assert list(collection.result()) == ["accuracy"], "a matrix is no number to report"
    assert metric.result()[2, 1] == 1


COUNTING = {
    "TruePositives": {},
    "FalseNegatives": {"thresholds": [0.2, 0.5]},
    "TrueNegatives": {"thresholds": [0.0, 0.5, 1.0]},
    "FalsePositives": {},
    "Precision": {},
    "Recall": {"thresholds": [0.2, 0.5]},
    "AUC": {"num_thresholds": 5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
}


@pytest.mark.parametrize("name", COUNTING)
def test_a_prediction_that_is_no_number_makes_the_result_none(name):
    """Neither positive nor negative: a rate of such predictions would look like one of a bad net."""
    metric = getattr(metrics, name)(**COUNTING[name])
    metric.update_state([1, 0, 1, 0], np.array([0.8, 0.7, 0.9, 0.1], "float32"))
    assert np.isfinite(metric.result()).all()
    metric.update_state([1, 0], np.array([0.3, np.nan], "float32"))
    metric.update_state([1, 0], np.array([0.3, 0.2], "float32"))
    assert np.isnan(metric.result()).all()
    metric.reset_state()
    metric.update_state([1, 0], np.array([0.3, 0.2], "float32"))
    assert np.isfinite(metric.result()).all()


@pytest.mark.parametrize("name", COUNTING)
def test_logits_are_counted_after_a_warning(name):
    for y_pred in ([-0.5, 0.5], [0.5, 1.5]):
        metric = getattr(metrics, name)(**COUNTING[name])
        with pytest.warns(UserWarning, match=f"{metric.name}: predictions should be probabilities in 0"):
            metric.update_state([1, 0], np.array(y_pred, "float32"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # the first batch alone is looked at
            metric.update_state([1, 0], np.array(y_pred, "float32"))
            metric.reset_state()
            metric.update_state([1, 0], np.array(y_pred, "float32"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(metrics, name)(**COUNTING[name]).update_state([1, 0], np.array([0.0, 1.0], "float32"))
        metrics.AUC(from_logits=True).update_state([1, 0], np.array([-5.0, 5.0]))
        metrics.Precision(top_k=1).update_state([[1, 0]], np.array([[-5.0, 5.0]]))


@pytest.mark.filterwarnings("ignore:.*probabilities")
def test_predictions_beyond_0_and_1_count_as_0_and_1_at_even_thresholds():
    """So that two of them on the same side are in no order: half a pair, as in Keras."""
    for y_pred in ([-3.0, -1.0], [1.5, 2.0], [-1.0, 0.0]):
        assert metrics.AUC()([0, 1], np.array(y_pred)) == 0.5
    assert metrics.AUC()([0, 1], np.array([-1.0, 2.0])) == 1.0


def test_the_adjusted_r2_counts_samples():
    """1 - (1 - R2) (n - 1) / (n - p - 1) with n = 5 samples of two columns, p = 2;
    of each column, then their mean.
    """
    y_true = np.array([[1.0, 2.0], [2.0, 0.0], [3.0, 5.0], [4.0, 1.0], [6.0, 3.0]])
    y_pred = y_true + np.array([[0.5, -1.0], [-0.5, 1.0], [0.25, 0.5], [0.0, -0.5], [-1.0, 0.25]])
    r2 = 1 - ((y_true - y_pred) ** 2).sum(0) / ((y_true - y_true.mean(0)) ** 2).sum(0)
    expected = 1 - (1 - r2) * 4 / 2
    metric = metrics.R2Score(class_aggregation=None, num_regressors=2)
    metric.update_state(y_true[:3], y_pred[:3])
    metric.update_state(y_true[3:], y_pred[3:])
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    np.testing.assert_allclose(metrics.R2Score(num_regressors=2)(y_true, y_pred), expected.mean(), rtol=1e-6)
    assert float(metric.num_samples) == 5


@pytest.mark.parametrize("settings", [{}, {"threshold": 0.4}])
def test_f_scores_of_what_is_no_number_are_none(settings):
    y_true, y_pred = np.eye(2)[[0, 1, 1]], np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert np.isfinite(metrics.F1Score(**settings)(y_true, y_pred)).all()
    y_pred[1, 1] = np.nan
    assert np.isnan(metrics.F1Score(**settings)(y_true, y_pred)).tolist() == [False, True]
    assert np.isnan(metrics.F1Score(average="macro", **settings)(y_true, y_pred))


AT_THRESHOLDS = [
    "TruePositives",
    "TrueNegatives",
    "FalsePositives",
    "FalseNegatives",
    "Precision",
    "Recall",
    "AUC",
]
NO_THRESHOLDS = [
    [None], [0.5, None], "a", ["a"], [[0.5, 0.6]], -0.1, [2.0], float("nan"), [0.2, float("nan")], {0.5: 1},
    1j, [1j],
    np.array([0.5, np.inf]), np.array([[0.5]]), range(3),
]  # fmt: skip


@pytest.mark.parametrize("wrong", NO_THRESHOLDS, ids=repr)
@pytest.mark.parametrize("name", AT_THRESHOLDS)
def test_thresholds_that_are_none_are_refused(name, wrong):
    with pytest.raises(
        ValueError, match=f"{name}: thresholds must lie in 0 .. 1, one number or a list of them, got"
    ):
        getattr(metrics, name)(thresholds=wrong)


@pytest.mark.parametrize("wrong", [None, [None], [0.5], "a", float("nan"), np.ones(2), 1j], ids=repr)
@pytest.mark.parametrize("name", ["BinaryAccuracy", "BinaryIoU"])
def test_one_threshold_is_a_number(name, wrong):
    with pytest.raises(ValueError, match=f"{name}: threshold must be a number, got"):
        getattr(metrics, name)(threshold=wrong)


@pytest.mark.parametrize("wrong", [None, 2.5, "200", [3], True, 0, -1], ids=repr)
@pytest.mark.parametrize(
    "name",
    ["AUC", "SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall", "RecallAtPrecision"],
)
def test_numbers_of_thresholds_are_whole(name, wrong):
    first = () if name == "AUC" else (0.5,)
    with pytest.raises(ValueError, match=f"{name}: num_thresholds must be an integer >"):
        getattr(metrics, name)(*first, num_thresholds=wrong)


@pytest.mark.parametrize(
    "given", [0, 1, 0.25, [0.25], (0.25, 0.75), np.array([0.25, 0.75]), np.float32(0.25), [0, 1]]
)
@pytest.mark.parametrize("name", AT_THRESHOLDS[:-1])
def test_thresholds_of_any_kind_of_number(name, given):
    """One result for each, those of a metric with that threshold alone."""
    y_true, y_pred = np.array([0, 1, 1, 0, 1]), np.array([0.1, 0.3, 0.9, 0.8, 0.25])
    found = np.atleast_1d(getattr(metrics, name)(thresholds=given)(y_true, y_pred))
    expected = [getattr(metrics, name)(thresholds=float(one))(y_true, y_pred) for one in np.atleast_1d(given)]
    np.testing.assert_allclose(found, expected)
