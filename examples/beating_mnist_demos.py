"""The demonstrations of "Beating MNIST": what each snippet of the notebook computes.

Each takes the images to learn from, the test images, the probabilities that the best model gives to the
latter, and a seed; it returns {what: computed}, beside what the notebook printed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from beating_mnist_models import generator, shaped

from tinynet import layers, utils

from shared.data import scalars
from shared.machine import machine

PREDICTED = ("S1-22", "S1-23", "S1-24", "S1-25", "S1-26")  # those that need the best model


def one_hot_encoded(labels: np.ndarray) -> np.ndarray:
    """The notebook's loop, with today's name of the dtype."""
    one_hot = np.zeros((len(labels), labels.max() + 1), dtype=float)
    for i, label in enumerate(labels):
        one_hot[i][label] = 1
    return one_hot


def dropout(a: np.ndarray, percentage: float, random: np.random.Generator) -> np.ndarray:
    """The notebook's dropout: an exact share becomes 0, and the rest stays as it is."""
    b = np.copy(a)
    b[random.permutation(len(a))[: int(len(a) * percentage)]] = 0
    return b


def most_confident(images: np.ndarray, share: np.ndarray, count: int = 10) -> np.ndarray:
    """Which of these images have the largest share."""
    return images[np.argsort(-share[images], kind="stable")[:count]]


def right_of(digit: int, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The ten images of a digit that are read correctly, and with the greatest confidence."""
    return most_confident(np.flatnonzero((y == digit) & (p.argmax(axis=1) == digit)), p[:, digit])


def wrong_of(digit: int, y: np.ndarray, p: np.ndarray, by_true_class: bool) -> np.ndarray:
    """Ten images of a digit that are read wrongly: by P(true class), as the notebook sorts them, the least
    wrong come first; by the largest P(wrong class), as its comment says, the most wrong.
    """
    wrong = np.flatnonzero((y == digit) & (p.argmax(axis=1) != digit))
    return most_confident(wrong, p[:, digit] if by_true_class else p.max(axis=1))


def loaded(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    shapes = {"y_train": learn[1], "y_test": test[1], "x_train": learn[0]}
    return {
        **{name: list(array.shape) for name, array in shapes.items()},
        "x_train[10][4]": learn[0][10][4].tolist(),
    }


def one_hot(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    by_hand, ready_made = one_hot_encoded(learn[1]), utils.to_categorical(learn[1])
    return {
        "first labels": learn[1][:10].tolist(),
        "one-hot of the first": by_hand[0].astype(int).tolist(),
        "both equal": bool(np.array_equal(by_hand, ready_made)),
    }


def normalised(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    mean, std = scalars(learn[0])
    return {"mean": round(mean, 5), "std": round(std, 5)}


def pooled(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    square = np.array([[1, 2], [1, 3]], np.float32)
    largest = layers.MaxPooling2D()(square[None, ..., None])
    return {"largest of [[1, 2], [1, 3]]": int(np.asarray(largest).item())}


def dropped(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    before = np.arange(10)
    after = dropout(before, 0.4, np.random.default_rng(seed))
    kept = after != 0
    return {
        "zeros of dropout(arange(10), 0.4)": int((~kept).sum()),
        "the rest is": "as it was" if np.array_equal(after[kept], before[kept]) else "changed",
    }


def streamed(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    stream = generator().flow(*shaped(*learn), batch_size=128, seed=seed)
    return {"batch_gen.N": stream.n, "shape of a batch": list(next(stream)[0].shape), "batches": len(stream)}


def predicted(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    return {"shape of predictions": list(p.shape), "accuracy": float((p.argmax(axis=1) == test[1]).mean())}


def right(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    return {"read correctly": int((p.argmax(axis=1) == test[1]).sum())}


def wrong(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    return {"read wrongly": int((p.argmax(axis=1) != test[1]).sum())}


def sure(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    lowest = {d: p[right_of(d, test[1], p), d].min(initial=1.0) for d in range(10)}
    return {"lowest probability among the ten of each digit": [round(float(x), 2) for x in lowest.values()]}


def mistaken(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    first = {
        name: [place for d in range(10) for place in wrong_of(d, test[1], p, by_true_class)[:1].tolist()]
        for name, by_true_class in (("P(true class)", True), ("P(wrong class)", False))
    }
    return {f"first of each digit by {name}": places for name, places in first.items()}


def hardware(learn: Any, test: Any, p: Any, seed: int) -> dict[str, Any]:
    here = machine()
    return {"processor": here["processor"], "threads": here["threads"], "Python": here["python"]}


DEMOS: dict[str, Callable[..., dict[str, Any]]] = {
    "S1-00": hardware, "S1-01": loaded, "S1-02": one_hot, "S1-05": normalised, "S1-10": pooled,
    "S1-14": dropped, "S1-16": streamed, "S1-22": predicted, "S1-23": right, "S1-24": wrong, "S1-25": sure,
    "S1-26": mistaken,
}  # fmt: skip
