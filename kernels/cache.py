"""The folder on disk where machine code is kept between processes.

A file's name is a digest of everything its contents depend on, so no file is ever stale and none is ever changed: one
writes it beside its place and renames it, and two processes that compile the same kernel at once put the same thing there.
A damaged file, a folder that cannot be written, no home at all: each costs a compilation and nothing else.
"""

import hashlib
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

LARGEST = 512 << 20  # bytes to keep
LONGEST = 90 * 86400  # seconds to keep a file that nobody reads

_state = {"pruned": False, "warned": False}


def directory() -> Path:
    """Where compiled kernels are kept: TINYNET_CACHE_DIR, or the user's cache folder."""
    if chosen := os.environ.get("TINYNET_CACHE_DIR"):
        return Path(chosen) / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "tinynet" / "kernels"


def read(name: str) -> bytes | None:
    """What was written under `name`; None if nothing was, or if it is damaged."""
    try:
        path = directory() / name
        data = path.read_bytes()
        if time.time() - path.stat().st_mtime > 86400:
            os.utime(path)  # it is in use: see `_prune`
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    checksum, contents = data[:32], data[32:]
    return contents if hashlib.sha256(contents).digest() == checksum else None


def write(name: str, contents: bytes) -> None:
    """Keeps `contents` under `name`, where the folder allows it."""
    temporary = None
    try:
        folder = directory()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False) as file:
            temporary = file.name
            file.write(hashlib.sha256(contents).digest() + contents)
        os.replace(temporary, folder / name)
        if not _state["pruned"]:
            _state["pruned"] = True
            _prune(folder)
    except (OSError, RuntimeError) as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        if not _state["warned"]:
            _state["warned"] = True
            warnings.warn(
                f"compiled kernels cannot be kept ({error}), so every process compiles them anew; "
                "set TINYNET_CACHE_DIR to a folder that can be written",
                stacklevel=2,
            )


def _prune(folder: Path) -> None:
    """Deletes what was not read for long, and of the rest the oldest until LARGEST bytes are left."""
    files = []
    for entry in os.scandir(folder):
        try:
            files.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
        except FileNotFoundError:  # renamed or deleted by another process
            continue
    total, now = 0, time.time()
    for used, size, path in sorted(files, reverse=True):
        total += size
        if total > LARGEST or now - used > LONGEST:
            Path(path).unlink(missing_ok=True)
