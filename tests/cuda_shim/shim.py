"""CUDA kernels on the CPU: `Module` takes CUDA C and has the interface of `cupy.RawModule`, for NumPy arrays.

    module = Module(code=source, name_expressions=["scale<float>"])
    module.get_function("scale<float>")((blocks,), (threads,), (y, x, np.float32(2), np.int32(n)))

The source is compiled as C++ by g++, with cuda_shim.h in front of it, and runs under runtime.cpp, which finds
races, accesses out of bounds, barriers that not all reach and reads of uninitialised shared memory. What a
launch did wrong is a KernelError that names block, thread and line.

A call runs the launch three times, with blocks and threads in three orders, on the same numbers: if the
results differ by a bit, that is a KernelError too. So whatever test calls a kernel tests all of this.
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
HEADER, RUNTIME = HERE / "cuda_shim.h", HERE / "runtime.cpp"
ORDERS = {"forwards": 0, "backwards": 1, "shuffled": 7}
# kernels are instrumented (runtime.cpp says what for), and a * b + c is rounded twice, as Python rounds it
FLAGS = ("-std=c++17", "-fPIC", "-gdwarf-4", "-g1", "-w", "-ffp-contract=off", "-U_FORTIFY_SOURCE")
COVERAGE = "CUDA_SHIM_COVERAGE"  # a folder: kernels are compiled so that gcov counts their lines there
DEBUG = "CUDA_SHIM_DEBUG"  # not empty: kernels are compiled for a debugger, and nothing is checked

OLD = 30 * 24 * 3600  # seconds after which a compiled kernel that nobody used is deleted

compiler, gcov = shutil.which("g++"), shutil.which("gcov")
missing = "" if compiler and sys.platform == "linux" else "no g++ on Linux, to run CUDA kernels on the CPU"


class KernelError(Exception):
    """What a kernel did wrong, or g++'s errors."""


@cache
def cache_folder() -> Path:
    """Where compiled kernels are kept: $CUDA_SHIM_CACHE, or a folder of the user's among temporary files."""
    named = os.environ.get("CUDA_SHIM_CACHE")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / f"cuda-shim-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():  # what lies there runs
        raise PermissionError(f"{folder} belongs to somebody else; set CUDA_SHIM_CACHE to a folder of yours")
    for kept in (*folder.glob("*.so"), *folder.glob("*.json")):
        if kept.stat().st_mtime < time.time() - OLD:
            kept.unlink(missing_ok=True)
    return folder


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KernelError(done.stderr)
    return done.stdout


def build(source: str, flags: Sequence[str], folder: Path | None = None) -> Path:
    """The shared library made of a C++ source: compiled where it is not there yet.

    Its name is the hash of all that it is made of, so it is never stale.
    """
    folder = cache_folder() if folder is None else folder
    version = _version(compiler)
    made_of = "\0".join((source, HEADER.read_text(encoding="utf-8"), *FLAGS, *flags, version))
    name = hashlib.sha256(made_of.encode()).hexdigest()[:24]
    library = folder / f"{name}.so"
    if not library.exists():
        own = f"{name}.{os.getpid()}"  # two processes may compile the same
        if "--coverage" in flags:
            own = name  # by which gcov finds its notes
        text, part, whole = (folder / f"{own}.{end}" for end in ("cpp", "o", "part"))
        text.write_text(source, encoding="utf-8")
        # Linked without ThreadSanitizer's library: its functions are those of runtime.cpp.
        libraries = ["-lgcov"] if "--coverage" in flags else []
        _run([compiler, *FLAGS, *flags, f"-I{HERE}", "-c", str(text), "-o", str(part)], cwd=folder)
        _run([compiler, "-shared", str(part), "-o", str(whole), *libraries, "-ldl"])
        whole.replace(library)
        if "--coverage" not in flags:
            text.unlink()
            part.unlink()
    library.touch()
    return library


@cache
def _version(program: str) -> str:
    return _run([program, "--version"])


@cache
def _runtime() -> ctypes.CDLL:
    source = RUNTIME.read_text(encoding="utf-8")
    library = ctypes.CDLL(str(build(source, ("-O2",))), mode=ctypes.RTLD_GLOBAL)  # kernels find it there
    library.shim_launch.restype = ctypes.c_char_p
    return library


_SHARED = re.compile(
    r"__shared__\s+(?:__align__\(\d+\)\s+)?(?P<type>[\w ]+?)\s+(?P<name>\w+)(?P<extent>(?:\[[^\]]*\])+)\s*;"
)


def as_cpp(code: str) -> str:
    """CUDA C as C++, on the same lines: declarations of shared memory become calls of a macro,
    all else is done by the header.
    """
    code = _SHARED.sub(r"SHIM_SHARED(\g<type>, \g<name>, \g<extent>);", code)
    for number, line in enumerate(code.splitlines(), 1):
        if "__shared__" in line.partition("//")[0]:
            raise KernelError(
                f"line {number}: the shim wants `__shared__ type name[number];`, got: {line.strip()}"
            )
    return code


class Module:
    """A CUDA source, compiled with the kernels that `name_expressions` lists; see `cupy.RawModule`."""

    def __init__(self, *, code: str, name_expressions: Sequence[str], options: Sequence[str] = ()) -> None:
        exports = "\n".join(f"SHIM_EXPORT({i}, {name})" for i, name in enumerate(name_expressions))
        source = (
            f'#include "cuda_shim.h"\n#line 1 "kernel.cu"\n{as_cpp(code)}\n#line 1 "exports"\n{exports}\n'
        )
        runtime, folder = _runtime(), os.environ.get(COVERAGE)
        if folder:  # counted, not checked
            self.path = build(source, (*options, "-O0", "--coverage"), Path(folder))
        elif os.environ.get(DEBUG):
            self.path = build(source, (*options, "-O0", "-g3"))
        else:
            self.path = build(source, (*options, "-O1", "-fsanitize=thread"))
        library = ctypes.CDLL(str(self.path))
        self._functions = {
            name: Function(name, self.path, runtime, library, i) for i, name in enumerate(name_expressions)
        }

    def get_function(self, name: str) -> "Function":
        return self._functions[name]


class _Parameter(ctypes.Structure):
    _fields_ = (("pointer", ctypes.c_char), ("kind", ctypes.c_char), ("bytes", ctypes.c_int))


class _Array(ctypes.Structure):
    _fields_ = (("first", ctypes.c_void_p), ("bytes", ctypes.c_size_t), ("itemsize", ctypes.c_size_t))


class Function:
    """A kernel, called as cupy.RawKernel is: function(grid, block, args).

    orders   the orders of threads it runs in, one after the other
    watched  whether every access to memory is looked at, in the first of the orders: what that finds does not
             depend on them. Of the other orders the results count, as of all without it
    """

    def __init__(
        self, name: str, path: Path, runtime: ctypes.CDLL, library: ctypes.CDLL, number: int
    ) -> None:
        self.name, self.path, self._runtime = name, path, runtime
        self._entry = getattr(library, f"shim_run_{number}")
        found = (_Parameter * 64)()
        count = getattr(library, f"shim_parameters_{number}")(found)
        self._parameters = [(p.pointer.decode(), p.kind.decode(), p.bytes) for p in found[:count]]
        self.orders, self.watched = tuple(ORDERS.values()), True

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], args: Sequence[Any], *, also: Sequence = ()
    ) -> None:
        """`also` lists arrays whose addresses the kernel finds in other arrays."""
        if len(args) != len(self._parameters):
            raise KernelError(
                f"{self.name} has {len(self._parameters)} parameters; got {len(args)} arguments"
            )
        values = [self._value(i, *pair) for i, pair in enumerate(zip(self._parameters, args, strict=True))]
        arrays = [a for a in (*args, *also) if isinstance(a, np.ndarray) and a.dtype.names is None]
        stretches = _stretches(arrays)
        before = [_bytes(low, high) for low, high, _ in stretches]
        results: list[list[bytes]] = []
        for order in self.orders:
            for (low, high, _), content in zip(stretches, before if results else (), strict=False):
                ctypes.memmove(low, content, high - low)
            self._launch(grid, block, values, stretches, order, self.watched and not results)
            results.append([_bytes(low, high) for low, high, _ in stretches])
        if any(found != results[0] for found in results[1:]):
            raise KernelError(f"{self.name}: the results depend on the order in which threads run")

    def _value(self, i: int, parameter: tuple[str, str, int], arg: Any) -> np.ndarray:
        """What is passed: of an array its address, of a number what CuPy makes of it."""
        pointer, kind, size = parameter
        wanted = f"argument {i} of {self.name}: the kernel takes"
        if pointer != " ":
            if arg is None:
                return np.zeros(1, np.uint64)
            if not isinstance(arg, np.ndarray):
                raise KernelError(f"{wanted} an array, got {arg!r}")
            if kind != "V" and (arg.dtype.kind, arg.dtype.itemsize) != (kind, size):
                raise KernelError(f"{wanted} elements {kind}{size}, got an array of {arg.dtype}")
            if not arg.flags.c_contiguous:
                raise KernelError(f"{wanted} an address, not strides: the array must be in C order")
            if pointer == "*" and not arg.flags.writeable:
                raise KernelError(f"{wanted} an array to write to, got one that is read only")
            return np.array([arg.__array_interface__["data"][0]], np.uint64)
        value = np.atleast_1d(np.array(arg))  # a Python int has 8 bytes, a float is a double
        same_kind = value.dtype.kind == kind or {value.dtype.kind, kind} == {"i", "u"}
        if not same_kind or value.nbytes != size:
            raise KernelError(f"{wanted} {size} bytes ({kind}{size}), got {value.nbytes} ({value.dtype})")
        return value

    def _launch(
        self,
        grid: Sequence[int],
        block: Sequence[int],
        values: Sequence[np.ndarray],
        stretches: Sequence,
        order: int,
        watched: bool,
    ) -> None:
        places = (ctypes.c_void_p * (len(values) or 1))(*[v.__array_interface__["data"][0] for v in values])
        arrays = (_Array * (len(stretches) or 1))(*[(low, high - low, size) for low, high, size in stretches])
        watch = ctypes.c_bool(watched)
        found = self._runtime.shim_launch(
            self._entry, places, _three(grid), _three(block), order, arrays, len(stretches), watch
        )
        if found:
            raise KernelError(f"{self.name}: {self._with_line(found.decode())}")

    def _with_line(self, message: str) -> str:
        """The message, with file and line in place of the address in the library."""
        found = re.search(r"\[code (\w+)\]", message)
        if not found:
            return message
        address = f"0x{int(found[1], 16) - 1:x}"  # of the call, not of what comes behind it
        place = (
            _run(["addr2line", "-e", str(self.path), address]).split()[0]
            if shutil.which("addr2line")
            else "?"
        )
        file, _, line = place.rpartition(":")
        return message.replace(found[0], f"({Path(file).name}, line {line})")


def _three(sizes: Sequence[int]) -> ctypes.Array:
    return (ctypes.c_uint * 3)(*[*sizes, 1, 1][:3])


def _bytes(low: int, high: int) -> bytes:
    return ctypes.string_at(low, high - low)


def _stretches(arrays: Sequence[np.ndarray]) -> list[tuple[int, int, int]]:
    """(first byte, end, bytes of an element) of the memory of arrays, those that overlap taken together."""
    found: list[tuple[int, int, int]] = []
    for low, high, size in sorted(_spans(arrays)):
        if found and low < found[-1][1]:
            start, end, least = found[-1]
            found[-1] = (start, max(end, high), min(least, size))
        else:
            found.append((low, high, size))
    return found


def _spans(arrays: Sequence[np.ndarray]) -> Iterator[tuple[int, int, int]]:
    for array in arrays:
        if array.size:
            yield (*np.lib.array_utils.byte_bounds(array), array.itemsize)
