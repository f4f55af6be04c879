"""Faults planted in tinynet's own CUDA kernels are found by running the cases.

Each barrier is left out in turn, which must be a race; each bound of an `if` or a loop over elements lets one
more pass, which must be an access out of bounds or a wrong result.
"""

import re

import numpy as np
import pytest

from tinynet.kernels import cuda
from tinynet.kernels.cuda import modules

from cuda_shim import cases, loading, shim

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)

FAMILIES = {  # by the `.cu` file that they launch
    "dropout.cu": cases.of_dropout,
    "pool2d/pool2d.cu": cases.of_pooling,
    "batch_norm.cu": cases.of_batch_norm,
    "softmax/softmax.cu": cases.of_softmax,
    "activations/activations.cu": cases.of_activations,
    "optimizers/optimizers.cu": cases.of_optimizers,
    "conv2d/convolve.cu": cases.of_conv2d,
    "conv2d/gradients.cu": cases.of_conv2d,
    "gemm/gemm.cu": cases.of_gemm,
    "warp.cu": cases.of_warp,
    "resize.cu": cases.of_resize,
    "padding.cu": cases.of_padding,
    "normal.cu": cases.of_random_numbers,
    "uniform.cu": cases.of_random_numbers,
    "running.cu": cases.of_running_numbers,
    "batching.cu": cases.of_batching,
    "group_norm.cu": cases.of_group_norm,
    "reduce.cu": cases.of_sums,
    "cuda/parts.cu": cases.of_sums,
    "embedding.cu": cases.of_embedding,
    "binary_crossentropy.cu": cases.of_binary_crossentropy,
    "by_value.cu": cases.of_by_value,
}
BARRIER = re.compile(r"__sync(?:threads|warp)\(\);")
PATHS = {file: modules.KERNELS / file for file in FAMILIES}


def test_every_file_is_here():
    assert {path.resolve() for path in PATHS.values()} == {kernel.path.resolve() for kernel in cuda.kernels}


def barriers():
    """(file, which of its text's barriers); those of common.cu once, with a file that calls them often:
    two of block_sum, two of over_warps.
    """
    common = len(
        BARRIER.findall(modules.source(PATHS["dropout.cu"]).partition("tinynet/kernels/dropout.cu")[0])
    )
    callers = ("batch_norm.cu", "batch_norm.cu", "softmax/softmax.cu", "softmax/softmax.cu")
    yield from zip(callers, range(common), strict=True)
    for file, path in PATHS.items():
        yield from ((file, i) for i in range(common, len(BARRIER.findall(modules.source(path)))))


@pytest.fixture
def plant(monkeypatch):
    """plant(file, text): from now on the kernels of a `.cu` file are those of `text`."""

    def planted(file, text):
        def load(path, expression):
            if path.resolve() != PATHS[file].resolve():
                return loading.load(path, expression)
            kernel = shim.Module(code=text, name_expressions=[expression]).get_function(expression)
            return lambda grid, block, arguments, also: kernel(grid, block, arguments, also=also)

        monkeypatch.setitem(cuda.loaders, "numpy", load)
        modules.function.cache_clear()

    yield planted
    modules.function.cache_clear()


@pytest.mark.parametrize(("file", "which"), list(barriers()))
def test_no_barrier_can_be_left_out(plant, file, which):
    text = modules.source(PATHS[file])
    at = list(BARRIER.finditer(text))[which]
    plant(file, text[: at.start()] + ";" + text[at.end() :])
    with pytest.raises(shim.KernelError, match=r"races with|uninitialised"):
        run_all(file)


def run_all(file):
    for case in FAMILIES[file]():
        cases.run(case, "cuda")


BOUNDS = {  # file: conditions that stand in it once, and what they become
    "dropout.cu": {
        "if (word < of_words) bits[(size_t)word * gridDim.x * 32 + feature] = (uint16)kept;": ("<", "<="),
        "sample >= n) continue": (">=", ">"),
        "if (i >= size) return;": (">=", ">"),
    },
    "pool2d/pool2d.cu": {
        "own < m}": ("<", "<="),
        "min(size, o * stride - before + window)": ("size, ", "size + 1, "),
        "min(outputs, shifted / stride + 1)": ("outputs, ", "outputs + 1, "),
        "h < k.h && w >= 0": ("<", "<="),
    },
    "batch_norm.cu": {
        "return i < end;": ("<", "<="),
        "if (image >= images)": (">=", ">"),
        "factors[k.c + channel]": ("k.c", "k.c + 1"),
        "i < all; i += step)": ("<", "<="),
        "moving_mean[channel] * stay": ("stay", "take"),
        "(T)variance * take": ("take", "stay"),
        "all = k.row * ((k.n + 15) / 16);": ("15", "31"),
        "bits[(size_t)(walk.image / 16) * k.row + feature]": ("/ 16", "/ 8"),
        "(walk.image % 16) & 1": ("% 16", "% 8"),
        "feature = walk.pixel * k.c + blockIdx.x;": ("k.c", "k.n"),
    },
    "softmax/softmax.cu": {
        "exists = m < k.m;": ("<", "<="),
        "sum += g[own.at(c)] * y[own.at(c)];": ("own.at(c)] *", "own.at(c + 1)] *"),
    },
    "activations/activations.cu": {"if (i < size) y[i]": ("<", "<="), "if (i < size) dx[i]": ("<", "<=")},
    "reduce.cu": {
        "item < items.end; item += WARPS)": ("<", "<="),
        "sum += n < s.n ? value": ("<", "<="),
        "r < rows.end; r += 8)": ("<", "<="),
        "if (threadIdx.y == 0 && k < s.k)": ("<", "<="),
    },
    "cuda/parts.cu": {"if (i >= size) return;": (">=", ">")},
    "gemm/gemm.cu": {
        "const bool inside = row < size &&": ("<", "<="),
        "row < size && k < end;": ("k <", "k <="),
        "if (row < p.m && column < p.n)": ("column <", "column <="),
        "one * p.a_batch": ("one", "0"),
        "(blockIdx.y * all + one)": ("all", "1"),
    },
    "warp.cu": {
        "if (n >= g.n || pixel >= g.rows * g.columns) return;": ("n >=", "n >"),
        "if (n >= k.n || h >= k.rows) return;": ("h >=", "h >"),
        "return h < 0 || w < 0 ? fill": ("w < 0", "w < -1"),
        "k = k < size ? k : turn - 1 - k;": ("turn - 1", "turn"),
        "(high < h - 1 || low > h + 1)": ("h - 1", "h"),
        "(low >= 0 && high <= last)": ("last", "last + 1"),
        "v.cell[below] == h && u.cell[right] >= 0)": ("u.cell[right] >= 0", "true"),
    },
    "padding.cu": {
        "if (i >= size) return;": (">=", ">"),
        "a >= 0 && a < f.a": ("a < f", "a <= f"),
        "b >= 0 && b < f.b": ("b < f", "b <= f"),
        "c >= 0 && c < f.c": ("c < f", "c <= f"),
        "d >= 0 && d < f.d": ("d < f", "d <= f"),
    },
    "resize.cu": {
        "if (m >= s.m) return;": (">=", ">"),
        "b < first_column + s.column_taps": ("<", "<="),
        "a < first_row + s.row_taps": ("<", "<="),
    },
    "normal.cu": {
        "if (i >= size) return;": (">=", ">"),
        "if (sample < n)": ("<", "<="),
        "if (sample + 8 < n)": ("+ 8", "+ 7"),
        "word[3] = 1;": ("1", "0"),
    },
    "uniform.cu": {
        "if (i >= size) return;": (">=", ">"),
        "if (sample < n)": ("<", "<="),
        "word[3] = 1;": ("1", "0"),
    },
    "running.cu": {
        "if (i >= c) return;": (">=", ">"),
        "i < n; i += blockDim.x)": ("<", "<="),
        "if (threadIdx.x > 0) return;": ("> 0", "> 1"),
        "if (i >= n) return;": (">=", ">"),
        "k < c; k++)": ("<", "<="),
        "!(other <= most))": ("<=", "<"),
        "most == most &&": ("most == most", "true"),
    },
    "batching.cu": {
        "if (sample >= n || feature >= f) continue;": ("n ||", "n + 1 ||"),
        "index[sample] < 0 ?": ("<", "<="),
        "if (feature < f && sample < n) out": ("feature <", "feature <="),
    },
    "group_norm.cu": {
        "exists = n < g.n;": ("<", "<="),
        "n < g.n; n += blockDim.x)": ("<", "<="),
        "factors[gridDim.x + feature]": ("x +", "x + 1 +"),
    },
    "embedding.cu": {
        "if (i >= size) return;": (">=", ">"),
        "start + lane < own_places.end ? ids": ("<", "<="),
        "row >= 0 && row < 32)": ("row < 32", "row <= 32"),
        "if (column < d) own": ("<", "<="),
        "if (column >= d) break;": (">=", ">"),
        "min(32, rows - first)": ("rows", "rows + 1"),
        "mine &= mine - 1)": ("mine &= mine - 1", "mine = 0"),
    },
    "binary_crossentropy.cu": {"z[i] > T(0) ? (T(1) - t[i])": (">", "<")},
    "optimizers/optimizers.cu": {
        "i < count; i += step) {\n        Element": ("<", "<="),
        "i < row[0]; i += blockDim.x) sum": ("<", "<="),
        "i < count; i += step)\n        w[i]": ("<", "<="),
        "if (row >= rows) return;": (">=", ">"),
        "i < rows; i++": ("<", "<="),
    },
    "by_value.cu": {"if (threadIdx.x < count)": ("<", "<=")},
    "conv2d/convolve.cu": {
        "column * k.column_images + n < k.n;": ("<", "<="),
        "return i >= 0 && i < size ? i : -1;": ("<", "<="),
        "f < k.outputs ? w[place]": ("<", "<="),
        "if (row >= k.rows || column + p >= k.columns": ("column + p >=", "column + p >"),
        "first + f >= k.outputs ||": (">=", ">"),
    },
    "conv2d/gradients.cu": {
        "w >= 0 && w < k.w;": ("<", "<="),
        "if (filter >= k.f ||": (">=", ">"),
        "row >= rows) continue;": (">=", ">"),
        "min(image, n - 1);": ("- 1", "+ 0"),
        "if (image < n) dz": ("<", "<="),
        "sum += image < n ?": ("<", "<="),
        "item < items.end; item += WARPS) {\n        const int pixel": ("<", "<="),
    },
}  # fmt: skip


@pytest.mark.parametrize(("file", "line"), [(file, line) for file, lines in BOUNDS.items() for line in lines])
def test_no_bound_can_be_one_off(plant, file, line):
    text, (right, wrong) = modules.source(PATHS[file]), BOUNDS[file][line]
    assert text.count(line) == line.count(right) == 1
    plant(file, text.replace(line, line.replace(right, wrong)))
    for case in FAMILIES[file]():
        try:
            found = cases.run(case, "cuda")
        except shim.KernelError:
            return
        for one, other in zip(found, cases.run(case, case[0].reference), strict=True):
            if one is not None and not np.allclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True):
                return
    pytest.fail(f"{wrong} in place of {right} was not noticed")
