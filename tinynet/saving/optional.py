"""Modules that only some formats need: imported when a file of such a format is written."""

import importlib
from typing import Any


def needed(module: str, extra: str, what: str) -> Any:
    """An optional module; ImportError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{what} needs {module}: pip install 'tinynet[{extra}]'") from error
