"""What a training step launches on a GPU: counted while a captured step is repeated, on any machine.

The step runs on the stand-in for CuPy (tests/cupy_stand_in), which says of each launch what it is given, and
runs no kernel. It is counted as `fit` repeats it: the batch that is chosen, the numbers that are sent, the
launches of the CUDA graph. So nothing here is written down by hand: launches are those of the engine, bytes
those of the arrays, and multiply-adds follow from the numbers that the kernels of convolutions and products
are given.
"""

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..nets import NETS
from ..process import ROOT

BATCHES, EPOCHS = 2, 3  # the last step of six is counted; captured, compared and repeated are those before
NO_LAUNCH = ("empty", "empty_like")  # functions of CuPy's that only find memory


class Launch(NamedTuple):
    """One of a step: a kernel, or a function of arrays of CuPy's."""

    name: str
    bytes: int  # of all arrays that it is given, each touched once
    flops: int  # two for each multiply-add that meets numbers; elsewhere one for each number
    threads: int  # 0 where CuPy chooses them


class Step(NamedTuple):
    """The launches of a step, and the bytes of all the arrays that they meet."""

    launches: list[Launch]
    bytes: int


class _Notes:
    """Observer of the stand-in: what is launched; nothing runs."""

    def __init__(self) -> None:
        self.launches: list[Launch] = []
        self.spans: dict[int, int] = {}  # first byte: bytes, of the arrays met

    def __call__(self, name: str, given: Sequence[Any], grid: Sequence[int], block: Sequence[int]) -> bool:
        held = [x for x in given if isinstance(x, np.ndarray)]
        arrays = [x for x in held if x.dtype.names is None]
        spans = dict(_span(array) for array in arrays)
        for table in arrays:
            spans.update(_updated(table))
        self.spans |= spans
        numbers = sum(x.size for x in arrays)
        if name.startswith("product<"):
            work = _of_products(held, grid)
        else:
            work = next((work for x in held if (work := multiply_adds(name, x))), 0)
        flops = 2 * work or numbers
        threads = math.prod(grid) * math.prod(block) if grid else 0
        if name not in NO_LAUNCH:
            self.launches.append(Launch(name, sum(spans.values()), flops, threads))
        return False


def _span(array: np.ndarray) -> tuple[int, int]:
    return array.__array_interface__["data"][0], array.nbytes


def _updated(table: np.ndarray) -> dict[int, int]:
    """The stretches of variables, gradients and slots in a table of an optimizer's (optimizers/sweep.py)."""
    from tinynet.kernels.optimizers.sweep import COLUMNS, COUNT, W

    if table.dtype != np.int64 or table.ndim != 2 or table.shape[1] != COLUMNS:
        return {}
    return {
        int(address): 4 * int(row[COUNT]) for row in table for address in row[W:] if address
    }  # of float32: what is trained here


def multiply_adds(kernel: str, argument: np.ndarray) -> int:
    """Those of a convolution or a product whose tap meets a pixel; 0 for what is not its struct of sizes."""
    name, _, template = kernel.partition("<")
    if argument.dtype.names is None or name not in ("convolve", "weight_grad"):
        return 0
    s = {name: int(argument[name].item()) for name in argument.dtype.names}
    if name == "weight_grad":
        pairs = _pairs(s, "h", s["h"], s["oh"]) * _pairs(s, "w", s["w"], s["ow"])
        return s["n"] * pairs * s["c"] * s["f"] * s["groups"]
    pairs, per_pixel = 1, s["n"] * s["outputs"] * s["inputs"] * s["groups"]
    if s["column_images"]:  # a product: the columns are its samples
        return per_pixel
    for axis, inner, outer in (("h", "in_rows", "rows"), ("w", "in_columns", "columns")):
        sizes = (s[outer], s[inner]) if "true" in template else (s[inner], s[outer])
        pairs *= _pairs(s, axis, *sizes)
    return per_pixel * pairs


def _pairs(s: dict[str, int], axis: str, size: int, outputs: int) -> int:
    """Pairs of an output and a tap, along one axis, that meet a pixel of the map."""
    kernel, stride, step = s[f"k{axis}"], s[f"s{axis}"], s[f"d{axis}"]
    before = s["top" if axis == "h" else "left"]
    return sum(0 <= o * stride + k * step - before < size for o in range(outputs) for k in range(kernel))


def _of_products(given: list[np.ndarray], grid: Sequence[int]) -> int:
    """Multiply-adds of matrix products (gemm.cu): k for each number of a result, which has several parts."""
    (sizes,) = (x for x in given if x.dtype.names is not None)
    return given[0].size // grid[1] * int(sizes["k"].item())


def step(net: str, batch: int) -> Step:
    """A training step of a net of nets.py, as `fit` runs it: from the choice of the batch to its loss."""
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    import cupy_stand_in

    with cupy_stand_in.installed(memory=1 << 38), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is computed without kernels are no numbers
        return _counted(net, batch, cupy_stand_in.machine)


def _counted(net: str, batch: int, machine: Any) -> Step:
    import tinynet

    from ..training import keras_net

    notes = _Notes()
    tinynet.set_device("gpu")
    try:
        type(machine).observer = notes
        x = np.zeros((BATCHES * batch, *NETS[net].image), np.float32)
        model = keras_net(tinynet, net)
        last = _of_one_step(tinynet.callbacks.Callback, notes)
        labels = np.zeros(len(x), np.int64)
        model.fit(x, labels, batch_size=batch, epochs=EPOCHS, verbose=0, callbacks=[last])
        if not model.replay.why().startswith("replayed"):
            raise RuntimeError(f"a step of {net} is no graph: {model.replay.why()}")
    finally:
        type(machine).observer = None
        tinynet.set_device("cpu")
    return last.step


def _of_one_step(callback: Any, notes: _Notes) -> Any:
    """A callback that keeps the launches of the last step. Its batch is chosen before a step begins, so it
    counts from the end of the step before.
    """

    class OneStep(callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step = Step(notes.launches, sum(notes.spans.values()))
            notes.launches, notes.spans = [], {}

    return OneStep()
