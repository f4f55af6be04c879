"""Losses against Keras (fixtures/make_losses.py), known numbers, reductions, shapes and lookup."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import losses, ops
from tinynet.autograd import Tensor
from tinynet.losses import CategoricalCrossentropy, Loss, MeanSquaredError, SparseCategoricalCrossentropy

import strict_array

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))


def case_id(case):
    return f"{case['name']}-{case['settings']}"


@pytest.mark.parametrize("case", FIXTURE["losses"], ids=case_id)
def test_value_and_gradient_of_keras(case):
    loss = getattr(losses, case["name"])(**case["settings"])
    y_pred = Tensor(np.array(case["y_pred"]), requires_grad=True)
    value = loss(np.array(case["y_true"]), y_pred, sample_weight=case["sample_weight"])
    np.testing.assert_allclose(value.numpy(), case["value"], rtol=1e-6, atol=1e-9)
    value.backward(np.ones(value.shape))
    np.testing.assert_allclose(y_pred.grad.numpy(), case["gradient"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("case", FIXTURE["losses"], ids=case_id)
@pytest.mark.parametrize("kind", [np.asarray, Tensor])
def test_predictions_of_float16_are_computed_with_as_float32(case, kind):
    loss = getattr(losses, case["name"])(**case["settings"])
    y_pred = np.array(case["y_pred"], np.float16)
    value, true = (
        loss(np.array(case["y_true"]), kind(p), sample_weight=case["sample_weight"])
        for p in (y_pred, y_pred.astype(np.float32))
    )
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value.numpy(), true.numpy())


@pytest.mark.parametrize("name", sorted(losses._FUNCTIONS))
@pytest.mark.parametrize("value", [None, "abc", {"a": 1}, object, [[1.0], [2.0, 3.0]]], ids=str)
def test_what_holds_no_numbers_is_refused(name, value):
    loss, rows = getattr(losses, name), np.full((2, 3), 0.3)
    for targets, predictions in (
        (value, rows),
        (np.array([0, 1]) if name.startswith("sparse") else rows, value),
    ):
        with pytest.raises(TypeError, match="numbers"):
            loss(targets, predictions)


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("value", ["0.1", [0.1], 1.5, -0.1, np.nan, True], ids=str)
def test_label_smoothing_is_a_share(name, value):
    rows = np.full((2, 3), 0.3)
    with pytest.raises((TypeError, ValueError), match=f"{name}: label_smoothing must be"):
        getattr(losses, name)(rows, rows, label_smoothing=value)


def test_a_number_is_no_prediction_of_a_class():
    with pytest.raises(
        ValueError, match="predictions must have the samples along their first axis, got the number"
    ):
        losses.crossentropy([1.0], 0.5)


@pytest.mark.parametrize("case", FIXTURE["losses"], ids=case_id)
def test_arrays_of_another_module(case):
    loss = getattr(losses, case["name"])(**case["settings"])
    y_pred = Tensor(strict_array.asarray(np.array(case["y_pred"])), requires_grad=True)
    weight = None if case["sample_weight"] is None else strict_array.asarray(np.array(case["sample_weight"]))
    value = loss(strict_array.asarray(np.array(case["y_true"])), y_pred, sample_weight=weight)
    np.testing.assert_allclose(value.data.get(), case["value"], rtol=1e-6, atol=1e-9)
    (gradient,) = tinynet.autograd.gradients(value, [y_pred], strict_array.asarray(np.ones(value.shape)))
    np.testing.assert_allclose(gradient.get(), case["gradient"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "case", [c for c in FIXTURE["losses"] if "CategoricalCross" in c["name"]], ids=case_id
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_through_a_softmax(case, dtype):
    """The loss of a softmax runs as one kernel on its logits; it must equal the loss of the probabilities."""
    loss = getattr(losses, case["name"])(**{**case["settings"], "from_logits": False})
    rng = np.random.default_rng(0)
    # so far apart that the clip is active
    logits = (rng.standard_normal(np.shape(case["y_pred"])) * 12).astype(dtype)
    target = np.array(case["y_true"])
    results = []
    for fused in (True, False):
        z = Tensor(logits, requires_grad=True)
        p = ops.softmax(z)
        if not fused:
            p = p * 1.0
        value = loss(target, p, sample_weight=case["sample_weight"])
        assert value.dtype == dtype
        results.append((value.numpy(), tinynet.autograd.grad(value, z, np.ones(value.shape, dtype)).numpy()))
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-11}
    for ours, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, **tolerance)


class TestKnownNumbers:
    def test_categorical(self):
        p = np.array([[0.9, 0.05, 0.05], [0.5, 0.89, 0.6], [0.05, 0.01, 0.94]])
        per_sample = losses.categorical_crossentropy(np.eye(3), p)
        np.testing.assert_allclose(per_sample, [0.1053605, 0.8046685, 0.0618754], atol=1e-7)
        assert CategoricalCrossentropy()(np.eye(3), p).item() == pytest.approx(0.3239681, abs=1e-7)
        np.testing.assert_array_equal(losses.sparse_categorical_crossentropy([0, 1, 2], p), per_sample)

    def test_a_wrong_certainty_costs_the_logarithm_of_the_clip(self):
        p = np.array([[0.0, 1.0]], "float32")
        assert losses.categorical_crossentropy([[1, 0]], p)[0] == pytest.approx(16.118095, rel=1e-6)

    def test_binary(self):
        value = losses.BinaryCrossentropy()(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
        assert value.item() == pytest.approx((0.9162907 + 0.7135582) / 2, abs=1e-6)

    def test_a_wrong_hard_bit_in_float32(self):
        y_true, y_pred = (
            np.array([[1.0, 0.0], [1.0, 0.0]], "float32"),
            np.array([[1.0, 1.0], [1.0, 0.0]], "float32"),
        )
        value = losses.BinaryCrossentropy()(y_true, y_pred)  # 1 - 1e-7 is rounded to 1 - 1.19e-7
        assert value.item() == pytest.approx(3.98559, abs=1e-5)
        assert losses.BinaryCrossentropy()([[0.0]], np.ones((1, 1), "float32")).item() == pytest.approx(
            15.942385, rel=1e-6
        )

    def test_hinges(self):
        np.testing.assert_allclose(losses.hinge([[-1.0, 1.0]], [[0.5, 0.5]]), [1.0])
        np.testing.assert_allclose(losses.hinge([[0.0, 1.0]], [[0.5, 0.5]]), [1.0])
        # not bits: taken as they are
        np.testing.assert_allclose(losses.hinge([[0.0, 2.0]], [[0.5, 0.25]]), [0.75])
        np.testing.assert_allclose(losses.squared_hinge([[0.0, 1.0]], [[0.5, 0.5]]), [(2.25 + 0.25) / 2])
        np.testing.assert_allclose(losses.categorical_hinge([[0.0, 1.0, 0.0]], [[0.3, 0.5, 0.4]]), [0.9])

    def test_smooth_regression(self):
        np.testing.assert_allclose(losses.huber([[0.0, 0.0]], [[0.5, -3.0]]), [(0.125 + 2.5) / 2])
        np.testing.assert_allclose(
            losses.log_cosh([[0.0, 0.0]], [[1.5, 40.0]]), [(np.log(np.cosh(1.5)) + 40 - np.log(2)) / 2]
        )
        np.testing.assert_allclose(losses.cosine_similarity([[3.0, 4.0]], [[4.0, 3.0]]), [-0.96])
        np.testing.assert_allclose(losses.cosine_similarity([[3.0, 4.0]], [[0.0, 0.0]]), [0.0], atol=1e-12)
        np.testing.assert_allclose(losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 5.0]]), [37.5])
        np.testing.assert_allclose(
            losses.mean_squared_logarithmic_error([[np.e - 1]], [[-5.0]]), [1.0], rtol=1e-6
        )

    def test_distributions(self):
        expected = [0.5 * np.log(2) + 0.5 * np.log(2 / 3)]
        np.testing.assert_allclose(losses.kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]), expected, rtol=1e-6)
        np.testing.assert_allclose(
            losses.poisson([[2.0, 0.0]], [[3.0, 1.0]]), [(3 - 2 * np.log(3) + 1) / 2], rtol=1e-6
        )

    def test_regression(self):
        np.testing.assert_allclose(losses.mean_squared_error([[1.0, 2.0]], [[2.0, 4.0]]), [2.5])
        np.testing.assert_allclose(losses.mean_absolute_error([[1.0, 2.0]], [[2.0, 4.0]]), [1.5])


class TestReductions:
    per_sample = np.array([1.0, 2.0, 6.0])
    weights = (1.0, 0.0, 3.0)

    def reduced(self, reduction, weights=None):
        class Given(Loss):
            def call(self, y_true, y_pred):
                return y_pred

        return Given(reduction=reduction)(np.zeros(3), self.per_sample, weights).numpy()

    @pytest.mark.parametrize(
        ("reduction", "plain", "weighted"),
        [
            ("sum_over_batch_size", 3, 19 / 3),
            ("mean", 3, 19 / 3),
            ("sum", 9, 19),
            ("mean_with_sample_weight", 3, 19 / 4),
            (None, [1, 2, 6], [1, 0, 18]),
            ("none", [1, 2, 6], [1, 0, 18]),
        ],
    )
    def test_values(self, reduction, plain, weighted):
        np.testing.assert_allclose(self.reduced(reduction), plain)
        np.testing.assert_allclose(self.reduced(reduction, self.weights), weighted)

    def test_no_weight_at_all(self):
        assert self.reduced("mean_with_sample_weight", (0.0, 0.0, 0.0)) == 0

    def test_unknown(self):
        with pytest.raises(ValueError, match="reduction"):
            MeanSquaredError(reduction="median")


def test_a_loss_of_no_axes_is_not_reduced_again():
    """One number from a function of one's own, weighted,
    is the loss; a mean by weights would take the weight out again.
    """

    class Total(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.sum(ops.abs(y_true - y_pred))

    for reduction in ("mean_with_sample_weight", "sum_over_batch_size", "sum", None):
        assert float(Total(reduction=reduction)([1.0, 2.0], [2.0, 5.0], 3.0)) == 12.0


class TestIgnoredClass:
    y_pred = np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])

    @pytest.mark.parametrize(
        ("reduction", "expected"),
        [
            ("sum_over_batch_size", np.log(4 / 1.8) / 2),
            ("sum", np.log(4 / 1.8)),
            (None, [np.log(2), -np.log(0.9), 0]),
        ],
    )
    def test_it_is_not_counted(self, reduction, expected):
        loss = SparseCategoricalCrossentropy(ignore_class=-1, reduction=reduction)
        np.testing.assert_allclose(loss([0, 0, -1], self.y_pred).numpy(), expected, rtol=1e-6)

    def test_the_mean_is_over_those_that_count(self):
        loss = SparseCategoricalCrossentropy(ignore_class=-1, reduction="mean")
        rows = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])
        np.testing.assert_allclose(loss([0, 1, -1], rows).numpy(), (np.log(2) - np.log(0.75)) / 2, rtol=1e-6)

    def test_nothing_else_left(self):
        assert SparseCategoricalCrossentropy(ignore_class=1)([1, 1, 1], self.y_pred).item() == 0

    def test_other_labels_are_checked(self):
        with pytest.raises(ValueError, match="label 7"):
            SparseCategoricalCrossentropy(ignore_class=255)([0, 255, 7], self.y_pred)


LAYOUTS = {"(N,)": (12,), "(N, 1)": (12, 1), "(N, H, W)": (3, 2, 2), "(N, H, W, 1)": (3, 2, 2, 1)}


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
class TestLabelsThatAreNoClass:
    def labels(self, layout, dtype, label, place=5):
        y_true = np.arange(12) % 3
        y_true[place] = label
        shape = LAYOUTS[layout]
        rows = np.full((*(shape[:-1] if shape[-1] == 1 else shape), 3), 1 / 3, "float32")
        return y_true.astype(dtype).reshape(shape), rows

    @pytest.mark.parametrize("label", [3, 100, -1, -7])
    @pytest.mark.parametrize("from_logits", [False, True])
    def test_they_are_named(self, layout, dtype, label, from_logits):
        if label < 0 and dtype.startswith("u"):
            return
        y_true, rows = self.labels(layout, dtype, label)
        with pytest.raises(
            ValueError, match=rf"label {label}, but there are 3 classes.*number the classes from 0"
        ):
            SparseCategoricalCrossentropy(from_logits=from_logits)(y_true, rows)
        if label < 0:
            with pytest.raises(ValueError, match="ignore_class"):
                SparseCategoricalCrossentropy()(y_true, rows)

    @pytest.mark.parametrize("label", [0, 1, 2])
    def test_all_others_are_taken(self, layout, dtype, label):
        y_true, rows = self.labels(layout, dtype, label)
        np.testing.assert_allclose(
            SparseCategoricalCrossentropy()(y_true, rows).numpy(), np.log(3), rtol=1e-6
        )

    def test_those_to_ignore_are_taken(self, layout, dtype):
        for ignored in (-1, 3, 100) if not dtype.startswith("u") else (3, 100):
            y_true, rows = self.labels(layout, dtype, ignored)
            loss = SparseCategoricalCrossentropy(ignore_class=ignored)
            np.testing.assert_allclose(loss(y_true, rows).numpy(), np.log(3), rtol=1e-6)


class TestWeights:
    def test_a_number_of_any_kind(self):
        y = np.zeros((2, 3), "float32")
        for weight in (3, 3.0, np.array(3), np.float64(3)):
            value = MeanSquaredError()(y, y + 1, sample_weight=weight)
            assert value.item() == 3
            assert value.dtype == np.float32

    def test_one_per_sample_of_many_values(self):
        y = np.zeros((2, 2, 3))  # losses (2, 2): as many values per sample as samples
        values = MeanSquaredError(reduction=None)(y, y + 1.0, sample_weight=[1.0, 5.0])
        np.testing.assert_allclose(values.numpy(), [[1, 1], [5, 5]])

    def test_a_column_and_a_number(self):
        y = np.zeros((2, 3))
        for weights in ([[1.0], [5.0]], [1.0, 5.0]):
            assert MeanSquaredError()(y, y + 1, sample_weight=weights).item() == 3
        assert MeanSquaredError()(y, y + 1, sample_weight=2.0).item() == 2

    def test_wrong_number(self):
        with pytest.raises(ValueError, match=r"sample_weight has shape \(3,\), the losses \(2,\)"):
            MeanSquaredError()(np.zeros((2, 3)), np.zeros((2, 3)), sample_weight=[1, 2, 3])


class TestShapes:
    def test_a_column_of_predictions_takes_a_vector_of_targets(self):
        y_true, y_pred = np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [5.0]])
        # not 9 differences, broadcast
        assert MeanSquaredError()(y_true, y_pred).item() == pytest.approx(4 / 3)

    @pytest.mark.parametrize(
        ("name", "true", "pred", "advice"),
        [
            ("categorical_crossentropy", (4,), (4, 10), "sparse_categorical_crossentropy"),
            ("categorical_crossentropy", (4, 1), (4, 10), "to_categorical"),
            ("categorical_crossentropy", (4, 9), (4, 10), "last layer"),
            ("categorical_crossentropy", (3, 10), (4, 10), "number of samples"),
            ("sparse_categorical_crossentropy", (4, 10), (4, 10), "one-hot"),
            ("sparse_categorical_crossentropy", (3,), (4, 10), r"\(4,\)"),
            ("mean_squared_error", (4, 3), (4, 1), "must be equal"),
            ("binary_crossentropy", (4, 2), (4, 1), "must be equal"),
        ],
    )
    def test_errors_say_what_to_do(self, name, true, pred, advice):
        with pytest.raises(ValueError, match=advice) as error:
            losses.as_loss(name)(np.zeros(true), np.full(pred, 0.5))
        assert name in str(error.value)

    def test_integer_and_double_targets_keep_float32(self):
        y_pred = Tensor(np.full((2, 3), 1 / 3, "float32"), requires_grad=True)
        for target in (np.eye(3)[:2], np.eye(3, dtype="uint8")[:2], np.eye(3, dtype=bool)[:2]):
            for loss in ("categorical_crossentropy", "binary_crossentropy", "mse", "mae"):
                value = losses.as_loss(loss)(target, y_pred, sample_weight=np.ones(2))
                assert value.dtype == np.float32
        assert SparseCategoricalCrossentropy()(np.array([0.0, 2.0]), y_pred).dtype == np.float32


class TestOnesOwn:
    def test_a_subclass_is_given_tensors_of_one_dtype(self):
        class Own(Loss):
            def call(self, y_true, y_pred):
                assert isinstance(y_true, Tensor)
                assert y_true.dtype == y_pred.dtype == np.float32
                return ops.mean(abs(y_true - y_pred), axis=-1)

        assert Own()(np.array([[1, 2]]), np.zeros((1, 2), "float32")).item() == 1.5
        assert Own(name="mine", reduction="sum").get_config() == {"name": "mine", "reduction": "sum"}
        assert Own().name == "own"

    def test_a_function_is_given_tensors_of_one_rank(self):
        def own(y_true, y_pred):
            return ops.square(y_true - y_pred)

        loss = losses.as_loss(own)
        assert loss(np.array([1.0, 2.0]), np.array([[1.0], [4.0]])).item() == 2.0  # not (2, 2) differences
        assert loss(np.array([[1.0], [2.0]]), np.array([1.0, 4.0])).item() == 2.0

    def test_one_number_for_the_batch(self):
        assert losses.as_loss(lambda y_true, y_pred: ops.max(y_pred))([0.0, 0.0], [1.0, 3.0]).item() == 3

    def test_something_else(self):
        with pytest.raises(TypeError, match="one value per sample"):
            losses.as_loss(lambda y_true, y_pred: 3)(np.zeros(2), np.zeros(2))
        with pytest.raises(TypeError, match="must define call"):
            Loss()(np.zeros(2), np.zeros(2))


def test_a_dtype_to_compute_in():
    y_pred = np.full((1, 2), 1 / 3, "float32")
    assert MeanSquaredError(dtype="float64")(np.zeros((1, 2)), y_pred).dtype == np.float64
    with pytest.raises(ValueError, match="dtype"):
        MeanSquaredError(dtype="int32")


def test_one_class_is_worth_a_warning():
    with pytest.warns(UserWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy([[1.0]], [[0.5]])


class TestLookup:
    @pytest.mark.parametrize("case", FIXTURE["losses"], ids=case_id)
    def test_every_loss_is_made_again_from_its_configuration(self, case):
        loss = getattr(losses, case["name"])(**case["settings"])
        copy = losses.deserialize(json.loads(json.dumps(losses.serialize(loss))))
        assert type(copy) is type(loss)
        assert copy.get_config() == loss.get_config()

    def test_names_of_keras(self):
        names = {
            "mape": "mean_absolute_percentage_error",
            "MSLE": "mean_squared_logarithmic_error",
            "kld": "kl_divergence",
        }
        names |= {
            name: name
            for name in ("huber", "log_cosh", "poisson", "hinge", "categorical_hinge", "cosine_similarity")
        }
        for name, function in names.items():
            assert losses.get(name) is getattr(losses, function)
            assert losses.get(losses.serialize(losses.get(name))) is losses.get(name)
        assert losses.Huber().name == "huber_loss"
        assert losses.as_loss("CE").name == "CE"

    def test_a_wrapped_function(self):
        loss = losses.LossFunctionWrapper(losses.huber, name="mine", delta=2.0)
        copy = losses.get(json.loads(json.dumps(losses.serialize(loss))))
        assert copy.fn is losses.huber
        assert copy.settings == {"delta": 2.0}

    @pytest.mark.parametrize("name", ["binary_focal_crossentropy", "Dice", "ctc"])
    def test_losses_that_are_not_here(self, name):
        with pytest.raises(ValueError, match="Could not interpret loss identifier"):
            losses.get(name)

    def test_functions_classes_and_aliases(self):
        assert losses.get(None) is None
        assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
        assert losses.get("mae") is losses.mean_absolute_error
        assert losses.get("bce") is losses.binary_crossentropy
        for name in ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"):
            assert losses.get(name) is getattr(losses, name)
        assert isinstance(losses.get("CategoricalCrossentropy"), CategoricalCrossentropy)
        assert isinstance(losses.get(MeanSquaredError), MeanSquaredError)

    def test_as_loss_keeps_instances_and_names(self):
        instance = MeanSquaredError()
        assert losses.as_loss(instance) is instance
        assert losses.as_loss("mse").name == "mse"
        assert losses.as_loss(None) is None

        def own(y_true, y_pred):
            return ops.mean(ops.square(y_pred - y_true), axis=-1)

        assert losses.as_loss(own).name == "own"
        assert losses.as_loss(own)(np.zeros((2, 2)), np.ones((2, 2))).item() == 1

    @pytest.mark.parametrize(
        ("y_true", "y_pred", "name"),
        [
            ([1, 0], [[0.3], [0.6]], "binary_crossentropy"),
            ([1, 0], [[0.3, 0.7], [0.6, 0.4]], "sparse_categorical_crossentropy"),
            ([[1], [0]], [[0.3, 0.7], [0.6, 0.4]], "sparse_categorical_crossentropy"),
            ([[0, 1], [1, 0]], [[0.3, 0.7], [0.6, 0.4]], "categorical_crossentropy"),
        ],
    )
    def test_crossentropy_by_shape(self, y_true, y_pred, name):
        y_true, y_pred = np.array(y_true), np.array(y_pred)
        assert (
            losses.as_loss("crossentropy")(y_true, y_pred).item()
            == losses.as_loss(name)(y_true, y_pred).item()
        )

    def test_unknown(self):
        with pytest.raises(ValueError, match="categorical_crossentropy"):
            losses.get("catgorical_crossentropy")
        with pytest.raises(ValueError, match="loss identifier"):
            losses.get(3)

    @pytest.mark.parametrize("name", ["CategoricalCrossentropy", "BinaryCrossentropy"])
    def test_configuration(self, name):
        original = getattr(losses, name)(from_logits=True, label_smoothing=0.1, reduction="sum")
        copy = losses.get(json.loads(json.dumps(losses.serialize(original))))
        assert type(copy) is type(original)
        assert copy.get_config() == original.get_config()
        with pytest.raises(ValueError, match="label_smoothing"):
            getattr(losses, name)(label_smoothing=1.5)
