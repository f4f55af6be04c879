"""Level `busy`: it runs, on little, continues, and its table holds each number against the right limit."""

import os
from contextlib import ExitStack

import pytest
import tiny

from benchmarks import __main__ as command
from benchmarks import busy, busy_table, load, process, results

LITTLE = (
    "busy --anyway --libraries tinynet --threads 1 --nets model-4 --batches 8 --images 32 --busy 1 "
    "--quotas 0.5 --rounds 1 --sample 0.01"
)


@pytest.mark.parametrize(
    ("threads", "cores", "others", "quota", "expected"),
    [
        (2, 2, 0, 0.0, 2.0),
        (2, 2, 1, 0.0, 4 / 3),  # three threads want two cores
        (2, 2, 2, 0.0, 1.0),
        (2, 2, 4, 0.0, 2 / 3),
        (1, 2, 1, 0.0, 1.0),  # a thread cannot have more than a core
        (1, 2, 2, 0.0, 2 / 3),
        (4, 8, 2, 0.0, 4.0),  # there are cores for all
        (2, 2, 0, 1.5, 1.5),
        (2, 2, 0, 1.0, 1.0),
        (1, 2, 0, 1.5, 1.0),
    ],
)
def test_what_is_due(threads, cores, others, quota, expected):
    assert busy_table.due(threads, cores, others, quota) == pytest.approx(expected)


def test_a_step_is_held_against_the_shorter_time():
    records = [
        tiny.beside("tinynet", "default", 1.0, 2.0), tiny.beside("tinynet", "one thread", 1.8, 1.8),
        tiny.beside("tinynet", "default", 1.9, 2.5, busy=1),
        tiny.beside("tinynet", "one thread", 1.7, 1.7, busy=1),
        tiny.beside("tinynet", "default", 4.2, 4.5, busy=4),
        tiny.beside("tinynet", "one thread", 3.1, 1.8, busy=4),
        tiny.beside("torch", "eager", 9.0, 9.0, busy=4), tiny.beside("torch", "compile", 4.0, 9.0, busy=4),
        tiny.beside("tinynet", "default", 1.5, 2.0, quota=1.0),
        tiny.beside("tinynet", "one thread", 1.8, 1.8, quota=1.0),
    ]  # fmt: skip
    found = busy_table.verdicts(records)
    # 2 threads of 3 on 2 cores: 1.5 times the quiet time
    assert found[1, 0.0]["limit"] == (1.9, pytest.approx(1.3 * 1.5))
    assert found[4, 0.0]["limit"] == (4.2, pytest.approx(1.3 * 3.0))
    # one thread is faster than twice the quiet time
    assert found[0, 1.0]["limit"] == (1.5, pytest.approx(1.3 * 1.8))
    assert found[4, 0.0]["work"] == (4.5, 3.0)
    assert found[4, 0.0]["torch"] == (4.2, 4.0)
    text = busy_table.show(records)
    for words in ("quiet", "4 busy", "1.0 CPUs", "1.08 MISSED", "1.50 MISSED", "1.05 MISSED"):
        assert words in text, words
    assert text.count("MISSED") == 3


def test_a_quota_of_all_cores_is_no_column():
    found = busy.columns([4, 1], [2.0, 1.5, 1.0], 2)
    assert found == [busy.Column(), busy.Column(1), busy.Column(4), busy.Column(0, 1.0), busy.Column(0, 1.5)]


def test_what_each_process_is_told(monkeypatch):
    monkeypatch.setenv("TINYNET_NUM_THREADS", "5")
    monkeypatch.setenv("NUMBA_NUM_THREADS", "5")
    default, one, torch = (
        busy.variables(busy.Row(*row), 2)
        for row in (("tinynet", "default"), ("tinynet", "one thread"), ("torch", "eager"))
    )
    assert not set(default) & set(process.THREAD_VARIABLES)
    assert one["TINYNET_NUM_THREADS"] == "1"
    assert torch["OMP_NUM_THREADS"] == "2"


def test_it_runs_and_continues(tmp_path, capsys):
    arguments = [*LITTLE.split(), "--out", str(tmp_path / "a.json")]
    command.main(arguments)
    text = capsys.readouterr().out
    assert "Model 4" in text
    found = results.load(tmp_path / "a.json")["levels"]["busy"]
    columns = {(r["busy"], r["quota"]) for r in found}
    assert columns == ({(0, 0.0), (1, 0.0)} if "is left out" in text else {(0, 0.0), (1, 0.0), (0, 0.5)})
    assert [r["mode"] for r in found] == ["default"] * len(columns) + ["one thread"] * len(columns)
    assert all(r["same_loss"] and r["cpu_s"]["median"] > 0 for r in found)
    assert {r["threads"] for r in found} == {1}
    command.main(arguments)
    assert "Model 4" not in capsys.readouterr().out  # nothing was measured a second time
    assert results.load(tmp_path / "a.json")["levels"]["busy"] == found


def test_default_threads_are_those_of_the_quota():
    """One process for each quota, because the number is chosen when the library is loaded."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one core")
    try:
        with load.limited(1.0) as enter:
            for row, door, threads in (("default", None, 2), ("default", enter, 1), ("one thread", None, 1)):
                setup = process.Setup("", 2)
                with process.Worker(
                    "tinynet", setup, busy.variables(busy.Row("tinynet", row), 2), door
                ) as worker:
                    assert worker.ask("threads") == threads
    except load.QuotaError as error:
        pytest.skip(f"no control group can be made here: {error}")


def test_a_row_that_fails_leaves(capsys):
    case = busy.Case(process.Setup("", 1), "model-4", 8, 32, {0.0: None})
    present = [busy.Row("tinynet", "default"), busy.Row("torch", "eager")]

    def fail(row: busy.Row) -> None:
        raise process.WorkerError("lines\nthe last of them")

    case._try(present, present[1], fail)
    assert present == [busy.Row("tinynet", "default")]
    assert case.left_out == ["PyTorch, eager"]
    assert "the last of them" in capsys.readouterr().out


def test_quotas_that_cannot_be_had_are_named(capsys, monkeypatch):
    def none(quota: float):
        raise load.QuotaError("/sys/fs/cgroup: Permission denied")

    monkeypatch.setattr(load, "limited", none)
    with ExitStack() as stack:
        assert dict(busy._doors(stack, [0.0, 1.0])) == {0.0: None}
    assert (
        "1 cores is left out: no control group can be made here (/sys/fs/cgroup: Perm"
        in capsys.readouterr().out
    )
