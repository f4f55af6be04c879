"""Where two number formats meet: float32 stays float32, whatever it meets that is no wider float array."""

import numpy as np
import pytest

from tinynet.backend import config
from tinynet.backend.number_format import align, common_float, is_float, numbers, to_float

F4, F8, F2 = (np.ones(2, kind) for kind in ("f4", "f8", "f2"))
I8, BOOL = np.array([1, 2]), np.array([True, False])


@pytest.mark.parametrize(
    ("a", "b", "kinds"),
    [
        (F4, I8, ("f4", "f4")),  # whole numbers take the format of the floats
        (F8, I8, ("f8", "f8")),
        (F2, I8, ("f2", "f2")),
        (F4, BOOL, ("f4", "f4")),
        (F4, [1, 2], ("f4", "f4")),  # and so do lists
        (F4, (1.5, 2.5), ("f4", "f4")),
        (I8, [1, 2], ("i8", "i8")),
        (F4, F8, ("f4", "f8")),  # NumPy's own business
        (I8, BOOL, ("i8", "?")),
    ],
)
def test_operands_as_they_meet(a, b, kinds):
    for first, second, expected in ((a, b, kinds), (b, a, kinds[::-1])):
        found = align(first, second)
        assert tuple(one.dtype for one in found) == tuple(np.dtype(kind) for kind in expected)
        for one, given in zip(found, (first, second), strict=True):
            np.testing.assert_array_equal(one, np.asarray(given))


def test_scalars_of_numpy_do_not_widen_arrays():
    for scalar, plain in ((np.float64(0.1), 0.1), (np.int64(3), 3), (np.bool_(True), True)):
        a, b = align(F4, scalar)
        assert a is F4
        assert type(b) is type(plain)
        assert b == plain
        assert (F4 * b).dtype == np.float32
    a, b = align(np.float32(1), np.float64(2))
    assert (a.dtype, b.dtype) == (np.float32, np.float32), "numbers alone are weak, NumPy's too"
    assert align(F4, 2.5)[1] == 2.5
    assert align(I8, np.float64(0.1))[1] == np.float64(0.1)


def test_arrays_of_floats_are_not_copied():
    assert all(one is given for one, given in zip(align(F4, F8), (F4, F8), strict=True))
    assert to_float(F4) is F4
    assert to_float(F8) is F8


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_floats_of_what_is_none(floatx):
    before = config.floatx()
    try:
        config.set_floatx(floatx)
        for given in (I8, BOOL, F2, [1, 2], 3):
            assert to_float(given).dtype == floatx
            np.testing.assert_array_equal(to_float(given), np.asarray(given, floatx))
        assert common_float([I8.dtype, BOOL.dtype]) == floatx
        assert common_float([F2.dtype]) == floatx, "float16 is not computed in"
        assert common_float([]) == floatx
    finally:
        config.set_floatx(before)


def test_the_widest_float_counts():
    assert common_float([F4.dtype, I8.dtype]) == np.float32
    assert common_float([F4.dtype, F8.dtype, F2.dtype]) == np.float64
    assert common_float([np.dtype("i8"), F8.dtype]) == np.float64


@pytest.mark.parametrize(
    ("kind", "computes"), [("f2", False), ("f4", True), ("f8", True), ("i4", False), ("c8", False)]
)
def test_formats_to_compute_in(kind, computes):
    assert is_float(np.dtype(kind)) is computes


def test_grids_of_numbers():
    assert numbers([[1, 2], [3, 4]]).shape == (2, 2)
    assert numbers(True).dtype == bool
    assert numbers(1j).dtype == np.complex128
    with pytest.raises(TypeError, match="the lists given have parts of different lengths"):
        numbers([[1, 2], [3]])
    for wrong, named in ((None, "got None"), ("text", "got str 'text'"), ({"a": 1}, r"got dict \{'a': 1\}")):
        with pytest.raises(TypeError, match=f"a Tensor holds numbers, {named}"):
            numbers(wrong)
    for length, cut in ((58, False), (59, True)):  # with the quotes: 60 and 61 characters
        with pytest.raises(TypeError) as error:
            numbers("x" * length)
        assert str(error.value).endswith(" ...") == cut
