"""Section `accuracy`: seconds of training from the first step to 99 % on MNIST's test images.

The clock stands still while the test images are looked at, five times an epoch, and while the first steps
compile: they are taken before, on a model of their own. Without MNIST the small digits that come with tinynet
are enlarged to its size, and the goal is 97 %.
"""

import time
from typing import Any

import numpy as np

from .. import data
from ..training import keras_net, load_library
from .kept import Kept
from .options import Options

PARTS, TEST_BATCH, BATCHES = 5, 500, (128, 1024)
DIGITS_GOAL = 0.97


def run(kept: Kept, options: Options) -> None:
    """A record for each batch size and seed."""
    import tinynet

    tinynet.set_device("gpu")
    name, arrays = images(options)
    goal = options.goal if name == "mnist" else min(options.goal, DIGITS_GOAL)
    for batch in options.batches[:1] if options.stand_in else BATCHES:
        for seed in range(options.seeds):
            key = {"data": name, "net": options.nets[0], "batch": batch, "seed": seed}
            if not kept.has(**key):
                kept.add({**key, "goal": goal, **trained(arrays, batch, seed, goal, options)})


def images(options: Options) -> tuple[str, dict[str, np.ndarray]]:
    """x, y, x_test, y_test, and what they are."""
    import tinynet

    if options.stand_in:
        arrays = data.synthetic("mnist", options.images)
        return "synthetic", {**arrays, "x_test": arrays["x"], "y_test": arrays["y"]}
    if tinynet.datasets.available("mnist"):
        return "mnist", data.mnist_splits()
    return "digits", enlarged_digits()


def enlarged_digits() -> dict[str, np.ndarray]:
    """Images of 8x8, each pixel three times as high and as wide, in a frame of two pixels."""
    import tinynet

    (x, y), (x_test, y_test) = tinynet.datasets.digits.load_data()
    frame = ((0, 0), (2, 2), (2, 2))
    large = [np.pad(np.kron(a, np.ones((1, 3, 3))), frame)[..., None] / 8 - 1 for a in (x, x_test)]
    return {
        "x": large[0].astype(np.float32), "x_test": large[1].astype(np.float32),
        "y": y.astype(np.int64), "y_test": y_test.astype(np.int64),
    }  # fmt: skip


def trained(
    arrays: dict[str, np.ndarray], batch: int, seed: int, goal: float, options: Options
) -> dict[str, Any]:
    """{"seconds", "epochs", "accuracy", "curve": [[epochs, seconds, accuracy], ...]}"""
    from tinynet.backend import device

    x, y = (device.to_device(arrays[name]) for name in ("x", "y"))
    steps = len(x) // batch
    library = load_library("tinynet", seed)
    model = keras_net(library, options.nets[0], ["accuracy"])
    weights = model.get_weights()
    few = min(len(x), 4 * batch)
    model.fit(x[:few], y[:few], batch_size=batch, verbose=0)  # compiles, and records
    model.evaluate(arrays["x_test"], arrays["y_test"], batch_size=TEST_BATCH, verbose=0)
    model.set_weights(weights)
    watch = stop_watch(library, arrays, max(1, steps // PARTS), steps, goal)
    model.fit(x, y, batch_size=batch, epochs=options.most, verbose=0, callbacks=[watch])
    epochs, seconds, accuracy = watch.curve[-1]
    return {"seconds": seconds, "epochs": epochs, "accuracy": accuracy, "curve": watch.curve}


def stop_watch(library: Any, arrays: dict[str, np.ndarray], part: int, steps: int, goal: float) -> Any:
    """A callback that looks at the test images after each `part` steps, and ends the training at the goal."""

    class StopWatch(library.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self.curve, self.seconds, self.step = [], 0.0, 0
            self.since = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            if self.step % part:
                return
            self.model.trainable_weights[0].numpy()  # waits for what was only said to be done
            self.seconds += time.perf_counter() - self.since
            x, y = arrays["x_test"], arrays["y_test"]
            found = float(self.model.evaluate(x, y, batch_size=TEST_BATCH, verbose=0)[1])
            self.curve.append([self.step / steps, self.seconds, found])
            self.model.stop_training = found >= goal
            self.since = time.perf_counter()

    return StopWatch()
