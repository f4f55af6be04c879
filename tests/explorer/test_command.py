"""`python -m tinynet explore`: a net from a file, on images in the form that it takes."""

import re

import pytest

import tinynet
from tinynet import Sequential, explorer, layers
from tinynet.__main__ import main
from tinynet.datasets import digits


def net(shape, path, loss="sparse_categorical_crossentropy"):
    tinynet.utils.set_random_seed(0)
    stack = [layers.Input(shape), layers.Flatten(), layers.Dense(10, activation="softmax")]
    model = Sequential(stack)
    model.compile("adam", loss)
    model.save(path)
    return str(path)


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8), (64,), (28, 28, 1)])
def test_images_come_in_the_form_of_the_net(shape, tmp_path):
    out = tmp_path / "step.npz"
    arguments = [
        "explore",
        net(shape, tmp_path / "net.tinynet"),
        "--images",
        "3",
        "--divide",
        "16",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    index, q = explorer.load(out)
    assert q["q0"].shape == (3, *shape)
    most = 255 if shape[0] == 28 else 16  # the small digits have 16 steps, enlarged ones 255
    assert most / 32 < index["quantities"][0]["stats"]["max"] <= most / 16
    if shape == (8, 8):
        (x, y), _ = digits.load_data()
        assert q["q0"].tobytes() == (x[index["images"]] / 16).astype("float32").tobytes()
        assert list(q["q1"]) == list(y[index["images"]])


def test_labels_as_rows_for_a_loss_that_takes_rows(tmp_path):
    path, out = net((64,), tmp_path / "net.tinynet", "categorical_crossentropy"), tmp_path / "step.html"
    assert main(["explore", path, "--out", str(out)]) == 0
    assert explorer.load(out)[1]["q1"].shape == (4, 10)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((7, 7, 1), r"takes inputs \(None, 7, 7, 1\), and the images of digits are \(8, 8\)"),
        (None, "nowhere"),
    ],
)
def test_what_does_not_fit_is_an_error(shape, words, tmp_path, capsys):
    path = "nowhere.tinynet" if shape is None else net(shape, tmp_path / "net.tinynet")
    assert main(["explore", path, "--out", str(tmp_path / "step.html")]) == 1
    assert re.search(words, capsys.readouterr().err)
