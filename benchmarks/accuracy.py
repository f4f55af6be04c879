"""In the child: trains on the whole of MNIST, for the level `epochs`.

    accuracy  until 99 % of the test images are right or the epochs are used up; asked five times an epoch.
              Only training is on the clock: compilation happens before it (two batches, after which the first
              weights are put back; Adam keeps what it saw), and the test images are looked at while it stands
              still
    epoch     two epochs of `fit` with validation; the second one is the result
"""

import time
from pathlib import Path
from typing import Any

import numpy as np

from . import data
from .training import COMPILE, TorchTrainer, keras_net, load_library

PARTS = 5  # of an epoch
GOAL = 0.99
TEST_BATCH = 500


def run(
    library: str, task: str, net: str, mode: str, batch: int, folder: str, seed: int, most: int
) -> dict[str, Any]:
    """{"seconds", "accuracy", "curve": [[epochs, seconds, accuracy], ...]}"""
    arrays = data.read(Path(folder), "x", "y", "x_test", "y_test")
    kind = TorchLearner if library == "torch" else FitLearner
    learner = kind(library, net, mode, batch, Path(folder), seed)
    return (_one_epoch if task == "epoch" else _to_the_goal)(learner, *arrays, batch, seed, most)


def _to_the_goal(
    learner: Any, x: Any, y: Any, x_test: Any, y_test: Any, batch: int, seed: int, most: int
) -> dict[str, Any]:
    learner.warm_up(x[: 2 * batch], y[: 2 * batch])
    learner.accuracy(x_test, y_test)
    random, part = np.random.default_rng(seed), len(x) // batch // PARTS * batch
    curve: list[list[float]] = []
    seconds = 0.0
    for number in range(most * PARTS):
        if number % PARTS == 0:
            order = random.permutation(len(x))
        index = order[number % PARTS * part : (number % PARTS + 1) * part]
        x_part, y_part = x[index], y[index]
        start = time.perf_counter()
        learner.train(x_part, y_part)
        seconds += time.perf_counter() - start
        curve.append([(number + 1) / PARTS, seconds, learner.accuracy(x_test, y_test)])
        if curve[-1][2] >= GOAL:
            break
    return {"seconds": seconds, "accuracy": curve[-1][2], "curve": curve}


def _one_epoch(
    learner: Any, x: Any, y: Any, x_test: Any, y_test: Any, batch: int, seed: int, most: int
) -> dict[str, Any]:
    for _ in range(2):
        start = time.perf_counter()
        accuracy = learner.validated_epoch(x, y, x_test, y_test)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "accuracy": accuracy, "curve": []}


class FitLearner:
    """tinynet and Keras."""

    def __init__(self, library: str, net: str, mode: str, batch: int, folder: Path, seed: int) -> None:
        module, self.batch = load_library(library, seed), batch
        self.net = keras_net(module, net, ["accuracy"], **COMPILE.get(mode, {}))
        self.weights = data.read_weights(folder)
        self.net.set_weights(self.weights)

    def warm_up(self, x: np.ndarray, y: np.ndarray) -> None:
        self.train(x, y)
        self.net.set_weights(self.weights)

    def train(self, x: np.ndarray, y: np.ndarray) -> None:
        self.net.fit(x, y, batch_size=self.batch, epochs=1, verbose=0)

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        return float(self.net.evaluate(x, y, batch_size=TEST_BATCH, verbose=0)[1])

    def validated_epoch(self, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
        fitted = self.net.fit(
            x, y, batch_size=self.batch, epochs=1, validation_data=(x_test, y_test), verbose=0
        )
        return float(fitted.history["val_accuracy"][-1])


class TorchLearner(TorchTrainer):
    """PyTorch, with the loop of TorchTrainer."""

    def __init__(self, library: str, net: str, mode: str, batch: int, folder: Path, seed: int) -> None:
        super().__init__(net, mode, batch, folder)
        self.torch.manual_seed(seed)

    def _images(self, x: np.ndarray) -> Any:
        return self.torch.from_numpy(x.transpose(0, 3, 1, 2)).contiguous(memory_format=self.layout)

    def warm_up(self, x: np.ndarray, y: np.ndarray) -> None:
        kept = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        self.train(x, y)
        self.net.load_state_dict(kept)

    def train(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = self._images(x), self.torch.from_numpy(y)
        self.fit()

    def accuracy(self, x: np.ndarray, y: np.ndarray) -> float:
        self.net.eval()
        with self.torch.inference_mode():
            parts = [self.net(part).argmax(1) for part in self._images(x).split(TEST_BATCH)]
        return float((self.torch.cat(parts).numpy() == y).mean())

    def validated_epoch(self, x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray) -> float:
        self.train(x, y)
        return self.accuracy(x_test, y_test)
