"""The calls of a case in this process's library: {implementation: a function without arguments}."""

from typing import Any

from .shapes import Calls


def prepare(library: str, case: dict[str, Any]) -> Calls:
    """Each is called once, so that it is compiled; empty where the library has no such operation."""
    if library == "tinynet":
        from .calls_tinynet import calls
    elif library == "torch":
        from .calls_torch import calls
    else:
        from .calls_tensorflow import calls
    found = calls(case)
    for call in found.values():
        call()
    return found
