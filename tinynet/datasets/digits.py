"""digits: 1,797 real handwritten digits, 8x8 grey, embedded in the package so that training needs no network.

They are the test set of E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, 1998, doi:10.24432/C50P49, licensed CC BY 4.0 (see DIGITS.md beside this file):
normalised 32x32 bitmaps whose 4x4 blocks were counted, so a pixel is the number of ink dots, 0 to 16.
"""

from importlib import resources

import numpy as np

from tinynet import missing_names
from tinynet.datasets.idx import Split

missing_names.namespace(__name__)

CLASSES = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
MAXIMUM = 16  # the largest pixel value

TRAIN_IMAGES = 1437  # four fifths
# Stepping through the original order by a number that shares no factor with 1797, near 1797 / golden ratio,
# mixes it evenly; unlike a seeded shuffle the result is the same in every version of NumPy.
STEP = 1111


def load_data() -> tuple[Split, Split]:
    """((x_train, y_train), (x_test, y_test)): uint8 images (1437, 8, 8) and (360, 8, 8) of 0..16,
    uint8 labels (N,).

    The split is fixed: image k of the mixed order is image 1111 k mod 1797 of the repository's, and the last
    360 are the test set. Writers are mixed, which makes the task easier than digits by unseen writers would
    be.

    >>> (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    >>> x_train.shape, x_test.shape
    ((1437, 8, 8), (360, 8, 8))
    """
    embedded = resources.files("tinynet.datasets").joinpath("digits.npz")
    with embedded.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    order = np.arange(len(images)) * STEP % len(images)
    train, test = order[:TRAIN_IMAGES], order[TRAIN_IMAGES:]
    return (images[train], labels[train]), (images[test], labels[test])


def available() -> bool:
    """True: the digits come with the package."""
    return True


def upsample(x: np.ndarray, size: int = 28) -> np.ndarray:
    """Enlarge digits x (N, 8, 8) of 0..16 to (N, size, size) of 0..255, uint8, by bilinear interpolation.

    Pixel i of the result has its centre at (i + 1/2) 8 / size - 1/2 of the original; outside the outermost
    centres the border pixel is repeated.

    >>> datasets.digits.upsample(np.full((1, 8, 8), 16)).shape
    (1, 28, 28)
    """
    x = np.asarray(x)
    if x.ndim != 3:
        raise ValueError(f"digits.upsample: expected images of shape (N, H, W), got shape {x.shape}")
    rows, columns = (_interpolation(length, size) for length in x.shape[1:])
    enlarged = rows @ x.astype(np.float32) @ columns.T  # (size, H) @ (N, H, W) @ (W, size)
    return np.rint(enlarged * (255 / MAXIMUM)).astype(np.uint8)


def _interpolation(length: int, size: int) -> np.ndarray:
    """The matrix (size, length) of bilinear interpolation along one axis;
    each row holds at most two weights.
    """
    position = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    return np.maximum(0, 1 - np.abs(position[:, None] - np.arange(length))).astype(np.float32)
