"""The short training as a person and as the benchmark runs it, on a few of the embedded digits."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "mnist_record.py"
specification = importlib.util.spec_from_file_location("mnist_record", SCRIPT)
record = importlib.util.module_from_spec(specification)
specification.loader.exec_module(record)

FEW = ("--data", "digits", "--limit", "300")
STEPS = 6  # two passes over 300 images, 128 at a time


def test_the_benchmark_finds_its_numbers_in_the_file(tmp_path, capsys):
    file = tmp_path / "new folder" / "record.json"
    record.main([*FEW, "--seed", "3", "--json", str(file)])
    result = json.loads(file.read_text())
    assert result["seconds"] > 0
    assert 0.3 < result["accuracy"] <= 1
    assert result["loss"] > 0
    assert (result["seed"], result["steps"], result["data"], result["asked"]) == (3, STEPS, "digits", "test")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2  # the run and the mean
    assert "test images of the 8x8 digits" in lines[0]
    assert list(file.parent.iterdir()) == [file]


def test_several_seeds_and_their_means(tmp_path, capsys):
    file = tmp_path / "record.json"
    record.main([*FEW, "--seeds", "2", "--validate", "--json", str(file)])
    result = json.loads(file.read_text())
    first, second = result["runs"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["asked"] == second["asked"] == "validation"
    assert result["accuracy"] == pytest.approx((first["accuracy"] + second["accuracy"]) / 2)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_seed_gives_the_same_net_whatever_ran_before():
    x, y, _, _ = record.load("digits", 300, False)
    nets = [record.train(x, y, seed)[0] for seed in (0, 1, 0)]
    first, other, again = ([weight.tobytes() for weight in net.get_weights()] for net in nets)
    assert first == again != other
    assert nets[0].count_params() == 60_562


def test_what_is_held_out_is_not_learned_from():
    x, _, validation, _ = record.load("digits", None, True)
    _, _, test, _ = record.load("digits", None, False)
    learned = {image.tobytes() for image in x}
    assert not any(image.tobytes() in learned for images in (validation, test) for image in images)
    assert len(validation) == (len(x) + len(validation)) // 6


def test_images_are_moved_by_one_pixel_at_most_and_nothing_comes_in():
    x = np.zeros((200, 5, 6), np.uint8)
    x[:, 2, 3] = 7
    y = record.moved(x, np.random.default_rng(0))[..., 0]
    assert y.shape == x.shape
    assert (y.sum(axis=(1, 2)) == 7).all()
    places = {(int(row), int(column)) for _, row, column in np.argwhere(y)}
    assert places == {(row, column) for row in (1, 2, 3) for column in (2, 3, 4)}
    # black comes in
    assert not record.moved(np.full((50, 1, 1), 9, np.uint8), np.random.default_rng(0)).all()


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    cycle = record.OneCycle(1000)
    net = record.build(0.0, 1.0)
    cycle.set_model(net)
    rates = []
    for step in range(1000):
        net.optimizer._iterations[...] = step
        cycle.on_train_batch_begin(step)
        rates.append(net.optimizer.learning_rate)
    assert rates[0] == pytest.approx(record.PEAK / 10)
    assert rates[200] == pytest.approx(record.PEAK) == max(rates)
    assert rates[600] == pytest.approx(record.PEAK / 2)
    assert 0 < rates[-1] < record.PEAK / 500


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seeds", "0"], "at least 1"),
        (["--seed", "-1"], "at least 0"),
        (["--seed", str(2**32 - 1), "--seeds", "2"], "below 2**32"),
        (["--json", "{file}/record.json"], "cannot write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_in_one_line(options, words, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as refused:
        record.main([*FEW, *(option.format(file=file) for option in options)])
    assert refused.value.code not in (0, None)
    assert words in str(refused.value.code) + capsys.readouterr().err


def test_without_mnist_it_says_what_to_do(tmp_path):
    # No folder, an empty cache and a proxy that refuses every connection: a machine without a network.
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    empty = {"TINYNET_DATA": "", "XDG_CACHE_HOME": str(tmp_path), **closed}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **empty},
    )
    assert done.returncode == 1
    assert "TINYNET_DATA" in done.stderr
    assert "Traceback" not in done.stderr
