"""Machine code from LLVM assembly, kept in a cache on disk.

The cache key is the SHA-256 of everything the machine code depends on: the assembly text, the CPU's name and
features, the version of llvmlite (and so of LLVM). A changed emitter writes another text and therefore finds another
file: nothing in the cache is ever stale. A file is written beside its place and renamed into it, so two processes may
compile the same function at once. A file that is damaged, or a folder that cannot be written, costs a compilation and
nothing else.
"""

import hashlib
import os
import sys
import tempfile
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from . import host
from .function import VectorFunction

_NAME = "FUNCTION"  # stands for the function's name, which is derived from the text that contains it


def cache_directory() -> Path:
    """Where compiled kernels are kept: TINYNET_CACHE_DIR, or the user's cache folder."""
    if chosen := os.environ.get("TINYNET_CACHE_DIR"):
        return Path(chosen) / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinynet" / "kernels"


def address(function: VectorFunction) -> int:
    """Address of the compiled function, valid until the process ends."""
    text = function.text(_NAME)
    key = "\n".join((text, *host.cpu(), repr(host.OPTIONS), llvmlite.__version__))
    digest = hashlib.sha256(key.encode()).hexdigest()
    with host.lock:
        return _load(digest, text)


@cache
def _load(digest: str, text: str) -> int:
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code(digest, text)))
    engine.finalize_object()
    return engine.get_function_address(_symbol(digest))


@lru_cache(maxsize=1)
def _engine() -> Any:
    """The loader that owns all machine code of this process. It takes a target machine of its own for good."""
    machine = host.create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _symbol(digest: str) -> str:
    return f"tinynet_{digest[:32]}"


def machine_code(digest: str, text: str) -> bytes:
    """Object file of the function `text`: from the cache, or compiled and put there."""
    path = cache_directory() / f"{digest}.o"
    code = _read(path)
    if code is None:
        code = host.target_machine().emit_object(_optimised(text.replace(_NAME, _symbol(digest))))
        _write(path, code)
    return code


def _optimised(text: str) -> Any:
    """LLVM module of `text`. The vectors are there already: LLVM is asked to clean up and to schedule, no more."""
    machine = host.target_machine()
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def assembly(function: VectorFunction) -> str:
    """The machine instructions of `function`, to be read by people and tests."""
    with host.lock:
        return host.target_machine().emit_assembly(_optimised(function.text(_NAME)))


def _read(path: Path) -> bytes | None:
    """Contents of a cache file, or None if it is missing or its checksum is wrong."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    checksum, code = data[:32], data[32:]
    return code if hashlib.sha256(code).digest() == checksum else None


def _write(path: Path, code: bytes) -> None:
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = file.name
            file.write(hashlib.sha256(code).digest() + code)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
