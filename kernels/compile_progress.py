"""What is said on standard error while kernels are compiled: that it happens once on a machine,
and how far it is.

A line of words at the first kernel. Below it, where a line can be redrawn, the number of the kernel that is
being compiled and the file it stands in; elsewhere a line every ten seconds. Kernels that are loaded from the
cache are not mentioned.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event

OFTEN, SELDOM = 0.1, 10.0  # seconds between two lines: where they are redrawn, and where they pile up
BEGINNING = "tinynet: compiling kernels for this machine, once; this takes up to a minute\n"

compiled = 0  # kernels, in this process and for it
_began = _said = 0.0  # when the first of them was begun, and when the last line was written
_under_way = 0  # one compiled function may make another one compile
_length = 0  # of the line that is redrawn


def redraws(stream: Any) -> bool:
    """Whether a line on `stream` can be written anew: a terminal, or the output of a notebook's cell."""
    if type(stream).__module__.startswith("ipykernel"):
        return True
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # no stream at all, one made by hand, or one that was closed
        return False


@contextmanager
def compiling(name: str) -> Iterator[None]:
    """Around the compilation of a kernel of that name."""
    _begin(name)
    try:
        yield
    finally:
        _end()


def _begin(name: str) -> None:
    global compiled, _under_way
    _under_way += 1
    if _under_way > 1:
        return
    compiled, now, live = compiled + 1, time.monotonic(), redraws(sys.stderr)
    if compiled == 1:
        _announce(now)
    elif now - _said >= (OFTEN if live else SELDOM):
        _show(f"tinynet: compiling kernel {compiled}, after {now - _began:.0f} s: {name}", now, live)


def _end() -> None:
    global _under_way
    _under_way -= 1
    if not _under_way:
        _erase()


@contextmanager
def ahead() -> Iterator[Callable[[int, int], None]]:
    """Around kernels that other processes compile; gives show(done, total), which says how far they are."""
    begin = time.monotonic()

    def show(done: int, total: int) -> None:
        global compiled
        compiled += done > 0
        live, now = redraws(sys.stderr), time.monotonic()
        if not done and total and not compiled:
            _announce(now)
        if total and (now - _said >= (OFTEN if live else SELDOM) or (live and not done)):
            number = f"{min(done + 1, total)} of {total} kernels"
            _show(f"tinynet: compiling {number}, after {now - begin:.0f} s", now, live)

    try:
        yield show
    finally:
        _erase()


def _announce(now: float) -> None:
    """Says it, once in a process."""
    global _began, _said
    _began = _said = now
    _write(BEGINNING)


def _show(line: str, now: float, live: bool) -> None:
    """Says how far it is: in place of the line before, or below it."""
    global _said, _length
    _said = now
    _write(f"\r{line:{_length}}" if live else f"{line}\n")
    _length = len(line) if live else 0


def _erase() -> None:
    """Takes away the line that is redrawn."""
    global _length
    if _length:
        _write("\r" + " " * _length + "\r")
        _length = 0


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # there is nobody to tell
        pass


class _Listener(event.Listener):
    """Hears of the functions that Numba compiles."""

    def on_start(self, event: Any) -> None:
        if (module := event.data["dispatcher"].py_func.__module__).startswith(f"{__package__}."):
            _begin(module.removeprefix(f"{__package__}.").replace(".", "/") + ".py")

    def on_end(self, event: Any) -> None:
        if event.data["dispatcher"].py_func.__module__.startswith(f"{__package__}."):
            _end()


event.register("numba:compile", _Listener())  # not sent for kernels that are loaded from the cache
