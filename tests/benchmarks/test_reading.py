"""README's reading paths: they are short, what they name is there,
what they rely on elsewhere is explained.
"""

import re
from pathlib import Path

import pytest

from benchmarks import reading

README = (reading.ROOT / "README.md").read_text(encoding="utf-8")
MOST = {"The engine": (18, 2150, 15_000), "Why it is fast": (14, 2950, 19_000)}  # files, lines, tokens


@pytest.mark.parametrize("heading", reading.PATHS)
def test_a_path_is_no_longer_than_it_says(heading):
    entries = reading.path(heading)
    texts = [entry.text() for entry in entries]  # raises for a file or definition that is not there
    code = [text for entry, text in zip(entries, texts, strict=True) if entry.file.endswith(".py")]
    files, lines, tokens = MOST[heading]
    assert 8 <= len(entries) <= files
    assert lines / 2 < sum(map(reading.lines, texts)) <= lines
    assert tokens / 2 < sum(map(reading.tokens, code)) <= tokens


@pytest.mark.parametrize("heading", reading.PATHS)
def test_what_a_path_takes_from_other_files_is_explained(heading):
    known = reading.explained(heading)
    folders = tuple(name for name in known if name.endswith("/"))
    unknown = reading.beside(heading) - known
    assert [file for file in sorted(unknown) if not file.startswith(folders)] == []
    assert [name for name in sorted(known) if not (reading.ROOT / name).exists()] == []


def test_the_engine_begins_with_the_engine_in_one_file():
    assert reading.path("The engine")[0].file == "examples/engine_in_one_file.py"
    assert reading.path("Why it is fast")[0].file == "kernels/README.md"


def test_readmes_sizes_are_about_right():
    rows = re.findall(r"^\| ([^|]*) \| ([\d,]+) \| [^|]*`[^|]*\|$", README, flags=re.MULTILINE)
    printed = [int(number.replace(",", "")) for _, number in rows[: len(reading.GROUPS)]]
    counted = [lines for _, lines, _ in reading.sizes().values()]
    assert printed == pytest.approx(counted, rel=0.1)


def test_every_python_file_is_counted_once():
    folders = ("kernels", "tinynet", "tests", "benchmarks", "examples")
    files = {file.resolve() for folder in folders for file in (reading.ROOT / folder).rglob("*.py")}
    assert sum(files for files, _, _ in reading.sizes().values()) == len(files)


def test_nets_are_named_by_what_they_are():
    kernels = (reading.ROOT / "kernels" / "README.md").read_text(encoding="utf-8")
    assert not re.search(r"[Mm]odel[ -]?\d", README + kernels)


SMALL = '''"""What it is."""
from tinynet.autograd import Tensor, basics as b
from ..common import xp
import numpy


@b.made(1)
def one(x):
    """Words."""
    return xp(x)[f"{x}"]  # a comment


def other(x):
    return Tensor(x) + "text"
'''


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A project of one file that imports from three others."""
    for name, text in {
        "kernels/deep/file.py": SMALL,
        "kernels/common.py": "xp = 1\n",
        "tinynet/autograd/__init__.py": "from tinynet.autograd.tensor import Tensor\n",
        "tinynet/autograd/tensor.py": "class Tensor: ...\n",
        "tinynet/autograd/basics.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(reading, "ROOT", tmp_path)
    return "kernels/deep/file.py"


def test_a_definition_is_read_with_its_decorator_and_the_files_docstring(small):
    whole, part = reading.Entry(small), reading.Entry(small, ("one",))
    assert whole.text() == SMALL
    assert part.text().splitlines() == [SMALL.splitlines()[0], *SMALL.splitlines()[6:10]]
    with pytest.raises(ValueError, match=r"names \['absent'\]"):
        reading.Entry(small, ("absent",)).text()


def test_a_primitive_is_read_with_its_rules_and_a_constant_by_its_name(small):
    text = "@array_primitive\ndef add(a):\n    1\n\n@add.vjp('a')\ndef _(grad):\n    2\n\n"
    text += "@add.implementation('b')\ndef _(grad):\n    3\n\nTABLE = [\n    4\n]\nOTHER = 5\n"
    (reading.ROOT / "file.py").write_text('"""Words."""\n' + text, encoding="utf-8")
    numbers = [line.strip() for line in reading.Entry("file.py", ("add", "TABLE")).text().splitlines()]
    assert [line for line in numbers if line.isdigit()] == ["1", "2", "4"]


def test_imports_lead_to_the_file_that_defines_the_name(small):
    every = {"tinynet/autograd/tensor.py", "tinynet/autograd/basics.py", "kernels/common.py"}
    assert reading.Entry(small).imports() == every
    assert reading.Entry(small, ("one",)).imports() == {"kernels/common.py", "tinynet/autograd/basics.py"}
    assert reading.Entry(small, ("other",)).imports() == {"tinynet/autograd/tensor.py"}


def test_tokens_are_those_of_the_code():
    assert reading.tokens('"""Words."""\n\nx = f(1) + "a"  # words\n') == 8
    assert reading.tokens('def f(x):\n    """Words."""\n    return x\n') == 8
    assert reading.tokens("\n# words\n") == 0


def test_what_is_explained_is_read_from_the_list(monkeypatch, tmp_path):
    text = "### One\n\n- `a/b.py`: x.\n  `c/` is `y(z)`\n- `d/`: `e.py` and\n  `f.py`\n\n### Two\n- `g.py`\n"
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(reading, "ROOT", Path(tmp_path))
    assert reading.explained("One") == {"a/b.py", "c/", "d/e.py", "d/f.py"}
