"""How much there is to read: lines and tokens of README's two reading paths, and of the project's rooms.

The paths are read from the tables of README.md. A row names files, each perhaps with definitions in brackets:
then these are meant, with the file's docstring and the rules of primitives among them; the rest of the file
can wait.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import table

ROOT = Path(__file__).parent.parent
PATHS = ("The engine", "Why it is fast")  # headings in README.md
ENTRY = re.compile(r"`([\w./]+\.(?:py|md))`(?: \((`[^)]*`)\))?")  # `file.py` or `file.py` (`one`, `other`)

# Rooms by what they are for. A file belongs to the longest of these that its path begins with.
GROUPS = {
    "the engine": ("kernels/", *(f"tinynet/{room}/" for room in (
        "autograd", "backend", "ops", "optimizers", "replay", "models"
    ))),
    "Keras's vocabulary": ("tinynet/",),
    "attachments": (
        *(f"tinynet/{room}/" for room in ("compat", "explorer", "plotting", "saving")),
        "tinynet/old_names.py",
    ),
    "tests": ("tests/",),
    "benchmarks and examples": ("benchmarks/", "examples/"),
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A file of a path; of a Python file perhaps only some of its definitions."""

    file: str
    names: tuple[str, ...] = ()

    def source(self) -> str:
        return (ROOT / self.file).read_text(encoding="utf-8")

    def text(self) -> str:
        """What is to be read of it. Raises ValueError for a definition that is not there."""
        if not self.names:
            return self.source()
        lines = self.source().splitlines()
        parts = [lines[first_line(node) - 1 : node.end_lineno] for node in self._statements()]
        return "\n".join("\n".join(part) for part in parts)

    def _statements(self) -> list[ast.stmt]:
        """The file's docstring, and the definitions that are named."""
        docstring, *others = ast.parse(self.source()).body
        found = [node for node in others if defines(node) & set(self.names)]
        if missing := set(self.names).difference(*map(defines, found)):
            raise ValueError(f"README.md names {sorted(missing)} in {self.file}, which does not define it")
        return [docstring, *found]

    def imports(self) -> set[str]:
        """Files of the project that define something which is imported for what is to be read."""
        if not self.file.endswith(".py"):
            return set()
        read = ast.parse(self.text())
        used = {node.id for node in ast.walk(read) if isinstance(node, ast.Name)}
        found = set()
        for name, file in imported(self.file):
            if not self.names or name in used:
                found.add(file)
        return found - {self.file}


def defines(node: ast.stmt) -> set[str]:
    """The name that a statement defines; for a rule, `@multiply.vjp("x1")` say, that of its primitive."""
    rules = [ast.unparse(one).split(".") for one in getattr(node, "decorator_list", [])]
    of = {rule[0] for rule in rules if rule[1:] and rule[1].startswith(("vjp", "joint_vjp"))}
    targets = {target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)}
    return of | targets | {getattr(node, "name", "")}


def first_line(node: ast.stmt) -> int:
    """Where a definition begins, its decorators included."""
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def imported(file: str) -> Iterator[tuple[str, str]]:
    """For every name that a file imports from the project: the name, and the file that defines it."""
    for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = absolute(file, node)
            for alias in node.names:
                if where := defined(module, alias.name):
                    yield alias.asname or alias.name, where
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if where := module_file(alias.name):
                    yield (alias.asname or alias.name).partition(".")[0], where


def absolute(file: str, node: ast.ImportFrom) -> str:
    """The module that an import names, without dots in front."""
    if not node.level:
        return node.module or ""
    package = Path(file).parts[: -node.level]
    return ".".join([*package, *(node.module or "").split(".")]).rstrip(".")


def module_file(module: str) -> str | None:
    """The file of a module of the project; None for another one. `tinynet.kernels` is the folder kernels/."""
    path = re.sub(r"^tinynet/kernels\b", "kernels", module.replace(".", "/"))
    return next((name for name in (f"{path}.py", f"{path}/__init__.py") if (ROOT / name).is_file()), None)


def defined(module: str, name: str) -> str | None:
    """The file that defines what `from module import name` gives, through the __init__.py of packages."""
    if where := module_file(f"{module}.{name}"):
        return where
    file = module_file(module)
    if file is not None and file.endswith("__init__.py"):
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
            handed_on = [alias.asname or alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.ImportFrom) and name in handed_on:
                return defined(absolute(file, node), name) or file
    return file


def section(heading: str) -> str:
    """The part of README.md under a heading."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return readme.partition(f"### {heading}\n")[2].partition("\n#")[0]


def path(heading: str) -> list[Entry]:
    """The entries of README's path under a heading, in its order."""
    rows = [line.split("|")[2] for line in section(heading).splitlines() if re.match(r"\| \d+ \|", line)]
    named = [found for row in rows for found in ENTRY.findall(row)]
    return [Entry(file, tuple(re.findall(r"\w+", names))) for file, names in named]


def beside(heading: str) -> set[str]:
    """Files that the entries of a path import from and that are not on it.

    The __init__.py of a package that has a file on the path hands names on, and is not counted.
    """
    entries = path(heading)
    found = {file for entry in entries for file in entry.imports()} - {entry.file for entry in entries}
    packages = {f"{Path(entry.file).parent.as_posix()}/__init__.py" for entry in entries}
    return found - packages


def explained(heading: str) -> set[str]:
    """What README says that a path takes from others: files, and folders (with a / at the end) as a whole.

    In an item of the list, files without a folder lie in the last folder that was named, and then it is not
    meant as a whole.
    """
    found = set()
    for item in re.findall(r"^- (.*(?:\n  .*)*)", section(heading), flags=re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([\w./]+(?:\.py|/))`", item):
            if name.endswith("/"):
                folder = name
            elif "/" not in name:
                found.discard(folder)
            found.add(name if "/" in name else folder + name)
    return found


def lines(text: str) -> int:
    return len(text.splitlines())


def tokens(text: str) -> int:
    """Tokens of Python code, without comments, docstrings and line breaks."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
    layout = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    count, begins = 0, True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in skipped:
            continue
        docstring = begins and token.type == tokenize.STRING
        begins = token.type in layout
        count += not (begins or docstring)
    return count


def sizes() -> dict[str, tuple[int, int, int]]:
    """{group: (files, lines, tokens)} of all Python files."""
    prefixes = {prefix: group for group, some in GROUPS.items() for prefix in some}
    found = dict.fromkeys(GROUPS, (0, 0, 0))
    for folder in ("kernels", "tinynet", "tests", "benchmarks", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            name = file.relative_to(ROOT).as_posix()
            if "__pycache__" in name or name.startswith("tinynet/kernels/"):
                continue
            group = prefixes[max((prefix for prefix in prefixes if name.startswith(prefix)), key=len)]
            text = file.read_text(encoding="utf-8")
            count, all_lines, all_tokens = found[group]
            found[group] = count + 1, all_lines + lines(text), all_tokens + tokens(text)
    return found


def show() -> str:
    """The tables that `python -m benchmarks reading` prints."""
    pages = []
    for heading in PATHS:
        rows, total = [], [0, 0]
        for entry in path(heading):
            text = entry.text()
            numbers = [lines(text), tokens(text) if entry.file.endswith(".py") else 0]
            total = [a + b for a, b in zip(total, numbers, strict=True)]
            rows.append([" ".join([entry.file, *entry.names]), *map(str, numbers)])
        rows.append(["all", *map(str, total)])
        pages.append(table.text([heading, "lines", "tokens"], rows))
        pages.append("\n  ".join(["imported by these, and not on this path:", *sorted(beside(heading))]))
    rows = [[group, *map(str, numbers)] for group, numbers in sizes().items()]
    pages.append(table.text(["the project", "files", "lines", "tokens"], rows))
    return "\n\n".join(pages)


if __name__ == "__main__":
    print(show())
