"""CONTRIBUTING.md is followed to the letter in a copy of the checkout: edits are made and commands run.

Then a mistake is planted in what was added: the same commands must notice it.
"""

import re

import pytest

import installing
from printed_edits import Edit, Scratch, commands, edits, programs, section

PAGE = (installing.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OPERATION, LAYER, OPTIMIZER = "Add an operation", "Add a layer", "Add an optimizer"
KERNEL, TRAINING = "When an operation needs a kernel", "Train with what you have added"
# what is performed: a section, after that which it goes on from
SECTIONS = {
    "operation": [OPERATION],
    "layer": [LAYER],
    "optimizer": [OPTIMIZER],
    "kernel": [OPERATION, KERNEL],
}
# a file that a section adds, words of a derivative or of an update in it, and wrong ones instead
MISTAKES = {
    "operation": ("tinynet/ops/soft_limits.py", "grad * (1 - (y / cap) ** 2)", "grad * (1 - (y / cap) ** 4)"),
    "layer": ("tinynet/layers/scale.py", "x * self.scale", "x * self.scale.numpy()"),  # a constant
    "optimizer": ("kernels/optimizers/signs.py", "w[i] -= learning_rate", "w[i] += learning_rate"),
    "kernel": ("kernels/softcap.py", "g[i] * (1 - t * t)", "g[i] * (1 - t)"),
}
# tests that say what has no line yet: an edit that is missing on the page is found by these
TABLES = (
    "tests/kernels/test_dispatch.py::test_every_operation_has_its_reference",
    "tests/layers/test_every_layer.py::test_every_name_has_a_case",
    "tests/ops/test_cases.py::test_only_constants_lack_a_rule",
    "tests/ops/test_cases.py::test_the_table_covers_every_primitive",
    "tests/ops/test_changes.py::test_every_public_function_has_a_line",
    "tests/ops/test_memory_orders.py::test_every_family_of_kernels_is_covered",
    "tests/ops/test_promotion.py::test_every_call_is_compared_that_keras_has",
    "tests/optimizers/test_cases.py::test_every_optimizer_and_every_rule_has_a_case",
    "tests/test_mutation.py::test_only_comparisons_escape",
)


def performed(titles, folder, forgotten=None):
    """A copy of the checkout with the edits of these sections, but for one that is forgotten."""
    scratch = Scratch(folder)
    for title in titles:
        found = edits(section(PAGE, title))
        assert len(found) >= 4, f"{title}: only {[edit.path for edit in found]} have a place"
        for edit in found:
            if edit != forgotten:
                scratch.perform(edit)
    return scratch


def promised(name):
    found = [line for line in commands(section(PAGE, SECTIONS[name][-1])) if line.startswith("pytest ")]
    assert found, f"{name}: the section names no check"
    return found


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_keeps_its_promise(name, tmp_path):
    scratch = performed(SECTIONS[name], tmp_path)
    where = scratch.run("-c", "import tinynet; print(tinynet.__file__, tinynet.kernels.__file__)")
    assert [path.startswith(str(tmp_path)) for path in where.stdout.split()] == [True, True], where.stderr
    for line in promised(name):
        done = scratch.command(line)
        assert done.returncode == 0, f"{line}\n{done.stdout[-4000:]}{done.stderr[-1000:]}"
        assert " passed" in done.stdout
        assert "skipped" not in done.stdout.splitlines()[-1]
    changed = sorted({edit.path for title in SECTIONS[name] for edit in edits(section(PAGE, title))})
    ruff = scratch.run("-m", "ruff", "check", "--no-cache", *changed)
    assert ruff.returncode == 0 or "No module named ruff" in ruff.stderr, ruff.stdout + ruff.stderr


@pytest.mark.parametrize("name", SECTIONS)
def test_a_mistake_is_noticed(name, tmp_path):
    scratch = performed(SECTIONS[name], tmp_path)
    scratch.replace(*MISTAKES[name])
    for line in promised(name):
        done = scratch.command(f"{line} -x")
        assert "1 failed" in done.stdout.splitlines()[-1], (
            f"{line}\n{done.stdout[-4000:]}{done.stderr[-1000:]}"
        )


def registrations(name):
    """The edits of a section that put a name or a line into a file that is there."""
    return [edit for edit in edits(section(PAGE, SECTIONS[name][-1])) if edit.place in ("after", "before")]


# a name that was not imported, or not listed
TOLD = r"is in __all__, but the module neither|not in (\w+\.)+__all__|kernels/__init__ imports no softcap"
LEFT_OUT = [(name, number) for name in SECTIONS for number in range(len(registrations(name)))]


@pytest.mark.parametrize(("name", "number"), LEFT_OUT)
def test_what_was_forgotten_is_noticed(name, number, tmp_path):
    """A section is followed but for one name or line: a printed command fails, most say what is missing."""
    forgotten = registrations(name)[number]
    scratch, words = performed(SECTIONS[name], tmp_path, forgotten), ""
    if forgotten.path.startswith("tests/") and name != "kernel":  # which has a line already
        words = re.escape(f"line in {forgotten.path}")
    if "__init__" in forgotten.path:
        words = TOLD
    said = []
    for line in promised(name):
        said.append(scratch.command(f"{line} -x").stdout)
        last = said[-1].splitlines()[-1]
        if ("failed" in last or "error" in last) and re.search(words, said[-1]):
            return
    pytest.fail(f"nobody noticed that {forgotten} is missing\n{''.join(one[-1500:] for one in said)}")


@pytest.mark.parametrize("last", ["optimizer", "kernel"])
def test_all_of_it_together(last, tmp_path):
    """Nothing is left out, and a training with it is replayed."""
    titles = [OPERATION, LAYER, OPTIMIZER] + [KERNEL] * (last == "kernel")
    scratch = performed(titles, tmp_path)
    done = scratch.run("-m", "pytest", *TABLES)
    assert done.stdout.splitlines()[-1].startswith(f"{len(TABLES)} passed"), done.stdout[-4000:]
    (program,) = programs(section(PAGE, TRAINING))
    done = scratch.run("-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("replayed"), done.stdout
    by_a_number = "return x * float(self.scale.numpy()[0])"
    scratch.replace("tinynet/layers/scale.py", "return x * self.scale", by_a_number)
    done = scratch.run("-c", program)  # a number read in Python, which a replayed step would never read again
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("not replayed"), done.stdout


def test_edits_are_read_and_made_as_the_page_says(tmp_path, monkeypatch):
    monkeypatch.setattr(installing, "ROOT", tmp_path / "root")
    for name, text in {
        "tinynet/kernels/a.py": "",
        "tests/list.py": "names = [\n    one, two,\n]\n",
        "setup.py": "",
    }.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)
    page = """Title

Text (`tests/list.py`, after `one,`)

```python
    three,
```

and (`tests/list.py`, before `names`), (`read me`), more

```python
import four
```

```python
without_a_place()
```

```
pytest tests -k "a or b"
```

A file (`tests/new.py`, a new
file).

```python
five
```

and (`tests/new.py`, a new file in place of it).

```python
six
```
"""
    found = edits(page)
    assert found[:2] == [
        Edit("tests/list.py", "after", "one,", "    three,\n"),
        Edit("tests/list.py", "before", "names", "import four\n"),
    ]
    assert commands(page) == ['pytest tests -k "a or b"']
    scratch = Scratch(tmp_path / "copy")  # without git
    assert (scratch.folder / "setup.py").is_file()
    for edit in found:
        scratch.perform(edit)
    assert (
        scratch.folder / "tests/list.py"
    ).read_text() == "import four\nnames = [\n    one,\n    three, two,\n]\n"
    assert (scratch.folder / "tests/new.py").read_text() == "six\n"
    with pytest.raises(AssertionError, match=r"'e' stands 4 times in tests/list\.py"):
        scratch.perform(Edit("tests/list.py", "after", "e", ""))
    with pytest.raises(AssertionError, match="said to be a new file"):
        scratch.perform(Edit("setup.py", "a new file", "", ""))
