"""A folder whose files are run as code: who may have written them.

Folder and file must belong to the user or to root, and nobody else may write to them; a file must be a
regular one, and neither of the two a link. The folder is opened once and names are looked up in what was
opened, so that nothing can be put in its place between the look and the use. Windows has neither owners in
numbers nor such look-ups: there a folder within the user's profile is the user's alone, and only the kinds of
files are looked at.
"""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POSIX = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
# waits for no pipe
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class NotTrusted(PermissionError):  # noqa: N818 - the name says what is wrong
    """Others may have written what is there."""


class Folder:
    """An open folder; every name is that of a file directly in it."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path, self.descriptor = path, descriptor

    @staticmethod
    def make(path: Path) -> bool:
        """Makes a folder for the user alone, with those above it; False if it was there."""
        for above in reversed(path.parents):
            if not above.exists():
                above.mkdir(0o700, exist_ok=True)
        try:
            path.mkdir(0o700)
        except FileExistsError:
            return False
        return True

    @staticmethod
    @contextmanager
    def opened(path: Path) -> Iterator["Folder"]:
        """The folder at `path`; raises NotTrusted, or OSError where there is none."""
        if path.is_symlink():
            raise NotTrusted(f"{path} is a link; set TINYNET_CACHE_DIR to a folder of your own")
        if not POSIX:
            yield Folder(path, None)
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            check(os.fstat(descriptor), path)
            yield Folder(path, descriptor)
        finally:
            os.close(descriptor)

    def read(self, name: str, most: int) -> tuple[bytes, float]:
        """The contents of a file, of them `most` bytes at most, and its age in seconds."""
        place = self._place(name)
        if not POSIX and os.path.islink(place):
            raise NotTrusted(f"{place} is a link")
        descriptor = os.open(place, os.O_RDONLY | _PLAIN, dir_fd=self.descriptor)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise OSError(f"{self.path / name} is no file of tinynet's")
            if POSIX:
                check(info, self.path / name)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(most), time.time() - info.st_mtime
        finally:
            os.close(descriptor)

    def write_new(self, name: str, data: bytes) -> None:
        """Writes a file that only the user can read; there may be none of that name."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN
        with open(os.open(self._place(name), flags, 0o600, dir_fd=self.descriptor), "wb") as file:
            file.write(data)

    def rename(self, old: str, new: str) -> None:
        """Gives a file another name, in the place of the one that has it."""
        os.replace(self._place(old), self._place(new), src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def delete(self, name: str) -> None:
        os.unlink(self._place(name), dir_fd=self.descriptor)

    def touch(self, name: str) -> None:
        """Says that a file is in use."""
        os.utime(self._place(name), dir_fd=self.descriptor)

    def entries(self) -> Iterator[tuple[str, os.stat_result]]:
        """What the folder holds; of a link, what is said of the link itself."""
        with os.scandir(self.path if self.descriptor is None else self.descriptor) as entries:
            for entry in entries:
                try:
                    yield entry.name, entry.stat(follow_symlinks=False)
                except OSError:  # renamed or deleted by another process
                    continue

    def _place(self, name: str) -> str | Path:
        return self.path / name if self.descriptor is None else name


def check(info: os.stat_result, path: Path) -> None:
    """Raises NotTrusted where other users than root may write."""
    if info.st_uid not in (0, os.geteuid()):
        raise NotTrusted(
            f"{path} belongs to another user ({info.st_uid}); set TINYNET_CACHE_DIR to a folder of your own"
        )
    if info.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotTrusted(
            f"other users can write to {path} (mode {stat.S_IMODE(info.st_mode):04o}); "
            "run `chmod go-w` on it if none did, or set TINYNET_CACHE_DIR to a folder of your own"
        )
