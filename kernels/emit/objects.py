"""Machine code from LLVM assembly, kept on disk (`kernels/cache.py`).

The name of a file is the SHA-256 of everything the machine code depends on: the assembly text, the CPU's name
and features, the version of llvmlite (and so of LLVM). A changed emitter writes another text and therefore
finds another file: nothing in the cache is ever stale.
"""

import functools
import hashlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding as llvm

from .. import cache, compile_progress
from . import host
from .function import VectorFunction

_NAME = "FUNCTION"  # stands for the function's name, which is derived from the text that contains it

# in a context where nothing is compiled, what is given (digest, text) instead: kernels/compile_ahead.py
instead: ContextVar[Callable[[str, str], int] | None] = ContextVar("tinynet_instead", default=None)


class Emitted(NamedTuple):
    """What stands at an address: which function wrote it, its arguments, its LLVM assembly."""

    writer: str
    arguments: list[str]
    text: str


emitted: dict[int, Emitted] = {}  # by address, for people who want to see what runs (kernels/explanation)


def address(function: VectorFunction) -> int:
    """Address of the compiled function, valid until the process ends."""
    text = function.text(_NAME)
    key = "\n".join((text, *host.cpu(), repr(host.OPTIONS), llvmlite.__version__))
    digest = hashlib.sha256(key.encode()).hexdigest()
    if (listed := instead.get()) is not None:
        return listed(digest, text)
    with host.lock:
        found = _load(digest, text)
    emitted.setdefault(found, Emitted(function.writer, function.arguments, text))
    return found


@functools.cache
def _load(digest: str, text: str) -> int:
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code(digest, text)))
    engine.finalize_object()
    return engine.get_function_address(_symbol(digest))


@functools.lru_cache(maxsize=1)
def _engine() -> Any:
    """The loader that owns all machine code of this process.
    It takes a target machine of its own for good.
    """
    machine = host.create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _symbol(digest: str) -> str:
    return f"tinynet_{digest[:32]}"


def _file_name(digest: str) -> str:
    return f"{digest}.o"


def is_kept(digest: str) -> bool:
    """Whether the machine code is on disk."""
    return cache.read(_file_name(digest)) is not None


def machine_code(digest: str, text: str) -> bytes:
    """Object file of the function `text`: from the cache, or compiled and put there."""
    name = _file_name(digest)
    code = cache.read(name)
    if code is None:
        with compile_progress.compiling("vector code"):
            code = host.target_machine().emit_object(_optimised(text.replace(_NAME, _symbol(digest))))
        cache.write(name, code)
    return code


def _optimised(text: str) -> Any:
    """LLVM module of `text`. The vectors are there already:
    LLVM is asked to clean up and to schedule, no more.
    """
    machine = host.target_machine()
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = options.slp_vectorization = options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def assembly(function: VectorFunction | Emitted) -> str:
    """The machine instructions of `function`, to be read by people and tests."""
    with host.lock:
        return host.target_machine().emit_assembly(_optimised(_text(function)))


def optimised(function: VectorFunction | Emitted) -> str:
    """The LLVM assembly from which the machine instructions are made."""
    with host.lock:
        return str(_optimised(_text(function)))


def _text(function: VectorFunction | Emitted) -> str:
    return function.text if isinstance(function, Emitted) else function.text(_NAME)
