"""Edits and commands as a page prints them, and a copy of the checkout in which they are done.

Above a block of Python stands where it goes, `a/file.py` in backquotes and then

    a new file                  the block is the file
    a new file in place of ...  the same, and there was one
    after `words`               the block stands in a new line behind these words, which the file has once
    before `words`              the block stands in front of them

A block without a language is commands, one a line.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from installing import checkout

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
PLACE = re.compile(
    r"\(`([^`]+)`,\s+(a\s+new\s+file\s+in\s+place\s+of|a\s+new\s+file|after|before)(?:\s+`([^`]+)`)?"
)


class Edit(NamedTuple):
    """A block of a page, and where it goes."""

    path: str
    place: str  # "a new file", "a new file in place of", "after", "before"
    words: str
    block: str


def section(page: str, title: str) -> str:
    """The part of a page below the heading that begins with `title`, down to the next heading."""
    found = [part for part in re.split(r"^## ", page, flags=re.MULTILINE) if part.startswith(title)]
    assert len(found) == 1, f"{len(found)} sections are called {title!r}"
    return found[0]


def edits(text: str) -> list[Edit]:
    """All blocks of Python above which a place is named, in their order."""
    found, start = [], 0
    for block in BLOCK.finditer(text):
        places = PLACE.findall(text[start : block.start()])
        start = block.end()
        if block[1] == "python" and places:
            assert len(places) == 1, f"{places} stand above one block"
            path, place, words = places[0]
            found.append(Edit(path, " ".join(place.split()), words, block[2]))
    return found


def commands(text: str) -> list[str]:
    return [line for language, block in BLOCK.findall(text) if not language for line in block.splitlines()]


def programs(text: str) -> list[str]:
    """All blocks of Python, with a place or without one."""
    return [block for language, block in BLOCK.findall(text) if language == "python"]


class Scratch:
    """A copy of the checkout in which edits are done and commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = checkout(folder)
        if not (folder / "tinynet" / "kernels").is_dir():
            pytest.skip("a copy finds its kernels by a link, tinynet/kernels, which this checkout has not")

    def perform(self, edit: Edit) -> None:
        path = self.folder / edit.path
        if edit.place.startswith("a new file"):
            assert path.exists() == edit.place.endswith("in place of"), (
                f"{edit.path} is said to be {edit.place}"
            )
            path.write_text(edit.block, encoding="utf-8")
            return
        text = path.read_text(encoding="utf-8")
        assert text.count(edit.words) == 1, (
            f"{edit.words!r} stands {text.count(edit.words)} times in {edit.path}"
        )
        behind = f"{edit.words}\n{edit.block.rstrip()}"
        new = behind if edit.place == "after" else edit.block + edit.words
        path.write_text(text.replace(edit.words, new), encoding="utf-8")

    def replace(self, path: str, words: str, others: str) -> None:
        """Puts other words where `words` stand once."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert text.count(words) == 1, f"{words!r} stands {text.count(words)} times in {path}"
        (self.folder / path).write_text(text.replace(words, others), encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, which imports the copy."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        environment = {**kept, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip

    def command(self, line: str) -> subprocess.CompletedProcess[str]:
        """A command as a page prints it: `pytest ...`."""
        program, *arguments = shlex.split(line, comments=True)
        return self.run("-m", program, *arguments)
