"""Level `ladder`: it runs, on little, and its table says what was measured."""

from benchmarks import __main__ as command
from benchmarks import ladder
from tinynet.kernels import threads

SECONDS = {"im2col": 1.0, "one_at_a_time": 8.0, "naive": 4.0, "sums_in_registers": 2.0,
           "several_filters": 1.0,
           "rows_shared": 1.0, "vector": 0.5}  # fmt: skip


def test_the_table():
    two = SECONDS | {"rows_shared": 0.5, "vector": 0.25}
    head, _, *rows = ladder.markdown(4e9, {1: SECONDS, 2: two}, 8e9).splitlines()
    cells = {row.split("`")[1]: [cell.strip() for cell in row.split("|")[2:-1]] for row in rows}
    assert [cell.strip() for cell in head.split("|")[2:4]] == ["us on 1 thread", "us on 2"]
    assert cells["naive"] == ["4,000,000", "4,000,000", "2.0 times as fast", "1.0", "12 %", "██▌"]
    assert cells["rows_shared"][:3] == ["1,000,000", "500,000", "2.0 times as fast"]  # on two threads
    assert cells["rows_shared"][3:5] == ["4.0", "50 %"]  # on one
    assert [cells[name][2] for name in ("im2col", "one_at_a_time")] == ["", ""]
    assert len(cells) == len(ladder.RUNGS) + 1


def test_bars():
    assert ladder.bar(0.5) == "█" * 10
    assert ladder.bar(0.51875) == "█" * 10 + "▍"
    assert ladder.bar(1.2) == "█" * 20
    assert ladder.bar(0) == ""


def test_it_runs(capsys):
    before = threads.get_num_threads()
    try:
        command.main(["ladder", "--anyway", "--batch", "3", "--rounds", "1", "--threads", "1"])
    finally:
        threads.set_num_threads(before)
    output = capsys.readouterr().out
    assert "14->14 3x3 same @14, batch 3: 1.9 MFLOPs" in output
    assert output.count("times as fast") == len(ladder.RUNGS) - 1
