"""Finds the line of the user's code that is the reason why a step cannot be repeated, for `why()`.

`line_that_uses_numpy` finds a line that computes with NumPy in the middle of a step. The step runs twice
more, on two batches, while Python records where objects are made (tracemalloc). If an array was made by the
user's code during the step, is passed to a launch, and holds other numbers at the second run, then the line
that made it is the one.
"""

import ast
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGES = sys.modules["tinynet"], sys.modules["tinynet.kernels"], np
ROOTS = tuple(str(Path(package.__file__ or "").parent) for package in _PACKAGES)
_BETWEEN = str(Path(__file__).parent), ROOTS[-1]
FRAMES = 30  # how many calls tracemalloc keeps for each array


def is_own(filename: str) -> bool:
    """Whether a file is tinynet's, NumPy's or Python's own."""
    return filename.startswith((*ROOTS, "<frozen", "<__array_function__"))


def nearest() -> Any:
    """The frame that called NumPy or a watched array: the innermost outside of NumPy and of this package."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_BETWEEN):
        frame = frame.f_back
    return frame


def outside() -> str:
    """The innermost line of the user's code that led here, "train.py:12"."""
    frame = sys._getframe(1)
    while frame is not None:
        if not is_own(frame.f_code.co_filename):
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "in tinynet"


def line_that_raised(error: BaseException) -> str:
    """The innermost line of the user's code that raised an error, "train.py:12"; "it" if it was tinynet's."""
    place, trace = "it", error.__traceback__
    while trace is not None:
        frame, line = trace.tb_frame, trace.tb_lineno
        name = frame.f_globals.get("__name__", "")
        if not (is_own(frame.f_code.co_filename) or name.startswith(("cupy", "contextlib"))):
            place = f"{Path(frame.f_code.co_filename).name}:{line}"
        trace = trace.tb_next
    return place


def line_that_uses_numpy(given: Callable[[Any], list[np.ndarray]], first: Any, second: Any) -> str:
    """A sentence that names the line that computes with NumPy; "" if it is not found.

    given(batch) runs the step and returns the arrays that its launches are given from outside.
    """
    if tracemalloc.is_tracing():  # the user is using it
        return ""
    made = [_made(given, batch) for batch in (first, second)]
    for (a, maker), (b, _) in zip(*made, strict=False):
        if a.shape != b.shape or a.tobytes() != b.tobytes():
            return (
                f"{maker} computes with NumPy what no launch repeats; "
                "write it with operators and functions of tinynet.ops"
            )
    return ""


def _made(given: Callable[[Any], list[np.ndarray]], batch: Any) -> list[tuple[np.ndarray, str]]:
    """[(copy, line that made it)] of the arrays that the user's code made during a step, in order."""
    tracemalloc.start(FRAMES)
    try:
        found = [(x, _maker(x)) for x in given(batch)]
        return [(x.copy(), maker) for x, maker in found if maker]
    finally:
        tracemalloc.stop()


def _maker(array: np.ndarray) -> str:
    """What made an array: "'softcap' (ops.py:12)"; "" if it was made before the step, or by tinynet."""
    traces: list[Any] = []
    owner: Any = array
    while isinstance(owner, np.ndarray):
        traces.append(tracemalloc.get_object_traceback(owner))
        owner = owner.base
    for trace in traces:
        if trace is not None and not is_own(trace[-1].filename):
            path = Path(trace[-1].filename)
            return f"{_function(path, trace[-1].lineno)}({path.name}:{trace[-1].lineno})"
    return ""


def _function(path: Path, line: int) -> str:
    """The function that contains a line, "'softcap' "; for a rule, "the derivative of 'softcap' "."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        return ""
    found = ""
    for node in ast.walk(tree):  # inner functions come after outer ones
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0):
            rules = [ast.unparse(decorator).partition(".")[0] for decorator in node.decorator_list]
            found = f"the derivative of {rules[0]!r} " if node.name == "_" and rules else f"{node.name!r} "
    return found
