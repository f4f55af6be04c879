"""call_kernel: a compiled loop calls a function by its address.

The arguments are a named tuple whose fields are the function's own arguments (`VectorFunction(vectors, Call)`
is written from the same class), so that neither side counts places:

    class Call(NamedTuple):
        x: int
        y: int

    k = VectorFunction(vectors, Call)                        # void name(i64 x, i64 y)
    call_kernel(place, Call(x=from_x, y=into_y))             # in a compiled loop

**Named tuples travel to a compiled loop as plain ones**, and get their names back in its first line:

    launch(loop, tuple(Numbers(images=8, lanes=16)))         # numbers = Numbers(*numbers)

Numba finds the type of a plain tuple in C; that of a named one is found in Python,
0.4 us for each at every launch.
"""

from collections.abc import Iterator
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic


def _call_kernel(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Inside Numba code: calls the void function at `address` with a tuple of 64-bit integers."""
    if not _integers(arguments) or address != types.int64:
        raise TypingError(
            f"call_kernel takes an int64 address and a tuple of int64, got {address} and {arguments}"
        )

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.IntType(64)
        numbers = list(_flat(builder, arguments, values[1]))
        function = ir.FunctionType(ir.VoidType(), [number] * len(numbers))
        builder.call(builder.inttoptr(values[0], function.as_pointer()), numbers)
        return context.get_dummy_value()

    return types.void(address, arguments), generate


def _integers(kind: Any) -> bool:
    """Whether it is the type of a tuple of 64-bit integers, or of tuples of them."""
    parts: Any = kind
    return isinstance(kind, types.BaseTuple) and all(one == types.int64 or _integers(one) for one in parts)


def _flat(builder: Any, kind: Any, value: Any) -> Iterator[Any]:
    """The integers in a tuple of such a type, those of the tuples in it in their places."""
    for i, one in enumerate(kind):
        part = builder.extract_value(value, i)
        yield from _flat(builder, one, part) if isinstance(one, types.BaseTuple) else (part,)


call_kernel: Any = intrinsic(_call_kernel)
