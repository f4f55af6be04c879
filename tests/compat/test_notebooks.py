"""Five notebooks of 2017 to 2020, nearly word for word: they run with one import line changed,
and mean what they meant.

What is left out are pictures and text; trainings are one or two epochs on a few images.
"""

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

from tinynet.backend import config
from tinynet.compat import keras1, keras2, modules
from tinynet.datasets import digits

FOLDER = Path(__file__).parent / "notebooks"


def small(rows=1, samples=(192, 64), colours=False):
    """Digits of 28 x 28 pixels and numbers up to 255, made of those that come with tinynet."""
    (x, y), (x_test, y_test) = digits.load_data()

    def grown(x, n):
        x = np.pad(np.kron(x[:n] * 15, np.ones((1, 3, 3))), ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
        return np.pad(np.stack([x] * 3, -1), ((0, 0), (2, 2), (2, 2), (0, 0))) if colours else x

    labels = [one[:n].astype(np.uint8) for one, n in zip((y, y_test), samples, strict=True)]
    labels = [one[:, None] for one in labels] if colours else labels
    return (grown(x, samples[0]), labels[0]), (grown(x_test, samples[1]), labels[1])


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Runs a notebook on small data; returns its variables."""
    for keras in (keras1, keras2):
        for name in ("mnist", "fashion_mnist", "cifar10"):
            loader = lambda colours=name == "cifar10": small(colours=colours)  # noqa: E731
            monkeypatch.setattr(getattr(keras.datasets, name), "load_data", loader, raising=False)
    before = config.image_data_format()

    def run(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return runpy.run_path(str(FOLDER / name), {"folder": str(tmp_path)})

    yield run
    modules.uninstall()
    config.set_image_data_format(before)


def test_mnist_part_2(run):
    found = run("mnist_part2.py")
    accuracy, val_accuracy = found["curves"]
    assert len(accuracy) == len(val_accuracy) == 2
    assert 0 <= found["scores"][1] <= 1


def test_beating_mnist(run):
    found = run("beating_mnist.py")
    # Keras 1.1 printed 98,564 for models 8 and 9: it did not count the moving means and variances.
    assert found["counts"] == {
        1: 7_850, 2: 7_850, 3: 79_510, 4: 239_410, 5: 55_856, 6: 14_136, 7: 98_354, 8: 98_774, 9: 98_774
    }  # fmt: skip
    assert all(np.abs(a - b).max() < 1e-6 for a, b in zip(found["after"], found["before"], strict=True))
    assert set(found["histories"][9].history) == {"loss", "acc", "val_loss", "val_acc"}
    assert found["img"].shape == (128, 1, 28, 28)
    assert found["images"] == 192
    assert np.isclose(found["gen"].shear_range, 5.7296, atol=1e-4)  # 0.1 radians, in degrees
    assert found["histories"][10].params["steps"] == 2  # of 128 and 64 images
    assert found["rates"] == {0.0001: 0.0001, 0.01: 0.01}
    assert found["predictions"].shape == (64, 10)
    assert [layer.data_format for layer in found["model"].layers[1:4]] == ["channels_first"] * 3


def test_batch_norm(run):
    found = run("batch_norm.py")
    assert found["counts"] == [1_630_090, 1_632_522]
    assert sum(p.size for p in found["bn_model"].non_trainable_weights) == 1_216
    assert all(set(h.history) == {"loss", "acc", "val_loss", "val_acc"} for h in found["histories"])
    assert found["histories"][0].params["steps"] == 3
    assert found["bn_model"].optimizer.learning_rate == pytest.approx(0.0001)


def test_small_nets(run, capsys):
    found = run("small_nets.py")
    assert found["counts"] == [49_220, 10_524, 13_880]
    assert sum(p.size for p in found["model"].trainable_weights) == 13_688
    assert found["history"].history["lr"] == [0.003, 0.0022744503]
    assert "Epoch 2: LearningRateScheduler setting learning rate to 0.0022744503." in capsys.readouterr().out


def test_deep_nets(run, tmp_path):
    found = run("deep_nets.py")
    assert found["slope"] == 0.2
    assert found["counts"] == [271_346, 276_158, 275_801, 266_610, 500_210, 520_498]
    assert [path.name for path in tmp_path.iterdir()] == ["model_A.tinynet"]
    np.testing.assert_array_equal(found["frozen"], found["model_A_clone"].get_weights()[0])
    assert np.abs(found["trained"] - found["frozen"]).max() > 0  # the layers are shared
    assert found["decaying"].learning_rate == 0.01
    rates = [found["decaying"]._learning_rate(k) for k in (0, 10_000, 20_000)]
    np.testing.assert_allclose(rates, [0.01, 0.005, 0.01 / 3])
    assert found["y_probas"].std(axis=0).max() > 0  # dropout stays on
    assert set(found["history"].history) == {"loss", "acc", "val_loss", "val_acc"}
