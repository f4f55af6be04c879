"""The sections: in which order, how long each may take, and what runs it."""

from collections.abc import Callable
from typing import NamedTuple

from .kept import Kept
from .options import Options


class Section(NamedTuple):
    """One, in a process of its own that is ended after `limit_s`."""

    name: str
    limit_s: float


MOST_S = 420  # of all of it
BETWEEN_S = 25  # of that for summary and pictures, and to end processes
SECTIONS = (
    Section("facts", 20), Section("tests", 120), Section("paper", 30), Section("steps", 55),
    Section("kernels", 40), Section("accuracy", 25), Section("torch", 100),
)  # fmt: skip


def runner(name: str) -> Callable[[Kept, Options], None]:
    """What runs a section; only its own modules are imported."""
    if name == "facts":
        from .facts import run
    elif name == "tests":
        from .suite import run
    elif name == "paper":
        from .paper import run_section as run
    elif name == "steps":
        from .steps import run
    elif name == "kernels":
        from .kernels import run
    elif name == "accuracy":
        from .accuracy import run
    else:
        from .torch_steps import run
    return run
