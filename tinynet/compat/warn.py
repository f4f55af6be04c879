"""The warning that an older spelling gets."""

import sys
import warnings
from typing import Any

INSIDE = ("tinynet.", "importlib.")  # what is between a program and its warning


def old(spelling: str, today: str) -> None:
    """Says that `spelling` is written `today` nowadays."""
    warn(f"{spelling} is an older spelling of Keras: write {today} today")


def warn(message: str) -> None:
    """A DeprecationWarning at the line of the program that called tinynet.

    Python shows it once for each message and line; by default only for lines of the program itself,
    not of its modules.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(INSIDE):
        frame = frame.f_back
    warnings.warn_explicit(
        message,
        DeprecationWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__", "__main__"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def written(name: str, value: Any) -> str:
    """name=value, where the value is short."""
    return f"{name}={value!r}" if isinstance(value, str | int | float | tuple | None) else f"{name}=..."
