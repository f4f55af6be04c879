"""The loop of one's own learns the digits, and is replayed."""

import re
import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "own_loop.py"


def test_it_learns_and_is_replayed(capsys):
    names = runpy.run_path(str(SCRIPT))
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith("the step is replayed")
    assert float(re.search(r"test accuracy ([\d.]+)", last)[1]) > 0.93
    assert len(names["step"].programs) == 2, "full batches, and the last of an epoch"
    assert names["optimizer"].iterations == 10 * -(-len(names["x_train"]) // 32)


def test_it_is_short():
    assert len([line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line.strip()]) <= 36
