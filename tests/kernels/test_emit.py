"""The vector-code room: what is written is what runs, and the cache can be trusted."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tinynet.kernels import emit
from tinynet.kernels.cache import TAG, directory
from tinynet.kernels.cache import _state as cache_state
from tinynet.kernels.common import serial
from tinynet.kernels.conv2d import forward
from tinynet.kernels.emit import host, objects

F4 = emit.Vectors("float", 4, 8, 16)


def axpy(vectors: emit.Vectors, masked: bool = False) -> emit.VectorFunction:
    """y[i] += a * x[i] over `blocks` vectors."""
    k = emit.VectorFunction(vectors, "a x y blocks live", masked=masked)
    a, x, y = k.splat(k.pointer("%a")), k.pointer("%x"), k.pointer("%y")
    with k.loop(0, "%blocks") as i:
        here = k.mul(vectors.bytes, i)
        place = k.move(y, here)
        k.store(k.multiply_add(a, k.load(k.move(x, here)), k.load(place)), place)
    return k


def call(address: int, *arguments: Any) -> None:
    numbers = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments]
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(numbers))(address)(*numbers)


@pytest.mark.parametrize(
    ("dtype", "lanes"), [("float", 4), ("float", 8), ("float", 16), ("double", 2), ("double", 8)]
)
def test_a_loop_over_vectors(dtype: str, lanes: int) -> None:
    vectors = emit.Vectors(dtype, {"float": 4, "double": 8}[dtype], lanes, 32)
    kind = np.float32 if dtype == "float" else np.float64
    x, y, a = np.arange(5 * lanes, dtype=kind), np.ones(5 * lanes, kind), np.array([3], kind)
    call(emit.address(axpy(vectors)), a, x, y, 4, 0)
    np.testing.assert_array_equal(y, np.where(np.arange(5 * lanes) < 4 * lanes, 1 + 3 * x, 1))


@pytest.mark.parametrize("live", [1, 5, 8])
def test_masked_functions_touch_live_lanes_only(live: int) -> None:
    x, y, a = np.arange(8, dtype=np.float32), np.ones(8, np.float32), np.array([2], np.float32)
    call(emit.address(axpy(F4, masked=True)), a, x, y, 1, live)
    np.testing.assert_array_equal(y, np.where(np.arange(8) < live, 1 + 2 * x, 1))


@pytest.mark.parametrize("count", [1, 2, 3, 8, 11])
def test_lane_sums(count: int) -> None:
    k = emit.VectorFunction(F4, "x sums")
    x, sums = k.pointer("%x"), k.pointer("%sums")
    for i, total in enumerate(k.lane_sums([k.load(k.move(x, 32 * i)) for i in range(count)])):
        k.store_scalar(total, k.move(sums, 4 * i))
    x, sums = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32), np.zeros(count, np.float32)
    call(emit.address(k), x, sums)
    np.testing.assert_allclose(sums, x.sum(axis=1), rtol=1e-5, atol=1e-6)
    once = sums.copy()
    x[...] = x[:1]
    call(emit.address(k), x, sums)
    assert (sums == once[0]).all(), "every vector is summed in the same order"


def test_loops_that_run_once_and_never() -> None:
    k = emit.VectorFunction(F4, "x y none")
    total = k.variable(k.zero)
    with k.loop(0, "%none") as _:
        k.set(total, k.load(k.pointer("%x")))
    with k.loop(2, 3) as i:
        assert i == 2
        k.set(total, k.add_vectors(k.get(total), k.load(k.pointer("%x"))))
    k.store(k.get(total), k.pointer("%y"))
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    call(emit.address(k), x, y, 0)
    np.testing.assert_array_equal(y, x)


@serial
def run_axpy(address, a, x, y, blocks):
    emit.call_kernel(address, (a, x, y, blocks, 0))


def test_compiled_loops_call_an_address() -> None:
    x, y, a = np.ones(16, np.float32), np.ones(16, np.float32), np.array([5], np.float32)
    run_axpy(emit.address(axpy(F4)), a.ctypes.data, x.ctypes.data, y.ctypes.data, 2)
    assert y.tolist() == [6] * 16


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))
    return directory()


def code() -> bytes:
    return objects.machine_code("0" * 64, axpy(F4).text("FUNCTION"))


def test_machine_code_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = code()
    assert sorted(file.name for file in cache.iterdir()) == ["0" * 64 + ".o", TAG], "nothing temporary stays"
    monkeypatch.setattr(objects, "_optimised", lambda text: pytest.fail("compiled again"))
    assert code() == first


@pytest.mark.parametrize("damage", ["emptied", "cut short", "one byte changed"])
def test_a_damaged_file_is_compiled_anew(cache: Path, damage: str) -> None:
    first = code()
    (file,) = cache.glob("*.o")
    good = file.read_bytes()
    bad = {
        "emptied": b"",
        "cut short": good[:-9],
        "one byte changed": good[:40] + bytes([good[40] ^ 1]) + good[41:],
    }
    file.write_bytes(bad[damage])
    assert code() == first
    assert file.read_bytes() == good, "the damaged file is replaced"


def test_a_folder_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("not a folder")
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(obstacle))
    monkeypatch.setitem(cache_state, "warned", False)
    with pytest.warns(UserWarning, match="TINYNET_CACHE_DIR"):
        assert len(code()) > 100


def test_vector_bytes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", "48")
    with pytest.raises(ValueError, match="16, 32 or 64"):
        emit.vectors.__wrapped__(np.dtype(np.float32))


@pytest.mark.skipif("+avx512f" not in host.cpu()[1], reason="this CPU has no AVX-512")
def test_wide_vectors_are_used() -> None:
    tile = forward.Tile(7, ((0, 3),) * 3, 3, 1, 1, (28, 4), None)
    vectors = emit.Vectors("float", 4, 16, 32)
    text = emit.assembly(forward.forward_tile(tile, vectors, False))
    multiply_adds = [line for line in text.splitlines() if "vfmadd" in line]
    assert len(multiply_adds) == 7 * 3 * 3
    assert all("zmm" in line for line in multiply_adds)
    assert not any("zmm" in line and "rsp" in line for line in text.splitlines()), (
        "sums are kept in registers"
    )


def without_avx512() -> str:
    """What the compiler makes of tanh, in a process that writes code as for a CPU without AVX-512."""
    program = "from tinynet import kernels; print(kernels.explain('tanh', (64, 64), show='asm'))"
    variables = {**os.environ, "TINYNET_CPU": "avx2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.skipif("+avx512f" not in host.cpu()[1], reason="this CPU has no AVX-512")
def test_code_for_a_cpu_without_avx512(monkeypatch: pytest.MonkeyPatch) -> None:
    name, features = host.cpu.__wrapped__()
    monkeypatch.setenv("TINYNET_CPU", "avx2")
    assert host.cpu.__wrapped__()[0] == name
    asked = host.cpu.__wrapped__()[1].split(",")
    assert {"+avx2", "+fma", "-avx512f", "-avx512vl"} <= set(asked)
    assert [word[1:] for word in asked] == [word[1:] for word in features.split(",")]
    text = without_avx512()
    assert "ymm" in text
    assert "zmm" not in text


def test_the_cpu_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNET_CPU", "avx3")
    with pytest.raises(ValueError, match="TINYNET_CPU must be native or avx2, got 'avx3'"):
        host.cpu.__wrapped__()
    monkeypatch.setenv("TINYNET_CPU", "avx2")
    old = SimpleNamespace(flatten=lambda: "+sse2")
    monkeypatch.setattr(host.llvm, "get_host_cpu_features", lambda: old)
    with pytest.raises(ValueError, match=r"this CPU .* cannot run"):
        host.cpu.__wrapped__()
