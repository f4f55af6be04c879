"""MNIST: 70,000 handwritten digits, 28x28 grey (LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11), 1998)."""

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tinynet import missing_names
from tinynet.datasets import fetch, idx

missing_names.namespace(__name__)

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")

SOURCE = fetch.Source(
    name="mnist",
    files={
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        "https://raw.githubusercontent.com/fgnt/mnist/master",
    ),
)


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> tuple[idx.Split, idx.Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (60000, 28, 28) and (10000, 28, 28),
    uint8 labels (N,).

    `path` names an archive in Keras's form, with the four arrays, which is read if it is there. A name
    without a folder is where Keras would keep what it downloads: if there is no such file, the data set is
    found or fetched as usual. Raises DatasetUnavailable for another path without a file, DatasetCorrupted
    for a file that is no such archive.

    >>> images, labels = np.zeros((2, 28, 28), "uint8"), np.zeros(2, "uint8")
    >>> np.savez("own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    >>> (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data("own.npz")
    >>> x_train.shape
    (2, 28, 28)
    """
    file = Path(path).expanduser()
    if file.is_file():
        return _read_archive(file)
    if len(file.parts) != 1:
        raise fetch.DatasetUnavailable(
            f"mnist.load_data: there is no file {file}; without `path` the data set is fetched"
        )
    return idx.load_splits(SOURCE)


def _read_archive(path: Path) -> tuple[idx.Split, idx.Split]:
    names = ("x_train", "y_train", "x_test", "y_test")
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = [archive[name] for name in names]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise fetch.corrupted(path, f"it is no archive of {', '.join(names)} ({error})") from error
    x_train, y_train, x_test, y_test = found
    for images, labels in ((x_train, y_train), (x_test, y_test)):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise fetch.corrupted(
                path, f"labels of shape {labels.shape} do not fit images of shape {images.shape}"
            )
    return (x_train, y_train), (x_test, y_test)


def available() -> bool:
    """Whether the four files are on this machine."""
    return all(fetch.locate(SOURCE, name) for name in SOURCE.files)
