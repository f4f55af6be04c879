"""Tracebacks without the frames of tinynet's own: the last line says what is wrong,
and the frames lead to the user's code.

    @tracebacks.entry               # what a user calls
    def fit(self, ...): ...

The frames of callbacks, layers, functions and generators of the user's stay.
`tinynet.config.disable_traceback_filtering()` shows all of them, and so does
`traceback.print_tb(error.full_traceback)` afterwards.
"""

import functools
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from tinynet import kernels
from tinynet.backend import config

F = TypeVar("F", bound=Callable[..., Any])

OURS = tuple(
    f"{folder}{os.sep}" for folder in (Path(__file__).parent.parent, Path(kernels.__file__ or "").parent)
)
# Libraries that tinynet calls: their frames go too where they were reached from tinynet,
# and stay below the user's.
CALLED = ("cupy", "llvmlite", "numba", "numpy", "safetensors", "tqdm")

# the outermost call of the user's trims
_inside: ContextVar[bool] = ContextVar("tinynet_inside_entry", default=False)


def entry(function: F) -> F:
    """Decorator of what users call: an error leaves it without the frames below that are tinynet's."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if _inside.get():
            return function(*args, **kwargs)
        token = _inside.set(True)
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            trim(error)
            raise  # adds no frame
        finally:
            _inside.reset(token)

    return call  # type: ignore[return-value]


def trim(error: BaseException) -> None:
    """Takes tinynet's frames out of the traceback of an error, and of those it came from;
    `full_traceback` has them all.

    Within a call of `entry` nothing happens: that will do it.
    """
    if not config.is_traceback_filtering_enabled():
        return
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        whole = one.__traceback__
        one.__traceback__ = _without_ours(whole)
        one.full_traceback = whole  # type: ignore[attr-defined]
        one = one.__cause__ or one.__context__


def trim_outermost(error: BaseException) -> None:
    """`trim`, unless this is part of a call that will do it."""
    if not _inside.get():
        trim(error)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning that names the user's line: the nearest one outside of tinynet,
    however deep within it this is.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and (
        frame.f_code.co_filename.startswith(OURS) or _is_library(frame.f_code.co_filename)
    ):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    frames, below_ours = [], False
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name.startswith(OURS):
            below_ours = True
        elif not (below_ours and _is_library(name)):
            below_ours = False
            frames.append(traceback)
        traceback = traceback.tb_next
    following: TracebackType | None = None
    for one in reversed(frames):
        following = TracebackType(following, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return following


def _is_library(name: str) -> bool:
    return name.startswith(_libraries()) or (name.startswith(_STANDARD) and "site-packages" not in name)


def _libraries() -> tuple[str, ...]:
    """What the names of files of libraries begin with; Cython's are relative: numpy/random/_philox.pyx."""
    loaded = [
        sys.modules[name].__file__ for name in CALLED if getattr(sys.modules.get(name), "__file__", None)
    ]
    folders = [f"{Path(file).parent}{os.sep}" for file in loaded if file]
    return ("<frozen", "<__array_function__", *(f"{name}/" for name in CALLED), *folders)


_STANDARD = f"{sysconfig.get_path('stdlib')}{os.sep}"
