"""How kernels of `.cu` files are called: what their sources declare is what they are given."""

import subprocess
import sys

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import cuda
from tinynet.kernels.cuda import kernel as kernel_module
from tinynet.kernels.cuda import modules
from tinynet.kernels.dropout import dropout

from cuda_shim import shim

SOURCE = """
struct Size {
    int h, w;  // rows, columns
    int c;
};

// factor times x
template <class T, bool NEGATIVE, int A, int B>
__global__ void __launch_bounds__(64) scale(T* __restrict__ y, const T* __restrict__ x, T factor, Size k,
                                            const uint16* bits, double shift, bool flag, uint32 count) {
}

__global__ void plain(int* y, int64 n) {
}
"""


@pytest.fixture
def calls(monkeypatch):
    """(expression, grid, block, arguments) of each launch, in place of the launch."""
    made = []

    def load(path, expression):
        return lambda *call: made.append((expression, *call))

    monkeypatch.setitem(cuda.loaders, "numpy", load)
    monkeypatch.setattr(kernel_module, "kernels", [])
    monkeypatch.setattr(kernel_module, "source", lambda path: SOURCE)
    modules.function.cache_clear()
    yield made
    modules.function.cache_clear()


def scale():
    tiles = ((4, 2), (7, 1))
    return cuda.Kernel(BESIDE, "x.cu", "scale", T=cuda.FLOATS, NEGATIVE=(False, True), tile=tiles)


BESIDE = str(modules.KERNELS / "dropout.py")
X, BITS = np.ones((2, 3), np.float32), np.ones(4, np.uint16)
NUMBERS = 2, {"c": 3, "h": 1, "w": 2}, BITS, 1, True, 7


def test_numbers_become_what_the_source_declares(calls):
    y = np.zeros_like(X)
    scale()[X.dtype, False, (7, 1)]((1, 2), (64,), y, X, *NUMBERS)
    ((expression, grid, block, arguments, also),) = calls
    assert expression == "scale<float, false, 7, 1>"
    assert (grid, block, also) == ((1, 2), (64,), ())
    assert arguments[0] is y
    assert arguments[1] is X
    assert arguments[4] is BITS
    assert [type(a) for a in arguments[2:8:3]] == [np.float32, np.float64]
    assert [type(a) for a in arguments[6:]] == [np.bool_, np.uint32]
    assert arguments[3].item() == (1, 2, 3)  # in the order of the struct, three ints
    assert arguments[3].nbytes == 12


def test_arrays_are_held_to_what_the_source_declares(calls):
    variant = scale()[np.dtype("float64"), True, (4, 2)]
    assert variant.name == "scale<double, true, 4, 2>"
    x = np.ones((2, 3))
    with pytest.raises(
        TypeError, match=r"scale<double, true, 4, 2>: x is an array of float64, got one of float32"
    ):
        variant((1,), (64,), x, X, *NUMBERS)
    with pytest.raises(TypeError, match="y is an array of float64, got one of float64, not in C order"):
        variant((1,), (64,), x.T, x, *NUMBERS)
    with pytest.raises(TypeError, match="takes 8 arguments, got 7"):
        variant((1,), (64,), x, x, *NUMBERS[:-1])
    with pytest.raises(TypeError, match=r"k has the fields \['h', 'w', 'c'\], got \['h'\]"):
        variant((1,), (64,), x, x, 2, {"h": 1}, None, 1, True, 7)
    for sizes, count in (({"c": 1 << 31, "h": 1, "w": 2}, 7), (NUMBERS[1], 1 << 32)):
        with pytest.raises(
            OverflowError, match=r"scale<double, true, 4, 2> counts in 32 bits; use a smaller batch"
        ):
            variant((1,), (64,), x, x, 2, sizes, None, 1, True, count)
    with pytest.raises(ValueError, match=r"at most 65535 blocks along y or z, got a grid of \(1, 65536\)"):
        variant((1, 65536), (64,), x, x, 2, NUMBERS[1], None, 1, True, 7)
    assert not calls
    variant((1,), (64,), x, x, 2, NUMBERS[1], None, 1, True, 7)  # None: no such array
    assert calls[0][3][4] is None


def test_nothing_to_do_is_no_launch(calls):
    scale()[X.dtype, False, (7, 1)]((0, 2), (64,), X, X, *NUMBERS)
    assert not calls


def test_variants_are_those_that_are_listed(calls):
    kernel = scale()
    assert len(list(kernel.variants())) == 8
    for values in ((np.dtype("float16"), False, (7, 1)), (np.dtype("float32"), False, (7, 2)), X.dtype):
        with pytest.raises(TypeError, match="the kernel scale is made for"):
            kernel[values]
    assert kernel["float", True, (4, 2)] is kernel["float", True, (4, 2)]
    plain = cuda.Kernel(BESIDE, "x.cu", "plain")
    assert [v.name for v in plain.variants()] == ["plain"]
    assert plain[()].name == "plain"
    with pytest.raises(LookupError, match="no __global__ function other"):
        cuda.Kernel(BESIDE, "x.cu", "other")[()]
    with pytest.raises(TypeError, match=r"the template of plain has the parameters \[\]"):
        cuda.Kernel(BESIDE, "x.cu", "plain", T=cuda.FLOATS)["float"]


def test_every_file_has_its_kernels_registered():
    """Each `__global__` function of a `.cu` file is one that Python launches, and is found there."""
    for path in modules.KERNELS.rglob("*.cu"):
        declared = path.read_text(encoding="utf-8").count("__global__")
        known = [kernel for kernel in cuda.kernels if kernel.path.resolve() == path.resolve()]
        assert len(known) == declared, path
        for kernel in known:
            assert list(kernel.variants())


def test_lines_are_as_short_as_pythons():
    for path in modules.KERNELS.rglob("*.cu"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [number for number, line in enumerate(lines, 1) if len(line) > 110] == [], path


def test_a_source_holds_all_that_it_is_made_of():
    """CuPy's cache goes by the text alone."""
    for path in {kernel.path for kernel in cuda.kernels}:
        text = modules.source(path)
        assert "#include" not in text
        assert text.count('#line 1 "tinynet/kernels/') == 2
        assert "warp_sum" in text
        assert path.read_text(encoding="utf-8") in text


@pytest.mark.skipif(bool(shim.missing), reason=shim.missing)
def test_explain_says_what_is_launched():
    with kernels.use("softmax", "cuda"):
        text = kernels.explain("softmax", (128, 10))
    assert "softmax: 'cuda', which kernels.use asks for" in text
    assert "launch softmax<float, float> (kernels/softmax/softmax.cu), 4 blocks of 32 x 8 threads" in text
    assert "cuda" not in kernels.explain("softmax", (128, 10))


def test_outside_of_tests_numpy_arrays_are_refused(monkeypatch):
    monkeypatch.delitem(cuda.loaders, "numpy")
    modules.function.cache_clear()
    with (
        kernels.use("dropout", "cuda"),
        pytest.raises(TypeError, match="CUDA kernel: it takes arrays of cupy, got one of numpy"),
    ):
        dropout(np.ones((4, 4)), np.zeros(3, np.uint32), rate=0.5)
    modules.function.cache_clear()


def test_cupy_is_not_imported_before_it_is_needed():
    code = (
        "import sys; from tinynet.kernels.cuda import kernels; print('cupy' in sys.modules, len(kernels) > 2)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
