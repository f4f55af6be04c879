"""The environment variables that hold a number: TINYNET_NUM_THREADS and TINYNET_VECTOR_BYTES."""

import os
from collections.abc import Callable, Container


def integer(name: str, accepted: Container[int], described: str, default: Callable[[], int]) -> int:
    """The number that the variable `name` states, or `default()` where it is not set;
    ValueError unless it is accepted.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default()
    if text.isdecimal() and len(text) < 10 and int(text) in accepted:
        return int(text)
    raise ValueError(f"the environment variable {name} must be {described}, got {text!r}")
