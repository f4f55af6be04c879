"""JSON as files hold it: read strictly and within limits,
written so that the same object gives the same text.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from tinynet.saving.errors import FileError, shortened

LARGEST = 1 << 25  # bytes of a text
DEEPEST = 120  # lists and objects inside one another; every model inside a model takes about five
MOST = 200_000  # values in a text; a model of 2,000 layers has about 140,000


def parse(text: bytes | str, what: str) -> Any:
    """The value of a JSON text; FileError if it is not JSON, too large, too deep,
    or has a key twice, NaN or infinity.
    """
    if len(text) > LARGEST:
        raise FileError(f"{what} has {len(text):,} bytes, more than {LARGEST:,}")
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        # one of them stands before every value but the first
        if sum(text.count(mark) for mark in "[{,") > 2 * MOST:
            raise FileError(f"it has more than {2 * MOST:,} values")
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite)
    except FileError as error:
        raise FileError(f"{what}: {error}") from None
    except RecursionError:
        raise FileError(f"{what} is nested too deeply") from None
    except ValueError as error:  # not UTF-8, not JSON, or a whole number with thousands of digits
        raise FileError(f"{what} is not JSON: {shortened(str(error))}") from None
    measure(value, what)
    return value


def write(value: Any, what: str) -> str:
    """The JSON text of `value`; ValueError names the place of whatever JSON cannot hold."""
    _check(value, what)
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise FileError(f"the key {shortened(key)!r} stands twice in one object")
        found[key] = value
    return found


def _no_number(name: str) -> Any:
    raise FileError(f"{name} is no number here")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FileError(f"{shortened(text)} is too large for a number")
    return value


def measure(value: Any, what: str) -> None:
    """Raises FileError for values nested too deeply, or too many; without recursion."""
    level, count = [value], 0
    for _ in range(DEEPEST + 1):
        level = [item for outer in level for item in _inside(outer)]
        count += len(level)
        if not level:
            return
        if count > MOST:
            raise FileError(f"{what} has more than {MOST:,} values")
    raise FileError(f"{what} is nested more than {DEEPEST} deep")


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _check(value: Any, place: str) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{place} has the key {key!r}: files hold keys that are strings")
            _check(item, f"{place}: {key}")
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _check(item, f"{place}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{place} is {value}: files hold finite numbers")
    elif not (value is None or isinstance(value, str | int | float)):
        raise ValueError(f"{place} is {shortened(value)}, which cannot be saved{_hint(value)}")


def _hint(value: Any) -> str:
    if getattr(value, "__name__", "") == "<lambda>":
        return (
            ": a Python lambda is code. Write it as a function with a name, decorated with "
            "@tinynet.saving.register_keras_serializable()"
        )
    if callable(value):
        since = ", since another one goes by its name" if hasattr(value, "__name__") else ""
        return f"{since}: decorate it with @tinynet.saving.register_keras_serializable()"
    return ": give its class a get_config() and register it with tinynet.saving.register_keras_serializable()"
