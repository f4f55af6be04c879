"""Images to train on: equal arrays for every library,
finished (float32, normalised) before any clock starts.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

SHAPES = {"mnist": ((28, 28, 1), 10), "cifar10": ((32, 32, 3), 10)}  # image, classes


def load(name: str, count: int) -> tuple[dict[str, np.ndarray], str]:
    """`count` images x (N, H, W, C) and labels y (N,), and what they are:
    the data set, or a stand-in of its shape.
    """
    import tinynet

    if tinynet.datasets.available(name):
        module = getattr(tinynet.datasets, name)
        (x, y), _ = module.load_data()
        x, y = x.reshape(len(x), *SHAPES[name][0]), y.reshape(-1)
        mean, std = x.mean(), x.std()
        index = np.arange(count) % len(x)
        return {"x": ((x[index] - mean) / std).astype(np.float32), "y": y[index].astype(np.int64)}, name
    return synthetic(name, count), f"random images of {name}'s shape"


def synthetic(name: str, count: int) -> dict[str, np.ndarray]:
    """Each class is a fixed random image under noise of 1.5 times its strength:
    something to learn, not at once.
    """
    random = np.random.default_rng(0)
    image, classes = SHAPES[name]
    y = random.integers(0, classes, count)
    prototypes = random.standard_normal((classes, *image), dtype=np.float32)
    noise = random.standard_normal((count, *image), dtype=np.float32)
    return {"x": (prototypes[y] + 1.5 * noise) / np.float32(1.8), "y": y}


def mnist_splits() -> dict[str, np.ndarray]:
    """The whole of MNIST, normalised by the training images' mean and deviation: x, y, x_test, y_test."""
    import tinynet

    (x, y), (x_test, y_test) = tinynet.datasets.mnist.load_data()
    mean, std = x.mean(), x.std()
    images = {
        key: ((a[..., None] - mean) / std).astype(np.float32) for key, a in (("x", x), ("x_test", x_test))
    }
    return {**images, "y": y.astype(np.int64), "y_test": y_test.astype(np.int64)}


def save(folder: Path, weights: Sequence[np.ndarray] = (), **arrays: np.ndarray) -> None:
    """Every array as a file of its own. Images are kept in both orders of axes:
    nobody has to turn them round in memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, weight in enumerate(weights):
        np.save(folder / f"weight{number:03}.npy", weight)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        if array.ndim == 4:
            np.save(folder / f"{name}_channels_first.npy", np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def read(folder: Path, *names: str) -> list[np.ndarray]:
    return [np.load(folder / f"{name}.npy") for name in names]


def read_weights(folder: Path) -> list[np.ndarray]:
    return [np.load(path) for path in sorted(folder.glob("weight*.npy"))]
