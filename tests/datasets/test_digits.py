"""The embedded digits: unchanged, split as documented, and enlarged as another library does it."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynet import datasets
from tinynet.datasets import digits


def original():
    """Images and labels in the repository's order, which the multiplication of the split can be undone to."""
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    images, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    order = np.argsort([1111 * k % 1797 for k in range(1797)])
    return images[order], labels[order]


def test_shapes():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape) == ((1437, 8, 8), (1437,))
    assert (x_test.shape, y_test.shape) == ((360, 8, 8), (360,))
    assert {array.dtype for array in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}


def test_values_are_those_of_the_repository():
    images, labels = original()
    # The hash was taken of the values in optdigits.tes (scikit-learn's digits.csv.gz),
    # read with numpy.loadtxt.
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    assert labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert images[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.max() == digits.MAXIMUM


def test_every_class_is_in_both_parts():
    (_, y_train), (_, y_test) = digits.load_data()
    assert np.bincount(y_train).min() > 130
    assert np.bincount(y_test).min() >= 30


def test_the_parts_hold_what_a_nearest_neighbour_can_learn():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    train, test = x_train.reshape(-1, 64).astype(float), x_test.reshape(-1, 64).astype(float)
    distance = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    assert (y_train[distance.argmin(1)] == y_test).mean() > 0.97


def test_the_file_holds_two_arrays_and_no_objects():
    path = Path(datasets.__file__).with_name("digits.npz")
    assert path.stat().st_size < 50_000
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["images.npy", "labels.npy"]
        assert all(b"|u1" in archive.read(name)[:128] for name in archive.namelist())
    assert "CC BY 4.0" in path.with_name("DIGITS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", [8, 9, 16, 28, 32])
def test_upsample_is_bilinear(size):
    x = digits.load_data()[1][0][:20]
    enlarged = digits.upsample(x, size)
    assert (enlarged.shape, enlarged.dtype) == ((20, size, size), np.uint8)
    for image, found in zip(x, enlarged, strict=True):
        resized = Image.fromarray(image.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(found, np.asarray(resized) * 255 / 16, atol=0.501)


def test_upsample_keeps_the_range_and_refuses_other_shapes():
    assert digits.upsample(np.full((1, 8, 8), 16)).min() == 255
    assert digits.upsample(np.zeros((1, 8, 8))).max() == 0
    assert digits.upsample(np.zeros((2, 8, 8))).shape == (2, 28, 28), "the size of MNIST's"
    assert digits.upsample(np.zeros((2, 8, 4)), 16).shape == (2, 16, 16)
    with pytest.raises(ValueError, match=r"expected images of shape \(N, H, W\), got shape \(8, 8\)"):
        digits.upsample(np.zeros((8, 8)))
