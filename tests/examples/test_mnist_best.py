"""The best net's training on the embedded digits: what it writes, what it finds again, what it holds out."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "mnist_best.py"
specification = importlib.util.spec_from_file_location("mnist_best", SCRIPT)
best = importlib.util.module_from_spec(specification)
specification.loader.exec_module(best)


def test_seeds_computed_one_by_one_are_joined_and_not_repeated(tmp_path, capsys, monkeypatch):
    options = ["--quick", "--out", str(tmp_path)]
    best.main([*options, "--seed", "1"])
    kept = json.loads((tmp_path / "seed1.json").read_text())
    run = kept["run"]
    assert run["accuracy"] > 0.95
    assert len(run["errors"]) == round(360 * (1 - run["accuracy_views"]))
    assert all(error["label"] != error["predicted"] for error in run["errors"])
    assert run["steps"] == 8 * 12  # 1,437 images, 128 at a time
    # kernels of convolutions, four numbers a channel of normalisation, the last layer
    convolutions = 9 * (32 + 32 * 32 + 32 * 48 + 48 * 48 + 48 * 96 + 96 * 96)
    assert run["params"] == convolutions + 4 * 2 * (32 + 48 + 96) + 9 * 96 * 10 + 10

    calls = []
    monkeypatch.setattr(best, "train", lambda *a: calls.append(a) or pytest.fail("trained once more"))
    best.main([*options, "--seed", "1"])
    with pytest.raises(SystemExit, match=r"seed1\.json is the result of other settings"):
        best.main([*options, "--seed", "1", "--epochs", "2"])
    assert not calls

    (tmp_path / "seed2.json").write_text(json.dumps({**kept, "run": {**run, "seed": 2, "accuracy": 0.5}}))
    best.main([*options, "--seed", "1", "--seeds", "2"])
    result = json.loads((tmp_path / "results.json").read_text())
    assert result["accuracy"]["mean"] == pytest.approx((run["accuracy"] + 0.5) / 2)
    assert (result["accuracy"]["lowest"], result["accuracy"]["highest"]) == (0.5, run["accuracy"])
    assert [one["seed"] for one in result["runs"]] == [1, 2]
    for picture in ("curves.png", "errors.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert "lowest 50.00%" in capsys.readouterr().out


def test_what_is_held_out_is_not_learned_from():
    x, y, asked, _ = best.load(quick=True, validate=True)
    everything, labels, test, _ = best.load(quick=True, validate=False)
    assert len(asked) == len(everything) // 6
    np.testing.assert_array_equal(np.concatenate([x, asked]), everything)
    np.testing.assert_array_equal(y, labels[: len(y)])
    assert len(test) == 360


def test_views_are_moved_by_a_pixel_and_black_comes_in():
    x = np.array([[1, 2], [3, 4]])[None, ..., None]
    views = {view: best.moved(x, *view)[0, ..., 0].tolist() for view in best.VIEWS}
    assert views == {
        (0, 0): [[1, 2], [3, 4]],
        (1, 0): [[0, 0], [1, 2]],
        (-1, 0): [[3, 4], [0, 0]],
        (0, 1): [[0, 1], [0, 3]],
        (0, -1): [[2, 0], [4, 0]],
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seeds", "0"], "at least 1"),
        (["--seed", "-1"], "at least 0"),
        (["--seed", str(2**32 - 1), "--seeds", "2"], "below 2**32"),
        (["--out", "{file}/folder"], "cannot write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_in_one_line(options, words, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as refused:
        best.main(["--quick", *(option.format(file=file) for option in options)])
    assert refused.value.code not in (0, None)
    assert words in str(refused.value.code) + capsys.readouterr().err
