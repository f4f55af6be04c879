"""Wrong settings of every function are refused with an error that names the function and the argument."""

import inspect

import numpy as np
import pytest

from tinynet import Tensor, no_grad, ops
from tinynet.kernels import pool2d

from ops.calls import CALLS, ROLES

ROWS, IMAGES, SEQUENCES = np.arange(12.0).reshape(3, 4), np.ones((2, 4, 4, 2)), np.ones((2, 5, 3))
KERNEL, BACK, DEEP, ONE = (
    np.ones((2, 2, 2, 3)),
    np.ones((2, 2, 3, 2)),
    np.ones((2, 2, 2, 1)),
    np.ones((2, 3, 4)),
)
MAPS, FOUR, NAN = np.tile([1.0, 0, 0, 0, 1, 0], (2, 1)), np.ones(4), float("nan")
# What else a function takes whose arguments are tried: the others have x alone.
TAKES = {
    "affine_warp": (IMAGES, MAPS), "average_pool2d": (IMAGES,), "batch_norm": (ROWS, FOUR, FOUR),
    "batch_norm_inference": (ROWS, *[FOUR] * 4), "conv1d": (SEQUENCES, ONE), "conv2d": (IMAGES, KERNEL),
    "conv2d_transpose": (IMAGES, BACK), "depthwise_conv2d": (IMAGES, DEEP), "group_norm": (ROWS, FOUR, FOUR),
    "linear": (ROWS, FOUR[:, None]), "max_pool2d": (IMAGES,), "one_hot": ([0, 1],),
    "resize_images": (IMAGES,),
    "take": (ROWS, [0]), "concatenate": ([ROWS, ROWS],), "repeat": (ROWS,), "split": (ROWS,),
    "stack": ([ROWS, ROWS],), "categorical_crossentropy": (ROWS, ROWS),
    "sparse_categorical_crossentropy": (np.arange(3), ROWS),
}  # fmt: skip
WITH = {
    "norm": {"axis": 1}, "max_pool2d": {"pool_size": 2}, "average_pool2d": {"pool_size": 2},
    "resize_images": {"size": 2},
    "one_hot": {"num_classes": 3}, "repeat": {"repeats": 2}, "split": {"indices_or_sections": 1},
    "group_norm": {"axes": (1,)},
}  # fmt: skip

NO_AXIS = [2, -3, 7, "x", 1.5, NAN, True, (1.5,), (0, "x")]
NO_AXES = [*NO_AXIS, (0, 0), (0, -2), (0, 5), [1, 1]]
NO_PAIR = [0, -1, 1.5, "x", (2,), (1, 2, 3), NAN, (0, 2), True, (1, -2), (2, 1.5)]
NO_COUNT = [-1, 1.5, "x", NAN, True, None]
WRONG = {
    "axis": {
        **dict.fromkeys(
            ["all", "any", "sum", "mean", "var", "std", "max", "min", "logsumexp", "norm", "normalize"],
            NO_AXES,
        ),
        **dict.fromkeys(["softmax", "log_softmax", "flip"], NO_AXES),
        **dict.fromkeys(
            ["argmax", "argmin", "sparsemax", "unstack", "repeat", "take", "split", "concatenate"], NO_AXIS
        ),
        **dict.fromkeys(["categorical_crossentropy", "sparse_categorical_crossentropy"], NO_AXIS),
        **{key: [*NO_AXIS, None] for key in ["batch_norm", "batch_norm_inference"]},
        "one_hot": [2, -3, "x", 1.5, None],
        "squeeze": NO_AXES,
        "expand_dims": [3, -4, "x", 1.5, NAN, True, None, (1.5,), (0, "x"), (0, 0), (0, -4), (0, 4)],
        "stack": [3, -4, "x", 1.5, NAN, True, None, (0, 1)],
    },
    "axes": {
        "moments": NO_AXES,
        "group_norm": [*NO_AXES, (0,), (), (1, 1), 1, None],
        "transpose": [*NO_AXES, (0,), (2, 3), (-3, -4), (1, 0, 2), ()],
    },
    "newshape": {"reshape": ["x", 2.0, NAN, True, None, (2.9, 6), (3, "x"), (3, None), np.array([3.0, 4.0])]},
    "shape": {
        "broadcast_to": ["x", 1.5, NAN, None, True, (3.0, 4), (3, "x"), (3, -1), (4,), (4, 3), (), (3, 4, 1)]
    },
    "ord": {"norm": [0, -1, NAN, float("inf"), "x", True, [2], -0.5, "nuc"]},
    "order": {"normalize": [0, -1, NAN, float("inf"), "x", True, [2], None]},
    "epsilon": {
        key: [-1, NAN, "x", [1]] for key in ["normalize", "group_norm", "batch_norm", "batch_norm_inference"]
    },
    "strides": {
        **dict.fromkeys(
            ["conv2d", "conv2d_transpose", "depthwise_conv2d", "max_pool2d", "average_pool2d"], NO_PAIR
        ),
        "conv1d": [0, -1, 1.5, "x", (1,), NAN, True, None],
    },
    "dilation_rate": {
        **dict.fromkeys(["conv2d", "conv2d_transpose", "depthwise_conv2d"], NO_PAIR),
        "conv1d": [0, "x", None],
    },
    "pool_size": {key: [*NO_PAIR, None] for key in ["max_pool2d", "average_pool2d"]},
    "size": {"resize_images": [*NO_PAIR, None]},
    "output_padding": {"conv2d_transpose": [-1, "x", 1, 1.5, (0, 2), (0,)]},
    "groups": {key: [0, -1, 1.5, "x", None, (1,)] for key in ["conv1d", "conv2d"]},
    "padding": {"conv2d_transpose": ["x", 0, None, ((1, 1), (1, 1))], "conv1d": ["x", 0, None]},
    "activation": {
        key: ["x", 1] for key in ["conv1d", "conv2d", "conv2d_transpose", "depthwise_conv2d", "linear"]
    },
    "interpolation": {key: ["x", None, 1] for key in ["resize_images", "affine_warp"]},
    "fill_mode": {"affine_warp": ["x", None, 1]},
    "fill_value": {"affine_warp": ["x", None, NAN]},
    "rate": {"dropout": [-0.1, 1.1, NAN, "x", None, [0.5]]},
    "repeats": {"tile": [*NO_COUNT, (2, -1), (1, 0.5)], "repeat": [*NO_COUNT, [1, 2, -1]]},
    "indices_or_sections": {"split": [0, -2, 1.5, "x", None, (1, 2, -1), (2, 9), (1.5,), (2, 1)]},
    "num_classes": {"one_hot": NO_COUNT},
    "negative_slope": {"leaky_relu": [-1.0, NAN, "x", None]},
    "alpha": {"elu": [-1.0, NAN, "x", None]},
}
TRIED = [
    (name, argument, value)
    for argument, of in WRONG.items()
    for name, values in of.items()
    for value in values
]


@pytest.mark.parametrize(("name", "argument", "value"), TRIED, ids=str)
@pytest.mark.parametrize("kind", [np.float32, Tensor])
def test_wrong_settings(name, argument, value, kind):
    arrays = [
        kind(x) if isinstance(x, np.ndarray) and i == 0 else x for i, x in enumerate(TAKES.get(name, (ROWS,)))
    ]
    settings = {**WITH.get(name, {}), argument: value}
    with pytest.raises((ValueError, TypeError)) as error:
        getattr(ops, name)(*arrays, **settings)
    assert f"{name}: " in str(error.value)
    assert argument in str(error.value)
    settings.pop(argument)
    if inspect.signature(getattr(ops, name)).parameters[argument].default is not inspect.Parameter.empty:
        getattr(ops, name)(*arrays, **settings)  # it was that argument alone


@pytest.mark.parametrize(
    "argument", [argument for argument in WRONG if argument not in ("padding", "repeats", "order", "size")]
)
def test_every_function_with_such_an_argument_is_tried(argument):
    functions = {name for name in ops.__all__ if inspect.isfunction(inspect.unwrap(getattr(ops, name)))}
    having = {name for name in functions if argument in inspect.signature(getattr(ops, name)).parameters}
    elsewhere = {"full", "full_like", "ones", "zeros"}  # new arrays
    assert having - elsewhere == set(WRONG[argument])


@pytest.mark.parametrize("value", [None, "abc", b"ab", {"a": 1}, {1, 2}, object, [None], ["a"]], ids=str)
@pytest.mark.parametrize("name", [name for name, (_, roles) in CALLS.items() if roles])
def test_what_holds_no_numbers_is_refused(name, value):
    function, roles = CALLS[name]
    for place in range(len(roles)):
        if roles[place].isupper() and (place == 0 or value is not None):  # None may stand for a bias
            arrays = [value if i == place else ROLES[role] for i, role in enumerate(roles)]
            with pytest.raises(TypeError, match="holds numbers"):
                function(ops, *arrays)


@pytest.mark.parametrize("shape", [None, "x", 1.5, (2, 1.5), (2, None), (-1,), -2, True], ids=str)
@pytest.mark.parametrize("make", [ops.zeros, ops.ones, lambda shape: ops.full(shape, 1)])
def test_shapes_of_new_arrays(make, shape):
    with pytest.raises((TypeError, ValueError), match="full: shape must be"):
        make(shape)
    for fitting in (2, (2,), [2], np.array([2]), Tensor(2), np.int64(2)):
        assert make(fitting).shape == (2,)


@pytest.mark.parametrize("value", [None, "x", object], ids=str)
def test_new_arrays_are_filled_with_numbers(value):
    for call in (lambda: ops.full(2, value), lambda: ops.full_like(ROWS, value)):
        with pytest.raises(TypeError, match="holds numbers"):
            call()
    with pytest.raises(OverflowError):
        ops.full_like(np.zeros(2, "uint8"), 300)
    np.testing.assert_array_equal(ops.full((2, 2), [1.5, 2.0]).numpy(), [[1.5, 2.0]] * 2)
    np.testing.assert_array_equal(ops.full((2,), Tensor(3)).numpy(), [3, 3])


@pytest.mark.parametrize(
    "padding", ["x", 0, None, (1, 1), ((1,), (1,)), ((-1, 0), (0, 0)), ((1.5, 0), (0, 0)), (("", 0),) * 2]
)
def test_padding(padding):
    for call in (
        lambda: ops.conv2d(IMAGES, KERNEL, padding=padding),
        lambda: ops.depthwise_conv2d(IMAGES, DEEP, padding=padding),
        lambda: ops.max_pool2d(IMAGES, pool_size=2, padding=padding),
        lambda: ops.average_pool2d(IMAGES, pool_size=2, padding=padding),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="padding must"):
            call()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda: ops.conv2d(ROWS, KERNEL),
            r"conv2d: x must have the axes \(N, H, W, C\), got shape \(3, 4\)",
        ),
        (lambda: ops.conv2d(IMAGES, ROWS), "conv2d: w must have the axes"),
        (lambda: ops.conv1d(ROWS, ONE), "conv1d: x must have the axes"),
        (lambda: ops.conv1d(SEQUENCES, ROWS), "conv1d: w must have the axes"),
        (
            lambda: ops.conv2d_transpose(IMAGES, KERNEL),
            "conv2d_transpose: a kernel .* takes 3 channels, the images have 2",
        ),
        (lambda: ops.depthwise_conv2d(ROWS, DEEP), "depthwise_conv2d: x must have the axes"),
        (lambda: ops.max_pool2d(ROWS, pool_size=2), "max_pool2d: x must have the axes"),
        (lambda: ops.average_pool2d(ROWS, pool_size=2), "average_pool2d: x must have the axes"),
        (lambda: ops.resize_images(ROWS, 2), "resize_images: x must have the axes"),
        (lambda: ops.affine_warp(ROWS, MAPS), "affine_warp: x must have the axes"),
        (
            lambda: ops.concatenate([ROWS, ROWS[:, :2]]),
            "concatenate: the shapes must be equal but along axis 0",
        ),
        (lambda: ops.concatenate([]), "concatenate: expected arrays"),
        (lambda: ops.arange(0, 3, 0), "arange: step must not be 0"),
    ],
)
def test_wrong_shapes(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_nothing_may_be_split_and_repeated():
    """An axis of length 0 divides into any number of parts; what is repeated 0 times has no elements."""
    assert [part.shape for part in ops.split(np.zeros((0, 2)), 1)] == [(0, 2)]
    assert [part.shape for part in ops.split(np.zeros((0, 2)), 3)] == [(0, 2)] * 3
    assert [part.shape for part in ops.split(ROWS, (0, 2, 2))] == [(0, 4), (2, 4), (0, 4), (1, 4)]
    assert ops.tile(ROWS, 0).shape == (3, 0)
    assert ops.tile(Tensor(ROWS), (0, 2)).shape == (0, 8)
    assert ops.repeat(ROWS, 0, 1).shape == (3, 0)
    np.testing.assert_array_equal(ops.repeat(ROWS, [0, 1, 2], 0), ROWS[[1, 2, 2]])


@pytest.mark.parametrize("cells", [254, 255, 256, 257, 300])
def test_the_winning_cell_has_a_number(cells):
    """One byte holds 0 .. 255: in a window of 257 cells the last one is number 256."""
    x = np.arange(float(cells)).reshape(1, 1, cells, 1)
    settings = {"pool_size": (1, cells), "strides": (1, cells), "padding": ((0, 0), (0, 0))}
    for name in ("numpy", "naive", "numba"):
        y, index = pool2d.max_pool2d[name](x, **settings)
        assert (y.item(), index.item()) == (cells - 1, cells - 1)
        dx = pool2d.max_pool2d_grad[name](y, index, input_size=(1, cells), **settings)
        np.testing.assert_array_equal(dx.ravel(), [*[0] * (cells - 1), cells - 1])


def test_probabilities_changed_since_are_what_counts():
    """What the loss divides out again would hide the change: here it does not."""
    z = Tensor(np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]]))
    p = ops.softmax(z)
    with no_grad():
        p[:, 0] += 0.5
    changed = p.numpy()
    expected = -np.log(changed[[0, 1], [0, 2]] / changed.sum(1))
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy(np.array([0, 2]), p).numpy(), expected)
