"""Running means: losses and accuracies against Keras (fixtures/make_losses.py), known fractions."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinynet import metrics
from tinynet.autograd import Tensor
from tinynet.metrics import Mean

import strict_array

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FIXTURE["metrics"], ids=lambda case: f"{case['name']}-{case['settings']}")
def test_values_of_keras(case):
    metric = getattr(metrics, case["name"])(**case["settings"])
    y_true, y_pred = np.array(case["y_true"]), np.array(case["y_pred"])
    metric.update_state(y_true, y_pred, sample_weight=case["sample_weight"])
    assert metric.result() == pytest.approx(case["first"], rel=1e-6)
    metric.update_state(y_true[:3], y_pred[:3])
    assert metric.result() == pytest.approx(case["second"], rel=1e-6)


@pytest.mark.parametrize("case", FIXTURE["metrics"], ids=lambda case: f"{case['name']}-{case['settings']}")
def test_arrays_of_another_module_stay_there_until_the_result(case):
    metric = getattr(metrics, case["name"])(**case["settings"])
    y_true, y_pred = (strict_array.asarray(np.array(case[name])) for name in ("y_true", "y_pred"))
    weight = None if case["sample_weight"] is None else strict_array.asarray(np.array(case["sample_weight"]))
    metric.update_state(y_true, y_pred, sample_weight=weight)
    assert isinstance(metric.total.data, strict_array.StrictArray)
    assert metric.result() == pytest.approx(case["first"], rel=1e-6)


class TestMean:
    def test_weights(self):
        mean = Mean()
        assert mean.result() == 0.0
        mean.update_state([1, 3, 5, 7])
        assert mean.result() == 4
        mean.update_state([2.0, 10.0], sample_weight=[3.0, 1.0])
        assert mean.result() == pytest.approx((16 + 16) / 8)
        mean.reset_state()
        mean.update_state(6.0)
        assert mean.result() == 6

    def test_values_of_higher_rank_count_once_per_sample(self):
        mean = Mean()
        mean.update_state(np.array([[1.0, 3.0], [5.0, 7.0]]))
        mean.update_state(np.array([20.0]))
        assert mean.result() == pytest.approx((2 + 6 + 20) / 3)

    def test_many_batches_do_not_lose_digits(self):
        mean = Mean()
        mean.total.assign(2.0**25)
        mean.count.assign(2.0**25)
        for _ in range(10):
            mean.update_state(np.zeros(1, "float32"))
        assert float(mean.count) == 2**25 + 10

    def test_weights_of_zero(self):
        mean = Mean()
        mean.update_state([1.0, 2.0], sample_weight=[0.0, 0.0])
        assert mean.result() == 0.0

    def test_sum(self):
        total = metrics.Sum()
        assert total([1, 3, 5, 7]) == 16
        assert total([1, 3, 5, 7], sample_weight=[1, 1, 0, 0]) == 20
        assert metrics.Sum()([[1.0, 2.0], [3.0, 4.0]], sample_weight=[1.0, 10.0]) == 73

    def test_calling_updates_and_reads(self):
        assert Mean()([1.0, 2.0]) == 1.5


class TestAccuracies:
    def test_binary_threshold_is_strict(self):
        np.testing.assert_array_equal(
            metrics.binary_accuracy([1, 1, 0], np.array([0.5, 0.51, 0.5])), [0, 1, 1]
        )

    def test_first_maximum_wins(self):
        tie = np.array([[0.5, 0.5]])
        assert metrics.categorical_accuracy([[1, 0]], tie) == [1]
        assert metrics.sparse_categorical_accuracy([0], tie) == [1]

    def test_maps_of_labels(self):
        y_pred = np.zeros((2, 3, 4))
        y_pred[..., 2] = 1
        y_true = np.array([[2, 2, 0], [2, 2, 2]])
        assert metrics.SparseCategoricalAccuracy()(y_true, y_pred) == pytest.approx(5 / 6)
        assert metrics.CategoricalAccuracy()(np.eye(4)[y_true], y_pred) == pytest.approx(5 / 6)

    def test_shapes_that_cannot_be_compared(self):
        with pytest.raises(ValueError, match=r"\(3,\) of the targets"):
            metrics.sparse_categorical_accuracy([0, 1, 2], np.zeros((2, 4)))
        with pytest.raises(ValueError, match="categorical_accuracy"):
            metrics.categorical_accuracy(np.zeros((2, 3)), np.zeros((3, 4)))
        with pytest.raises(ValueError, match=r"\(2,\) of the targets and \(2, 3\)"):
            metrics.categorical_accuracy([0, 2], np.zeros((2, 3)))

    def test_tensors_are_taken_without_recording(self):
        y_pred = Tensor(np.array([[0.2, 0.8]]), requires_grad=True)
        assert metrics.SparseCategoricalAccuracy()([1], y_pred) == 1.0
        assert metrics.MeanSquaredError()([[0.2, 0.8]], y_pred) == 0.0

    @pytest.mark.parametrize("name", ["accuracy", "acc"])
    @pytest.mark.parametrize(
        ("y_true", "y_pred", "expected"),
        [
            ([1, 0, 1], [[0.4], [0.2], [0.9]], 2 / 3),
            ([[1], [0], [1]], [[0.4], [0.2], [0.9]], 2 / 3),
            ([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1 / 2),
            ([[1], [0]], [[0.1, 0.9], [0.2, 0.8]], 1 / 2),
            ([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]], 1 / 2),
        ],
    )
    def test_accuracy_fits_the_shapes(self, name, y_true, y_pred, expected):
        metric = metrics.as_metric(name)
        assert metric(np.array(y_true), np.array(y_pred)) == pytest.approx(expected)
        assert metric.name == name


class TestTopK:
    def test_ties_are_hits(self):
        y_pred = np.array([[0.2, 0.2, 0.6], [0.1, 0.8, 0.1]])
        np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([0, 2], y_pred, k=2), [1, 1])
        np.testing.assert_array_equal(metrics.sparse_top_k_categorical_accuracy([0, 2], y_pred, k=1), [0, 0])
        np.testing.assert_array_equal(
            metrics.top_k_categorical_accuracy(np.eye(3)[[0, 1]], y_pred, k=1), [0, 1]
        )

    def test_what_is_no_number_is_no_hit(self):
        assert metrics.sparse_top_k_categorical_accuracy([0], np.array([[np.nan, 0.5]]), k=1) == [0]

    def test_wrong_labels(self):
        with pytest.raises(ValueError, match=r"0 \.\. 2"):
            metrics.sparse_top_k_categorical_accuracy([3], np.zeros((1, 3)))
        with pytest.raises(ValueError, match="one label for each row"):
            metrics.SparseTopKCategoricalAccuracy()([1, 2], np.zeros((1, 3)))
