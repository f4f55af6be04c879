"""What `explain` answers: the operations that are meant, each with its example and what its launches do."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

from .. import batch_norm, common, conv2d, gemm, threads
from ..cuda.modules import Compiled
from ..emit import vectors
from ..launches import LaunchLog
from . import code
from .arrays import Settings, Shape, members
from .cases import Example, examples, known
from .nest import Nest
from .report import nest_lines, tile_addresses, work_line

SHOWS = (None, "loops", "llvm", "asm")
# Where shapes decide, who says why.
WHY: dict[str, Callable[..., str]] = {
    "batch_norm": batch_norm.explain, "conv2d": conv2d.explain, "gemm": gemm.explain,
}  # fmt: skip


def answer(operation: str, shapes: tuple[Any, ...], show: str | None, dtype: Any, settings: Settings) -> str:
    """See `explain`."""
    family, names = _find(operation)
    _check(family, operation, shapes, show, dtype, settings)
    lines = [_head(family, operation, shapes, dtype, settings)]
    for example in examples(family, names, tuple(map(tuple, shapes)), dtype, settings):
        lines += _example(example, show)
    return "\n".join(lines)


def _find(operation: str) -> tuple[str, tuple[str, ...]]:
    """The family, and which of its operations are meant; () is those that stand for it."""
    families = common.families()
    if operation in families:
        return operation, ()
    for family in families:
        if any(member.__name__ == operation for member in members(family)):
            return family, (operation,)
    said = f"there are {', '.join(families)}, and the operations of each"
    raise ValueError(f"explain: unknown operation {operation!r}; {said}")


def _check(
    family: str, operation: str, shapes: tuple[Any, ...], show: str | None, dtype: Any, settings: Settings
) -> None:
    takes, there_are = known(family).takes, known(family).settings
    if show not in SHOWS:
        raise ValueError(f"explain: show must be 'loops', 'llvm', 'asm' or None, got {show!r}")
    if len(shapes) != len(takes) or not all(isinstance(shape, tuple | list) for shape in shapes):
        said = f"{len(takes)} shape{'s' if len(takes) > 1 else ''}, {' and '.join(takes)}"
        raise ValueError(f"explain({operation!r}) takes {said}, got {', '.join(map(repr, shapes)) or 'none'}")
    for shape, text in zip(shapes, takes, strict=True):
        axes = text.partition("(")[2].rstrip(")").split(", ") if "(" in text and "..." not in text else None
        if axes and len(axes) != len(shape):
            raise ValueError(f"explain({operation!r}) takes {text}, of {len(axes)} axes; got {shape}")
    if unknown := sorted(set(settings) - set(there_are)):
        said = ", ".join(there_are) or "none"
        raise ValueError(f"explain({operation!r}): unknown setting {', '.join(unknown)}; there are {said}")
    if np.dtype(dtype) not in (np.float32, np.float64):
        said = f"{np.dtype(dtype)} takes the reference, {members(family)[0].reference}"
        raise ValueError(f"explain: compiled kernels are for float32 and float64; {said}")


def _head(family: str, operation: str, shapes: tuple[Shape, ...], dtype: Any, settings: Settings) -> str:
    if family in WHY:
        return WHY[family](*shapes, dtype=dtype, **settings)
    others = [member.__name__ for member in members(family)]
    said = "".join(f", {name} {value}" for name, value in settings.items())
    text = f"{operation} {' with '.join(map(str, shapes))}, {np.dtype(dtype)}{said}"
    shown = known(family).shown
    return text + (f"; the family {family} has {', '.join(others)}" if operation == family and shown else "")


def _example(example: Example, show: str | None) -> list[str]:
    """What one operation gets and does, and what it is made of."""
    operation = example.operation
    with LaunchLog() as log:
        result = example.run()
    calls = [(bool(alone), (function, args)) for function, args, alone in log.calls]
    lines = [
        f"  {operation.__name__}: {_chosen(operation)}",
        f"    {work_line(example, result, vectors(example.dtype))}",
    ]
    if not calls:
        lines.append("    no launch: what it does is NumPy's, or a plain loop that is called directly")
    for alone, (function, args) in calls:
        lines += _launch(alone, function, args, show)
    return lines


def _chosen(operation: common.Operation) -> str:
    """Which implementation NumPy arrays of float32 and float64 get, and why."""
    asked = dict(common.choices()).get(operation.family)
    names = ", ".join(name for name in operation.implementations if name != common.CUDA)
    if asked is None:
        return f"{operation.fastest!r}, the fastest of {names}"
    if asked in operation.implementations:
        return f"{asked!r}, which kernels.use asks for, of {names}"
    return f"{operation.reference!r}, the reference: kernels.use asks for {asked!r}, and there is {names}"


def _launch(alone: bool, function: Any, args: tuple[Any, ...], show: str | None) -> list[str]:
    """A line that says what is launched, and what `show` asks for."""
    if isinstance(function, Compiled):
        grid, block = (" x ".join(map(str, sizes)) for sizes in args[:2])
        return [f"    launch {function.name} ({function.place}), {grid} blocks of {block} threads"]
    if not isinstance(function, Dispatcher):
        where = getattr(function, "__qualname__", None) or getattr(function, "__name__", repr(function))
        return [f"    launch {where}: NumPy's or BLAS's own loop"]
    name, threaded = function.py_func.__name__, function.targetoptions.get("parallel") and not alone
    count = threads.get_num_threads() if threaded else 1
    module = function.py_func.__module__.removeprefix("tinynet.").replace(".", "/")
    on = f"shared by {count} threads" if count > 1 else "on one thread"
    lines = [f"    launch {name} ({module}.py), {on}"]
    if show is None:
        return lines
    nest = Nest(function, args)
    if show == "loops":
        return lines + [f"      {line}" for line in nest_lines(nest)]
    texts = [(tile.writer, code.of_tile(tile, show)) for tile in tile_addresses(nest)]
    for writer, text in texts or [(name, code.of_loop(function, args, show))]:
        lines.append(f"      innermost loop of {writer}:")
        lines += [f"        {line.strip()}" for line in code.shortened(code.innermost(text, show))]
    return lines
