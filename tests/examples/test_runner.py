"""The command that runs all studies, the page it makes, and a study with Keras in tinynet's place."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import ladder
import page
import pytest

from shared.rows import Notebook, Row
from shared.study import Study, parser

EXAMPLES = Path(__file__).parents[2] / "examples"
specification = importlib.util.spec_from_file_location("examples_main", EXAMPLES / "__main__.py")
runner = importlib.util.module_from_spec(specification)
specification.loader.exec_module(runner)

# A study of two trainings, which counts its runs in a file, and a demonstration.
STUDY = '''"""A study for the tests."""
from pathlib import Path
from shared.rows import Notebook, Row
from shared.study import Study, parser
from tinynet import plotting
ROWS = (
    Row(
        "T-01", "a net", notebook=Notebook(accuracy=0.9, best=0.95, params=7, epoch_seconds=40), params=8,
        seeds=2, keras=True, remark="Printed with another count.",
    ),
    Row("T-02", "a sum", notebook=Notebook(values={"1 + 1": 3}), expected={"1 + 1": 2}),
)
def load(quick):
    return (ZEROS, ZEROS), (ZEROS, ZEROS)
def train(row, data, seed):
    with open(Path(__file__).with_name("log"), "a") as log:
        log.write(f"{row.id} {seed}\\n")
    if row.id == "T-02":
        return {"values": {"1 + 1": 1 + 1}}
    history = {"val_accuracy": [0.5, 0.98, 0.97 + seed / 100]}
    return {"params": 8, "history": history, "epoch_seconds": [3.0, 0.5]}
def main():
    study = Study("tiny", ROWS, parser(ROWS, __doc__, "tiny").parse_args())
    for row, seed in study.to_run():
        study.keep(row, seed, train(row, None, seed))
    study.picture("dots", plotting.dots({"a net": [0.97, 0.98]}), ["T-01"])
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


def test_a_part_is_chosen_by_row_and_the_page_is_made_of_it(folder):
    assert run(folder, "T-02") == ["T-02 0"]
    assert "T-01" not in (folder / "RESULTS.md").read_text()


def test_times_stand_beside_the_notebook_s(folder):
    run(folder)
    run(folder, "--times")
    assert "| 40 s → 0.5 s |" in (folder / "RESULTS.md").read_text()


def test_a_quick_look_leaves_the_page(folder):
    run(folder, "--quick")
    assert not (folder / "RESULTS.md").exists()
    assert not (folder / "results").exists()


def test_a_name_that_is_no_row_is_said(capsys):
    with pytest.raises(SystemExit) as stopped:
        runner.arguments(["S9-99"])
    assert stopped.value.code == 2
    assert "'S9-99' is neither of" in capsys.readouterr().err


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
    record = runner.beyond.Record("best", "all of it", 3, "by_views", ("--to", "94"))
    monkeypatch.setattr(runner.beyond, "RECORDS", {"best_94": record})
    assert run(folder, "best_94") == []
    assert (
        "| `python examples/best.py --to 94 --seeds 3` | all of it | 1,234 | **96.00%** | 95.00% | 90.00% "
        "| 3 | 61 s | a Cray-1, 1 thread(s) |"
    ) in (folder / "RESULTS.md").read_text()
    (folder / "best.py").write_text("raise SystemExit(1)")
    with pytest.raises(SystemExit, match="did not end well: best_94"):
        run(folder, "best_94")


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
    assert study(tmp_path, "--epochs", "2").run(ROWS[0], 0) == {"seed": 0, "params": 10}
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


def test_several_seeds_are_told_by_their_ends():
    assert page.reached([]) == "–"
    assert page._together([0.25, 0.75]) == "0.5 (0.25 to 0.75, 2 seeds)"
    assert page._together([True, True]) == "yes"
    assert page.said(vars(Notebook())) == "–"


def test_readme_s_ladder_is_made_from_the_results(tmp_path, monkeypatch):
    for name in ("RESULTS", "PICTURES"):
        monkeypatch.setattr(page, name, tmp_path / name.lower())
    notebook = vars(Notebook(accuracy=0.9195, epoch_seconds=3))
    runs = [{"seed": seed, "history": {"val_accuracy": [0.9, 0.92 + seed / 100]}} for seed in range(2)]
    row = {"id": "S1-06", "arm": "improved", "params": 7850, "notebook": notebook, "runs": runs}
    runner.write_json(page.RESULTS / "beating_mnist.json", {"study": "beating_mnist", "rows": [row]})
    runner.write_json(page.RESULTS / "times.json", {"S1-06, improved": 0.31})
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{ladder.BEGIN}old\n{ladder.END}after\n")
    ladder.write(readme)
    text = readme.read_text()
    expected = "| S1-06 | pixels with mean 0 and variance 1 | 7,850 | 91.95% | 92.50% | 3 s → 0.31 s |"
    assert expected in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert (page.PICTURES / "ladder.png").read_bytes().startswith(b"\x89PNG")


def test_readme_s_ladder_is_that_of_the_stored_results():
    text = ladder.README.read_text(encoding="utf-8")
    if ladder.BEGIN in text and ladder.rungs():
        assert ladder.table() in text
    assert page.PAGE.exists() == page.RESULTS.exists()
    if page.PAGE.exists():
        assert page.PAGE.read_text(encoding="utf-8") == page.page()
