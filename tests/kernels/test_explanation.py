"""explain says what runs: for every family, with the loops' bounds and the instructions that the CPU gets."""

import ast
import inspect
import math
import platform
import re

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import common, emit, threads
from tinynet.kernels.common import prange
from tinynet.kernels.explanation import code, tiles

SHAPES = {
    "activations": [(16, 5, 7)],
    "average_pool2d": [(16, 6, 6, 3)],
    "batch_norm": [(16, 5, 5, 6)],
    "binary_crossentropy": [(40, 1)],
    "conv2d": [(16, 6, 6, 3), (3, 3, 3, 4)],
    "dense": [(32, 20), (20, 30)],
    "dropout": [(16, 5, 6)],
    "embedding": [(50, 16), (16, 7)],
    "gemm": [(24, 20), (20, 32)],
    "group_norm": [(16, 5, 6)],
    "max_pool2d": [(16, 6, 6, 3)],
    "normal": [(16, 5, 6)],
    "optimizers": [(1000,)],
    "pad": [(16, 5, 6, 3)],
    "resize": [(16, 4, 4, 3)],
    "softmax": [(16, 10)],
    "sum": [(16, 5, 7)],
    "uniform": [(16, 5, 6)],
    "warp": [(4, 9, 9, 1)],
}
ONE = {"activations": "relu", "optimizers": "sgd"}  # a single operation, where all would take long
X86 = platform.machine().lower() in ("x86_64", "amd64")
LANES = emit.vectors(np.dtype(np.float32)).lanes
VECTOR = (r"%[yz]mm\d" if LANES > 4 else r"%[xyz]mm\d") if X86 else r"\bv\d+\."
FAMILIES = list(kernels.families())


def turns(text: str, launch: str = "") -> list[int]:
    """The turns of all loops of a launch, in their order."""
    first = text.split(f"launch {launch}")[1].split("launch ")[0]
    return [int(found) for found in re.findall(r"  (\d+) turns?$", first, flags=re.MULTILINE)]


@pytest.fixture
def squash(monkeypatch):
    """A family that explain has never heard of."""
    monkeypatch.setattr(common, "_families", dict(common._families))

    @common.operation("numpy", family="squash")
    def squash(x, *, cap):
        return cap * np.tanh(x / cap)

    @squash.implementation("numba")
    def _(x, *, cap):
        y = common.empty(x, x.shape)
        _cap_rows(common.batch_last(y), common.batch_last(x), x.dtype.type(cap))
        return y


@common.parallel
def _cap_rows(y, x, cap):
    for row in prange(y.shape[0]):
        for n in range(y.shape[1]):
            y[row, n] = cap * np.tanh(x[row, n] / cap)


def test_a_new_family_needs_no_introduction(squash):
    text = kernels.explain("squash", (33, 7), cap=2.0, show="loops")
    assert "squash (33, 7), float32, cap 2.0\n  squash: 'numba', the fastest of numpy, numba" in text
    assert turns(text) == [7, 33]
    assert re.search(VECTOR, kernels.explain("squash", (33, 7), show="asm"))
    with kernels.use("squash", "numpy"):
        assert "no launch" in kernels.explain("squash", (33, 7))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_imported_and_listed_by_the_package(family):
    """Else `families()` and `explain` do not know it until something else imports its module."""
    (operation, *_) = common._families[family]
    room = operation.__wrapped__.__module__.removeprefix("tinynet.kernels.").partition(".")[0]
    package = ast.parse(inspect.getsource(kernels))
    imports = [node for node in package.body if isinstance(node, ast.ImportFrom) and node.module is None]
    assert room in {one.name for node in imports for one in node.names}, f"kernels/__init__ imports no {room}"
    assert room in kernels.__all__, f"{room} is not in kernels.__all__"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_says_what_it_gets_and_what_that_takes(family):
    text = kernels.explain(family, *SHAPES.get(family, [(16, 5, 6)]))
    operation = re.findall(r"^  (\w+): '(\w+)', the fastest of (.*)$", text, flags=re.MULTILINE)
    assert operation
    for name, implementation, others in operation:
        assert implementation in kernels.families()[family]
        assert implementation in others
        assert text.count(f"  {name}: ") == 1
    assert text.count("FLOPs for each byte; by definition at least ") == len(operation)
    assert text.count("    launch ") >= len(operation)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_family_shows_its_loops(family, dtype):
    text = kernels.explain(family, *SHAPES.get(family, [(16, 5, 6)]), show="loops", dtype=dtype)
    assert "not followed" not in text
    assert max(map(int, re.findall(r"  (\d+) turns?$", text, flags=re.MULTILINE))) > 1


def operations() -> list[str]:
    return [member.__name__ for members in common._families.values() for member in members]


@pytest.mark.parametrize("name", operations())
def test_every_operation_can_be_asked_for(name):
    family = next(f for f in FAMILIES if any(m.__name__ == name for m in common._families[f]))
    text = kernels.explain(name, *SHAPES.get(family, [(16, 5, 6)]), show="loops")
    assert "not followed" not in text
    assert f"  {name}: " in text


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_shows_machine_code(family):
    text = kernels.explain(ONE.get(family, family), *SHAPES.get(family, [(16, 5, 6)]), show="asm")
    assert text.count("innermost loop of ") >= 1
    assert re.search(VECTOR, text)


@pytest.mark.parametrize("family", ["activations", "conv2d", "gemm", "max_pool2d", "optimizers"])
def test_llvm(family):
    text = kernels.explain(ONE.get(family, family), *SHAPES[family], show="llvm")
    assert re.search(r"<(4|8|16) x float>", text)
    assert re.search(r"br i1 .*label %", text)


def test_the_tiles_of_a_convolution_do_the_multiply_adds_of_its_formula():
    """2 x 128 images x 14 channels x 14 filters x 40 x 40 pairs of output and tap, as README counts."""
    with kernels.use("conv2d", "vector"):
        text = kernels.explain("conv2d", (128, 14, 14, 14), (3, 3, 14, 14), padding="same", show="loops")
    found = [int(number.replace(",", "")) for number in re.findall(r"in all ([\d,]+) multiply-adds", text)]
    assert len(found) == 3  # the weight gradient among them
    assert [2 * LANES * number for number in found] == [80_281_600] * 3
    assert text.count("80.3 MFLOPs, 2.82 MB") == 3
    cycles = 80_281_600 / (2 * 2 * LANES)
    assert text.count(f"at least {cycles:,.0f} cycles of one core (arithmetic") == 3


def test_the_tiles_of_winograd_do_a_quarter_of_them_and_their_transforms():
    """36 products for each of 4 x 4 tiles, and at most as many again by which transforms cost."""
    text = kernels.explain("conv2d", (128, 14, 14, 14), (3, 3, 14, 14), padding="same", show="loops")
    found = [int(number.replace(",", "")) for number in re.findall(r"in all ([\d,]+) multiply-adds", text)]
    products = 4 * 4 * 36 * 14 * 14 * 128 // LANES
    assert len(found) == 3
    assert all(products < number < 1.6 * products for number in found)


def test_place_by_place_there_are_as_many_products():
    """Of the weight gradient of many channels, which transforms each number of x and g once for each tile."""
    shapes = (32, 8, 8, 128), (3, 3, 128, 128)
    text = kernels.explain("conv2d", *shapes, padding="same", show="loops").split("conv2d_weight_grad:")[1]
    assert "launch run_deep_weight" in text
    (found,) = re.findall(r"in all ([\d,]+) multiply-adds", text)
    products = 2 * 2 * 36 * 128 * 128 * 32 // LANES
    assert products < int(found.replace(",", "")) < 1.1 * products


def test_the_tiles_of_a_product_do_its_multiply_adds():
    text = kernels.explain("gemm", (24, 20), (20, 32), show="loops")
    assert f"in all {24 * 20 * 32 // LANES:,} multiply-adds of vectors" in text
    assert "register tiles" in text.splitlines()[1]
    assert "30.7 kFLOPs" in text  # 2 x 24 x 20 x 32
    dense = kernels.explain("dense", (32, 20), (20, 30))
    assert re.findall("[.0-9]+ kFLOPs", dense) == ["38.4 kFLOPs", "76.8 kFLOPs"]  # 2 x 32 x 20 x 30
    assert "leave lanes idle" in kernels.explain("gemm", (24, 20), (20, 3))
    assert "rows lie 4096 bytes or more apart" in kernels.explain("gemm", (64, 20), (20, 1024))


def test_the_bounds_multiply_to_the_outputs():
    with kernels.use("conv2d", "one_at_a_time"):
        text = kernels.explain("conv2d", (5, 4, 6, 2), (3, 3, 2, 3), padding="same", show="loops")
    found = turns(text, "_one_at_a_time")
    assert found[:4] == [5, 4, 6, 3]
    assert math.prod(found) == 5 * 4 * 6 * 3 * 3 * 3 * 2  # three rows of taps, three columns, two channels
    assert "conv2d: 'one_at_a_time', which kernels.use asks for" in text
    assert "conv2d_input_grad: 'im2col', the reference: kernels.use asks for 'one_at_a_time'" in text
    assert turns(kernels.explain("relu", (16, 5, 7), show="loops")) == [16 * 5 * 7]
    pooled = turns(kernels.explain("average_pool2d", (16, 6, 6, 3), show="loops"))
    assert math.prod(pooled[2:]) * pooled[0] == 9 * 2 * 2 * 3 * 16  # outputs, window, row


def test_how_batch_norm_is_divided():
    assert "divided by channels: maps of 100 pixels" in kernels.explain("batch_norm", (16, 10, 10, 3))
    text = kernels.explain("batch_norm", (16, 10, 11, 3))
    assert "divided by blocks of pixels, read as they lie in memory: maps of 110" in text
    assert "launch normalise_by_block" in text


def test_bytes_and_threads():
    text = kernels.explain("relu", (16, 5, 7))
    assert "560 FLOPs, 4.48 kB, 0.125 FLOPs for each byte; " in text
    assert "; by definition at least 280 cycles of one core (memory" in text
    adam = kernels.explain("adam", (1000,))
    assert "10 kFLOPs, 28 kB" in adam  # w, g, m and v read; w, m and v written
    before = threads.get_num_threads()
    try:
        for count, words in ((1, "on one thread"), (2, "shared by 2 threads")):
            threads.set_num_threads(count)
            text = kernels.explain("relu", (64, 999))
            assert f"launch _relu (kernels/activations/rectifiers.py), {words}" in text
    finally:
        threads.set_num_threads(before)


@pytest.mark.skipif(not X86, reason="reads x86 assembly")
@pytest.mark.parametrize("name", ["sums_in_registers", "several_filters", "rows_shared"])
def test_the_sums_of_the_ladder_stay_in_registers(name):
    """What conv2d/ladder.py says of the innermost loop: vectors, and none of them is stored."""
    with kernels.use("conv2d", name):
        text = kernels.explain("conv2d", (32, 14, 14, 14), (3, 3, 14, 14), padding="same", show="asm")
    loop = text.split(f"innermost loop of _{name}:\n")[1].split("\n  conv2d_input_grad")[0]
    sums = 7 if name == "sums_in_registers" else 14
    assert len(re.findall(r"vaddps|vfmadd", loop)) >= sums
    assert not re.search(r"vmov\w+\s+%[xyz]mm\d+, [^%]*\(", loop)


@pytest.mark.skipif(not X86, reason="reads x86 assembly")
def test_a_tile_is_fused_multiply_adds():
    with kernels.use("conv2d", "vector"):
        text = kernels.explain("conv2d", (32, 14, 14, 14), (3, 3, 14, 14), padding="same", show="asm")
    loop = text.split("innermost loop of forward_tile:")[1].split("  conv2d_input_grad")[0]
    assert len(re.findall(r"vfmadd\w+", loop)) == 63 or emit.vectors(np.dtype(np.float32)).registers != 32
    assert loop.strip().splitlines()[-1].split()[0].startswith("j")


def test_what_there_is_not():
    for arguments, settings, words in [
        (("fly", (3, 3)), {}, r"unknown operation 'fly'; there are activations, .*warp"),
        (("conv2d", (1, 8, 8, 3)), {}, r"takes 2 shapes, x \(N, H, W, C\) and w \(KH.*, got \(1, 8, 8, 3\)"),
        (("softmax",), {}, r"takes 1 shape, z \(N, C\), got none"),
        (("softmax", (3, 4, 5)), {}, r"takes z \(N, C\), of 2 axes; got \(3, 4, 5\)"),
        (("relu", 3), {}, r"takes 1 shape, x, got 3"),
        (("relu", (3, 3)), {"show": "wasm"}, "show must be 'loops', 'llvm', 'asm' or None, got 'wasm'"),
        (("dropout", (3, 3)), {"ratio": 1}, r"'dropout'\): unknown setting ratio; there are rate"),
        (("relu", (3, 3)), {"dtype": np.float16}, "float16 takes the reference, numpy"),
        (("gemm", (3, 4), (5, 6)), {}, r"gemm takes a \(M, K\) and b \(K, N\).*got \(3, 4\) and \(5, 6\)"),
    ]:
        with pytest.raises(ValueError, match=words):
            kernels.explain(*arguments, **settings)


def test_the_innermost_loop_is_the_one_with_the_widest_work():
    text = "\n".join([
        "start:", "  movl $1, %eax", ".A:", "  vaddps %xmm1, %xmm2, %xmm3", "  jne .A",
        ".B:", ".C:", "  vaddps %zmm1, %zmm2, %zmm3", "  jne .C", "  vaddps %zmm1, %zmm2, %zmm3", "  jne .B",
        "  retq",
    ])  # fmt: skip
    assert code.innermost(text, "asm") == [".C:", "  vaddps %zmm1, %zmm2, %zmm3", "  jne .C"]
    assert code.innermost("start:\n  retq", "asm") == ["start:", "  retq"]
    assert code.shortened(["a"] * 3) == ["a"] * 3
    assert code.shortened(["a"] * 1000)[-1] == f"... and {1000 - code.MOST} lines more"


def test_a_tile_tells_its_loops():
    k = emit.VectorFunction(emit.vectors(np.dtype(np.float32)), "x rows bounds")
    x, slot = k.pointer("%x"), k.variable(k.zero)
    with k.loop(0, "%rows") as row, k.loop(row, k.load_integer(k.move(k.pointer("%bounds"), 8))):
        k.set(slot, k.multiply_add(k.load(x), k.splat(x), k.get(slot)))
    k.store(k.get(slot), x)
    bounds = np.array([0, 5], np.int64)
    found = tiles.tile_loops(emit.emitted[emit.address(k)], (0, 3, bounds.ctypes.data))
    (outer,) = found.inside
    (inner,) = outer.inside
    assert (outer.bounds, outer.turns, inner.turns) == ("from 0 to rows", 3, 5)
    assert tiles.in_words(inner.counts) == "1 multiply-add, 1 vector loaded, 1 number into all lanes"
    assert tiles.in_words(found.counts) == "1 vector stored"
    assert found.total("multiply-add") == 15
    assert emit.emitted[emit.address(k)].writer == "test_a_tile_tells_its_loops"
