"""Machine code that is kept on disk between processes: what is read here runs.

A file's name is a digest of everything its contents depend on, so no file is ever stale and none is ever
changed: one writes it beside its place and renames it, and two processes that compile the same kernel at once
put the same thing there. A damaged file, a folder that cannot be written, no home at all: each costs a
compilation and nothing else.

Whom the folder and its files must belong to is in `folder.py`. Only what this file wrote is ever deleted, by
its name, in a folder that it made, which holds a CACHEDIR.TAG (https://bford.info/cachedir) that says so.
"""

import contextlib
import hashlib
import os
import re
import secrets
import stat
import sys
import time
import warnings
from pathlib import Path

from .cache_folder import Folder, NotTrusted

LARGEST = 512 << 20  # bytes to keep
LARGEST_FILE = 64 << 20  # bytes; kernels have a few thousand
LONGEST = 90 * 86400  # seconds to keep a file that nobody reads
LONGEST_WRITING = 3600  # seconds that a file may take to be written

KERNEL = re.compile(r"[0-9a-f]{64}\.(nbc|o)")
UNFINISHED = re.compile(r"writing-[0-9a-f]{16}\.tmp")
TAG = "CACHEDIR.TAG"
TAG_CONTENTS = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n# Kernels that tinynet compiled; they may be deleted.\n"
)

_state = {"pruned": False, "warned": False}


def directory() -> Path:
    """Where compiled kernels are kept: TINYNET_CACHE_DIR, or the user's cache folder."""
    if chosen := os.environ.get("TINYNET_CACHE_DIR"):
        return Path(chosen).expanduser() / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "tinynet" / "kernels"


def read(name: str) -> bytes | None:
    """What was written under `name`; None if nothing was, if it is damaged,
    or if others may have written it.
    """
    try:
        with Folder.opened(directory()) as folder:
            data, age = folder.read(name, LARGEST_FILE)
            if age > 86400:
                with contextlib.suppress(OSError):  # where it cannot be written, nothing is deleted either
                    folder.touch(name)  # it is in use: see `_prune`
    except NotTrusted as error:
        _warn(f"compiled kernels are not used: {error}")
        return None
    except (OSError, RuntimeError, MemoryError):  # RuntimeError: there is no home
        return None
    return data[32:] if data[:32] == _checksum(name, data[32:]) else None


def write(name: str, contents: bytes) -> None:
    """Keeps `contents` under `name`, where the folder allows it."""
    try:
        path = directory()
        made = Folder.make(path)
        with Folder.opened(path) as folder:
            if made or not any(folder.entries()):  # another process may have made it and ended here
                _put(folder, TAG, TAG_CONTENTS)
            _put(folder, name, _checksum(name, contents) + contents)
            if not _state["pruned"]:
                _state["pruned"] = True
                _prune(folder)
    except NotTrusted as error:
        _warn(f"compiled kernels are not kept: {error}")
    except (OSError, RuntimeError) as error:
        _warn(
            f"compiled kernels cannot be kept ({error}); "
            "set TINYNET_CACHE_DIR to a folder that can be written"
        )


def writable() -> bool:
    """Whether kernels can be kept; makes the folder if there is none."""
    try:
        path = directory()
        Folder.make(path)
        with Folder.opened(path):
            return os.access(path, os.W_OK)
    except (OSError, RuntimeError):
        return False


def failed() -> bool:
    """Whether a kernel could not be kept, or not be trusted, in this process."""
    return _state["warned"]


def _checksum(name: str, contents: bytes) -> bytes:
    """The name is part of it: a file under another's name is a damaged one."""
    return hashlib.sha256(name.encode() + b"\n" + contents).digest()


def _put(folder: Folder, name: str, data: bytes) -> None:
    """Writes a file, whole or not at all."""
    temporary = f"writing-{secrets.token_hex(8)}.tmp"
    try:
        folder.write_new(temporary, data)
        folder.rename(temporary, name)
    except OSError:
        with contextlib.suppress(OSError):
            folder.delete(temporary)
        raise


def _prune(folder: Folder) -> None:
    """Deletes what was not finished, kernels that were not read for long,
    and the oldest until LARGEST bytes are left.

    Links, folders and files of other names are left alone,
    and so is every file of a folder that was there before.
    """
    if not _made_here(folder):
        return
    kept, now = [], time.time()
    for name, info in folder.entries():
        if not stat.S_ISREG(info.st_mode):
            continue
        if KERNEL.fullmatch(name):
            kept.append((info.st_mtime, info.st_size, name))
        elif UNFINISHED.fullmatch(name) and now - info.st_mtime > LONGEST_WRITING:
            _delete(folder, name)
    total = 0
    for used, size, name in sorted(kept, reverse=True):
        total += size
        if total > LARGEST or now - used > LONGEST:
            _delete(folder, name)


def _made_here(folder: Folder) -> bool:
    try:
        return folder.read(TAG, LARGEST_FILE)[0] == TAG_CONTENTS
    except OSError:
        return False


def _delete(folder: Folder, name: str) -> None:
    with contextlib.suppress(OSError):  # another process was faster, or it is not ours to delete
        folder.delete(name)


def _warn(problem: str) -> None:
    """Says once in a process why its kernels are compiled anew."""
    if not _state["warned"]:
        _state["warned"] = True
        warnings.warn(f"{problem}. Until then every process compiles its kernels anew", stacklevel=3)
