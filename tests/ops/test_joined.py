"""Gradients that go through a relu in the pass that computes them (ops/joined.py).

Asking for the gradient by what lies between the two keeps them apart: that is what they are held against.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Tensor, debug, grad, gradcheck, gradgradcheck, layers, ops
from tinynet.ops import joined


@pytest.fixture
def count(monkeypatch):
    """How many gradients have been joined since: a list of their shapes."""
    made, init = [], joined.BeforeRelu.__init__

    def counted(self, dz, db):
        made.append(dz.shape)
        init(self, dz, db)

    monkeypatch.setattr(joined.BeforeRelu, "__init__", counted)
    return made


def numbers(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng([seed, *shape]).normal(0, 1, shape).astype(dtype)


def rectified(x, w, b):
    return ops.conv2d(x, w, b, padding="same", activation="relu")


POOLINGS = {
    "halves": {"pool_size": 2},
    "overlapping": {"pool_size": 3, "strides": 2},
    "padded": {"pool_size": 3, "strides": 1, "padding": "same"},
    "gaps": {"pool_size": 2, "strides": 3},
}
BEHIND = {name: (lambda y, pool=pool: ops.max_pool2d(y, **pool)) for name, pool in POOLINGS.items()}


def standardised(y):
    f = y.shape[-1]
    return ops.batch_norm(y, numbers(f, dtype=y.dtype), numbers(f, dtype=y.dtype, seed=3))[0]


BEHIND["batch norm"] = standardised
SIZES = [(16, 6, 6, 3, 4), (37, 9, 7, 2, 9), (1, 4, 5, 1, 1)]  # (N, H, W, C, F)


def gradients(behind, size, dtype=np.float32, apart=False):
    """Gradients by image, kernel and bias, in training; `apart`: and by what lies between, at the end."""
    n, h, w, c, f = size
    x, kernel, b = (
        Tensor(numbers(*shape, dtype=dtype), requires_grad=True)
        for shape in ((n, h, w, c), (3, 3, c, f), (f,))
    )
    y = rectified(x, kernel, b)
    z = behind(y)
    found = grad(z, [x, kernel, b] + [y] * apart, Tensor(numbers(*z.shape, dtype=dtype, seed=1)))
    return [g.numpy() for g in found]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BEHIND)
def test_joined_they_have_the_bits_that_they_have_apart(name, size, count):
    """All but the sum, which is added up in another order."""
    dx, dw, db = gradients(BEHIND[name], size)
    assert count == [size[:3] + size[4:]]
    apart_dx, apart_dw, apart_db, _ = gradients(BEHIND[name], size, apart=True)
    assert len(count) == 1
    assert dx.tobytes() == apart_dx.tobytes()
    assert dw.tobytes() == apart_dw.tobytes()
    np.testing.assert_allclose(db, apart_db, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BEHIND)
def test_the_sum_over_all_pixels_of_all_images(name, size, count):
    """Against the definition in float64: the derivative between the two, where the output is positive."""
    n, h, w, c, f = size
    x, kernel, b = (numbers(*shape) for shape in ((n, h, w, c), (3, 3, c, f), (f,)))
    y = Tensor(rectified(x, kernel, b), requires_grad=True)
    z = BEHIND[name](y)
    dy = grad(z, y, Tensor(numbers(*z.shape, seed=1))).numpy()
    expected = np.where(y.numpy() > 0, dy, 0).sum((0, 1, 2), dtype=np.float64)
    scale = np.abs(dy).sum((0, 1, 2), dtype=np.float64)
    found = gradients(BEHIND[name], size)[2]
    assert len(count) == 1
    assert (np.abs(found - expected) <= 2e-7 * scale + 1e-7).all()


@pytest.mark.parametrize("name", BEHIND)
def test_derivatives(name, count):
    def function(x, w, b):
        return BEHIND[name](rectified(x, w, b))

    inputs = [numbers(*shape, dtype=np.float64) for shape in ((3, 5, 5, 2), (3, 3, 2, 3), (3,))]
    assert gradcheck(function, inputs)
    assert count
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("name", BEHIND)
def test_the_bits_do_not_depend_on_the_number_of_threads(name):
    found = []
    for threads in (1, 2, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tinynet.kernels.common.MAX_ELEMENTS_ALONE", 0)
            before = tinynet.get_num_threads()
            tinynet.set_num_threads(threads)
            try:
                found.append([g.tobytes() for g in gradients(BEHIND[name], (37, 14, 14, 8, 8))])
            finally:
                tinynet.set_num_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_used_twice_goes_through_the_relu_once(name, count):
    x, w, b = (Tensor(numbers(*s), requires_grad=True) for s in ((4, 6, 6, 2), (3, 3, 2, 3), (3,)))
    y = rectified(x, w, b)
    both = grad(ops.sum(BEHIND[name](y)) + ops.sum(y * y), [x, w, b])
    assert not count
    for make in (lambda y: ops.sum(BEHIND[name](y)), lambda y: ops.sum(y * y)):
        one = grad(make(rectified(x, w, b)), [x, w, b])
        both = [whole - part for whole, part in zip(both, one, strict=True)]
    assert len(count) == 1
    for rest in both:
        np.testing.assert_allclose(rest.numpy(), 0, atol=2e-4)


def test_an_output_beside_what_follows_is_no_other_gradient_to_be_lost(count):
    """The walk begins at both: y has a gradient before the rule behind it is run."""
    x, w, b = (Tensor(numbers(*s), requires_grad=True) for s in ((4, 6, 6, 2), (3, 3, 2, 3), (3,)))
    y = rectified(x, w, b)
    z = BEHIND["halves"](y)
    seeds = [Tensor(numbers(*t.shape, seed=2)) for t in (z, y)]
    both = grad([z, y], b, seeds, retain_graph=True).numpy()
    assert not count
    apart = [grad(t, b, seed, retain_graph=True).numpy() for t, seed in zip((z, y), seeds, strict=True)]
    assert len(count) == 1
    np.testing.assert_allclose(both, apart[0] + apart[1], rtol=1e-4, atol=1e-4)


def test_the_operation_that_went_wrong_is_named_alone(count):
    with debug.check_numerics():
        gradients(BEHIND["halves"], SIZES[0])
    assert not count


def test_nothing_is_joined_behind_a_layer_without_relu(count):
    x, w, b = (Tensor(numbers(*s), requires_grad=True) for s in ((4, 6, 6, 2), (3, 3, 2, 3), (3,)))
    grad(ops.sum(ops.max_pool2d(ops.conv2d(x, w, b), pool_size=2)), [x, w, b])
    assert not count


def test_a_recorded_step_has_the_bits_of_its_python(count):
    """Pooling behind a convolution, batch norm behind another: every kind of join, 6 steps of which 3 are
    repeated from the recording.
    """
    found = []
    for eagerly in (True, False):
        tinynet.utils.set_random_seed(1)
        convolution = {"kernel_size": 3, "padding": "same", "activation": "relu"}
        model = tinynet.Sequential(
            [
                layers.Input((9, 8, 2)),
                layers.Conv2D(9, **convolution),
                layers.MaxPooling2D(),
                layers.Conv2D(5, **convolution),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(3),
            ]
        )
        model.compile("sgd", loss="mse", run_eagerly=eagerly)
        model.fit(
            numbers(6 * 20, 9, 8, 2), numbers(6 * 20, 3), batch_size=20, epochs=1, verbose=0, shuffle=False
        )
        found.append([w.tobytes() for w in model.get_weights()])
        steps = len(count)
        assert steps == 2 * 6 if eagerly else 2 * 3 <= steps < 2 * 6
        count.clear()
    assert found[0] == found[1]
