"""Level `own_loop`: a training step of a loop of one's own, with @tinynet.replayed,
beside that of `fit` (printed, not kept).

    fit      fit(x, y), with the metric accuracy
    loop     examples/own_loop.py: batches picked by NumPy, a step that is replayed, the same loss and metric
    python   the same loop without @tinynet.replayed

All in this process, taking turns; the first turn, which compiles and captures, is not counted.
"""

import argparse
import time
from typing import Any

from . import data, table, timing
from .nets import NETS

GOAL = 0.10  # of the step of fit


def trainings(net: str, batch: int, x: Any, y: Any) -> dict[str, Any]:
    """A function for each way to train, which runs one epoch."""
    import numpy as np

    import tinynet
    from tinynet import layers, losses, metrics, optimizers

    def made() -> Any:
        tinynet.utils.set_random_seed(0)
        return tinynet.Sequential([layers.Input(NETS[net].image), *NETS[net].layers(layers)])

    def loop(replays: bool) -> Any:
        model, optimizer = made(), optimizers.Adam(NETS[net].learning_rate)
        loss_of, accuracy, mean = (
            losses.SparseCategoricalCrossentropy(),
            metrics.SparseCategoricalAccuracy(),
            metrics.Mean(),
        )

        def step(x: Any, y: Any) -> Any:
            y_pred = model(x, training=True)
            loss = loss_of(y, y_pred)
            optimizer.apply(tinynet.grad(loss, model.trainable_weights), model.trainable_weights)
            mean.update_state(loss)
            accuracy.update_state(y, y_pred)
            return loss

        run = tinynet.replayed(step) if replays else step

        def epoch() -> None:
            order = np.random.default_rng(0).permutation(len(x))
            for first in range(0, len(x), batch):
                chosen = order[first : first + batch]
                run(x[chosen], y[chosen])

        return epoch

    fitted = made()
    fitted.compile(
        optimizers.Adam(NETS[net].learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return {
        "fit": lambda: fitted.fit(x, y, batch_size=batch, verbose=0),
        "loop": loop(True),
        "python": loop(False),
    }


def run(args: argparse.Namespace) -> None:
    """Prints a line for each way, net and batch size."""
    from tinynet.kernels import threads

    threads.set_num_threads(args.threads)
    for net in args.nets:
        arrays, title = data.load(NETS[net].data, args.images or 4096)
        print(
            f"{NETS[net].title} on {len(arrays['x'])} images of {title}, {args.threads} threads, "
            f"{args.rounds} rounds"
        )
        for batch in args.batches:
            ways = trainings(net, batch, arrays["x"].astype("float32"), arrays["y"])
            steps = -(-len(arrays["x"]) // batch)
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            for number in range(args.rounds + 1):
                for name, train in ways.items():
                    start = time.perf_counter()
                    train()
                    if number:
                        seconds[name].append((time.perf_counter() - start) / steps)
            for line in lines(batch, seconds):
                print(line, flush=True)


def lines(batch: int, seconds: dict[str, list[float]]) -> list[str]:
    """The ways to train, the fastest and the median step of each,
    and what the fastest costs beside that of `fit`.
    """
    shown = [f"batch {batch}"]
    for name, values in seconds.items():
        more = min(values) / min(seconds["fit"]) - 1
        verdict = (
            f", {'within' if more <= GOAL else 'MORE THAN'} the goal of {GOAL:+.0%}" if name == "loop" else ""
        )
        median = table.time(timing.summary(values)["median"])
        shown.append(f"  {name:7} {table.time(min(values))} a step (median {median}) {more:+.1%}{verdict}")
    return shown
