"""Sources: the text of a function as it is installed, with its file and first line."""

import inspect
import keyword
import re
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import tinynet
from tinynet import kernels

ROOT, KERNELS = Path(tinynet.__file__).resolve().parent, Path(kernels.__file__).resolve().parent

TOKENS = re.compile(
    r"""(?P<s>\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""  # strings
    r"|(?P<c>\#[^\n]*)|(?P<d>@[\w.]+)|(?P<k>[A-Za-z_]\w*)"  # comments, decorators, words
)


class Sources:
    """The texts that are shown, each once."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._known: dict[Any, int] = {}

    def of(self, function: Callable[..., Any]) -> int | None:
        """The place of a function's text in the list; None where Python knows no text of it."""
        plain = plain_function(function)
        key = getattr(plain, "__code__", plain)
        if key not in self._known:
            if (found := _text(plain)) is None:
                return None
            self.all.append(found)
            self._known[key] = len(self.all) - 1
        return self._known[key]


def plain_function(function: Any) -> Any:
    """The Python function within: of a primitive, a kernel, a compiled loop, a partial."""
    while True:
        inner = getattr(function, "py_func", None) or getattr(function, "__wrapped__", None)
        if isinstance(function, partial):
            inner = function.func
        if inner is None:
            return function
        function = inner


def _text(function: Any) -> dict[str, Any] | None:
    try:
        lines, first = inspect.getsourcelines(function)
        file = Path(inspect.getsourcefile(function) or "")
    except (TypeError, OSError):
        return None
    name = getattr(function, "__qualname__", "")
    text = textwrap.dedent("".join(lines)).rstrip()
    return {
        "name": name,
        "file": shown(file),
        "line": max(first, 1),
        "text": text,
        "colours": colours_of(text),
        "about": inspect.getdoc(function) or "",
    }


def shown(file: Path) -> str:
    """tinynet/... or kernels/... for files of tinynet, wherever it is installed; of others the name alone."""
    file = file.resolve()
    for root, name in ((KERNELS, "kernels"), (ROOT, "tinynet")):
        if file.is_relative_to(root):
            return f"{name}/{file.relative_to(root).as_posix()}"
    return file.name


def colours_of(text: str) -> list[tuple[str, int, int]]:
    """(s, c, d or k, begin, end) of the strings, comments, decorators and keywords in a text."""
    found = TOKENS.finditer(text)
    return [
        (str(one.lastgroup), one.start(), one.end())
        for one in found
        if one.lastgroup != "k" or keyword.iskeyword(one[0])
    ]
