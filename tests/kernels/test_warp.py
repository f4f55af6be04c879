"""Affine warps: the reference against SciPy's and closed forms,
the compiled loops against the reference, bit by bit.
"""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, threads, warp
from tinynet.replay.capture import Capture

import strict_array as sx
from fixtures.augmentation_cases import LEGACY, LEGACY_MODES, legacy_images, legacy_matrix
from kernel_cases import arrange, assert_agree, batches, dtypes, normal, orders, seeds, unmutated

STORED = np.load(Path(__file__).parents[1] / "fixtures" / "augmentation.npz")
# our names of its modes
SCIPY = {"nearest": "nearest", "constant": "cut", "reflect": "reflect", "wrap": "overlap"}
NAMES = "numpy", "numba", "cuda"
KINDS = list(product(warp.FILL_MODES, warp.INTERPOLATIONS))


def random_maps(rng, n):
    """Maps far from the identity, which look outside on all sides."""
    return rng.normal(size=(n, 6)) * (1, 1, 6, 1, 1, 6) + (1, 0, 0, 0, 1, 0)


def from_matrix(matrix):
    """The map of a matrix that takes (row, column, 1) to (row, column)."""
    (bi, bj, b), (ai, aj, a) = matrix[:2]
    return np.array([[aj, ai, a, bj, bi, b]])


@pytest.mark.parametrize("implementation", NAMES)
@pytest.mark.parametrize(("number", "mode"), list(product(range(len(LEGACY)), LEGACY_MODES)))
def test_against_scipy(implementation, number, mode):
    for kind, image in zip(("square", "oblong"), legacy_images(), strict=True):
        maps = from_matrix(legacy_matrix(*image.shape[:2], **LEGACY[number]))
        y = warp.warp[implementation](image[None], maps, fill_mode=SCIPY[mode], fill_value=0.3)
        np.testing.assert_allclose(y[0], STORED[f"legacy-{number}-{mode}-{kind}"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("implementation", NAMES)
@pytest.mark.parametrize(
    ("mode", "row"),
    [
        ("reflect", "3 2 1 1 2 3 4 4 3 2"),
        ("nearest", "1 1 1 1 2 3 4 4 4 4"),
        ("wrap", "2 3 4 1 2 3 4 1 2 3"),
        ("constant", "9 9 9 1 2 3 4 9 9 9"),
        ("cut", "9 9 9 1 2 3 4 9 9 9"),
        ("overlap", "4 2 3 1 2 3 4 2 3 1"),  # SciPy's "wrap"
    ],
)
def test_what_lies_behind_the_border(implementation, mode, row):
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1, 1)  # one image, four rows, one column
    expected = np.array(row.split(), float)
    for shift in range(-3, 4):
        y = warp.warp[implementation](x, np.array([[1.0, 0, 0, 0, 1, shift]]), fill_mode=mode, fill_value=9.0)
        np.testing.assert_array_equal(y[0, :, 0, 0], expected[3 + shift : 7 + shift])


def test_between_the_last_cell_and_the_fill_value():
    """Half a cell outside: "constant" mixes, "cut" does not."""
    x, half = np.full((1, 1, 3, 1), 4.0), np.array([[1.0, 0, 0.5, 0, 1, 0]])
    assert warp.warp(x, half, fill_mode="constant", fill_value=8.0)[0, 0, :, 0].tolist() == [4, 4, 6]
    assert warp.warp(x, half, fill_mode="cut", fill_value=8.0)[0, 0, :, 0].tolist() == [4, 4, 8]


def test_ties_of_nearest_go_to_the_even_cell():
    x, half = np.arange(6.0).reshape(1, 1, 6, 1), np.array([[1.0, 0, 0.5, 0, 1, 0]])
    assert warp.warp(x, half, interpolation="nearest")[0, 0, :, 0].tolist() == [0, 2, 2, 4, 4, 5]


@pytest.mark.parametrize("name", NAMES[1:])
@given(
    st.sampled_from(KINDS),
    batches,
    st.sampled_from([(5, 7, 3), (1, 1, 1), (19, 28, 1), (2, 40, 2)]),
    dtypes,
    orders,
    seeds,
)
def test_compiled_agrees_with_reference(name, kind, n, shape, dtype, order, seed):
    rng = np.random.default_rng(seed)
    x, maps = normal(rng, (n, *shape), dtype, order), random_maps(rng, n)
    settings = dict(zip(("fill_mode", "interpolation"), kind, strict=True))
    with unmutated(x, maps):
        y = warp.warp[name](x, maps, fill_value=0.5, **settings)
        np.testing.assert_array_equal(y, warp.warp["numpy"](x, maps, fill_value=0.5, **settings))
        dx = warp.warp_grad[name](x, maps, **settings)
        assert_agree(dx, warp.warp_grad["numpy"](x, maps, **settings), float32=2e-5)
    assert y.dtype == dx.dtype == dtype
    assert common.is_batch_last(y)
    assert common.is_batch_last(dx)


@given(n=batches, seed=seeds, kind=st.sampled_from(KINDS))
def test_the_gradient_is_the_adjoint(n, seed, kind):
    """<g, warp(x)> = <warp_grad(g), x>"""
    rng = np.random.default_rng(seed)
    x, g, maps = rng.normal(size=(n, 6, 5, 2)), rng.normal(size=(n, 6, 5, 2)), random_maps(rng, n)
    settings = dict(zip(("fill_mode", "interpolation"), kind, strict=True))
    left, right = (g * warp.warp(x, maps, **settings)).sum(), (warp.warp_grad(g, maps, **settings) * x).sum()
    assert abs(left - right) < 1e-9 * max(1, abs(left))


@given(
    n=batches,
    source=st.sampled_from([np.uint8, np.int64, np.float32, np.float64, bool]),
    wanted=dtypes,
    first=st.booleans(),
    order=orders,
    seed=seeds,
)
def test_the_batch_writer(n, source, wanted, first, order, seed):
    """Samples of any kind, picked, warped, scaled: what the plain steps give one after the other."""
    rng = np.random.default_rng(seed)
    shape = (20, 2, 6, 7) if first else (20, 6, 7, 2)
    data = arrange(rng.integers(0, 2 if source is bool else 200, shape).astype(source), order)
    index, maps = rng.integers(-20, 20, n), random_maps(rng, n)
    scale, offset = rng.normal(size=2), rng.normal(size=2)
    with unmutated(data, index, maps):
        y = warp.gather_warped(
            data, index, maps, fill_value=3.0, scale=scale, offset=offset, dtype=wanted, channels_first=first
        )
    to_last, back = ((0, 2, 3, 1), (0, 3, 1, 2)) if first else ((0, 1, 2, 3),) * 2
    expected = warp.warp["numpy"](
        data[index].astype(wanted).transpose(to_last), maps, fill_mode="nearest", fill_value=3.0
    )
    expected = expected * scale.astype(wanted) + offset.astype(wanted)
    np.testing.assert_array_equal(y, expected.transpose(back))
    assert y.dtype == wanted
    assert common.batch_last(y).flags.c_contiguous


@pytest.mark.parametrize(
    "out", [common.empty(np.zeros(0), (9, 4, 5, 1), np.float32), np.zeros((9, 4, 5, 1), np.float32)]
)
def test_the_batch_writer_writes_where_it_is_told(out):
    rng = np.random.default_rng(0)
    data, index, maps = rng.normal(size=(12, 4, 5, 1)), rng.integers(0, 12, 9), random_maps(rng, 9)
    assert warp.gather_warped(data, index, maps, out=out) is out
    np.testing.assert_array_equal(out, warp.gather_warped(data, index, maps))


def test_the_batch_writer_is_one_launch():
    with Capture() as capture:
        warp.gather_warped(np.zeros((9, 4, 4, 1), np.uint8), np.arange(7), np.ones((7, 6)))
    assert len(capture.program) == 1


def test_index_out_of_range():
    for index in (3, -4):
        with pytest.raises(IndexError, match="out of range"):
            warp.gather_warped(np.zeros((3, 2, 2, 1)), np.array([0, index]), np.ones((2, 6)))


def test_bits_do_not_depend_on_the_number_of_threads():
    rng = np.random.default_rng(0)
    x, maps, before = (
        rng.normal(size=(37, 20, 21, 2)).astype(np.float32),
        random_maps(rng, 37),
        threads.get_num_threads(),
    )
    results = []
    try:
        for count in (1, before):
            threads.set_num_threads(count)
            results.append(
                (warp.warp(x, maps), warp.warp_grad(x, maps), warp.gather_warped(x, np.arange(37), maps))
            )
    finally:
        threads.set_num_threads(before)
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_recorded_warp_reads_other_maps():
    rng = np.random.default_rng(0)
    x, maps = rng.normal(size=(5, 6, 6, 1)), random_maps(rng, 5)
    with Capture() as capture:
        y = warp.warp(x, maps)
        dx = warp.warp_grad(y, maps)
    x[...], maps[...] = rng.normal(size=x.shape), random_maps(rng, 5)
    capture.program.run()
    expected = warp.warp["numpy"](x, maps)
    np.testing.assert_array_equal(y, expected)
    assert_agree(dx, warp.warp_grad["numpy"](expected, maps))


@pytest.mark.parametrize(("mode", "interpolation"), KINDS)
def test_reference_on_arrays_that_are_not_numpys(mode, interpolation):
    rng = np.random.default_rng(0)
    x, maps, settings = (
        rng.normal(size=(7, 6, 5, 2)),
        random_maps(rng, 7),
        {"fill_mode": mode, "interpolation": interpolation},
    )
    for kernel in (warp.warp, warp.warp_grad):
        found = kernel(sx.asarray(x), sx.asarray(maps), **settings)
        assert isinstance(found, sx.ndarray)
        assert_agree(found.get(), kernel["numpy"](x, maps, **settings))


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize(("mode", "interpolation"), KINDS)
def test_maps_that_lead_nowhere(name, mode, interpolation):
    """Coordinates without bounds, or that are no numbers, read no cell that is not there."""
    x = np.ones((7, 3, 4, 1))
    maps = np.array(
        [[1.0, 0, value, 0, 1, value] for value in (np.inf, -np.inf, np.nan, 1e300, -1e300, 1e17, -1e17)]
    )
    y = warp.warp[name](x, maps, fill_mode=mode, interpolation=interpolation, fill_value=1.0)
    assert set(y[np.isfinite(y)]) <= {1.0}
    dx = warp.warp_grad[name](x, maps, fill_mode=mode, interpolation=interpolation)
    assert dx.shape == x.shape


@pytest.mark.parametrize("name", NAMES)
def test_no_images(name):
    assert warp.warp[name](np.zeros((0, 4, 4, 1)), np.zeros((0, 6))).shape == (0, 4, 4, 1)
    assert warp.warp_grad[name](np.zeros((0, 4, 4, 1)), np.zeros((0, 6))).shape == (0, 4, 4, 1)
