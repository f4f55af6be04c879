"""Kernels that ran: which implementation of an operation, why that one, and how much work it was."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinynet.autograd import as_raw
from tinynet.explorer.recording import KernelCall
from tinynet.kernels import batch_norm, common, conv2d
from tinynet.kernels.common import Operation
from tinynet.kernels.conv2d.geometry import output_size
from tinynet.kernels.explanation.arrays import flops_of_taps
from tinynet.kernels.explanation.cases import known
from tinynet.tree import leaves

# Of the operations for which kernels.explain says more than "the fastest": the line of its answer.
LINES = {"conv2d": "forward", "conv2d_input_grad": "input gradient", "conv2d_weight_grad": "weight gradient"}


class Noting(dict[str, Callable[..., Any]]):
    """The implementations of an operation; keeps the name asked for first: that one may ask others."""

    taken = ""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        self.taken = self.taken or name
        return super().__getitem__(name)


@contextmanager
def noted(operation: Operation) -> Iterator[Noting]:
    """Context in which the implementations of `operation` are a Noting."""
    before = operation.implementations
    noting = operation.implementations = Noting(before)
    try:
        yield noting
    finally:
        operation.implementations = before


def call_of(
    operation: Operation, name: str, args: tuple[Any, ...], static: dict[str, Any], out: Any
) -> KernelCall:
    """What there is to say of a call of a kernel that gave `out`."""
    size = moved((*args, out))
    why = _why(operation, name, args, static)
    return KernelCall(operation, name, why, flops(operation, args, static), size, operation[name])


def moved(things: Any) -> int:
    """Bytes of all arrays among `things`, each counted once."""
    arrays = [as_raw(x) for x in leaves(list(things)) if hasattr(x, "nbytes") or hasattr(x, "requires_grad")]
    return sum({id(a): int(a.nbytes) for a in arrays}.values())


def flops(operation: Operation, args: tuple[Any, ...], static: dict[str, Any]) -> float:
    """FLOPs of the definition, as kernels.explain counts them; a multiply-add is two."""
    family, name = known(operation.family), operation.__name__
    settings = {**family.settings, **static}
    if name in LINES:
        settings["flops"] = flops_of_taps(*_convolution(name, args, static), settings)
    count = family.flops.get(name, 1)
    if callable(count):
        return float(count(settings, args))
    return float(count * max((x.size for x in args if hasattr(x, "size")), default=0))


def _convolution(name: str, args: tuple[Any, ...], static: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Shapes of the image and of the kernel, and the size of the output."""
    first, second = args[0].shape, args[1].shape
    groups = static["groups"]
    if name == "conv2d_input_grad":
        x = (first[0], *static["input_size"], second[2] * groups)
        return x, second, first[1:3]
    if name == "conv2d_weight_grad":
        return first, (*static["kernel_size"], first[3] // groups, second[3]), second[1:3]
    geometry = static["strides"], static["padding"], static["dilation"]
    return first, second, output_size(first[1:3], second[:2], *geometry)


def elementwise_cost(inputs: list[Any], outputs: list[Any]) -> tuple[float, int]:
    """FLOPs and bytes of an operation that enters no kernel: one for each element; none for a view."""
    arrays = [as_raw(x) for x in outputs]
    if all(any(_same_memory(a, as_raw(x)) for x in inputs) for a in arrays):
        return 0.0, 0
    return float(sum(math.prod(a.shape) for a in arrays)), moved([*inputs, *outputs])


def _same_memory(a: Any, b: Any) -> bool:
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.may_share_memory(a, b)


def _why(operation: Operation, name: str, args: tuple[Any, ...], static: dict[str, Any]) -> str:
    first = args[0]
    asked = dict(common.choices()).get(operation.family)
    others = ", ".join(operation.implementations)
    if asked == name:
        return f"kernels.use({operation.family!r}, {asked!r}) asks for it"
    if asked is not None:
        return f"the reference: kernels.use asks for {asked!r}, and there are {others}"
    if name not in (operation.fastest, operation.fastest_on_gpu):
        return f"the reference: compiled kernels are for float32 and float64, this is {first.dtype}"
    explained = _explained(operation, args, static) if isinstance(first, np.ndarray) else ""
    return explained or f"the fastest for {first.dtype} of {others}"


def _explained(operation: Operation, args: tuple[Any, ...], static: dict[str, Any]) -> str:
    """What kernels.explain says of this call, without the name of what it is about."""
    if operation.__name__ in LINES:
        x, w, _ = _convolution(operation.__name__, args, static)
        geometry = {name: static[name] for name in ("strides", "padding", "dilation", "groups")}
        for line in conv2d.explain(x, w, dtype=args[0].dtype, **geometry).splitlines():
            if line.strip().startswith(LINES[operation.__name__]):
                return line.strip().removeprefix(LINES[operation.__name__]).strip()
    if operation.__name__ == "batch_norm":
        return batch_norm.explain(args[0].shape, dtype=args[0].dtype).splitlines()[-1].strip()
    return ""
