"""The matrix product: right for every layout, bits independent of threads, settings of the process put back."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from tinynet.kernels.gemm import gemm

import strict_array
from kernel_cases import arrange, dtypes, orders, unmutated

sizes = st.integers(1, 40)


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@given(sizes, sizes, sizes, dtypes, orders, orders)
def test_agrees_with_the_definition(m, k, n, dtype, order_a, order_b):
    rng = np.random.default_rng(0)
    a = arrange(rng.standard_normal((m, k)).astype(dtype), order_a)
    b = arrange(rng.standard_normal((k, n)).astype(dtype), order_b)
    with unmutated(a, b):
        product = gemm(a, b)
    assert product.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    expected = (a[:, :, None].astype(float) * b[None]).sum(1)
    np.testing.assert_allclose(product, expected, rtol=0, atol=tolerance * max(1, k))


def test_leading_axes_and_out():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 2, 3)), rng.standard_normal((3, 4))
    out = np.empty((5, 2, 4))
    assert gemm(a, b, out=out) is out
    np.testing.assert_allclose(out, np.einsum("bmk,kn->bmn", a, b))


@pytest.mark.parametrize("size", [64, 257, 600])
def test_bits_do_not_depend_on_threads(size):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size)).astype(np.float32)
    with threadpool_limits(1, "blas"):
        one = gemm(a, b)
    with threadpool_limits(2, "blas"):
        np.testing.assert_array_equal(gemm(a, b), one)


def test_setting_is_put_back():
    a = np.ones((8, 8))
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        gemm(a, a)
        assert blas_threads() == before
        with pytest.raises(ValueError, match="matmul"):
            gemm(a, np.ones((7, 7)))
        assert blas_threads() == before


def test_setting_is_put_back_after_products_in_many_threads():
    a = np.random.default_rng(0).standard_normal((200, 200))
    expected = a @ a
    results = []
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        threads = [threading.Thread(target=lambda: results.extend(gemm(a, a) for _ in range(10))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blas_threads() == before
    assert len(results) == 40
    for result in results:
        np.testing.assert_allclose(result, expected, atol=1e-10)


def test_other_array_modules():
    a = strict_array.asarray(np.arange(6.0).reshape(2, 3))
    assert gemm(a, a.T).tolist() == [[5, 14], [14, 50]]
