"""call_kernel: a compiled loop calls a function by its address."""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic


def _call_kernel(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Inside Numba code: calls the void function at `address` with a tuple of 64-bit integers."""
    if not (isinstance(arguments, types.UniTuple) and arguments.dtype == types.int64 and address == types.int64):
        raise TypingError(f"call_kernel takes an int64 address and a tuple of int64, got {address} and {arguments}")

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [number] * arguments.count)
        pointer = builder.inttoptr(values[0], function.as_pointer())
        builder.call(pointer, [builder.extract_value(values[1], i) for i in range(arguments.count)])
        return context.get_dummy_value()

    return types.void(address, arguments), generate


call_kernel: Any = intrinsic(_call_kernel)
