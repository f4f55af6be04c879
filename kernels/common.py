"""What all kernels share: memory order, implementations that are chosen by name, compiled loops.

**Memory order.** Logical axes are Keras's; the batch lies innermost in memory. A NumPy image batch has the
logical shape (N, H, W, C) and the memory order (H, W, C, N), a feature matrix the logical shape (N, F) and
the memory order (F, N). Sixteen images then fill one vector register, however many channels there are, and
32 are the lanes of a GPU's warp; every reshape that keeps the batch axis is a view; and a Dense layer is a
matrix product without a transpose. CuPy arrays lie likewise; those of other modules have no such order.

**One operation, several implementations**, chosen by array type and switchable by name:

    @operation("numpy", family="activations")    # the reference: any array module, through xp(x)
    def relu(x): ...

    @relu.implementation("numba")                # NumPy arrays of float32 and float64
    def _(x): ...

    @relu.implementation("cuda")                 # CuPy arrays of float32 and float64
    def _(x): ...

    relu(x)                                      # the fastest that fits x
    with use("activations", "numpy"): ...        # the one asked for, in this thread or task only

**Compiled loops.** `@serial` compiles a function; `@parallel` one whose `prange` loop is shared among threads
(thread_pool/). How sums are divided into parts depends on shapes only, so that results have the same bits at
any number of threads.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

import numba
import numpy as np
from numba import prange

from . import devices, loops, thread_pool
from .launches import address, aligned, as_one_launch, launch, listening

__all__ = [
    "Array",
    "Operation",
    "address",
    "aligned",
    "batch_last",
    "choices",
    "contiguous",
    "declared",
    "empty",
    "families",
    "from_batch_last",
    "in_c_order",
    "is_batch_last",
    "is_on_gpu",
    "launch",
    "operation",
    "parallel",
    "prange",
    "serial",
    "to_batch_last",
    "use",
    "xp",
]

Array = Any  # a NumPy array, or an array of a module that works alike (CuPy)


def xp(x: Array) -> Any:
    """Array module of `x`: the package that defines its type; NumPy for Python scalars and lists."""
    package = type(x).__module__.partition(".")[0]
    if package == "tinynet":
        if (module := getattr(x, "array_module", None)) is not None:  # arrays without numbers
            return module
        if hasattr(type(x), "requires_grad"):
            raise TypeError(
                f"a kernel takes arrays, got {x!r}: a forward that calls kernels is an @array_primitive"
            )
        raise TypeError(
            f"{x!r} is not an array; wrap the operation in a layer, such as Lambda(function), "
            "to use it in a model"
        )
    return np if package == "builtins" else sys.modules[package]


def empty(like: Array, shape: tuple[int, ...], dtype: Any = None) -> Array:
    """New array of the logical `shape`, batch axis first:
    in batch-last memory where `like` is an array of NumPy or CuPy.
    """
    dtype = like.dtype if dtype is None else dtype
    if not (isinstance(like, np.ndarray) or is_on_gpu(like)) or len(shape) == 0:
        return xp(like).empty(shape, dtype)
    return from_batch_last(in_c_order(like, (*shape[1:], shape[0]), dtype))


def in_c_order(like: Array, shape: tuple[int, ...], dtype: Any = None) -> Array:
    """New array in C order, of the module and, unless told another, the number format of `like`."""
    dtype = like.dtype if dtype is None else dtype
    return aligned(shape, dtype) if isinstance(like, np.ndarray) else xp(like).empty(shape, dtype)


def is_on_gpu(x: Array) -> bool:
    """Whether `x` is an array of CuPy."""
    return type(x).__module__.partition(".")[0] == "cupy"


def from_batch_last(rotated: Array) -> Array:
    """Logical view (N, ...) of an array (..., N)."""
    return rotated.transpose(rotated.ndim - 1, *range(rotated.ndim - 1))


def is_batch_last(x: Array) -> bool:
    """Whether neighbouring images are neighbours in memory: all that a kernel which takes strides needs."""
    return x.shape[0] <= 1 or x.strides[0] == x.itemsize


def batch_last(x: Array) -> Array:
    """C-contiguous (..., N) view of an array (N, ...) of NumPy or CuPy: the batch is the inner loop.
    Copies only where it must.
    """
    rotated = x.transpose(*range(1, x.ndim), 0)
    return rotated if rotated.flags.c_contiguous else to_batch_last(x).transpose(*range(1, x.ndim), 0)


def to_batch_last(x: Array, dtype: Any = None) -> Array:
    """Copy of `x` in batch-last memory. Batches of a data set are turned round by batching.py,
    in the pass that picks them.
    """
    out = empty(x, x.shape, dtype)
    if isinstance(out, np.ndarray):
        launch(np.copyto, out, x, "unsafe")
    else:
        order = (*range(1, x.ndim), 0) if x.ndim else ()  # CuPy is fast where what it writes is in C order
        out.transpose(order)[...] = x.transpose(order)
    return out


def contiguous(x: Array, dtype: Any = None) -> Array:
    """`x` in C order: itself where it is."""
    dtype = x.dtype if dtype is None else np.dtype(dtype)
    if x.flags.c_contiguous and x.dtype == dtype:
        return x
    if not isinstance(x, np.ndarray):
        return xp(x).ascontiguousarray(x, dtype)
    out = aligned(x.shape, dtype)
    launch(np.copyto, out, x, "unsafe")
    return out


CUDA = "cuda"  # the implementation that runs on CuPy arrays alone
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_choices: ContextVar[dict[str, str] | None] = ContextVar("tinynet_kernel_choices", default=None)
# filled while the kernel modules are imported, constant afterwards
_families: dict[str, list["Operation"]] = {}


class Operation:
    """A kernel with a reference implementation and, by name, others that agree with it."""

    def __init__(self, declaration: Callable[..., Any], reference: str, family: str) -> None:
        self.__name__ = declaration.__name__
        self.__doc__ = declaration.__doc__
        self.__wrapped__ = declaration
        self.family = family
        self.reference = self.fastest = reference
        self.fastest_on_gpu = reference  # until there is a "cuda"
        self.implementations: dict[str, Callable[..., Any]] = {}
        _families.setdefault(family, []).append(self)

    def implementation(
        self, name: str, *, default: bool = True
    ) -> Callable[[Callable[..., Any]], "Operation"]:
        """Registers a function under `name`; with `default` it is what arrays of float32 and float64 get:
        CuPy's, if it is called "cuda", else NumPy's.
        """

        def register(function: Callable[..., Any]) -> "Operation":
            self.implementations[name] = function
            if default and name == CUDA:
                self.fastest_on_gpu = name
            elif default and name != self.reference:
                self.fastest = name
            return self

        return register

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self.implementations[name]

    def __call__(self, *args: Any, **static: Any) -> Any:
        first, choices = args[0], _choices.get()
        compiled = isinstance(first, np.ndarray) and first.dtype in _FLOATS
        if not compiled and is_on_gpu(first):
            devices.check_in_use(self.__name__, args)
            asked = CUDA if choices is None else choices.get(self.family, CUDA)
            name = self.fastest_on_gpu if asked == CUDA and first.dtype in _FLOATS else self.reference
        elif choices is not None and self.family in choices:
            name = choices[self.family]
            if name not in self.implementations or (not compiled and name != self.reference):
                # A family's member may lack a variant, and only the reference runs on other arrays.
                name = self.reference
            if compiled and name != self.fastest and listening.get() is not None:
                return as_one_launch(
                    partial(_chosen, dict(choices), self.implementations[name], static), args
                )
        else:
            name = self.fastest if compiled else self.reference
        try:
            return self.implementations[name](*args, **static)
        except Exception:
            devices.check_together(self.__name__, args)  # which may be why
            raise

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}: {', '.join(self.implementations)}>"


def _chosen(
    choices: dict[str, str], implementation: Callable[..., Any], static: dict[str, Any], *args: Any
) -> Any:
    """implementation(*args, **static) with the choices that held when it was launched,
    for the kernels it calls.
    """
    token = _choices.set(choices)
    try:
        return implementation(*args, **static)
    finally:
        _choices.reset(token)


def operation(name: str, *, family: str | None = None) -> Callable[[Callable[..., Any]], Operation]:
    """Declares a kernel; the decorated function is its reference implementation, called `name`."""
    return lambda reference: declared(name, family=family)(reference).implementation(name)(reference)


def declared(reference: str, *, family: str | None = None) -> Callable[[Callable[..., Any]], Operation]:
    """Declares a kernel by its arguments and words;
    the implementation called `reference` is registered elsewhere.
    """
    return lambda declaration: Operation(declaration, reference, family or declaration.__name__)


def families() -> dict[str, tuple[str, ...]]:
    """Names of all kernel families and, for each, of the implementations to choose from.

    >>> kernels.families()["max_pool2d"]
    ('numpy', 'naive', 'numba', 'cuda')
    """
    return {
        family: tuple(
            dict.fromkeys(name for member in members for name in (member.reference, *member.implementations))
        )
        for family, members in _families.items()
    }


@contextmanager
def use(family: str, name: str) -> Iterator[None]:
    """Within the context, kernels of `family` run the implementation called `name`.

    Raises ValueError for a family or a name that does not exist. "cuda" is for CuPy arrays, the others for
    NumPy's; the reference runs on all. CuPy arrays get it where another than "cuda" is asked for, and so do
    arrays of other modules always.

    >>> with kernels.use("conv2d", "naive"):
    ...     y = ops.conv2d(np.ones((1, 2, 2, 1)), np.ones((2, 2, 1, 1)))
    >>> y.item()
    4.0
    """
    known = families()
    if family not in known:
        raise ValueError(f"unknown kernel family {family!r}; there are {', '.join(sorted(known))}")
    if name not in known[family]:
        raise ValueError(f"{family!r} has no implementation {name!r}; it has {', '.join(known[family])}")
    token = _choices.set({**(_choices.get() or {}), family: name})
    try:
        yield
    finally:
        _choices.reset(token)


def choices() -> tuple[tuple[str, str], ...]:
    """The (family, name) pairs that `use` asks for here."""
    return tuple(sorted((_choices.get() or {}).items()))


MAX_ELEMENTS_ALONE = 1 << 15  # elements that one thread is done with before another one is awake

# Arithmetic is exact IEEE: a loop that may be reordered or fused gets other bits in each copy the compiler
# makes of it (in vector code and its remainder, inlined and not, compiled now and loaded from the cache).
# Sums are written with lanes: sums.py.
# nobody calls them from C
FLAGS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def serial(function: Callable[..., Any]) -> Any:
    """Compiles `function` at its first call; other compiled functions may call it."""
    return loops.keep(numba.njit(**FLAGS)(function))


def parallel(function: Callable[..., Any], *, by_size: bool = True) -> Callable[..., None]:
    """Compiles `function` at its first call, with its `prange` loops divided among threads;
    each call is a launch.

    With `by_size`, a call whose arrays are all small stays on one thread:
    waking another one would take longer.
    """
    compiled = loops.keep(numba.njit(parallel=True, **FLAGS)(function), thread_pool.symbols)

    @wraps(function)
    def run(*args: Any) -> None:
        launch(
            compiled,
            *args,
            alone=by_size and not any(type(x) is np.ndarray and x.size > MAX_ELEMENTS_ALONE for x in args),
        )

    run.compiled = compiled  # type: ignore[attr-defined]
    return run
