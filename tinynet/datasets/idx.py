"""The IDX format of MNIST and Fashion-MNIST: a short header, then the array's bytes in C order, gzipped.

    byte 0, 1   zero
    byte 2      type of the elements; 0x08 is uint8, the only one these data sets use
    byte 3      number of dimensions D
    4 D bytes   the dimensions, big-endian uint32
    the rest    prod(dimensions) elements

Described at the end of Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from tinynet.datasets import fetch

Split = tuple[np.ndarray, np.ndarray]

UINT8 = 0x08
MOST_DIMENSIONS = 32  # of an array of any version of NumPy
SMALL, MOST_TIMES = 1 << 24, 12  # a file holds no more than that many bytes and times its own size
FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def load_splits(source: fetch.Source) -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)) of a data set that consists of the four files of MNIST."""
    paths = [fetch.fetch(source, name) for name in FILES]
    x_train, y_train, x_test, y_test = (read(path) for path in paths)
    for images, labels, path in ((x_train, y_train, paths[1]), (x_test, y_test, paths[3])):
        if images.ndim != 3 or labels.shape != images.shape[:1]:
            raise fetch.corrupted(
                path, f"labels of shape {labels.shape} do not fit images of shape {images.shape}"
            )
    return (x_train, y_train), (x_test, y_test)


def read(path: Path) -> np.ndarray:
    """The uint8 array in a gzipped IDX file; DatasetCorrupted when header and length do not agree."""
    most = SMALL + MOST_TIMES * path.stat().st_size
    try:
        with gzip.open(path, "rb") as file:
            content = bytearray(file.read(most + 1))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise fetch.corrupted(path, f"it is not a whole gzip file ({error})") from error
    if len(content) > most:
        raise fetch.corrupted(path, f"it holds more than {most:,} bytes, which no such file of its size does")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UINT8:
        raise fetch.corrupted(
            path, f"it starts with {bytes(content[:4])!r}, expected an IDX header of uint8 elements"
        )
    dimensions = content[3]
    if dimensions > MOST_DIMENSIONS:
        raise fetch.corrupted(
            path, f"its header says {dimensions} dimensions, expected {MOST_DIMENSIONS} or fewer"
        )
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise fetch.corrupted(path, f"its header of {header} bytes is cut short after {len(content)}")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise fetch.corrupted(path, f"it holds {len(content) - header} elements, expected {shape}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
