"""The command that runs all studies, the page it makes, and a study with Keras in tinynet's place."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import ladder
import page
import pytest

from shared.machine import machine
from shared.rows import Notebook, Row
from shared.study import Study, parser

EXAMPLES = Path(__file__).parents[2] / "examples"
specification = importlib.util.spec_from_file_location("examples_main", EXAMPLES / "__main__.py")
runner = importlib.util.module_from_spec(specification)
specification.loader.exec_module(runner)

# A study of two trainings, which counts its runs in a file, and a demonstration.
STUDY = '''"""A study for the tests."""
from pathlib import Path
import numpy as np
from shared.rows import Notebook, Row
from shared.study import Study, parser
from tinynet import plotting
ROWS = (
    Row(
        "T-01", "a net", notebook=Notebook(accuracy=0.9, best=0.95, params=7, epoch_seconds=40), params=8,
        seeds=2, keras=True, remark="Printed with another count.",
    ),
    Row("T-02", "a sum", notebook=Notebook(values={"1 + 1": 3}), expected={"1 + 1": 2}),
    Row("T-03", "how many nets", seeds=0),
)
def load(quick):
    return (np.zeros(5), np.zeros(5)), (np.zeros(5), np.zeros(5))
def train(row, data, seed):
    with open(Path(__file__).with_name("log"), "a") as log:
        log.write(f"{row.id} {seed}\\n")
    if row.id == "T-02":
        return {"values": {"1 + 1": 1 + 1}}
    history = {"val_accuracy": [0.5, 0.98, 0.97 + seed / 100]}
    return {"params": 8, "history": history, "epoch_seconds": [3.0, 0.5, 0.4, 0.7]}
def main():
    study = Study("tiny", ROWS, parser(ROWS, __doc__, "tiny").parse_args())
    for row, seed in study.to_run():
        if row.id != "T-03":
            study.keep(row, seed, train(row, None, seed))
    study.keep(ROWS[2], 0, {"values": {"nets": len(study.runs(ROWS[0]))}})
    if ends := [run["history"]["val_accuracy"][-1] for run in study.runs(ROWS[0])]:
        study.picture("dots", plotting.dots({"a net": ends}), ["T-01"])
    study.write()
if __name__ == "__main__":
    main()
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of examples with one study, in the place of the real one."""
    (tmp_path / "tiny.py").write_text(STUDY)
    (tmp_path / "shared").symlink_to(EXAMPLES / "shared")
    monkeypatch.setattr(runner, "FOLDER", tmp_path)
    monkeypatch.setattr(runner, "STUDIES", ("tiny",))
    monkeypatch.setattr(runner.beyond, "RECORDS", {})
    for name in ("RESULTS", "PICTURES"):
        monkeypatch.setattr(page, name, tmp_path / name.lower())
    monkeypatch.setattr(page, "PAGE", tmp_path / "RESULTS.md")
    monkeypatch.setattr(ladder, "README", tmp_path / "README.md")
    ladder.README.write_text(f"before\n{ladder.BEGIN}{ladder.END}after\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tiny", raising=False)
    return tmp_path


def run(folder: Path, *options: str) -> list[str]:
    """Runs the command; the runs that it made."""
    (folder / "log").unlink(missing_ok=True)
    runner.main([*options, "--out", str(folder / "out")])
    return (folder / "log").read_text().splitlines() if (folder / "log").exists() else []


def test_what_is_there_is_not_run_again(folder):
    assert run(folder) == ["T-01 0", "T-01 1", "T-02 0"]
    assert run(folder) == []
    (folder / "out/tiny/runs/T-01-seed1.json").unlink()
    assert run(folder) == ["T-01 1"]


def test_the_page_has_both_numbers_of_every_row(folder):
    run(folder)
    text = (folder / "RESULTS.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| T-01 |"))
    assert "| 90.00%, best 95.00% |" in row
    assert "| **97.50%** (97.00% to 98.00%, 2 seeds), best 98.00% |" in row
    assert "| 8 (printed 7) |" in row
    assert "| 40 s |" in row
    assert "[dots](pictures/tiny/dots.png)" in row
    assert "| T-02 | 1 + 1 | 3 | 2 | 2 |" in text
    assert "- **T-01**: Printed with another count." in text
    assert (folder / "pictures/tiny/dots.png").read_bytes().startswith(b"\x89PNG")


def test_a_row_that_is_run_alone_leaves_the_others(folder):
    run(folder)
    stored = folder / "results" / "tiny.json"
    before = json.loads(stored.read_text())["rows"]
    assert run(folder, "T-02") == []
    assert json.loads(stored.read_text())["rows"] == before


def results(folder: Path, row: int = 0) -> dict:
    return json.loads((folder / "results" / "tiny.json").read_text())["rows"][row]


def test_a_part_run_elsewhere_takes_nothing_from_what_is_stored(folder):
    """Another --out, with one seed: its run replaces that of the same seed, and no more."""
    run(folder)
    stored, picture = folder / "results" / "tiny.json", folder / "pictures/tiny/dots.png"
    content, drawn = json.loads(stored.read_text()), picture.read_bytes()
    content["rows"][0]["runs"][0]["params"] = 1
    content["rows"][0]["runs"][1]["machine"]["processor"] = "a Cray-1"
    runner.write_json(stored, content)
    shutil.rmtree(folder / "out")
    assert run(folder, "--seeds", "1", "T-01") == ["T-01 0"]
    first, second = results(folder)["runs"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["params"] == 8
    assert second == content["rows"][0]["runs"][1]
    assert results(folder)["pictures"] == ["dots.png"]
    assert picture.read_bytes() == drawn
    assert (folder / "out/tiny/dots.png").read_bytes() != drawn  # of one seed
    assert results(folder, 1) == content["rows"][1]
    assert results(folder, 2)["runs"][0]["values"] == {"nets": 2}  # not computed from fewer
    assert "; a Cray-1, " in (folder / "RESULTS.md").read_text()
    assert run(folder, "T-01") == ["T-01 1"]
    assert (folder / "out/tiny/dots.png").read_bytes() == picture.read_bytes()


def test_a_part_run_draws_all_that_is_there(folder):
    run(folder)
    picture = (folder / "out/tiny/dots.png").read_bytes()
    assert run(folder, "--seeds", "1", "T-01") == []
    assert (folder / "out/tiny/dots.png").read_bytes() == picture
    assert len(results(folder)["runs"]) == 2


def test_what_is_done_is_gathered_and_nothing_is_run(folder):
    assert run(folder, "--gather") == []
    assert not (folder / "results").exists()
    run(folder, "T-01")
    shutil.rmtree(folder / "results")
    (folder / "out/tiny/runs/T-01-seed0.json").unlink()
    assert run(folder, "--gather") == []
    assert [one["seed"] for one in results(folder)["runs"]] == [1]
    assert "| **98.00%** |" in (folder / "RESULTS.md").read_text()
    assert (folder / "pictures/tiny/dots.png").exists()


def test_a_part_is_chosen_by_row_and_the_page_is_made_of_it(folder):
    assert run(folder, "T-02") == ["T-02 0"]
    assert "T-01" not in (folder / "RESULTS.md").read_text()


def test_times_stand_beside_the_notebook_s(folder):
    run(folder)
    assert run(folder, "--times", "T-01") == ["T-01 0"]
    text = (folder / "RESULTS.md").read_text()
    assert "| 40 s → 0.5 s |" in text  # the median of 0.5, 0.4 and 0.7
    assert f"Epochs timed on: {page.where([{'machine': machine()}], 'python', 'numpy')}." in text
    assert "T-02" not in json.loads((folder / "results" / "times.json").read_text())
    (folder / "tiny.py").write_text("raise SystemExit(1)")
    with pytest.raises(SystemExit, match="did not end well: tiny"):
        run(folder, "--times", "T-01")


def test_a_quick_look_leaves_the_page(folder):
    run(folder, "--quick")
    assert not (folder / "RESULTS.md").exists()
    assert not (folder / "results").exists()


def test_a_name_that_is_no_row_is_said(capsys):
    with pytest.raises(SystemExit) as stopped:
        runner.arguments(["S9-99"])
    assert stopped.value.code == 2
    assert "'S9-99' is neither of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--quick", "--keras", sys.executable], "not allowed with"),
        (["--quick", "--times"], "not allowed with"),
        (["--times", "--seeds", "2"], "--seeds says what to run"),
        (["--page", "quiz"], "give it without quiz"),
        (["--keras", "/nowhere/python"], "--keras /nowhere/python: no such program"),
        (["--times", "mnist_best"], "mnist_best is a record"),
        (["--seeds", "0"], "at least 1"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        runner.arguments(options)
    assert stopped.value.code == 2
    assert words in capsys.readouterr().err


FAKE = {
    "__init__": "from keras import callbacks, config, utils\n__version__ = '3.0'\n",
    "callbacks": "class Callback: pass\n",
    "config": "def disable_interactive_logging(): pass\n",
    "utils": "def set_random_seed(seed): pass\ndef clear_session(): pass\n",
}


@pytest.fixture
def interpreter(folder):
    """A Python that has a package with the names of Keras that a study needs to be imported."""
    (folder / "in_keras.py").symlink_to(EXAMPLES / "in_keras.py")
    (folder / "site" / "keras").mkdir(parents=True)
    for name, text in FAKE.items():
        (folder / "site" / "keras" / f"{name}.py").write_text(text)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={folder}/site exec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def test_rows_are_run_in_keras_and_stand_beside_tinynet_s(folder, interpreter):
    run(folder)
    assert run(folder, "--keras", interpreter, "--seeds", "2") == ["T-01 0", "T-01 1"]
    stored = folder / "results" / "keras.json"
    kept = json.loads(stored.read_text())
    assert kept.keys() == {"T-01"}  # T-02 is not for Keras
    assert kept["T-01"]["settings"] == {"epochs": None, "images": 5}
    assert [(one["seed"], one["keras"]) for one in kept["T-01"]["runs"]] == [(0, "3.0"), (1, "3.0")]
    row = next(line for line in (folder / "RESULTS.md").read_text().splitlines() if "| T-01 |" in line)
    assert row.count("**97.50%** (97.00% to 98.00%, 2 seeds), best 98.00%") == 2
    assert run(folder, "--keras", interpreter, "--seeds", "2") == []


@pytest.mark.parametrize("content", ['{"T-01": ', '{"T-01": {"settings": {"epochs": 1}, "runs": []}}'])
def test_results_of_keras_that_cannot_be_added_to_stay_as_they_are(folder, interpreter, content, capfd):
    stored = folder / "results" / "keras.json"
    stored.parent.mkdir()
    stored.write_text(content)
    assert runner.in_keras("tiny", ["T-01"], runner.arguments(["--keras", interpreter])) is False
    assert f"{stored}: " in capfd.readouterr().err
    assert stored.read_text() == content


def test_keras_takes_tinynet_s_place(tmp_path):
    """A package that looks like Keras shows which names a study finds there."""
    package = tmp_path / "keras"
    (package / "layers").mkdir(parents=True)
    (package / "__init__.py").write_text("from keras import layers\nEXTRA = 'of keras'\n")
    (package / "layers" / "__init__.py").write_text("class Dense: pass\n")
    code = f"""
import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(EXAMPLES)!r}]
import in_keras
sys.meta_path.insert(0, in_keras.Finder())
import tinynet
from tinynet import layers, plotting
from tinynet.plotting import gallery
import keras
assert layers.Dense is keras.layers.Dense and tinynet.EXTRA == "of keras"
try:
    gallery(1)
except NotImplementedError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "tinynet.plotting.gallery is tinynet's own" in done.stdout


RECORD = '''"""A record for the tests."""
import argparse, json
from pathlib import Path
made = argparse.ArgumentParser()
made.add_argument("--seeds", type=int)
made.add_argument("--out", type=Path)
made.add_argument("--to")
args = made.parse_args()
args.out.mkdir(parents=True, exist_ok=True)
where = {"processor": "a Cray-1", "threads": 1}
runs = [
    {"seed": seed, "accuracy": 0.9, "by_views": 0.95 + seed / 100, "seconds": 60.0 + seed, "params": 1234,
     "machine": where}
    for seed in range(args.seeds)
]
(args.out / "results.json").write_text(json.dumps({"runs": runs}))
'''


def test_a_record_is_run_and_told_on_the_page(folder, monkeypatch):
    (folder / "best.py").write_text(RECORD)
    monkeypatch.setattr(page, "FOLDER", folder)
    record = runner.beyond.Record("best", "all of it", 3, 0.97, "by_views", ("--to", "94"))
    monkeypatch.setattr(runner.beyond, "RECORDS", {"best_94": record})
    assert run(folder, "best_94") == []
    assert (
        "| `python examples/best.py --to 94 --seeds 3` | all of it | 1,234 | 97.00% | **96.00%** | 95.00% "
        "| 90.00% | 3 | 61 s (60 to 62) | a Cray-1, 1 thread(s) |"
    ) in (folder / "RESULTS.md").read_text()
    (folder / "best.py").write_text("raise SystemExit(1)")
    with pytest.raises(SystemExit, match="did not end well: best_94"):
        run(folder, "best_94")


def test_runs_of_a_record_are_added_by_seed(folder, tmp_path):
    record = runner.beyond.Record("best", "all of it", 3, 0.97, "accuracy")
    runner.beyond.RECORDS["best"] = record
    for seeds, share in (((0, 1, 2), 0.9), ((1,), 0.8)):
        runs = [
            {"seed": seed, "accuracy": share, "seconds": 1.0, "params": 1, "machine": {"processor": "x"}}
            for seed in seeds
        ]
        runner.write_json(tmp_path / "results.json", {"runs": runs})
        runner.beyond.gather("best", tmp_path)
    stored = json.loads((folder / "results" / "records" / "best.json").read_text())["runs"]
    assert [(one["seed"], one["accuracy"]) for one in stored] == [(0, 0.9), (1, 0.8), (2, 0.9)]


def test_a_file_of_mnist_record_counts_if_it_has_all_runs_as_they_should_be(tmp_path):
    record, file = runner.beyond.Record("mnist_record", "", 2, 0.99, "accuracy"), tmp_path / "results.json"
    good = {"data": "mnist", "limit": None, "asked": "test", "machine": {"processor": "x"}}
    assert not runner.beyond.complete(record, file)
    for others, counts in (
        ([good, good], True),
        ([good], False),
        ([good, {**good, "data": "digits"}], False),
        ([good, {**good, "limit": 100}], False),
        ([good, {**good, "asked": "validation"}], False),
        ([good, {**good, "machine": None}], False),
    ):
        runs = [{**one, "seed": seed} for seed, one in enumerate(others)]
        runner.write_json(file, {"runs": runs})
        assert runner.beyond.complete(record, file) is counts
    file.write_text('{"runs": ')
    assert not runner.beyond.complete(record, file)


def test_every_record_knows_its_program():
    for record in runner.beyond.RECORDS.values():
        text = (EXAMPLES / f"{record.program}.py").read_text()
        assert f'"{record.accuracy}"' in text
        assert all(f'"{option}"' in text for option in record.options)


ROWS = (Row("T-01", "a net", params=10), Row("T-03", "another", arm="as intended"))


def study(out: Path, *options: str) -> Study:
    args = parser(ROWS, "For the tests.", "tiny").parse_args(["--out", str(out), *options])
    return Study("tiny", ROWS, args)


def test_runs_of_other_settings_are_neither_taken_nor_replaced(tmp_path):
    study(tmp_path, "--epochs", "2").keep(ROWS[0], 0, {"params": 10})
    kept = study(tmp_path, "--epochs", "2").run(ROWS[0], 0)
    assert kept == {"seed": 0, "machine": machine(), "params": 10}
    for options in ([], ["--quick"], ["--epochs", "3"]):
        with pytest.raises(SystemExit, match=r"holds runs of other settings \(quick=False, epochs=2\)"):
            study(tmp_path, *options)


def test_every_kind_of_run_has_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"": [], "-quick": ["--quick"], "-short": ["--epochs", "2"]}
    for kind, words in options.items():
        args = parser(ROWS, "For the tests.", "tiny").parse_args(words)
        assert Study("tiny", ROWS, args).out == Path(f"runs/tiny{kind}")


def test_a_run_of_a_net_of_another_size_is_run_again(tmp_path):
    one = study(tmp_path)
    one.keep(ROWS[0], 0, {"params": 10})
    content = json.loads(one.run_file(ROWS[0], 0).read_text())
    content["run"]["params"] = 12
    one.run_file(ROWS[0], 0).write_text(json.dumps(content))
    assert one.run(ROWS[0], 0) is None


def test_a_net_of_another_size_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="T-01: the net has 11 parameters, expected 10"):
        study(tmp_path).keep(ROWS[0], 0, {"params": 11})
    assert study(tmp_path).run(ROWS[0], 0) is None


def test_a_broken_file_is_run_again(tmp_path):
    one = study(tmp_path)
    one.run_file(ROWS[1], 0).write_text('{"settings": ')
    one.run_file(ROWS[0], 0).write_text("[]")
    assert one.run_file(ROWS[1], 0).name == "T-03-as-intended-seed0.json"
    assert [(row.id, seed) for row, seed in one.to_run()] == [("T-01", 0), ("T-03", 0)]


def test_seeds_and_rows_are_chosen(tmp_path):
    one = study(tmp_path, "--rows", "T-03", "--seed", "5", "--seeds", "2")
    assert [(row.id, seed) for row, seed in one.to_run()] == [("T-03", 5), ("T-03", 6)]


def test_all_runs_that_are_there_are_drawn_whatever_is_chosen(tmp_path):
    one = study(tmp_path, "--seeds", "12")
    for seed in (10, 2, 0):
        one.keep(ROWS[0], seed, {"params": 10})
    (tmp_path / "runs" / "T-01-seed0 (copy).json").write_text("{}")
    other = study(tmp_path, "--rows", "T-03", "--seed", "7")
    assert [row.id for row in other.rows] == ["T-01"]  # T-03 has no runs
    assert [run["seed"] for run in other.runs(ROWS[0])] == [0, 2, 10]
    assert [row.id for row, _ in other.to_run()] == ["T-03"]
    assert list(study(tmp_path, "--draw").to_run()) == []


def test_what_draws_nothing_runs_once_whatever_the_seed(tmp_path):
    row = Row("T-04", "a sum", seeds=0)
    args = parser((row,), "For the tests.", "tiny").parse_args(["--out", str(tmp_path), "--seed", "3"])
    assert list(Study("tiny", (row,), args).seeds(row)) == [0]


def test_the_page_names_the_accuracy_on_the_test_images():
    """Not the validation accuracy where the test images were asked once; both columns are made so."""
    history = {"val_accuracy": [0.5, 0.9, 0.8]}
    once = [{"history": history, "values": {"test accuracy": share}} for share in (0.6, 0.7)]
    assert page.reached(once) == "**65.00%** (60.00% to 70.00%, 2 seeds)"
    assert page.reached([{"test_accuracy": 0.75, "each": [0.7, 0.8]}]) == "**75.00%**"
    assert page.reached([{"history": history}]) == "**80.00%**, best 90.00%"
    assert page.reached([{"values": {"test accuracy, Monte Carlo": 0.5}}]) == "–"
    row = {"id": "T-01", "arm": "", "notebook": vars(Notebook()), "expected": {}, "runs": once}
    assert page.values(row) == []  # not a second time


def test_machines_are_named_once_and_a_missing_one_is_said():
    one = {"machine": {"processor": "a Cray-1", "threads": 1, "python": "3.11"}}
    assert page.where([one, {}, one], "python") == (
        "a Cray-1, 1 thread(s), Python 3.11; a machine that was not noted"
    )


def test_several_seeds_are_told_by_their_ends():
    assert page.reached([]) == "–"
    assert page._together([0.25, 0.75]) == "0.5 (0.25 to 0.75, 2 seeds)"
    assert page._together([True, True]) == "yes"
    assert page._text({"S0-01": "fits", "S0-02": 0.5}) == "S0-01: fits<br>S0-02: 0.5"
    assert page.said(vars(Notebook())) == "–"


def test_readme_s_ladder_is_made_from_the_results(tmp_path, monkeypatch):
    for name in ("RESULTS", "PICTURES"):
        monkeypatch.setattr(page, name, tmp_path / name.lower())
    rows = []
    for number, arm, accuracy in (("S1-06", "", 0.90), ("S1-06", "improved", 0.92), ("S1-20", "", 0.995)):
        printed = vars(Notebook(accuracy=0.9195 if number == "S1-06" else None, epoch_seconds=3))
        runs = [
            {"seed": seed, "history": {"val_accuracy": [0.5, accuracy + seed / 1000]}} for seed in range(2)
        ]
        rows.append({"id": number, "arm": arm, "params": 7850, "notebook": printed, "runs": runs})
    runner.write_json(page.RESULTS / "beating_mnist.json", {"study": "beating_mnist", "rows": rows})
    where = {"processor": "a Cray-1", "threads": 1}
    runner.write_json(page.RESULTS / "times.json", {"S1-06": {"seconds": 0.31, "machine": where}})
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{ladder.BEGIN}old\n{ladder.END}after\n")
    ladder.write(readme)
    text = readme.read_text()
    assert (
        "| S1-06 | pixels with mean 0 and variance 1 | 7,850 | 91.95% | 90.05% | 92.05% | 3 s → 0.31 s |"
    ) in text
    assert "| S1-20 | several nets, averaged | 7,850 |  |  | 99.55% | 3 s |" in text
    assert "| an epoch on a Tesla K80, then on a Cray-1, 1 thread(s) |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert (page.PICTURES / "ladder.png").read_bytes().startswith(b"\x89PNG")
    drawn = ladder.picture()
    what = "pixels with mean 0 and variance 1"
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels == [what, f"{what}: improved", "several nets, averaged"]
    assert drawn.get_suptitle() == "MNIST, from softmax regression to 99.55%"


def test_the_rungs_are_rows_of_the_study():
    rows = {(row.id, row.arm) for row in runner.rows(ladder.STUDY)}
    arms = {(rung.row, arm) for rung in ladder.RUNGS for arm in (rung.recipe, rung.improved)}
    assert {(row, arm) for row, arm in arms if arm is not None} <= rows


def test_readme_and_page_are_made_of_the_stored_results():
    text = ladder.README.read_text(encoding="utf-8")
    assert ladder.BEGIN + ladder.section() + ladder.END in text
    assert page.PAGE.read_text(encoding="utf-8") == page.page()
