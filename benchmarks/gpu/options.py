"""How much of everything is measured: all of it, little (`--quick`), or hardly anything (`--stand-in`)."""

import importlib.util
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from ..nets import DIGIT, NETS, Net
from ..process import ROOT

MEASURED = ("model-9", "model-7", "s3-03", "s2-03")


class Options(NamedTuple):
    """What the sections are given."""

    folder: Path
    nets: tuple[str, ...] = MEASURED
    batches: tuple[int, ...] = (128, 32, 1024)
    steps: int = 200  # of an epoch, and fewer where these are more than `images`
    images: int = 51_200
    rounds: int = 5  # epochs that are timed, and fewer where these take more than `seconds`
    seconds: float = 0.6
    copies: tuple[int, ...] = tuple(1 << power for power in range(18, 32, 2))
    launches: int = 1000
    peak: tuple[int, int, int] = (132 * 16, 256, 4096)  # blocks, threads, turns
    groups: tuple[str, ...] = (
        "nets",
        "pooling",
        "batch norm",
        "dropout",
        "activations",
        "loss",
        "dense",
        "optimizers",
    )  # of shapes.py
    kernels: int = 10_000  # cases, at most
    in_a_graph: int = 20  # calls of a kernel that are timed together
    seeds: int = 3
    goal: float = 0.99
    most: int = 30  # epochs
    tests: tuple[str, ...] = ("tests/on_gpu", "tests/kernels")
    stand_in: bool = False

    def size(self, batch: int) -> int:
        """Images of an epoch."""
        return min(self.steps, max(1, self.images // batch)) * batch


QUICK = {"nets": ("model-9", "s2-03"), "batches": (128, 1024), "rounds": 3, "kernels": 20, "seeds": 1}
TINY: dict[str, Any] = {
    "nets": ("regression",), "batches": (2,), "images": 8, "steps": 4, "rounds": 1, "copies": (4096, 8192),
    "launches": 2, "peak": (1, 32, 2), "groups": ("loss", "optimizers"), "kernels": 3, "in_a_graph": 1,
    "seeds": 1, "goal": 0.0, "most": 1,
    "tests": ("tests/on_gpu/test_steps.py::test_masks_of_dropout_have_the_bits_that_they_have_on_the_cpu",),
    "stand_in": True,
}  # fmt: skip


def options(folder: Path, quick: bool, stand_in: bool) -> Options:
    """What is asked for. On the stand-in a net is trained whose kernels take the CPU no time."""
    if stand_in:
        NETS["regression"] = Net("Softmax regression", "mnist", DIGIT, 1e-3, 7_850, 0.05, _regression)
    return Options(folder, **(TINY if stand_in else QUICK if quick else {}))


def _regression(layers: Any) -> list[Any]:
    return [layers.Flatten(), layers.Dense(10, activation="softmax")]


def gpu(chosen: Options) -> AbstractContextManager[Any]:
    """Context with CuPy: the one that is installed, or the stand-in."""
    if not chosen.stand_in:
        return nullcontext()
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    import cupy_stand_in

    return cupy_stand_in.installed(memory=1 << 38, checked=False)  # nobody looks for races here


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def workers() -> int:
    """Processes for the tests: the GPU is one, what they wait for is the host."""
    return 1 if importlib.util.find_spec("xdist") is None else max(1, min(8, (os.cpu_count() or 2) // 2))
