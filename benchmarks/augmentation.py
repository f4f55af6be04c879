"""Level `augmentation`: what a training step of Model 9 costs with augmented images,
beside the same step without.

    plain      fit(x, y)
    generator  fit(ImageDataGenerator(...).flow(x, y)): rotation, shear,
               zoom and shifts, one warp in the batch writer
    layers     fit(x, y) of the net behind RandomRotation, RandomTranslation,
               RandomZoom and RandomShear: four warps

All in this process, taking turns, on MNIST if it is there; the first turn,
which compiles and records, is not counted.
"""

import argparse
import time
from typing import Any

from . import data, table, timing
from .nets import NETS

NET = "model-9"
RANGES = {
    "rotation_range": 10,
    "shear_range": 0.1,
    "zoom_range": 0.1,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
}
GOAL = 0.25  # of the plain step


def trainings(batch: int, x: Any, y: Any) -> dict[str, Any]:
    """A function for each way to train, which runs one epoch."""
    import tinynet
    from tinynet import layers

    def net(*first: Any) -> Any:
        tinynet.utils.set_random_seed(0)
        model = tinynet.Sequential([layers.Input(NETS[NET].image), *first, *NETS[NET].layers(layers)])
        model.compile(
            tinynet.optimizers.Adam(NETS[NET].learning_rate), loss="sparse_categorical_crossentropy"
        )
        return model

    plain, augmented = net(), net()
    warps = net(
        layers.RandomRotation(10 / 360),
        layers.RandomTranslation(0.1, 0.1),
        layers.RandomZoom(0.1),
        layers.RandomShear(0.002),
    )
    flow = tinynet.data.ImageDataGenerator(**RANGES).flow(x, y, batch)
    return {
        "plain": lambda: plain.fit(x, y, batch_size=batch, verbose=0),
        "generator": lambda: augmented.fit(flow, verbose=0),
        "layers": lambda: warps.fit(x, y, batch_size=batch, verbose=0),
    }


def run(args: argparse.Namespace) -> None:
    """Prints a line for each way and batch size."""
    from tinynet.kernels import threads

    threads.set_num_threads(args.threads)
    arrays, title = data.load(NETS[NET].data, args.images or 8192)
    print(
        f"{NETS[NET].title} on {len(arrays['x'])} images of {title}, {args.threads} threads, "
        f"{args.rounds} rounds"
    )
    for batch in args.batches:
        ways = trainings(batch, **arrays)
        steps = -(-len(arrays["x"]) // batch)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(args.rounds + 1):
            for name, train in ways.items():
                start = time.perf_counter()
                train()
                if number:
                    seconds[name].append((time.perf_counter() - start) / steps)
        for line in lines(batch, {name: timing.summary(values) for name, values in seconds.items()}):
            print(line, flush=True)


def lines(batch: int, found: dict[str, dict[str, float]]) -> list[str]:
    """The ways to train and what each costs beside the plain one."""
    plain = found["plain"]["median"]
    shown = [f"batch {batch}"]
    for name, seconds in found.items():
        more = seconds["median"] / plain - 1
        verdict = (
            ""
            if name != "generator"
            else f", {'within' if more <= GOAL else 'MORE THAN'} the goal of {GOAL:+.0%}"
        )
        spread = f"quartiles {table.time(seconds['q1'])} to {table.time(seconds['q3'])}"
        shown.append(f"  {name:10} {table.time(seconds['median'])} a step ({spread}) {more:+.1%}{verdict}")
    return shown
