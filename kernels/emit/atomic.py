"""Words for compiled loops that several threads run at once on the same memory.

Addresses and numbers are 64-bit integers. Every access is sequentially consistent: whoever sees what a thread
has written here sees all that it wrote before, and all threads agree on the order.
"""

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import types

intrinsic: Any = extending.intrinsic
ORDER = "seq_cst"
INTEGER = ir.IntType(64)
PAUSES = {"x86_64": "llvm.x86.sse2.pause", "amd64": "llvm.x86.sse2.pause"}  # elsewhere nothing is to be said


def _word(arguments: int, generate: Callable[[Any, Any], Any], result: Any = types.int64) -> tuple[Any, Any]:
    """Signature and code of a word of so many integers: generate(builder, values) emits its instructions."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        emitted = generate(builder, values)
        return context.get_dummy_value() if result is types.void else emitted

    return result(*[types.int64] * arguments), emit


def _at(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, INTEGER.as_pointer())


@intrinsic
def load(context, address):  # type: ignore[no-untyped-def]
    """What lies at `address`."""
    return _word(1, lambda builder, v: builder.load_atomic(_at(builder, v[0]), ORDER, 8))


@intrinsic
def store(context, address, value):  # type: ignore[no-untyped-def]
    """Writes `value` to `address`."""
    return _word(2, lambda builder, v: builder.store_atomic(v[1], _at(builder, v[0]), ORDER, 8), types.void)


@intrinsic
def write(context, address, value):  # type: ignore[no-untyped-def]
    """`store` without order: for memory that other threads read only after a later `store`, if at all."""
    return _word(
        2, lambda builder, v: builder.store_atomic(v[1], _at(builder, v[0]), "monotonic", 8), types.void
    )


@intrinsic
def add(context, address, value):  # type: ignore[no-untyped-def]
    """Adds `value` to what lies at `address`; what lay there before."""
    return _word(2, lambda builder, v: builder.atomic_rmw("add", _at(builder, v[0]), v[1], ORDER))


@intrinsic
def exchange(context, address, value):  # type: ignore[no-untyped-def]
    """Writes `value` to `address`; what lay there before."""
    return _word(2, lambda builder, v: builder.atomic_rmw("xchg", _at(builder, v[0]), v[1], ORDER))


@intrinsic
def replace(context, address, expected, value):  # type: ignore[no-untyped-def]
    """Writes `value` to `address` if `expected` lies there; whether it did."""

    def generate(builder: Any, v: Any) -> Any:
        return builder.extract_value(builder.cmpxchg(_at(builder, v[0]), v[1], v[2], ORDER, ORDER), 1)

    return _word(3, generate, types.boolean)


@intrinsic
def pause(context):  # type: ignore[no-untyped-def]
    """Tells the core that this thread waits for another one."""
    name = PAUSES.get(platform.machine().lower())

    def generate(builder: Any, v: Any) -> None:
        if name is not None:
            builder.call(builder.module.declare_intrinsic(name, (), ir.FunctionType(ir.VoidType(), [])), [])

    return _word(0, generate, types.void)


def place(name: str) -> Any:
    """A word for the address of memory that the process calls `name`
    (llvmlite's add_symbol) before the code is loaded.
    """

    def where(context):  # type: ignore[no-untyped-def]
        def generate(builder: Any, v: Any) -> Any:
            known = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, INTEGER, name)
            return builder.ptrtoint(known, INTEGER)

        return _word(0, generate)

    return intrinsic(where)
