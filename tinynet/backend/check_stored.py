"""Numbers that come back from where they were kept, in a backup: what they must be to be taken up."""

from typing import Any

Key = tuple[int, int]


def count(value: Any, what: str, least: int = 0) -> int:
    """`value` if it is a whole number that fits 62 bits and is at least `least`; else ValueError."""
    if type(value) is not int or not least <= value < 1 << 62:
        raise ValueError(f"{what} must be a whole number of at least {least}, and is {_short(value)}")
    return value


def key(value: Any, what: str) -> Key:
    """`value` as the key of random numbers: two words of 32 bits; else ValueError."""
    if (
        not isinstance(value, list | tuple)
        or len(value) != 2
        or not all(type(n) is int and 0 <= n < 1 << 32 for n in value)
    ):
        raise ValueError(f"{what} must be two words of 32 bits, and is {_short(value)}")
    return value[0], value[1]


def entries(value: Any, names: set[str], what: str) -> dict[str, Any]:
    """`value` if it is a dictionary of just these names; else ValueError."""
    if not isinstance(value, dict) or set(value) != names:
        lacks = (
            "".join(f"; {name} is missing" for name in sorted(names - set(value)))
            if isinstance(value, dict)
            else ""
        )
        raise ValueError(f"{what} must have {', '.join(sorted(names))}, and is {_short(value)}{lacks}")
    return value


def _short(value: Any) -> str:
    return repr(value)[:200]
