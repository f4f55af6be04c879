"""Interpolation kernels: implementations agree, in every memory order;
the gradient is the adjoint; the tables are Keras's.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import resize as module
from tinynet.kernels.resize import METHODS, resize, resize_grad, table
from tinynet.replay.capture import Capture

from kernel_cases import DTYPES, assert_agree, batches, normal, orders, unmutated

methods = st.sampled_from(sorted(METHODS))
sizes = st.tuples(st.integers(1, 7), st.integers(1, 7))


@pytest.mark.parametrize("name", ["numba", "cuda"])
@pytest.mark.parametrize("dtype", DTYPES)
@given(n=batches, size=sizes, output=sizes, method=methods, order=orders, seed=st.integers(0, 99))
def test_implementations_agree(name, dtype, n, size, output, method, order, seed):
    rng = np.random.default_rng(seed)
    x, g = normal(rng, (n, *size, 3), dtype, order), normal(rng, (n, *output, 3), dtype, order)
    with unmutated(x, g):
        y, dx = (
            resize[name](x, size=output, method=method),
            resize_grad[name](g, input_size=size, method=method),
        )
    assert_agree(y, resize["numpy"](x, size=output, method=method))
    assert_agree(dx, resize_grad["numpy"](g, input_size=size, method=method))
    for result in (y, dx):
        assert result.transpose(1, 2, 3, 0).flags.c_contiguous


@given(size=sizes, output=sizes, method=methods, seed=st.integers(0, 99))
def test_the_gradient_is_the_adjoint(size, output, method, seed):
    rng = np.random.default_rng(seed)
    x, g = rng.normal(size=(2, *size, 3)), rng.normal(size=(2, *output, 3))
    y, dx = resize(x, size=output, method=method), resize_grad(g, input_size=size, method=method)
    assert np.vdot(y, g) == pytest.approx(np.vdot(x, dx), abs=1e-11)


@pytest.mark.gpu
def test_nearest_copies_every_number_as_it_is():
    x = np.array([np.inf, -0.0, np.nan, 1e-40, 3.4e38, 1], np.float32).reshape(1, 2, 3, 1)
    for name in ("numba", "numpy", "cuda"):
        y = resize[name](x, size=(6, 6), method="nearest")
        np.testing.assert_array_equal(y, x.repeat(3, 1).repeat(2, 2))


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize(("size", "output"), [(5, 10), (3, 9), (6, 4), (1, 4)])
def test_weights_of_an_output_add_up_to_one(size, output, method):
    position, weight = table(size, output, method)
    np.testing.assert_allclose(weight.sum(1), 1, rtol=1e-12)
    assert position.min() >= 0
    assert position.max() < size


def test_a_repeated_launch_reads_the_numbers_of_today():
    rng = np.random.default_rng(0)
    x = normal(rng, (16, 4, 5, 3), np.float32, "batch_last")
    capture = Capture()
    with capture:
        y = module.resize(x, size=(8, 10), method="bilinear")
        dx = module.resize_grad(y, input_size=(4, 5), method="bilinear")
    x *= -2
    capture.program.run()
    expected = resize["numpy"](x, size=(8, 10), method="bilinear")
    assert_agree(y, expected)
    assert_agree(dx, resize_grad["numpy"](expected, input_size=(4, 5), method="bilinear"))
