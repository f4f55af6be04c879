"""The quiz: its answers, by hand, and what moves in an image moves in the map of a convolution."""

import json
import subprocess
import sys

import numpy as np
import pytest
import quiz


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    """{id: the answers} of one quick run, in a process of its own: what a step holds grows with the most
    threads that a process has had, and other tests ask for many.
    """
    folder = tmp_path_factory.mktemp("quiz")
    subprocess.run([sys.executable, quiz.__file__, "--quick", "--out", str(folder)], check=True)
    assert {path.stem for path in folder.glob("*.png")} == {"quiz_maps", "quiz_memory"}
    rows = json.loads((folder / "results.json").read_text())["rows"]
    return {row["id"]: row["runs"][0]["values"] for row in rows}


def test_a_convolution_has_fewer_parameters_and_follows_what_moves(values):
    found = values["S0-07"]
    assert found["parameters of 100 dense units on 28x28"] == 784 * 100 + 100
    assert found["parameters of 7 filters of 3x3"] == 9 * 7 + 7
    assert found["map of the moved digit - moved map"] < 1e-6
    assert found["strongest answer of each filter, moved - not"] < 1e-6
    assert found["dense units, moved digit - digit"] > 0.1
    assert found["places of a map that see one pixel"] == 9
    assert found["dense units that see one pixel"] == 100


def test_the_digit_is_not_moved_over_the_edge():
    canvas = quiz.load(True)
    rows, columns = np.nonzero(canvas[0, :, :, 0])
    down, right = quiz.MOVE
    assert rows.min() + down >= 1
    assert rows.max() + down <= quiz.CANVAS - 2
    assert columns.min() + right >= 1
    assert columns.max() + right <= quiz.CANVAS - 2


def test_three_convolutions_have_903400_parameters_and_those_maps(values):
    expected = [2_800, "100x150x100", 180_200, "50x75x200", 720_400, "25x38x400"]
    assert list(values["S0-08"].values()) == expected
    assert quiz.three_convolutions((200, 300, 3)).count_params() == sum(expected[::2]) == 903_400
    assert quiz.three_convolutions((64, 64, 3), stride=1).count_params() == 903_400


def test_each_way_out_of_memory_takes_less(values):
    found = values["S0-09"]

    def step(case):
        return found[f"MiB of a step, {case}"]

    assert step("batch of 32") > 2 * step("smaller batch, 8") > 2 * step("smaller batch, 2")
    assert step("batch of 2, stride 1") > 2 * step("smaller batch, 2")
    for case in ("batch of 8, half the filters", "batch of 8, a layer less"):
        assert step(case) < step("smaller batch, 8")
        assert found[f"MiB of the net, {case}"] < found["MiB of the net, smaller batch, 8"] / 2
    # The outputs of the three convolutions of 32 images alone, in float32.
    outputs = 32 * (20 * 30 * 100 + 10 * 15 * 200 + 5 * 8 * 400) * 4 / 2**20
    assert step("batch of 32") > outputs
    for kind, size in (("float32", 4), ("float16", 2), ("uint8", 1)):
        assert found[f"MiB of 100 images, {kind}"] == round(100 * 200 * 300 * 3 * size / 2**20, 2)


def test_four_small_batches_give_the_update_of_a_large_one(values):
    assert values["S0-09"]["update of 4 batches of 8 - of one of 32"] < 1e-5
    large, first_only = quiz.accumulated(32, 1), quiz.accumulated(8, 1)
    assert max(map(quiz.difference, first_only, large)) > 1e-3  # a small batch alone does not
