"""local_array: a compiled loop has a small array that shares its memory with no other.

The compiler may keep its numbers in registers. Those of an array that NumPy makes it must keep in memory,
where others might find them.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic


def _local_array(typing_context: Any, like: Any, size: Any) -> Any:
    """Inside compiled code: a new array of `size` (a constant) numbers on the stack, of the dtype of `like`.

    Each function has it once: in a loop, every turn gets the same memory.
    """
    if not isinstance(size, types.IntegerLiteral):
        return None
    from numba.np.arrayobj import make_array, populate_array  # slow to import; needed to compile only

    result, count = types.Array(like.dtype, 1, "C"), size.literal_value

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        number = context.get_data_type(like.dtype)
        place = cgutils.alloca_once(builder, ir.ArrayType(number, count))
        shape, step = (context.get_constant(types.intp, n) for n in (count, context.get_abi_sizeof(number)))
        array = make_array(result)(context, builder)
        data = builder.bitcast(place, number.as_pointer())
        populate_array(array, data=data, shape=[shape], strides=[step], itemsize=step, meminfo=None)
        return array._getvalue()

    return result(like, size), generate


local_array: Any = intrinsic(prefer_literal=True)(_local_array)
