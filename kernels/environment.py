"""Environment variables: the numbers TINYNET_NUM_THREADS and TINYNET_VECTOR_BYTES, the word TINYNET_CPU."""

import os
from collections.abc import Callable, Container, Sequence


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


def word(name: str, accepted: Sequence[str]) -> str:
    """The word that the variable `name` states, or the first of those accepted where it is not set;
    ValueError for any other.
    """
    text = os.environ.get(name, "").strip() or accepted[0]
    if text not in accepted:
        raise ValueError(f"the environment variable {name} must be {' or '.join(accepted)}, got {text!r}")
    return text
