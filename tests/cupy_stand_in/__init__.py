"""A stand-in for CuPy where there is no GPU: its rules, on NumPy's arithmetic.

    with cupy_stand_in.installed(devices=2) as cupy:    # `import cupy` finds it
        x = cupy.asarray(np.ones(3))

What is tested with it is the host's part: where arrays lie, in which memory order, what is copied and when,
on which device and stream, what a capture takes and refuses. **No such test is a GPU test.** Kernels run on
the CPU, through cuda_shim, and nothing takes the time that it takes on a GPU.

The rules are those of CuPy 14, and where two of its versions or two machines differ, the stricter ones:

- An array never becomes a NumPy array by itself, and refuses NumPy arrays as operands, values and indices.
- What is computed lies in C order, whatever order the operands are in. `astype` and `zeros_like` keep the
  order, `out=` is honoured, `asarray` of a NumPy array keeps C and F order alone.
- An operand on another device than the current one is an error, or, with `peer_access`, a warning.
- The current device, the current stream of each device and the allocator belong to the thread.
- While a stream captures, nothing runs: results hold NaN until the graph is launched. Copies between host and
  device, whatever waits for the device, and cuBLAS raise; but for cuBLAS there is no graph then.
- Memory that an array gave back holds NaN, and is used for the next arrays of its pool and stream. A graph
  keeps none alive: it reads and writes where its arrays were, whatever is there now; where a pool has freed
  that memory, launching it raises.

    arrays.py      ndarray and the functions of arrays
    cuda.py        devices, streams, graphs, memory pools, RawModule
    machine.py     the machine that all this is about: what it has, and what was done on it
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from tinynet.kernels import constants
from tinynet.kernels.cuda import modules

from cupy_stand_in import arrays, cuda
from cupy_stand_in.machine import machine

NAMES = (
    "cupy", "cupy.cuda", "cupy.cuda.runtime", "cupy.cuda.nvrtc", "cupy.lib", "cupy.lib.stride_tricks",
)  # fmt: skip


def _package() -> dict[str, ModuleType]:
    made = {name: ModuleType(name) for name in NAMES}
    vars(made["cupy"]).update(
        arrays.names(),
        __version__="14.2.0",
        RawModule=cuda.RawModule,
        get_default_memory_pool=cuda.default_pool,
    )
    vars(made["cupy.cuda"]).update(cuda.names(), MemoryPool=cuda.MemoryPool)
    vars(made["cupy.cuda.runtime"]).update(cuda.runtime())
    vars(made["cupy.cuda.nvrtc"]).update(getVersion=cuda.nvrtc_version)
    vars(made["cupy.lib.stride_tricks"]).update(as_strided=arrays.as_strided)
    for name in NAMES[1:]:
        above, _, own = name.rpartition(".")
        setattr(made[above], own, made[name])
    return made


MODULES = _package()


@contextmanager
def installed(
    *,
    devices: int = 1,
    driver: bool = True,
    nvrtc: bool = True,
    peer_access: bool = False,
    memory: int = 1 << 34,
    checked: bool = True,
) -> Iterator[ModuleType]:
    """Context in which `import cupy` finds the stand-in, on a machine with `devices` GPUs of `memory` bytes.

    driver, nvrtc   whether they are installed;  peer_access   whether a GPU reads the memory of another
    checked         whether kernels run in three orders of threads, and are watched: else faster, and once
    """
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "cupy"}
    for name in before:
        del sys.modules[name]
    sys.modules.update(MODULES)
    machine.reset(
        devices=devices, driver=driver, nvrtc=nvrtc, peer_access=peer_access, memory=memory, checked=checked
    )
    try:
        yield MODULES["cupy"]
    finally:
        modules.function.cache_clear()  # another CuPy has other kernels
        constants._kept.cache_clear()  # and other memory
        for name in MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(before)


__all__ = ["installed", "machine"]
