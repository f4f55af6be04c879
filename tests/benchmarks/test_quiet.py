"""What others take of the machine is seen, named, refused and marked. /proc is made for the test."""

import os

import pytest
import tiny

from benchmarks import __main__ as command
from benchmarks import kernels, quiet, report, results

ME, CHILD, GRANDCHILD, OTHER = os.getpid(), 900001, 900002, 900003
TICK = os.sysconf("SC_CLK_TCK")  # a second


@pytest.fixture
def proc(tmp_path, monkeypatch):
    monkeypatch.setattr(quiet, "PROC", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2}, raising=False)
    clock = [100.0]
    monkeypatch.setattr(quiet.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(quiet.time, "sleep", lambda seconds: None)

    def write(now, busy, steal, processes):
        """Seconds; processes: {pid: (name, parent, seconds)}"""
        clock[0] = now
        each = f"{busy * TICK / 2:.0f} 0 0 12345 7 0 0 {steal * TICK / 2:.0f} 9 0"  # 9: in the first, too
        whole = [f"cpu  {9 * busy * TICK:.0f} 0 0 4 4 0 0 9 0 0", "cpu1 99999 0 0 0 0 0 0 0 0 0"]  # not asked
        (tmp_path / "stat").write_text("\n".join([*whole, f"cpu0 {each}", f"cpu2 {each}", "intr 1", ""]))
        for folder in tmp_path.glob("9*"):
            (folder / "stat").unlink()
        for pid, (name, parent, seconds) in processes.items():
            (tmp_path / str(pid)).mkdir(exist_ok=True)
            times = f"{seconds * TICK / 2:.0f} {seconds * TICK / 2:.0f} 0 0"
            (tmp_path / str(pid) / "stat").write_text(
                f"{pid} ({name}) S {parent} " + "0 " * 9 + times + " 20 0\n"
            )

    return write


OURS = {ME: ("python", 1, 5), CHILD: ("worker", ME, 3), GRANDCHILD: ("compiler (2)", CHILD, 1)}


def test_what_our_descendants_use_is_ours(proc):
    proc(100, 50, 0, {**OURS, OTHER: ("editor", 1, 40)})
    watch = quiet.Watch()
    later = {ME: ("python", 1, 6), CHILD: ("worker", ME, 9), GRANDCHILD: ("compiler (2)", CHILD, 2)}
    proc(110, 60, 1, {**later, OTHER: ("editor", 1, 42)})
    noise = watch.lap()
    assert noise == pytest.approx({"others": 2 / 20, "steal": 1 / 20})  # of two cores' ten seconds
    assert not quiet.is_quiet(noise)
    proc(120, 75, 1, {ME: ("python", 1, 6 + 15 + 2 + 9), OTHER: ("editor", 1, 42)})  # its children have ended
    # 32 - (6 + 9 + 2) = 15 of the 15 seconds
    assert watch.lap() == pytest.approx({"others": 0, "steal": 0})


def test_a_busy_machine_is_refused(proc, monkeypatch, capsys):
    proc(100, 50, 0, {**OURS, OTHER: ("editor", 1, 40)})
    later = lambda seconds: proc(102, 53, 0, {**OURS, OTHER: ("editor", 1, 43)})  # noqa: E731
    monkeypatch.setattr(quiet.time, "sleep", later)
    words = r"75% of its cores' time.*Who: editor \(900003\) 150% \(of one core\)\.\n.*--anyway"
    with pytest.raises(SystemExit, match=words):
        quiet.require(anyway=False)
    proc(100, 50, 0, {**OURS, OTHER: ("editor", 1, 40)})
    quiet.require(anyway=True)
    assert "marked" in capsys.readouterr().out


def test_a_quiet_machine_is_not(proc, monkeypatch, capsys):
    proc(100, 50, 0, OURS)
    monkeypatch.setattr(quiet.time, "sleep", lambda seconds: proc(101, 50.05, 0, OURS))
    quiet.require(anyway=False)
    assert capsys.readouterr().out == ""


def test_nobody_knows(tmp_path, monkeypatch):
    monkeypatch.setattr(quiet, "PROC", tmp_path / "nothing")
    quiet.require(anyway=False)
    assert quiet.Watch().lap() is None
    assert quiet.is_quiet(None)
    assert quiet.noisy([{}, {"noise": {"others": 0.3, "steal": 0.0}}]) == [
        {"noise": {"others": 0.3, "steal": 0.0}}
    ]


def test_records_are_marked(proc, tmp_path, capsys):
    proc(100, 50, 0, OURS)
    kept = results.Results(tmp_path / "a.json", tiny.content()["machine"])
    kept.begin("steps", {"date": "now", "commit": "", "threads": 2, "versions": {}}, fresh=False)
    proc(110, 58, 0, OURS)
    kept.add("steps", [tiny.step("tinynet", "fit", 0.5)])
    assert "40%" in capsys.readouterr().out
    proc(120, 58.1, 0, OURS)
    kept.add("steps", [tiny.step("torch", "eager", 0.6)])
    assert capsys.readouterr().out == ""
    content = results.load(tmp_path / "a.json")
    assert [r["noise"]["others"] for r in content["levels"]["steps"]] == pytest.approx([0.4, 0.005])
    text = report.machine_part(content, [])
    assert "while 1 of 2 measurements were made" in text
    assert "up to 40%: model-9, 128, tinynet, fit, 2." in text


def test_ratios_have_the_extremes_of_the_rounds():
    mine = tiny.step("tinynet", "fit", 0.002, rounds_s=[0.002, 0.0019, 0.0021])
    theirs = tiny.step("torch", "eager", 0.006, rounds_s=[0.006, 0.0057, 0.0084])
    assert "| - / 3.00 (3.00-4.00) |" in report.steps_part([mine, theirs])
    assert "| - / 3.00 |" in report.steps_part(
        [mine, {**theirs, "run": 1}]
    )  # another day: not the same rounds
    assert "| - / 3.00 |" in report.steps_part([tiny.step("tinynet", "fit", 0.002), theirs])


def test_faster_than_the_machine_is_not_kept(capsys):
    record = {**tiny.kernel("batch_norm", "tinynet", "numba", 0.001), "floor_s": 0.00327}
    assert not kernels._possible(record)
    assert "327%" in capsys.readouterr().out
    assert kernels._possible({**record, "floor_s": 0.00101})
    # with a quarter of the products
    assert kernels._possible({**tiny.kernel("conv2d", "tinynet", "winograd_tiles", 0.001), "floor_s": 0.0018})
    wide = tiny.kernel("conv2d", "tinynet", "vector", 0.001, name="8->8 5x5 same @14")
    assert not kernels._possible({**wide, "floor_s": 0.0018})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ops", "forward"], r"--ops forward: no operation's name contains it; there are conv2d, "),
        (["--groups", "net"], r"--groups net: unknown; there are nets, "),
    ],
)
def test_unknown_operations_are_refused(arguments, words, tmp_path, monkeypatch):
    monkeypatch.setattr(quiet, "PROC", tmp_path / "nothing")
    with pytest.raises(SystemExit, match=words):
        command.main(["kernels", *arguments, "--out", str(tmp_path / "a.json")])
    assert not (tmp_path / "a.json").exists()
