"""Level `augmentation`: it runs, on little, and its lines say what was measured."""

from benchmarks import __main__ as command
from benchmarks import augmentation
from tinynet.kernels import threads


def test_lines():
    plain, generator, layers = ({"median": m, "q1": m, "q3": m} for m in (0.010, 0.011, 0.014))
    found = augmentation.lines(128, {"plain": plain, "generator": generator, "layers": layers})
    assert found[0] == "batch 128"
    assert "+10.0%, within the goal of +25%" in found[2]
    assert found[3].endswith("+40.0%")
    assert "MORE THAN" in augmentation.lines(128, {"plain": plain, "generator": layers})[2]


def test_it_runs(capsys, monkeypatch):
    monkeypatch.setattr(augmentation, "NET", "model-4")
    before = threads.get_num_threads()
    try:
        few = ["--images", "16", "--batches", "8", "--rounds", "1", "--threads", "1"]
        command.main(["augmentation", "--anyway", *few])
    finally:
        threads.set_num_threads(before)
    output = capsys.readouterr().out
    assert "on 16 images" in output
    assert "generator" in output
