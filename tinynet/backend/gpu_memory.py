"""Memory of a GPU: where there is too little of it, an error that says how much was asked for, what is taken,
and what takes less.

CuPy asks one function, the allocator, for the memory of every array. `watch` puts one around it that turns
CuPy's error into OutOfMemoryError, whoever made the array: a layer, a gradient, a line of the user's own.

A pool keeps what arrays gave back for the next ones. Where there is too little for another pool, or up to a
limit that was set, the default pool gives that back to the GPU; what a CUDA graph uses never goes back.
"""

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tinynet.kernels.devices import name_of_gpu

Allocator = Callable[[int], Any]  # of CuPy: bytes -> memory
NO_ROOM = 2  # the status of CUDA's error cudaErrorMemoryAllocation
# columns of data sets that lie on a GPU as a whole; CuPy's arrays have no hash
_data_sets: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


class OutOfMemoryError(MemoryError):
    """A GPU has no room for an array."""


def keeps(column: Any) -> Any:
    """Notes an array of a data set that lies on a GPU as a whole; returns it."""
    _data_sets[id(column)] = column
    return column


def watch(cupy: Any) -> None:
    """From now on arrays of CuPy for which there is no room raise OutOfMemoryError."""
    allocator = cupy.cuda.get_allocator()
    if not getattr(allocator, "raises_out_of_memory", False):
        with suppress(ValueError):  # this thread is within `using_allocator`: that one is the user's
            cupy.cuda.set_allocator(explaining(cupy, allocator))


def explaining(cupy: Any, allocator: Allocator) -> Allocator:
    """The same allocator, whose errors are OutOfMemoryError."""

    def allocate(size: int) -> Any:
        with suppress(cupy.cuda.memory.OutOfMemoryError):
            return allocator(size)
        cupy.get_default_memory_pool().free_all_blocks()  # they count as taken where a limit is set
        try:
            return allocator(size)
        except cupy.cuda.memory.OutOfMemoryError as error:
            raise OutOfMemoryError(_sentence(cupy, size)) from error

    allocate.raises_out_of_memory = True  # type: ignore[attr-defined]
    return allocate


def pool_of_graph(cupy: Any) -> Any:
    """A memory pool that gives nothing back to the GPU while it lives: a graph writes there at each launch.

    One of CuPy's gives back what no array uses when CUDA says that there is no room. To this one CUDA never
    says so: the default pool gives back what the steps without a graph needed, or it is an OutOfMemoryError.
    """

    def from_gpu(size: int) -> Any:
        try:
            return cupy.cuda.MemoryPointer(cupy.cuda.Memory(size), 0)
        except cupy.cuda.runtime.CUDARuntimeError as error:
            if error.status != NO_ROOM:
                raise
            raise cupy.cuda.memory.OutOfMemoryError(size, -1) from error

    return cupy.cuda.MemoryPool(explaining(cupy, from_gpu))


def room(cupy: Any) -> int:
    """Bytes that new arrays may take on the GPU in use."""
    pool, (free, _) = cupy.get_default_memory_pool(), cupy.cuda.runtime.memGetInfo()
    free, limit = free + pool.free_bytes(), pool.get_limit()
    return min(free, limit - pool.used_bytes()) if limit else free


def say_batch(error: OutOfMemoryError, samples: int) -> None:
    """Adds to the error how many samples the batch has that was under way."""
    error.args = (f"{error.args[0]}. The batch has {samples} samples: batch_size={samples}",)


def _sentence(cupy: Any, size: int) -> str:
    pool, (_, total) = cupy.get_default_memory_pool(), cupy.cuda.runtime.memGetInfo()
    where, limit = name_of_gpu(cupy.cuda.runtime.getDevice()), pool.get_limit()
    bound = f"CuPy may take {_bytes(limit)} of" if limit else f"{_bytes(room(cupy))} are free of"
    resident = sum(array.nbytes for array in list(_data_sets.values()))
    data = f", data sets that lie there as a whole {_bytes(resident)} of these" if resident else ""
    return (
        f"an array of {_bytes(size)} finds no room on {where}: {bound} its {_bytes(total)}; arrays of this "
        f"process take {_bytes(pool.used_bytes())}{data}. What takes less: a smaller batch_size, "
        "float32 in place of float64, data as an iterable of batches, which stay on the host"
    )


def _bytes(count: int) -> str:
    """As GB or MB, of powers of ten."""
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.3g} MB"
