"""Level `own_loop`: it runs, on little, and its lines say what was measured."""

from benchmarks import __main__ as command
from benchmarks import own_loop
from tinynet.kernels import threads


def test_lines():
    seconds = {"fit": [0.010, 0.012, 0.011], "loop": [0.0105, 0.0107, 0.013], "python": [0.02, 0.03, 0.02]}
    found = own_loop.lines(32, seconds)
    assert found[0] == "batch 32"
    assert "+5.0%, within the goal of +10%" in found[2]
    assert "+100.0%" in found[3]
    assert "MORE THAN" in own_loop.lines(32, {"fit": [0.010], "loop": [0.012]})[2]


def test_it_runs(capsys):
    before = threads.get_num_threads()
    try:
        command.main(
            [
                "own_loop",
                "--anyway",
                "--nets",
                "model-4",
                "--images",
                "16",
                "--batches",
                "8",
                "--rounds",
                "1",
                "--threads",
                "1",
            ]
        )
    finally:
        threads.set_num_threads(before)
    out = capsys.readouterr().out
    for name in ("fit", "loop", "python"):
        assert f"  {name} " in out
