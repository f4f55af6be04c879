"""Automatic names, as Keras makes them: conv2d, conv2d_1, conv2d_2, ... counted over the whole process."""

from collections import Counter

from tinynet.registry import snake_case

_used: Counter[str] = Counter()


def auto_name(class_name: str) -> str:
    """Next free name for an object of that class."""
    return numbered(snake_case(class_name), _used)


def numbered(name: str, used: Counter[str]) -> str:
    """`name`, followed by _1, _2, ... from its second use on."""
    count = used[name]
    used[name] += 1
    return f"{name}_{count}" if count else name


def reset_names() -> None:
    """Starts counting the names of layers anew (`utils.clear_session`)."""
    _used.clear()
