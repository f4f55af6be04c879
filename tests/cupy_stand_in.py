"""A stand-in for CuPy where there is no GPU: it enforces CuPy's rules, and runs kernels through the shim.

Its functions are those of strict_array, whose arrays take no NumPy arrays and return all results in C order.
Beyond these its arrays have what CuPy's have too: flags, strides and an address. `RawModule` compiles for
the CPU (cuda_shim). While `capturing` is true, as while a stream is captured in a CUDA graph, whatever copies
from or to the host raises, and so do matrix products, which CuPy leaves to cuBLAS.

Tests that use it are tests of Python code. They say nothing about a GPU.
"""

import importlib.util
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from tinynet.kernels.cuda import modules

import strict_array
from cuda_shim import shim

PRODUCTS = ("matmul", "dot", "tensordot", "einsum")
TO_HOST = ("get", "item", "tolist", "__bool__", "__int__", "__float__", "__index__")


@contextmanager
def installed() -> Iterator[ModuleType]:
    """Within the context, `import cupy` gives a fresh stand-in."""
    before = sys.modules.get("cupy")
    spec = importlib.util.spec_from_file_location("cupy", strict_array.__file__)
    module = sys.modules["cupy"] = importlib.util.module_from_spec(spec)
    modules.function.cache_clear()
    try:
        spec.loader.exec_module(module)
        _complete(module)
        yield module
    finally:
        modules.function.cache_clear()
        del sys.modules["cupy"]
        if before is not None:
            sys.modules["cupy"] = before


def _complete(module: ModuleType) -> None:
    """Makes the stand-in of a second copy of strict_array, called cupy."""
    alive: list[weakref.ref] = []  # all arrays there are: the memory of the device

    class Ndarray(module.StrictArray):
        __slots__ = ("__weakref__",)

        def __init__(self, inside: Any) -> None:
            super().__init__(inside)
            alive.append(weakref.ref(self, alive.remove))

        flags = property(lambda self: SimpleNamespace(c_contiguous=self._inside.flags.c_contiguous))
        strides = property(lambda self: self._inside.strides)
        data = property(lambda self: SimpleNamespace(ptr=self._inside.__array_interface__["data"][0]))

    Ndarray.__module__, Ndarray.__name__ = "cupy", "ndarray"

    def refused_while_capturing(function: Callable[..., Any], why: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if module.capturing:
                raise RuntimeError(f"not while a stream is captured: {why}")
            return function(*args, **options)

        return call

    def array(value: Any, dtype: Any = None) -> Any:
        if not isinstance(value, Ndarray) and module.capturing:
            raise RuntimeError("not while a stream is captured: a copy from the host")
        return Ndarray(np.array(value._inside if isinstance(value, Ndarray) else value, dtype, order="C"))

    for name in TO_HOST:
        method = getattr(module.StrictArray, name)
        setattr(Ndarray, name, refused_while_capturing(method, f"{name}, a copy to the host"))
    for name in PRODUCTS:
        setattr(module, name, refused_while_capturing(getattr(module, name), f"{name}, which is cuBLAS's"))
    module.capturing, module.launches, module.compiled = False, [], []
    module.StrictArray = module.ndarray = Ndarray  # which all functions of the module make
    module.array = array

    class RawModule:
        """See cupy.RawModule; `launches` of the module lists the calls of its kernels."""

        def __init__(
            self, *, code: str, options: Sequence[str], name_expressions: Sequence[str], backend: str
        ) -> None:
            assert backend == "nvrtc"
            assert tuple(options) == ("-std=c++17",)
            module.compiled.append(tuple(name_expressions))
            self._module = shim.Module(code=code, name_expressions=name_expressions)

        def get_function(self, name: str) -> Callable[..., None]:
            kernel = self._module.get_function(name)

            def call(grid: Sequence[int], block: Sequence[int], args: Sequence[Any]) -> None:
                module.launches.append(name)
                for arg in args:  # a NumPy array of one element is passed by value, others are not taken
                    if isinstance(arg, np.ndarray) and arg.size != 1:
                        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
                memory = [array._inside for ref in alive if (array := ref()) is not None]
                unwrapped = [arg._inside if isinstance(arg, Ndarray) else arg for arg in args]
                kernel(grid, block, unwrapped, also=memory)

            return call

    module.RawModule = RawModule
