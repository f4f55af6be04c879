"""The error that every file of a model that cannot be loaded ends in."""

import os
from typing import Any

LONGEST = 300  # characters of a message that come from the file


class FileError(ValueError):
    """A file that is damaged, hostile, or of another kind:
    nothing was loaded from it and nothing was changed.

    >>> bytes_written = open("net.tinynet", "wb").write(b"no model")
    >>> try:
    ...     tinynet.models.load_model("net.tinynet")
    ... except tinynet.saving.FileError as error:
    ...     print("not loaded")
    not loaded
    """


class UnknownObjectError(FileError, TypeError):
    """A file that names a class or function that neither tinynet has nor the user registered.

    >>> try:
    ...     tinynet.saving.deserialize_keras_object({"class_name": "Mine", "config": {}})
    ... except tinynet.saving.UnknownObjectError:
    ...     print("who is Mine?")
    who is Mine?
    """


def failure(path: str | os.PathLike[str], reason: Any) -> FileError:
    """The error that names the path and the reason; an error that has a path already is left as it is."""
    if isinstance(reason, FileError):
        kind, text = type(reason), str(reason)
    else:
        kind, text = (
            FileError,
            f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason),
        )
    return kind(f"{os.fspath(path)}: {shortened(text, 2000)}")


def shortened(value: Any, longest: int = LONGEST) -> str:
    """`value` in words that fit on a screen, whatever a file says."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= longest else f"{text[: longest - 20]}... ({len(text):,} characters)"
