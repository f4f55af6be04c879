"""The quiz as a person runs it; its answers against sums by hand."""

import json

import pytest
import quiz


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("quiz")
    quiz.main(["--quick", "--out", str(out)])
    assert (out / "memory.png").read_bytes().startswith(b"\x89PNG")
    rows = json.loads((out / "results.json").read_text())["rows"]
    return {row["id"]: row["runs"][0] for row in rows}


def test_weights_are_shared_and_maps_move_with_the_image(results):
    values = results["S0-07"]["values"]
    assert values["parameters of Dense(100) on 28x28"] == 28 * 28 * 100 + 100
    assert values["parameters of Conv2D(7, 3) on 28x28"] == 9 * 7 + 7
    assert values["parameters of Conv2D(7, 3) on 56x56"] == 9 * 7 + 7
    assert values["does the map move with the image?"] is True
    assert values["do the units of the dense layer stay?"] is False


def test_three_convolutions(results):
    assert results["S0-08"]["params"] == 2_800 + 180_200 + 720_400
    maps = [layer.output.shape[1:] for layer in quiz.three_convolutions().layers]
    assert maps == [(100, 150, 100), (50, 75, 200), (25, 38, 400)]


def test_memory_falls_as_promised(results):
    values = results["S0-09"]["values"]
    full, *remedies = (values[f"{name}: MiB"] for name in quiz.REMEDIES)
    # The two maps of 16 channels, in float32, are the least that the derivatives need.
    assert full > 2 * 256 * 28 * 28 * 16 * 4 / 2**20
    assert remedies[0] == pytest.approx(full / 4, rel=0.05)
    assert remedies[1] < full / 3
    assert remedies[2] == pytest.approx(full / 2, rel=0.1)
    assert values["256 images in float32 and in float16: bytes"] == [802_816, 401_408]
    name = "a batch of 64 against four of 16, collected: largest difference of a weight"
    assert values[name] < 1e-6
