"""Section `steps`: training steps through `fit` on a GPU, recorded and eager, on images that lie there."""

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..nets import NETS
from ..timing import summary
from ..training import keras_net, load_library
from .kept import Kept
from .options import Options

MODES = {"fit": {}, "eager": {"run_eagerly": True}}


def run(kept: Kept, options: Options) -> None:
    """A record for each net, batch and mode."""
    import tinynet

    tinynet.set_device("gpu")
    write_weights(options)
    for batch in options.batches:
        for net in options.nets:
            for mode in MODES:
                key = {"net": net, "batch": batch, "library": "tinynet", "mode": mode}
                if not kept.has(**key):
                    kept.add({**key, **measured(net, batch, mode, options)})


def measured(net: str, batch: int, mode: str, options: Options) -> dict[str, Any]:
    """Seconds of a step: those of an epoch, until its loss is known, divided by its steps."""
    from tinynet.backend import device

    arrays, steps = images(NETS[net].data, options.size(batch)), options.size(batch) // batch
    x, y = (device.to_device(arrays[name]) for name in ("x", "y"))  # not sent again at each epoch
    began = time.perf_counter()
    library = load_library("tinynet")
    model = keras_net(library, net, **MODES[mode])
    model.set_weights(data.read_weights(folder(options, net)))

    def epoch() -> float:
        return float(model.fit(x, y, batch_size=batch, verbose=0).history["loss"][-1])

    return {**timed(epoch, steps, began, options), "replay": model.replay.why()}


def timed(epoch: Callable[[], float], steps: int, began: float, options: Options) -> dict[str, Any]:
    """One epoch that compiles, begun at the time `began`, and some more that are timed."""
    losses, times = [epoch()], list[float]()
    first = time.perf_counter() - began
    while len(times) < options.rounds and (len(times) < 2 or sum(times) * steps < options.seconds):
        start = time.perf_counter()
        losses.append(epoch())
        times.append((time.perf_counter() - start) / steps)
    return {"step_s": summary(times), "first_epoch_s": first, "steps": steps, "losses": losses}


@cache
def images(name: str, count: int) -> dict[str, np.ndarray]:
    """Made once for all nets and modes of a batch size."""
    return data.synthetic(name, count)


def folder(options: Options, net: str) -> Path:
    return options.folder / "weights" / net


def write_weights(options: Options) -> None:
    """The first weights of each net, which all libraries start from."""
    library = load_library("tinynet")
    for net in options.nets:
        if not (folder(options, net) / "weight000.npy").exists():
            weights = keras_net(library, net).get_weights()
            data.save(folder(options, net), [np.asarray(weight) for weight in weights])
