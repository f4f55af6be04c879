"""The matrix product: right for every layout, bits independent of threads,
settings of the process put back.
"""

from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from tinynet.kernels import threads
from tinynet.kernels.emit import host, vectors
from tinynet.kernels.gemm import cuda, gemm, product
from tinynet.kernels.gemm.product import multiply

import strict_array
from kernel_cases import arrange, dtypes, orders, unmutated

sizes = st.integers(1, 40)
depths = st.one_of(sizes, st.integers(500, 1100))  # sums of one stretch, and of several


NAMES = ("tiles", "cuda")


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.mark.parametrize("name", NAMES)
@given(sizes, depths, sizes, dtypes, orders, orders)
def test_agrees_with_the_definition(name, m, k, n, dtype, order_a, order_b):
    rng = np.random.default_rng(0)
    a = arrange(rng.standard_normal((m, k)).astype(dtype), order_a)
    b = arrange(rng.standard_normal((k, n)).astype(dtype), order_b)
    with unmutated(a, b):
        product = gemm[name](a, b)
    assert product.dtype == dtype
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    expected = (a[:, :, None].astype(float) * b[None]).sum(1)
    np.testing.assert_allclose(product, expected, rtol=0, atol=tolerance * max(1, k))


@pytest.mark.parametrize("name", NAMES)
def test_leading_axes_and_out(name):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 2, 3)), rng.standard_normal((3, 4))
    out = np.empty((5, 2, 4))
    assert gemm[name](a, b, out=out) is out
    np.testing.assert_allclose(out, np.einsum("bmk,kn->bmn", a, b))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("a", "b"),
    [((5, 2, 3), (5, 3, 4)), ((2, 1, 4, 3), (5, 3, 2)), ((1, 1, 4, 3), (6, 3, 1)), ((0, 2, 3), (3, 2))],
)
def test_leading_axes_are_broadcast(name, a, b):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(a), rng.standard_normal(b)
    expected = np.einsum("...mk,...kn->...mn", a, b)
    turned = a.swapaxes(-1, -2).copy().swapaxes(-1, -2), b.swapaxes(-1, -2).copy().swapaxes(-1, -2)
    for left, right in ((a, b), turned):
        np.testing.assert_allclose(gemm[name](left, right), expected, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_a_sum_over_nothing_and_mixed_formats(name):
    a, b = np.ones((2, 0), np.float32), np.ones((0, 3), np.float32)
    np.testing.assert_array_equal(gemm[name](a, b), np.zeros((2, 3), np.float32))
    found = gemm[name](np.full((2, 3), 0.1, np.float32), np.full((3, 2), 0.1))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, 3 * 0.1 * float(np.float32(0.1)))


@pytest.mark.parametrize("tile", cuda.TILES)
def test_every_tile_on_a_gpu(tile):
    """A tile and a bit, in both directions; in parts, too."""
    rng, (m, n) = np.random.default_rng(0), (16 * side + 3 for side in tile)
    a, b, out = rng.standard_normal((m, 70)), rng.standard_normal((n, 70)).T, np.full((m, n), np.nan)
    cuda.multiply(out, a, b, tile)
    np.testing.assert_allclose(out, np.einsum("mk,kn->mn", a, b), atol=1e-12)


def test_the_tile_follows_from_the_shape():
    assert cuda.tile_for(4096, 4096, 1) == (8, 8)
    assert cuda.tile_for(512, 512, 1) == (4, 4)  # 16 of the largest would leave a GPU idle
    assert cuda.tile_for(512, 512, 64) == (8, 8)
    assert cuda.tile_for(10, 4096, 1) == (1, 4)
    assert cuda.tile_for(4096, 10, 1) == (4, 1)


@pytest.mark.parametrize("shape", [(600, 50, 700), (3, 30, 9000), (700, 2, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_and_narrow_results(shape, dtype):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape[:2]).astype(dtype), rng.standard_normal(shape[1:]).astype(dtype)
    expected = a.astype(float) @ b.astype(float)
    np.testing.assert_allclose(gemm(a, b), expected, rtol=0, atol=1e-4 if dtype == np.float32 else 1e-12)
    out = np.full((shape[0], shape[2]), np.nan, dtype)
    assert gemm(a, b, out=out) is out
    np.testing.assert_array_equal(out, gemm(a, b))


@pytest.mark.parametrize("shape", [(64, 64, 64), (257, 1100, 257), (10, 200, 5000)])
def test_bits_do_not_depend_on_the_threads_of_the_loops(shape):
    rng = np.random.default_rng(0)
    a, b = (
        rng.standard_normal(shape[:2]).astype(np.float32),
        rng.standard_normal(shape[1:]).astype(np.float32),
    )
    expected, before = gemm(a, b), threads.get_num_threads()
    threads.set_num_threads(1)
    try:
        np.testing.assert_array_equal(gemm(a, b), expected)
    finally:
        threads.set_num_threads(before)


@pytest.mark.parametrize("size", [64, 257, 600])
def test_bits_do_not_depend_on_threads(size):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size, size)).astype(np.float32)
    with threadpool_limits(1, "blas"):
        one = gemm(a, b)
    with threadpool_limits(2, "blas"):
        np.testing.assert_array_equal(gemm(a, b), one)


@pytest.mark.parametrize(
    ("width", "registers"), [(16, 32), (32, 16), (64, 32)], ids=["NEON", "AVX2", "AVX-512"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_vector_width(monkeypatch, width, registers, dtype):
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(width))
    monkeypatch.setattr(host, "registers", lambda: registers)
    vectors.cache_clear()
    try:
        rng = np.random.default_rng(0)
        a, b = rng.standard_normal((23, 600)).astype(dtype), rng.standard_normal((600, 37)).astype(dtype)
        tolerance = 1e-3 if dtype == np.float32 else 1e-11
        for left in (a, np.asfortranarray(a)):  # both layouts
            out = np.empty((23, 37), dtype)
            multiply(left, b, out)
            np.testing.assert_allclose(
                out, np.einsum("mk,kn->mn", a.astype(float), b), rtol=0, atol=tolerance
            )
    finally:
        monkeypatch.undo()
        vectors.cache_clear()


@pytest.mark.parametrize("shape", [(8, 7), (7, 8), (64,)])
def test_an_output_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match="matmul"):
        gemm(np.ones((8, 8)), np.ones((8, 8)), out=np.empty(shape))
    with pytest.raises(ValueError, match=r"gemm: expected an output of shape \(8, 8\), got"):
        gemm["cuda"](np.ones((8, 8)), np.ones((8, 8)), out=np.empty(shape))


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
        callers = [Thread(target=lambda: results.extend(gemm(a, a) for _ in range(10))) for _ in range(4)]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
        assert blas_threads() == before
    assert len(results) == 40
    for result in results:
        np.testing.assert_allclose(result, expected, atol=1e-10)


def test_other_array_modules():
    a = strict_array.asarray(np.arange(6.0).reshape(2, 3))
    assert gemm(a, a.T).tolist() == [[5, 14], [14, 50]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(128, 784), (129, 131), (16, 1024), (1030, 17), (40, 410)])
def test_samples_in_rows_are_brought_into_columns(shape, dtype):
    """What a matrix product does with a batch that lies samples first: its numbers and its shape stay."""
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)  # (N, F)
    copy = product.row_major(x.T)  # (F, N), the samples together
    assert copy.flags.c_contiguous
    np.testing.assert_array_equal(copy, np.array(x.tolist(), dtype).T)
    assert product.row_major(copy) is copy
