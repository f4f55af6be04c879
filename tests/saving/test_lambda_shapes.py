"""The shape of a Lambda in a file is worked out without numbers, and is the one that running it gives."""

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops
from tinynet.autograd import no_grad
from tinynet.backend import abstract_arrays, limits
from tinynet.saving import FileError, register_keras_serializable
from tinynet.saving.check_lambda import SHAPED, check_lambda

RANDOM = np.random.default_rng(0)
SHAPE = (5, 6, 4)
ROWS = {"x2": [[0.5] * 3] * 4}
ARGUMENTS = {
    "add": {"x2": [[0.5] * 4] * 6}, "subtract": {"x2": [1, 2, 3, 4]}, "multiply": {"x2": 2},
    "divide": {"x2": [[2.0], [1.0]] * 3}, "power": {"x2": 2}, "maximum": {"x2": [[[0.0] * 4]] * 5},
    "minimum": {"x2": 0},
    "all": {"axis": 1},
    "any": {"axis": 2, "keepdims": True}, "argmax": {"axis": -1}, "argmin": {"axis": 1},
    "affine_warp": {"maps": [[1, 0, 0, 0, 1, 0]] * 2}, "cast": {"dtype": "float64"},
    "clip": {"x_min": 0, "x_max": 1},
    "concatenate": {"axis": 1}, "dropout": {"rate": 0.5}, "elu": {"alpha": 0.5}, "equal": {"x2": 1},
    "greater": {"x2": 1},
    "greater_equal": {"x2": 1}, "less": {"x2": 1}, "less_equal": {"x2": [1, 2, 3, 4]}, "not_equal": {"x2": 1},
    "expand_dims": {"axis": 2}, "flip": {"axis": 1}, "full_like": {"fill_value": 2},
    "gelu": {"approximate": True},
    "getitem": {"index": [0, 1]}, "leaky_relu": {"negative_slope": 0.1}, "log_softmax": {"axis": 1},
    "logaddexp": {"x2": 1.0},
    "logsumexp": {"axis": [1, 2]}, "max": {"axis": 1}, "min": {"axis": [1, 2], "keepdims": True},
    "mean": {"axis": -1},
    "moments": {"axes": [1]}, "moveaxis": {"source": 1, "destination": 2}, "norm": {"axis": -1},
    "normalize": {"axis": 1},
    "softmax": {"axis": 1}, "sparsemax": {"axis": -1}, "stack": {"axis": 2}, "std": {"axis": 1},
    "var": {"axis": [1, 2]},
    "sum": {"axis": 1}, "swapaxes": {"axis1": 1, "axis2": 2}, "take": {"indices": [0, 0, 2], "axis": 2},
}  # fmt: skip
# These take Tensors that come from elsewhere, other numbers, or the shape as it is with the batch.
CALLS = {
    "dot": lambda x: ops.dot(x, np.ones((4, 3), np.float32)),
    "matmul": lambda x: ops.matmul(x, np.ones((4, 3), np.float32)),
    "logical_and": lambda x: ops.logical_and(ops.greater(x, 0), True),
    "logical_not": lambda x: ops.logical_not(x > 0),
    "logical_or": lambda x: ops.logical_or(ops.greater(x, 0), True),
    "reshape": lambda x: ops.reshape(x, (2, -1, 4)),
    "where": lambda x: ops.where(ops.greater(x, 0), x, 0.0),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1, 3)),
}  # fmt: skip


def run(function, value):
    with no_grad():
        found = function(tinynet.Tensor(value))
    parts = found if isinstance(found, list | tuple) else [found]
    return [(part.shape, part.dtype) for part in parts]


@pytest.mark.parametrize("name", sorted(SHAPED))
def test_without_numbers_as_with(name):
    function = CALLS.get(name, lambda x: getattr(ops, name)(x, **ARGUMENTS.get(name, {})))
    number = RANDOM.uniform(0.1, 1, (2, *SHAPE)).astype(np.float32)
    assert run(function, abstract_arrays.Array(number.shape, number.dtype)) == run(function, number)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize(
    "name", ["sum", "mean", "var", "max", "argmin", "any", "square", "sign", "round", "floor", "exp"]
)
def test_formats_without_numbers_as_with(name, dtype):
    number = np.ones((2, 3), dtype)
    assert run(getattr(ops, name), abstract_arrays.Array(number.shape, number.dtype)) == run(
        getattr(ops, name), number
    )


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) & SHAPED))
@pytest.mark.parametrize("sizes", [SHAPE, (None, 6, 4), (5, None, 4)])
def test_the_layer_finds_the_same_shape_from_a_file(name, sizes):
    def shape():
        found = layers.Lambda(name, arguments=ARGUMENTS[name])(layers.Input(sizes))
        return [one.shape for one in found] if isinstance(found, tuple) else found.shape

    def outcome():
        try:
            return shape()
        except (ValueError, TypeError) as error:
            return type(error)

    with limits.within(limits.Left(100)):
        found = outcome()
    assert found == outcome()


@pytest.mark.parametrize("name", sorted(set(ops.__all__) - SHAPED))
@pytest.mark.parametrize("spelled", [lambda name: name, lambda name: {"function": name}])
def test_other_operations_need_a_shape(name, spelled):
    with pytest.raises(FileError, match="output_shape"):
        check_lambda({"function": spelled(name)}, "x")
    check_lambda({"function": spelled(name), "output_shape": [3]}, "x")


@pytest.mark.parametrize(
    "shape", ["ones", {"function": "zeros"}, "relu", {"class_name": "Dense", "config": {}}]
)
def test_the_shape_is_not_computed_by_operations(shape):
    with pytest.raises(FileError, match="no function that is registered"):
        check_lambda({"function": "relu", "output_shape": shape}, "x")


INDICES = [
    0, -1, slice(None, None, -2), None, Ellipsis, (Ellipsis, 1), (0, 1), (slice(1, 3), None, 2), [0, 1, 1],
    (slice(None), [0, 1, 1]), (slice(None), [0], [[1], [2]]), ([0, 1], slice(None), [1, 2]),
    (0, slice(None), [1, 2]),
    (None, [0, 1], Ellipsis, 2), np.array([1, 0]), (slice(None), np.zeros((2, 3), int), 1), (0, 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=repr)
def test_indices(index):
    array = np.zeros((2, *SHAPE))
    assert abstract_arrays.Array(array.shape)[index].shape == array[index].shape


@pytest.mark.parametrize("join", [
    lambda x: np.concatenate([x, x[:, :2]], 1), lambda x: np.concatenate([x[..., :1], x, x], -1),
    lambda x: np.concatenate([x[:0], x]), lambda x: np.concatenate([x]),
])  # fmt: skip
def test_arrays_of_other_sizes_are_joined(join):
    array = np.zeros((2, *SHAPE))
    assert join(abstract_arrays.Array(array.shape)).shape == join(array).shape


@pytest.mark.parametrize("index", [2, -3, (0, 9), [5], (0, 0, 0, 0, 0), (slice(None), [[7]])], ids=repr)
def test_indices_that_are_not_there(index):
    with pytest.raises(IndexError):
        abstract_arrays.Array((2, *SHAPE))[index]


@pytest.mark.parametrize(
    "use", [float, bool, np.asarray, list, lambda x: x[x > 0], lambda x: np.sort_complex(x)]
)
def test_numbers_that_are_not_there(use):
    with pytest.raises(TypeError):
        use(abstract_arrays.Array((3,)))


@pytest.mark.parametrize("change", [
    lambda x: x.reshape(7, -1), lambda x: x.reshape(-1, -1), lambda x: x.transpose(0, 0, 1, 2),
    lambda x: x @ np.ones((3, 3)),
    lambda x: x + np.ones(3), lambda x: np.concatenate([x, x[..., :1]], 0), lambda x: np.squeeze(x, 1),
    lambda x: x.sum(7),
    lambda x: np.broadcast_to(x, (2, 5, 6, 3)), lambda x: x.__setitem__(0, np.ones(3)),
])  # fmt: skip
def test_shapes_that_do_not_fit(change):
    for value in (np.zeros((2, *SHAPE)), abstract_arrays.Array((2, *SHAPE))):
        with pytest.raises(ValueError, match=r"\w"):
            change(value)


# Functions and layers of the user's


@register_keras_serializable("tests")
def outer_sum(x, repeats=2):
    y = x[:, :, None] + x[:, None, :]
    return ops.concatenate([ops.softmax(y, -1) * 2.0] * repeats, axis=-1)


@register_keras_serializable("tests")
def needs_numbers(x):
    return x * float(np.abs(x.numpy()).max() + 1)


@register_keras_serializable("tests")
class Both(layers.Layer):
    """Makes weights at its first call, in a layer of its own."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.norm = layers.Dense(3), layers.BatchNormalization()

    def call(self, x, training=False):
        return self.norm(self.inner(x), training=training) * self.inner.bias + x[..., :1]


@pytest.mark.parametrize(("layer", "shape"), [
    (lambda: layers.Lambda(outer_sum, arguments={"repeats": 3}), (None, 4, 12)),
    (lambda: layers.Lambda(needs_numbers), (None, 4)),
    (Both, (None, 3)), (lambda: tinynet.Sequential([Both(), layers.Dense(2, activation=layers.PReLU())]),
                        (None, 2)),
])  # fmt: skip
def test_functions_and_layers_of_ones_own(layer, shape, tmp_path):
    model = tinynet.Sequential([layers.Input((4,)), layer()])
    assert model.output_shape == shape
    x = RANDOM.standard_normal((3, 4)).astype(np.float32)
    for kind in ("tinynet", "keras"):
        if kind == "keras":
            pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
        model.save(tmp_path / f"net.{kind}")
        found = tinynet.saving.load_model(tmp_path / f"net.{kind}")
        assert found.output_shape == shape
        assert np.array_equal(found.predict(x, verbose=0), model.predict(x, verbose=0))


def test_without_numbers_nothing_large_is_computed_by_functions_of_ones_own():
    with limits.within(limits.Left(100)):
        assert layers.Lambda(outer_sum)(layers.Input((2**13,))).shape == (None, 2**13, 2**14)
        with pytest.raises(ValueError, match="output_shape"):
            layers.Lambda(needs_numbers)(layers.Input((2**21,)))
