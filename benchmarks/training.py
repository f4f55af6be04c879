"""Trains a net of nets.py in this process: through `fit` in tinynet and Keras, with a plain loop in PyTorch.

PyTorch's loop is the fast way to write one: data in tensors, batches by index_select, gradients set to None,
fused Adam, the loss added up without waiting for it. Adam's epsilon is Keras's 1e-7 everywhere.
"""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import data
from .nets import NETS
from .process import without_avx512

# Modes to try for each library; the fastest one is the library's number.
MODES = {
    "tinynet": ["fit"],
    "before": ["fit"],
    "torch": ["eager", "channels_last", "compile", "compile, max-autotune", "compile, whole step"],
    "keras-tensorflow": ["graph", "graph, 16 steps a call", "xla"],
    "keras-jax": ["jit"],
}
COMPILE = {
    "graph": {"jit_compile": False},
    "graph, 16 steps a call": {"jit_compile": False, "steps_per_execution": 16},
    "xla": {"jit_compile": True},
    "jit": {"jit_compile": True},
}


def trainer(
    library: str, net: str, mode: str, batch: int, folder: str, use: dict[str, str], options: dict[str, Any]
) -> Any:
    """A trainer of `net` on the arrays in `folder`; `use` chooses tinynet's kernels,
    `options` go to its compile.
    """
    if library == "torch":
        return TorchTrainer(net, mode, batch, Path(folder))
    return FitTrainer(library, net, batch, Path(folder), use, COMPILE.get(mode, options))


def keras_net(library: Any, name: str, metrics: list[str] | None = None, **options: Any) -> Any:
    """A compiled net of tinynet or Keras."""
    what = NETS[name]
    net = library.Sequential([library.layers.Input(what.image), *what.layers(library.layers)])
    adam = library.optimizers.Adam(what.learning_rate)
    net.compile(adam, loss="sparse_categorical_crossentropy", metrics=metrics, **options)
    return net


def load_library(name: str, seed: int = 0) -> Any:
    """The module `tinynet` or `keras`, seeded."""
    if name == "tinynet":
        import tinynet as library
        from tinynet.kernels.emit import host

        if without_avx512() and "+avx512f" in host.cpu()[1].split(","):
            raise RuntimeError(f"{library.__file__} does not know TINYNET_CPU: it has code for AVX-512 only")
    else:
        import keras as library
    library.utils.set_random_seed(seed)
    return library


class FitTrainer:
    """tinynet, and Keras on any backend: the same program."""

    def __init__(
        self, library: str, net: str, batch: int, folder: Path, use: dict[str, str], options: dict[str, Any]
    ) -> None:
        self.library, self.batch = load_library(library), batch
        self.x, self.y = data.read(folder, "x", "y")
        self.weights = data.read_weights(folder)
        self.stack = ExitStack()  # holds the choice of kernels until the process ends
        for family, implementation in use.items():
            self.stack.enter_context(self.library.kernels.use(family, implementation))
        self.start = time.perf_counter()
        self.net = keras_net(self.library, net, **options)
        self.net.set_weights(self.weights)

    def first_step(self) -> dict[str, float]:
        """Seconds to build the net and to take a first step, compilation included."""
        self.net.fit(self.x[: self.batch], self.y[: self.batch], batch_size=self.batch, verbose=0)
        seconds = time.perf_counter() - self.start
        self.net.set_weights(self.weights)
        return {"first_step_s": seconds}

    def fit(self) -> float:
        """One epoch; its mean loss."""
        return float(
            self.net.fit(self.x, self.y, batch_size=self.batch, epochs=1, verbose=0).history["loss"][-1]
        )

    def ways(self) -> dict[str, Callable[[Any], Any]]:
        """How the net can be asked: x (N, H, W, C) -> probabilities, in NumPy."""
        convert = self.library.ops.convert_to_numpy
        return {
            "predict": lambda x: self.net.predict(x, batch_size=len(x), verbose=0),
            "predict_on_batch": self.net.predict_on_batch,
            "call": lambda x: convert(self.net(x, training=False)),
        }


class TorchTrainer:
    """PyTorch: eager, with channels-last memory, or compiled: the loss, the loss at any cost, the step."""

    def __init__(self, net: str, mode: str, batch: int, folder: Path) -> None:
        import torch

        from . import torch_layers

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        torch.manual_seed(0)
        self.torch, self.batch, self.start = torch, batch, time.perf_counter()
        what = NETS[net]
        self.net = torch_layers.sequential(
            what.image, what.layers(torch_layers.Layers), data.read_weights(folder)
        )
        self.layout = torch.channels_last if "channels_last" in mode else torch.contiguous_format
        self.net.to(memory_format=self.layout)
        last = self.layout is torch.channels_last
        x, y = data.read(folder, "x" if last else "x_channels_first", "y")
        # a view, in the order of memory that is wanted
        self.x = torch.from_numpy(x.transpose(0, 3, 1, 2) if last else x)
        self.y = torch.from_numpy(y)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=what.learning_rate, eps=1e-7, fused=True)
        self.mode, self.loss, self.step = mode, self._loss, self._step
        if mode == "compile, whole step":
            self.step = torch.compile(self._step)
        elif mode.startswith("compile"):
            tuning = {"mode": "max-autotune"} if "max-autotune" in mode else {}
            self.loss = torch.compile(self._loss, **tuning)

    def _loss(self, x: Any, y: Any) -> Any:
        return self.torch.nn.functional.cross_entropy(self.net(x), y)

    def _step(self, index: Any) -> Any:
        x = self.x.index_select(0, index).contiguous(memory_format=self.layout)
        loss = self.loss(x, self.y.index_select(0, index))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def first_step(self) -> dict[str, float]:
        kept = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        self.step(self.torch.arange(self.batch))
        seconds = time.perf_counter() - self.start
        self.net.load_state_dict(kept)
        return {"first_step_s": seconds}

    def fit(self) -> float:
        self.net.train()
        order, total = self.torch.randperm(len(self.x)), self.torch.zeros(())
        for start in range(0, len(order), self.batch):
            total += self.step(order[start : start + self.batch])
        return float(total) / -(-len(order) // self.batch)

    def ways(self) -> dict[str, Callable[[Any], Any]]:
        """The net as it was made: x -> probabilities, in NumPy."""
        net = self.net
        if self.mode == "compile":  # every number of images by itself: with sizes left open it is slower
            self.torch._dynamo.config.recompile_limit = 64
            net = self.torch.compile(net, dynamic=False)

        @self.torch.inference_mode()
        def ask(x: Any) -> Any:
            return self.torch.softmax(net(x.contiguous(memory_format=self.layout)), 1).numpy()

        self.net.eval()
        return {self.mode: ask}
