"""What a program writes: a folder that is tried beforehand, and JSON, whole or not at all."""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tinynet.utils import atomic_write


def prepare(folder: Path) -> None:
    """Makes the folder of --out and tries to write there: better now than when nets are trained."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        sys.exit(f"--out {folder}: cannot write there ({error.strerror}); name another folder")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one if there is no such file, or something else in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(path: Path, content: Any) -> None:
    """Writes `content`; a list of numbers stays on one line."""
    text = json.dumps(content, indent=1, default=_plain)
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda found: re.sub(r"\s+", " ", found.group()), text)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """What JSON lacks: NumPy's scalars and arrays."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be held by JSON")
