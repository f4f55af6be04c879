"""Compiled loops, kept on disk under a digest of all that they were compiled from.

Numba's own cache looks at the source file of a function. It does not see that a function called from another
file has changed, or a flag, or a constant; and two processes that compile for two types at once can swap the
results. Here the name of a file is the SHA-256 of what the compiler saw: the bytecode of the function, its
constants, its flags, whatever its global names stand for, these functions' bytecode in turn, the types of the
arguments, the CPU, and the versions of everything that compiles. Comments and other functions of the same
file are not part of it.
"""

import dis
import hashlib
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache, partial
from itertools import pairwise
from types import CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config, types
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from numba.extending import _Intrinsic
from numba.np.ufunc.parallel import _launch_threads

from . import cache, compile_progress, linking  # noqa: F401  (says that loops are being compiled)
from .emit import host

if config.DISABLE_JIT:  # type: ignore[attr-defined]
    raise ImportError(
        "the environment variable NUMBA_DISABLE_JIT (or DISABLE_JIT in .numba_config.yaml) "
        "turns Numba's compiler off, and "
        "tinynet's kernels do not run without it; unset it, and debug with `with tinynet.kernels.use(family, "
        "'numpy')`"
    )

if host.without_avx512():  # in Numba's loops too
    config.CPU_FEATURES = host.cpu()[1]  # type: ignore[attr-defined]

# their versions stand for them
VERSIONED = {"numba", "numpy", "llvmlite", "builtins", *sys.stdlib_module_names}
TAKES_CONSTANT = frozenset(dis.hasconst)
FORMAT = 4  # of what is written; raised when that changes, since older code would load it
HAS_DOCSTRING = 0x4000000  # flag of code objects, from Python 3.13 on


Symbols = Callable[[], dict[str, int]]  # names that compiled code calls, and what they stand for

own_pool = True  # whether they do; without, loops can be compiled, for other processes, and not be run


def keep(dispatcher: Any, symbols: Symbols | None = None) -> Any:
    """`dispatcher`, which from now on looks for its machine code on disk before it compiles.

    With `symbols`, its code is loaded with these names in place of Numba's own:
    the code of everybody else is not.
    """
    if symbols is None:
        callers = _ForCallers(dispatcher)
        dispatcher.get_call_template, dispatcher.get_overload = callers.template, callers.overload
    return _keeping(dispatcher, symbols)


def _keeping(dispatcher: Any, symbols: Symbols | None, is_called: bool = False) -> Any:
    dispatcher._cache = _Kept(dispatcher, symbols, is_called)
    dispatcher.compile = partial(_compiled, dispatcher, dispatcher.compile, symbols)
    return dispatcher


class _ForCallers:
    """How compiled functions call `dispatcher`: as one that is compiled for them alone.

    It has no entries for Python and C, which often take longer to compile than the function. And it has one
    kind of integer, where Numba would compile f(0), f(n) and f(i), i the counter of a parallel loop, for
    three types: the constant 0, int64 and uint64. (So a uint64 that is passed on must be below 2**63.)
    """

    def __init__(self, dispatcher: Any) -> None:
        self.dispatcher = dispatcher

    @cached_property
    def inner(self) -> Any:
        """The same function, without entries."""
        options = {name: value for name, value in self.dispatcher.targetoptions.items() if name != "nopython"}
        options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return _keeping(numba.njit(**options)(self.dispatcher.py_func), None, is_called=True)

    def template(self, args: Any, kws: Any) -> Any:
        """What Numba asks for when a call is compiled."""
        signed = {name: _signed(one) for name, one in kws.items()}
        return self.inner.get_call_template(tuple(map(_signed, args)), signed)

    def overload(self, signature: Any) -> Any:
        """The compiled function for the types of such a call."""
        return self.inner.get_overload(signature)


def _signed(one: Any) -> Any:
    one = types.unliteral(one)
    return types.int64 if one == types.uint64 else one


def is_kept(dispatcher: Any, signature: Any) -> bool:
    """Whether its machine code for arguments of these types is on disk."""
    return cache.read(dispatcher._cache._name(signature, dispatcher.targetctx)) is not None


def compiled_for(function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[..., Any]:
    """What function(*args) calls, for whoever calls it with arguments of these types again and again.

    A loop looks at the types of its arguments each time, to find its machine code; where there is little to
    do, that takes a tenth of its time. Of a loop that is not compiled for them yet, and of anything else:
    itself. The arrays must stay writeable and as they lie: nobody looks any more.
    """
    if not isinstance(function, Dispatcher):
        return function
    found = function.overloads.get(tuple([function.typeof_pyval(x) for x in args]))
    return function if found is None else found.entry_point  # type: ignore[attr-defined]


def afresh(dispatcher: Any, signature: tuple[Any, ...], symbols: Symbols) -> Any:
    """`dispatcher` compiled once more, for people who want to read it: code from the disk has no text."""
    options = {name: value for name, value in dispatcher.targetoptions.items() if name != "nopython"}
    fresh = numba.njit(**options)(dispatcher.py_func)
    _compiled(fresh, fresh.compile, symbols, signature)
    return fresh


def _compiled(dispatcher: Any, compile: Callable[[Any], Any], symbols: Symbols | None, signature: Any) -> Any:
    """compile(signature): loads or compiles a loop while `symbols` stand for what they say."""
    mine = symbols() if symbols is not None and own_pool else {}
    with linking.linked_first(dispatcher.targetctx):
        found = {name: llvm.address_of_symbol(name) for name in mine}
        _name(mine)
        try:
            return compile(signature)
        finally:
            _name(found)


def _name(symbols: Mapping[str, int | None]) -> None:
    """From now on, code that is loaded means these addresses by these names."""
    for name, address in symbols.items():
        if address is not None:
            llvm.add_symbol(name, address)


class _Kept(NullCache):
    """What a dispatcher asks for machine code, signature by signature."""

    def __init__(self, dispatcher: Any, symbols: Symbols | None, is_called: bool = False) -> None:
        self.dispatcher, self.symbols, self.is_called = dispatcher, symbols, is_called
        self.fingerprint: str | None = None

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        data = cache.read(self._name(sig, target_context))
        try:
            if data is not None:
                return _load(data, target_context)
        except Exception:  # whatever is wrong with it: compiling puts it right
            pass
        if self.symbols is not None:
            # as Numba does when it compiles a parallel loop: it gives the names its own meaning
            _launch_threads()
            _name(self.symbols() if own_pool else {})
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if data.library.has_dynamic_globals or data.lifted:
            name = self.dispatcher.py_func.__qualname__
            warnings.warn(
                f"{name} holds addresses of this process and is compiled anew in each", stacklevel=2
            )
            return
        functions = data.library._final_module.functions
        symbols = [f.name for f in functions if f.is_declaration and not f.name.startswith("llvm.")]
        library, *rest = data._reduce()
        if not self.is_called:  # it is machine code
            name, kind, (machine_code, _) = library
            library = (name, kind, (machine_code, _nothing()))
        cache.write(self._name(sig, data.target_context), dumps((symbols, (library, *rest))))

    def _name(self, sig: Any, target_context: Any) -> str:
        if self.fingerprint is None:
            self.fingerprint = fingerprint(self.dispatcher)
        key = (self.fingerprint, str(sig), target_context.codegen().magic_tuple(), _compiler())
        return hashlib.sha256(repr(key).encode()).hexdigest() + ".nbc"


@lru_cache(maxsize=1)
def _nothing() -> bytes:
    """Bitcode in the place of a function's that no other function is compiled with: reading it back would
    take longer than all else.
    """
    return bytes(llvm.parse_assembly("").as_bitcode())


def _load(data: bytes, target_context: Any) -> Any:
    symbols, (library, function, *reduced, _, environments) = pickle.loads(data)
    # `target_context.refresh()` would prepare Numba for compiling, which takes a quarter of a second; code
    # that is compiled needs the symbols that it calls, and nearly always they are there.
    rtsys.initialize(target_context)
    if not all(llvm.address_of_symbol(name) for name in symbols):
        target_context.refresh()
    if library[1] == "object":  # Numba looks among the names that it knows to be defined; see `_nothing`
        names = [function.llvm_cpython_wrapper_name, function.llvm_cfunc_wrapper_name]
        names += [environment.env_name for environment in environments]
        target_context.codegen()._engine._defined_symbols.update(names)
    reduced += [(), environments]  # (): Numba's own pool is not started
    return CompileResult._rebuild(target_context, library, function, *reduced)


@lru_cache(maxsize=1)
def _compiler() -> tuple[Any, ...]:
    """Versions and settings of everything that turns bytecode into machine code."""
    names = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
    settings = [getattr(config, name) for name in names]
    return (numba.__version__, llvmlite.__version__, np.__version__, sys.version, *settings, FORMAT)


def fingerprint(function: Any) -> str:
    """Digest of everything that code compiled from `function` depends on."""
    digest = hashlib.sha256()
    for piece in _pieces(function, set()):
        digest.update(f"{len(piece)}:{piece}".encode())
    return digest.hexdigest()


def _pieces(x: Any, seen: set[int]) -> Iterator[str]:
    """Text that differs for things that compile differently."""
    if isinstance(x, Dispatcher):
        yield f"compiled {sorted(x.targetoptions.items())}"
        yield from _pieces(x.py_func, seen)
    elif isinstance(x, _Intrinsic):
        yield "intrinsic"
        yield from _pieces(x._defn, seen)
    elif isinstance(x, FunctionType) and _root(x.__module__) not in VERSIONED:
        yield f"function {x.__module__}.{x.__qualname__}"
        if id(x) not in seen:
            seen.add(id(x))
            for part in (x.__code__, x.__defaults__, x.__kwdefaults__, *_outer_values(x)):
                yield from _pieces(part, seen)
    elif isinstance(x, CodeType):
        yield (
            f"code {x.co_names} {x.co_varnames} {x.co_freevars} {x.co_argcount} {x.co_flags & ~HAS_DOCSTRING}"
        )
        instructions, constants = _bytecode(x)
        yield instructions.hex()
        for constant in constants:
            yield from _pieces(constant, seen)
    elif isinstance(x, tuple | frozenset):
        yield f"{type(x).__name__} {len(x)}"
        for item in sorted(x, key=repr) if isinstance(x, frozenset) else x:
            yield from _pieces(item, seen)
    elif isinstance(x, np.ndarray):
        yield f"array {x.dtype} {x.shape} {x.tobytes().hex()}"
    elif isinstance(x, type) and issubclass(x, tuple) and hasattr(x, "_fields"):
        yield f"named tuple {x.__qualname__} {x._fields}"
    elif isinstance(x, ModuleType):
        yield f"module {x.__name__}"
    elif hasattr(x, "__qualname__") and _root(x.__module__) in VERSIONED:  # a class or function
        yield f"{x.__module__}.{x.__qualname__}"
    elif _root(type(x).__module__) in VERSIONED:  # numbers, strings, ufuncs, Numba's types
        yield f"{type(x).__qualname__} {x!r}"
    else:
        raise TypeError(f"a compiled loop refers to {x!r}: nothing says when that has changed")


def _bytecode(code: CodeType) -> tuple[bytes, list[Any]]:
    """The instructions without the numbers of their constants, and these in the order of their use.

    So a docstring changes nothing. Under -OO Python leaves a NOP in its place,
    and from 3.13 on numbers the others anew.
    """
    instructions, constants, high = bytearray(code.co_code), [], 0
    for i in range(0, len(instructions), 2):
        operation, argument = instructions[i], instructions[i + 1] | high
        high = argument << 8 if operation == dis.EXTENDED_ARG else 0
        if operation in TAKES_CONSTANT:
            constants.append(code.co_consts[argument])
            instructions[i + 1] = 0
    start = 2 * (instructions[::2].index(dis.opmap["RESUME"]) + 1)
    if instructions[start] == dis.opmap["NOP"]:
        del instructions[start : start + 2]
    return bytes(instructions), constants


def _outer_values(function: FunctionType) -> Iterator[Any]:
    """What the names stand for that `function` does not define itself: its closure,
    globals, attributes of modules.
    """
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    for name, attribute in _global_names(function.__code__):
        value = function.__globals__.get(name)  # None: a builtin
        if isinstance(value, ModuleType) and _root(value.__name__) not in VERSIONED:
            value = getattr(value, attribute, None)
        yield value


@lru_cache(maxsize=1024)
def _global_names(code: CodeType) -> list[tuple[str, str]]:
    return sorted(set(_globals(code)))


def _globals(code: CodeType) -> Iterator[tuple[str, str]]:
    """Global names in `code` and the functions inside it,
    each with the name behind it (its attribute, if it is a module).
    """
    instructions = list(dis.get_instructions(code))
    for here, behind in pairwise(instructions):
        if here.opname == "LOAD_GLOBAL":
            yield here.argval, str(behind.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)


def _root(module: str | None) -> str:
    return (module or "").partition(".")[0]
