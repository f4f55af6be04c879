"""Words on the screen and in results."""

from collections.abc import Mapping
from typing import Any


def yes(true: bool) -> str:
    return "yes" if true else "no"


def show(values: Mapping[str, Any]) -> None:
    """A line for each value of a row."""
    for what, computed in values.items():
        print(f"    {what}: {computed}")
