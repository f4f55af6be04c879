"""The shim that runs CUDA kernels on the CPU (tests/cuda_shim) finds what a kernel does wrong, and where.

Three small kernels are right. Then faults of every class are planted in them, one at a time: each must be
found, by the check that is meant for it, in the line that has it.
"""

import numpy as np
import pytest

from cuda_shim import shim

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)

SUMS = """
// y[b] = sum of the 64 numbers of block b; x has n
template <class T> __global__ void sums(T* y, const T* x, int n) {
    __shared__ T parts[64];
    const int i = blockIdx.x * 64 + threadIdx.x;
    parts[threadIdx.x] = i < n ? x[i] : T(0);
    __syncthreads();
    for (int step = 32; step > 0; step /= 2) {
        if (threadIdx.x < step) parts[threadIdx.x] += parts[threadIdx.x + step];
        __syncthreads();
    }
    if (threadIdx.x == 0) y[blockIdx.x] = parts[0];
}
"""

MEANS = """
// y[i] = (x[i - 1] + x[i] + x[i + 1]) / 3, zero outside; a block takes two tiles of 32, one after the other
__global__ void means(float* y, const float* x, int n) {
    __shared__ float tile[34];
    for (int t = 0; t < 2; t++) {
        const int first = (2 * blockIdx.x + t) * 32, i = first + threadIdx.x;
        __syncthreads();  // the tile before this one has been read
        tile[threadIdx.x + 1] = i < n ? x[i] : 0.0f;
        if (threadIdx.x == 0) tile[0] = first > 0 ? x[first - 1] : 0.0f;
        if (threadIdx.x == 1) tile[33] = first + 32 < n ? x[first + 32] : 0.0f;
        __syncthreads();
        if (i < n) y[i] = (tile[threadIdx.x] + tile[threadIdx.x + 1] + tile[threadIdx.x + 2]) / 3;
    }
}
"""

WARPS = """
// y[w] = sum of the 32 numbers of warp w
__global__ void warps(int* y, const int* x) {
    __shared__ int mirrored[64];
    const int lane = threadIdx.x % 32, own = threadIdx.x;
    mirrored[own] = x[blockIdx.x * 64 + own];
    __syncwarp();
    int value = mirrored[own - lane + 31 - lane];
    for (int step = 16; step > 0; step /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, step);
    if (lane == 0) y[blockIdx.x * 2 + own / 32] = value;
}
"""

NUMBERS = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
COUNTS = np.arange(256, dtype=np.int32)


def compiled(code, name):
    return shim.Module(code=code, name_expressions=[name]).get_function(name)


def sums(code=SUMS, x=NUMBERS, **settings):
    y = np.zeros(16, np.float32)
    function = compiled(code, "sums<float>")
    vars(function).update(settings)
    function((16,), (64,), (y, x, np.int32(x.size)))
    return y


def means(code=MEANS):
    y = np.zeros(1000, np.float32)
    compiled(code, "means")((16,), (32,), (y, NUMBERS, np.int32(1000)))
    return y


def warps(code=WARPS):
    y = np.zeros(8, np.int32)
    compiled(code, "warps")((4,), (64,), (y, COUNTS))
    return y


def test_right_kernels_have_right_results():
    padded = np.append(NUMBERS.astype(np.float64), np.zeros(24))
    np.testing.assert_allclose(sums(), padded.reshape(16, 64).sum(1), atol=1e-5)
    np.testing.assert_allclose(
        means(), np.convolve(NUMBERS.astype(np.float64), np.ones(3) / 3, "same"), atol=1e-6
    )
    np.testing.assert_array_equal(warps(), COUNTS.reshape(8, 32).sum(1))


RACE, BOUNDS, BARRIER, UNWRITTEN = "races with", "out of bounds", "a barrier that not all", "uninitialised"
LOAD, TREE = "x[i] : T(0);\n    __syncthreads();", "step];\n        __syncthreads();"
FAULTS = {  # what is wrong: (who runs it, right, wrong, what is said, the line where it is found)
    "no barrier after loading": (sums, LOAD, "x[i] : T(0);\n", UNWRITTEN, 9),
    "no barrier between the steps of a tree": (sums, TREE, "step];\n", RACE, 9),
    "a barrier that a part of the threads reach": (
        sums,
        TREE,
        "step];\n        if (threadIdx.x < 40) __syncthreads();",
        BARRIER,
        10,
    ),
    "threads without work return early": (
        sums,
        "    parts[threadIdx.x] = i",
        "if (i >= n) return; parts[threadIdx.x] = i",
        BARRIER,
        7,
    ),
    "a warp that returns early": (
        sums,
        "    parts[threadIdx.x] = i",
        "if (threadIdx.x > 31) return; parts[threadIdx.x] = i",
        BARRIER,
        7,
    ),
    "shared memory of one element too few": (sums, "parts[64]", "parts[63]", BOUNDS, 6),
    "one number read behind the last": (sums, "i < n ?", "i <= n ?", BOUNDS, 6),
    "numbers read behind the last, without a look at n": (sums, "i < n ? x[i] : T(0)", "x[i]", BOUNDS, 6),
    "shared memory that is written in part": (
        sums,
        "parts[threadIdx.x] = i < n ? x[i] : T(0);",
        "if (i < n) parts[threadIdx.x] = x[i];",
        UNWRITTEN,
        9,
    ),
    "all blocks to one place": (sums, "y[blockIdx.x]", "y[0]", RACE, 12),
    "all threads to one place": (sums, "if (threadIdx.x == 0) y", "y", RACE, 12),
    "a sum in memory that all blocks add to": (sums, "y[blockIdx.x] =", "y[blockIdx.x / 2] +=", RACE, 12),
    "more shared memory than a block has": (
        sums,
        "parts[64]",
        "parts[13000]",
        "52000 bytes of shared memory",
        None,
    ),
    "no barrier before a tile is overwritten": (
        means,
        "__syncthreads();  // the tile",
        "// the tile",
        RACE,
        None,
    ),
    "a tile without its left border": (
        means,
        "if (threadIdx.x == 0) tile[0]",
        "if (threadIdx.x == 40) tile[0]",
        UNWRITTEN,
        12,
    ),
    "a border taken from before the first number": (means, "first > 0 ?", "first >= 0 ?", BOUNDS, 9),
    "results one place too far": (means, ") y[i] =", ") y[i + 1] =", BOUNDS, 12),
    "results of overlapping tiles": (means, "+ t) * 32", "+ t) * 31", RACE, 12),
    "results written into what others read": (
        means,
        "if (i < n) y[i] =",
        "if (i < n) ((float*)x)[i] =",
        RACE,
        None,
    ),
    "lanes that read one another without __syncwarp": (warps, "__syncwarp();", "", UNWRITTEN, 8),
    "a shuffle of half of the lanes": (
        warps,
        "        value +=",
        "        if (lane < 16) value +=",
        BARRIER,
        10,
    ),
    "a shuffle whose mask leaves lanes out": (warps, "0xffffffffu", "0x0000ffffu", "takes no part", 10),
    "a barrier in one of two warps": (
        warps,
        "__syncwarp();",
        "if (own < 32) __syncthreads(); else __syncwarp();",
        BARRIER,
        7,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name):
    run, right, wrong, said, line = FAULTS[name]
    code = {sums: SUMS, means: MEANS, warps: WARPS}[run]
    assert code.count(right) == 1
    with pytest.raises(shim.KernelError, match=said) as found:
        run(code.replace(right, wrong))
    if line is not None:
        assert f"line {line})" in str(found.value), found.value


def test_results_that_depend_on_the_order_are_found_by_their_bits():
    """Even where no access is looked at: each launch runs in three orders."""
    with pytest.raises(shim.KernelError, match="depend on the order"):
        sums(SUMS.replace(TREE, "step];\n"), watched=False)


def test_every_order_runs_every_thread_on_the_same_numbers():
    for order in shim.ORDERS.values():
        np.testing.assert_array_equal(sums(orders=(order,)), sums())
    code = "__global__ void count(int* y) { y[blockIdx.x * 64 + threadIdx.x] += 1; }"
    y = np.zeros(128, np.int32)
    compiled(code, "count")((2,), (64,), (y,))
    assert (y == 1).all()  # not three times


def test_arrays_found_by_address_must_be_given():
    code = "__global__ void fill(const long long* table) { ((float*)table[0])[threadIdx.x] = 1; }"
    y, function = np.zeros(32, np.float32), compiled(code, "fill")
    table = np.array([y.__array_interface__["data"][0]])
    function((1,), (32,), (table,), also=(y,))
    assert (y == 1).all()
    with pytest.raises(shim.KernelError, match=BOUNDS):
        function((1,), (32,), (table,))


ARGUMENTS = """
struct Size { int h, w; };
__global__ void scale(float* y, const float* x, float factor, int n, Size size) {
    if (threadIdx.x < n) y[threadIdx.x] = x[threadIdx.x] * factor + size.w;
}
"""
SIZE = np.array([(2, 3)], [("h", np.int32), ("w", np.int32)])
RIGHT = {
    "y": np.zeros(8, np.float32),
    "x": np.arange(8, dtype=np.float32),
    "factor": np.float32(2),
    "n": np.int32(8),
    "size": SIZE,
}


def test_arguments_by_value_and_by_address():
    y = np.zeros(8, np.float32)
    compiled(ARGUMENTS, "scale")((1,), (32,), tuple({**RIGHT, "y": y}.values()))
    np.testing.assert_array_equal(y, np.arange(8) * 2 + 3)


READ_ONLY = np.zeros(8, np.float32)
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("factor", 2.0, "takes 4 bytes"),
        ("factor", np.int32(2), "takes 4 bytes"),
        ("n", 8, "takes 4 bytes"),
        ("n", np.float32(8), "takes 4 bytes"),
        ("size", SIZE["h"], "takes 8 bytes"),
        ("x", np.arange(8.0), "elements f4, got an array of float64"),
        ("x", np.arange(8, dtype=np.int32), "elements f4"),
        ("x", np.float32(1), "takes an array"),
        ("x", np.arange(16, dtype=np.float32)[::2], "C order"),
        ("y", READ_ONLY, "read only"),
        ("y", np.zeros(7, np.float32), BOUNDS),
        ("y", None, BOUNDS),
    ],
)
def test_wrong_arguments_are_found(name, value, said):
    with pytest.raises(shim.KernelError, match=said):
        compiled(ARGUMENTS, "scale")((1,), (32,), tuple({**RIGHT, name: value}.values()))
    with pytest.raises(shim.KernelError, match="5 parameters; got 4"):
        compiled(ARGUMENTS, "scale")((1,), (32,), tuple(RIGHT.values())[:4])


@pytest.mark.parametrize(
    ("grid", "block"), [((1,), (1025,)), ((1,), (1, 1, 65)), ((0,), (32,)), ((1, 70000), (32,))]
)
def test_launches_that_no_gpu_takes_are_found(grid, block):
    with pytest.raises(shim.KernelError, match="has 1 to"):
        compiled(ARGUMENTS, "scale")(grid, block, tuple(RIGHT.values()))


def test_what_does_not_compile_says_where():
    with pytest.raises(shim.KernelError, match=r"kernel\.cu:4:\d+: error: .nowhere. was not declared"):
        compiled(SUMS.replace("sums(T* y", "sums(nowhere* y").replace("// y[b]", "\n// y[b]"), "sums<float>")
    with pytest.raises(shim.KernelError, match="line 4: the shim wants"):
        compiled(SUMS.replace("parts[64];", "parts[64], more[3];"), "sums<float>")
