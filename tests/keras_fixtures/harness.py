"""Cases: scripts that are the same for Keras and for tinynet. Registers them,
runs one, stores and compares what came out.

A case is `case(k, run)`: `k` is the library, `run` a Run, and it returns {name: what is compared}. Models,
Histories, dicts and lists are taken apart into float32 arrays named "history/loss", "weights/0" and so on.
"""

import importlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TOPICS = (
    "optimizers", "schedules", "losses", "metrics", "activations", "convolutions", "pooling", "reshaping",
    "normalization", "augmentation", "penalties", "fitting", "graphs", "sharing", "outputs", "own_layers",
    "own_models", "freezing", "callbacks",
)  # fmt: skip
STORED = Path(__file__).with_name("stored")
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """`family`: the cases of one table, which begin with the same weights and data and must not end alike."""

    topic: str
    name: str
    family: str
    body: Callable[[Any, "Run"], dict[str, Any]]


CASES: dict[str, Case] = {}


def case(body: Callable) -> Callable:
    """Registers `body(k, run)` under its name."""
    return _register(body, body.__name__, body)


def cases(table: Mapping[str, Any]) -> Callable:
    """Registers `body(k, run, option)` once for each option of `table`: {name: option}."""

    def register(body: Callable) -> Callable:
        for name, option in table.items():
            _register(body, f"{body.__name__}-{name}", lambda k, run, option=option: body(k, run, option))
        return body

    return register


def _register(body: Callable, name: str, bound: Callable) -> Callable:
    topic = body.__module__.rpartition(".")[2]
    if f"{topic}/{name}" in CASES:
        raise ValueError(f"two cases are called {topic}/{name}")
    CASES[f"{topic}/{name}"] = Case(topic, name, f"{topic}/{body.__name__}", bound)
    return body


def load_cases() -> dict[str, Case]:
    """All cases by id, "topic/name"."""
    for topic in TOPICS:
        importlib.import_module(f"keras_fixtures.cases.{topic}")
    return CASES


class Run:
    """Data, starting weights and results of one run of a case; `folder` is for files that it writes.

    Everything random comes from RandomState(family), whose streams NumPy has promised never to change.
    """

    def __init__(self, one: Case, library: Any, folder: Path) -> None:
        self._random = np.random.RandomState(zlib.crc32(one.family.encode()))
        self._suffix = ".weights.h5" if library.__name__ == "keras" else ".safetensors"
        self.folder = folder

    def x(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """Normal deviates."""
        return (scale * self._random.normal(size=shape)).astype(np.float32)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        return self._random.uniform(low, high, size=shape).astype(np.float32)

    def labels(self, *shape: int, classes: int = 3) -> np.ndarray:
        """Numbers of classes."""
        return self._random.randint(0, classes, size=shape)

    def onehot(self, n: int, classes: int = 3) -> np.ndarray:
        return np.eye(classes, dtype=np.float32)[self.labels(n, classes=classes)]

    def start(self, model: Any) -> None:
        """Gives the model its first weights: the same in both libraries,
        and none of them 0 or 1, which would hide mistakes.

        Weights that begin as a constant (biases, gammas, moving variances) stay near it,
        so the constant matters too.
        """
        model.set_weights([self._first(np.asarray(w)) for w in model.get_weights()])

    def _first(self, w: np.ndarray) -> np.ndarray:
        noise = self._random.normal(size=w.shape)
        if w.dtype.kind != "f":
            return w
        if w.ndim < 2 or (w.size > 1 and np.ptp(w) == 0):
            return (w + 0.2 * np.abs(noise)).astype(w.dtype)
        inputs = np.prod(w.shape[:-1])
        return (noise / np.sqrt(inputs)).astype(w.dtype)

    def weights_path(self, name: str) -> str:
        """A file for weights in the run's folder, with the ending that the library in use wants."""
        return str(self.folder / (name + self._suffix))

    def end(self, model: Any, x: Any, history: Any = None, **more: Any) -> dict[str, Any]:
        """What most cases return: the history, final weights,
        and predictions (of the first rows, to keep files small).
        """
        found = {} if history is None else {"history": history}
        return {**found, "weights": model, "predictions": model.predict(rows(x, 6), verbose=0), **more}


def rows(x: Any, n: int) -> Any:
    """The first n samples of an array, or of a list or dict of them."""
    if isinstance(x, dict):
        return {key: value[:n] for key, value in x.items()}
    return [value[:n] for value in x] if isinstance(x, list | tuple) else x[:n]


def execute(one: Case, library: Any, folder: Path) -> Arrays:
    """Runs the case and takes what it returns apart."""
    return dict(_leaves("", one.body(library, Run(one, library, folder))))


def _leaves(name: str, value: Any) -> Iterator[tuple[str, np.ndarray]]:
    if hasattr(value, "get_weights"):
        value = value.get_weights()
    elif hasattr(value, "history"):
        value = {**value.history, "epoch": value.epoch}
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{name}/{key}" if name else str(key), item)
    elif isinstance(value, list | tuple) and not all(isinstance(item, int | float) for item in value):
        for number, item in enumerate(value):
            yield from _leaves(f"{name}/{number}", item)
    else:
        yield name, np.asarray(value.detach() if hasattr(value, "detach") else value).astype(np.float32)


# The store: for each topic one file with all numbers in a row,
# and the names and shapes that cut it into arrays.


def store(topic: str, results: Mapping[str, Arrays], made_with: str, folder: Path = STORED) -> None:
    """Writes {case: arrays}."""
    layout = {case: {name: list(a.shape) for name, a in arrays.items()} for case, arrays in results.items()}
    numbers = [a.ravel() for arrays in results.values() for a in arrays.values()]
    note = json.dumps({"made_with": made_with, "layout": layout}, separators=(",", ":"))
    values = np.concatenate(numbers).astype(np.float32)
    np.savez_compressed(folder / f"{topic}.npz", note=np.frombuffer(note.encode(), np.uint8), values=values)


def stored(topic: str, folder: Path = STORED) -> dict[str, Arrays]:
    """What `store` wrote; {} where there is no file."""
    path = folder / f"{topic}.npz"
    if not path.exists():
        return {}
    with np.load(path) as file:
        layout, values = json.loads(file["note"].tobytes())["layout"], file["values"]
    results: dict[str, Arrays] = {}
    at = 0
    for case, shapes in layout.items():
        results[case] = {}
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            results[case][name] = values[at : at + size].reshape(shape)
            at += size
    return results


def distance(found: Arrays, expected: Arrays, rtol: float, atol: float) -> float:
    """The largest error in units of what is allowed, atol + rtol |expected|;
    infinite for other names or shapes.
    """
    if [(name, a.shape) for name, a in found.items()] != [(name, a.shape) for name, a in expected.items()]:
        return np.inf
    worst = 0.0
    for name, wanted in expected.items():
        got = found[name]
        if not np.array_equal(np.isfinite(got), np.isfinite(wanted)):
            return np.inf
        finite = np.isfinite(wanted)
        error = np.abs(got[finite] - wanted[finite]) / (atol + rtol * np.abs(wanted[finite]))
        worst = max(worst, float(error.max(initial=0)))
    return worst
