"""The file of a backup: arrays in safetensors, everything else as JSON in its metadata,
and a SHA-256 of both.

It holds numbers and strings only, so reading it cannot run code;
a file that is not exactly what was written is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import utils

FORMAT = "tinynet training backup 1"
OWN = "of callbacks and others/"  # names of arrays that stand inside of the JSON


class DamagedError(ValueError):
    """The file is not what a backup writes."""


def pack(arrays: Mapping[str, Any], other: Any) -> tuple[dict[str, np.ndarray], str]:
    """(all arrays by name, JSON): arrays inside of `other` are named and stand
    in the JSON as {"array": name}.
    """
    named = {name: np.asarray(array) for name, array in arrays.items()}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            name = f"{OWN}{len(named)}"
            named[name] = value
            return {"array": name}
        if isinstance(value, Mapping):
            return {"entries": [[plain(key), plain(item)] for key, item in value.items()]}
        if isinstance(value, list | tuple):
            return [plain(item) for item in value]
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        raise TypeError(
            "a backup holds numbers, strings, None, arrays, and lists and dictionaries of those; "
            f"got {value!r} of type {type(value).__name__}"
        )

    return named, json.dumps(plain(other))


def unpack(arrays: dict[str, np.ndarray], text: str) -> tuple[dict[str, np.ndarray], Any]:
    """What `pack` took: (arrays, other)."""

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if "array" in value:
                return arrays[value["array"]]
            return {whole(key): whole(item) for key, item in value["entries"]}
        return [whole(item) for item in value] if isinstance(value, list) else value

    other = whole(json.loads(text))
    return {name: array for name, array in arrays.items() if not name.startswith(OWN)}, other


def write(path: Path, arrays: dict[str, np.ndarray], text: str) -> None:
    """Writes the file, whole or not at all."""
    utils.save_arrays(path, arrays, {"format": FORMAT, "state": text, "sha256": _digest(arrays, text)})


def read(path: Path) -> tuple[dict[str, np.ndarray], Any]:
    """What was given to `pack`; raises DamagedError unless the file is exactly what `write` wrote."""
    try:
        arrays, metadata = utils.load_arrays(path)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedError(f"{path} is damaged ({error})") from error
    if metadata.get("format") != FORMAT:
        raise DamagedError(f"{path} is damaged, or no backup of this version: expected {FORMAT!r} in it")
    text = metadata.get("state", "")
    if metadata.get("sha256") != _digest(arrays, text):
        raise DamagedError(
            f"{path} is damaged: its contents do not have the SHA-256 that was written with them"
        )
    try:
        return unpack(arrays, text)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise DamagedError(f"{path} is no backup ({error})") from error


def _digest(arrays: Mapping[str, np.ndarray], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
