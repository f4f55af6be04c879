"""Health: the numbers of the table, from the arrays of the file; what is said where something is off."""

import html
import re

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, explorer, initializers, layers
from tinynet.explorer.health import BLOCKS, blocks, dead_units
from tinynet.optimizers import SGD

from explorer.nets import HOSTILE, IMAGES, LABELS, convolutional


def rows_of(path):
    """The cells of the table by layer."""
    table = re.search(r'aria-label="Health">(.*?)</div>', path.read_text(encoding="utf-8"))[1]
    rows = re.findall(r"<tr>(.*?)</tr>", table)[1:]
    cells = [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in rows]
    return {name: rest for name, *rest in cells}


@pytest.fixture(autouse=True)
def seeded():
    tinynet.utils.set_random_seed(0)


def test_zeros_and_updates_are_those_of_the_arrays(tmp_path):
    path = tinynet.explore(convolutional(SGD(0.01)), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    rows = rows_of(path)
    assert list(rows) == ["conv", "pool", "norm", "drop", "flat", "last"]
    conv = index["operations"][0]
    given = q[f"q{conv['outputs'][0]}"]
    assert rows["conv"][2] == f"{(given == 0).mean():.0%}"
    weights = [one["q"] for one in conv["inputs"][1:]]
    updates = {
        op["inputs"][0]["q"]: op["inputs"][1]["q"] for op in index["operations"] if op["phase"] == "update"
    }
    old = np.concatenate([q[f"q{number}"].ravel() for number in weights])
    gradient = np.concatenate([q[f"q{updates[number]}"].ravel() for number in weights])
    ratio = 0.01 * np.linalg.norm(gradient) / np.linalg.norm(old)  # of gradient descent
    assert float(rows["conv"][6]) == pytest.approx(ratio, rel=0.06)


def test_blocks_count_numbers():
    array = np.array([0.0] * 8 + [1.0] * 4 + [16.0])
    low, drawn, high = blocks(array).split()
    assert (low, high, len(drawn)) == ("0", "16", 16)
    assert [BLOCKS.index(one) for one in drawn] == [7, 4, *[0] * 13, 1]
    assert blocks(np.full(3, 2.5)) == "all 2.5"
    assert blocks(np.array([np.nan])) == "not finite"
    assert blocks(None) == blocks(np.arange(3)) == ""


def test_dead_units_are_those_that_are_0_everywhere():
    array = np.ones((3, 2, 2, 4))
    array[..., 1] = 0
    array[:2, ..., 2] = 0
    assert dead_units(array) == 0.25


def test_a_sentence_is_said_only_where_something_is_off(tmp_path):
    def net(bias, rate):
        dense = layers.Dense(4, activation="relu", bias_initializer=initializers.Constant(bias), name=HOSTILE)
        model = Sequential([layers.Input((5,)), dense, layers.Dense(2, name="last")], name="net")
        model.compile(SGD(rate), "mse")
        return model

    x = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
    y = np.ones((8, 2), "float32")
    healthy = rows_of(tinynet.explore(net(3.0, 0.001), x, y, tmp_path / "a.html"))
    assert not healthy[HOSTILE][0]
    dead = rows_of(tinynet.explore(net(-100.0, 0.001), x, y, tmp_path / "b.html"))
    said = dead[HOSTILE][0]
    assert said.startswith(f"100% of {HOSTILE}'s units are 0 for all images")
    assert "The weights hardly move" in said
    far = rows_of(tinynet.explore(net(3.0, 10.0), x, y, tmp_path / "c.html"))
    assert "The weights move far" in far["last"][0]
