"""What number formats images, matrices and vectors may have: integers,
booleans and float16 are computed with as float32.

The truth is the same function of the same numbers in float64.
"""

import numpy as np
import pytest

from tinynet import Tensor, config, grad, ops

from ops import calls

RNG = np.random.default_rng(5)
FORMATS = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]
WORDS = np.array([1, 2, 3], np.uint32)
MAPS = np.array([[0.9, 0.2, -0.37, -0.3, 1.1, 0.61], [1.0, 0.5, -1.2, 0.1, 0.7, 1.7]])
X, ROWS = RNG.integers(0, 2, (2, 5, 4, 2)), RNG.integers(0, 2, (4, 3))
KERNEL = RNG.normal(size=(2, 3, 2, 3)).astype("float32").astype("float64")
VECTOR = np.array([0.5, 1.25, 2.0])

# a function of an image or of rows, in any format, and of others, which are floats
CALLS = {
    "conv2d": (ops.conv2d, X, KERNEL, VECTOR),
    (
        "conv2d with "
        "relu"
    ): (lambda x, w, b: ops.conv2d(x, w, b, activation="relu", padding="same"), X, KERNEL, VECTOR),
    (
        "conv2d of channels "
        "first"
    ): (lambda x, w: ops.conv2d(x, w, data_format="channels_first"), X.transpose(0, 3, 1, 2), KERNEL),
    "depthwise_conv2d": (ops.depthwise_conv2d, X, KERNEL),
    "conv2d_transpose": (lambda x, w: ops.conv2d_transpose(x, ops.transpose(w, (0, 1, 3, 2)), strides=2), X,
                         KERNEL),
    "conv1d": (ops.conv1d, X[:, 0], KERNEL[0], VECTOR),
    "max_pool2d": (lambda x: ops.max_pool2d(x, pool_size=2), X),
    "average_pool2d": (lambda x: ops.average_pool2d(x, pool_size=(2, 3), padding="same"), X),
    "resize_images": (lambda x: ops.resize_images(x, (7, 3)), X),
    "resize_images nearest": (lambda x: ops.resize_images(x, (3, 9), "nearest"), X),
    "affine_warp": (lambda x: ops.affine_warp(x, MAPS), X),
    "batch_norm": (lambda x, g, b: ops.batch_norm(x, g, b)[0], ROWS, VECTOR, VECTOR),
    "batch_norm_inference": (ops.batch_norm_inference, ROWS, *[VECTOR] * 4),
    "group_norm": (lambda x, g, b: ops.group_norm(x, g, b, axes=(1,)), ROWS, VECTOR, VECTOR),
    "matmul": (ops.matmul, ROWS, KERNEL[0, :, 0]),
    (
        "matmul on the "
        "right"
    ): (lambda x, w: ops.matmul(ops.transpose(w), ops.transpose(x)), ROWS, KERNEL[0, :, 0]),
    "linear": (ops.linear, ROWS, KERNEL[0, :, 0], VECTOR),
    "linear of more axes": (ops.linear, X[..., None][..., [0, 0, 0]], KERNEL[0, :, 0], VECTOR),
    "softmax": (ops.softmax, ROWS),
    "log_softmax": (ops.log_softmax, ROWS),
    "sparsemax": (ops.sparsemax, ROWS),
    "var": (ops.var, ROWS),
    "std": (ops.std, ROWS),
    "mean": (ops.mean, ROWS),
    "norm": (ops.norm, ROWS),
    "normalize": (ops.normalize, ROWS),
    "erf": (ops.erf, ROWS),
    "gelu": (ops.gelu, ROWS),
    "expm1": (ops.expm1, ROWS),
    "logaddexp": (ops.logaddexp, ROWS, VECTOR),
    "binary_crossentropy": (lambda z: ops.binary_crossentropy(ROWS, z, from_logits=True), ROWS),
    "sparse_categorical_crossentropy":
        (lambda z: ops.sparse_categorical_crossentropy(np.array([0, 2, 1, 1]), z, from_logits=True), ROWS),
    "categorical_crossentropy": (lambda p: ops.categorical_crossentropy(np.eye(3)[[0, 2, 1, 1]], p + 1),
                                 ROWS),
    "dropout": (lambda x: ops.dropout(x, rate=0.3, words=WORDS), ROWS),
}  # fmt: skip


@pytest.mark.parametrize("other", ["float32", "float64"])
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", CALLS)
def test_integers_are_computed_with_as_floats(name, dtype, other):
    f, x, *others = CALLS[name]
    x = x.astype(dtype)
    wide = np.float64 if dtype == "float64" or (others and other == "float64") else np.float32
    truth = f(*(Tensor(a.astype(np.float64)) for a in (x, *others))).numpy()
    tracked = [Tensor(a.astype(other), requires_grad=True) for a in others]
    y = f(Tensor(x), *tracked)
    assert y.dtype == wide
    np.testing.assert_allclose(y.numpy(), truth, rtol=3e-6, atol=3e-6)
    # arrays as Tensors
    np.testing.assert_array_equal(np.asarray(f(x, *[a.data for a in tracked])), y.numpy())
    if tracked:
        reference = [Tensor(a.astype(np.float64), requires_grad=True) for a in others]
        expected = grad(f(Tensor(x.astype(np.float64)), *reference).sum(), reference)
        for found, true in zip(grad(y.sum(), tracked), expected, strict=True):
            assert found.dtype == other
            np.testing.assert_allclose(found.numpy(), true.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", ">f4", ">f8"])
@pytest.mark.parametrize("name", calls.CALLS)
def test_gradients_of_numbers_that_are_kept_in_another_format(name, dtype):
    """Of float16, and of numbers whose bytes lie the other way round:
    of the format that was given, and those of float64.
    """
    function, roles = calls.CALLS[name]

    def gradients(kind):
        values = [calls.ROLES[role].astype(kind) if role.isupper() else calls.ROLES[role] for role in roles]
        xs = [
            Tensor(x, requires_grad=True) if role.isupper() else x
            for x, role in zip(values, roles, strict=True)
        ]
        y = function(ops, *xs)
        tracked = [x for x in xs if isinstance(x, Tensor)]
        follows = isinstance(y, Tensor) and y.requires_grad
        return grad(ops.sum(y), tracked, allow_unused=True) if follows else []

    for found, true in zip(gradients(dtype), gradients("float64"), strict=True):
        if true is not None:
            assert found.dtype == np.dtype(dtype)
            np.testing.assert_allclose(found.numpy(), true.numpy(), rtol=4e-3, atol=4e-3)


def test_an_image_of_bytes_and_a_kernel_of_float32_make_float32():
    y = ops.conv2d(np.full((1, 4, 4, 1), 200, "uint8"), np.full((2, 2, 1, 1), 0.5, "float32"))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, np.full((1, 3, 3, 1), 400))
    y = ops.resize_images(np.array([[[[0], [255]]]], "uint8"), (1, 4))
    np.testing.assert_array_equal(y.ravel(), [0, 63.75, 191.25, 255])


def test_large_numbers_of_float16():
    assert float(ops.mean(np.ones(100_000, np.float16))) == 1
    assert float(ops.sum(np.ones(100_000, np.float16))) == 100_000
    x = np.array([-9.0, -6.0, 6.0, 9.0], np.float16)
    np.testing.assert_array_equal(ops.erf(x), [-1, -1, 1, 1])
    np.testing.assert_allclose(ops.gelu(x), [0, 0, 6, 9], atol=1e-5)


def test_what_numpy_has_no_loop_for():
    np.testing.assert_array_equal(ops.sign(np.array([True, False])), [1, 0])
    assert ops.sign(True) == 1
    assert ops.round(np.array([True, False])).dtype == np.int64
    x = np.array([-8.0, 1.0, 9.0], np.float16)
    y = ops.logaddexp(x, x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, x + np.log(2.0), rtol=1e-6)


def test_the_default_float_is_the_configurations():
    before = config.floatx()
    config.set_floatx("float64")
    try:
        assert (
            ops.average_pool2d(X, pool_size=2).dtype
            == ops.matmul(ROWS, ROWS.T.astype("float16")).dtype
            == np.float64
        )
        assert ops.conv2d(X, KERNEL.astype("float32")).dtype == np.float32
    finally:
        config.set_floatx(before)


def test_random_numbers_like_integers_are_floats():
    for like in (ops.normal_like, ops.uniform_like):
        assert like(ROWS, WORDS).dtype == np.float32
        assert len(np.unique(like(ROWS, WORDS))) == ROWS.size
