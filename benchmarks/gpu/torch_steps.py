"""Section `torch`: the same steps in PyTorch, in every mode that might be its fastest.

    eager       a plain loop, with fused Adam, gradients set to None and the loss left on the GPU
    graph       the whole step as one CUDA graph
    compile     torch.compile of net and loss;  compile, graphs: with its own CUDA graphs

each with images in PyTorch's order and channels_last, in float32 and with TF32 (tensor cores, which tinynet
does not use). Modes that compile for long come last: the time limit of the section may leave some out.
"""

import time
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

from .. import data
from ..nets import NETS
from .kept import Kept
from .options import Options
from .steps import folder, images, timed

WARM = 11  # steps before a graph is recorded


class Mode(NamedTuple):
    """How a step is run."""

    execution: str
    channels_last: bool
    tf32: bool

    def __str__(self) -> str:
        return ", ".join(
            [
                self.execution,
                *(["channels_last"] if self.channels_last else []),
                *(["TF32"] if self.tf32 else []),
            ]
        )


def todo(options: Options, on_gpu: bool) -> Iterator[tuple[str, int, Mode]]:
    """(net, batch, mode), the quick ones and those in float32 first."""
    executions = [("graph", "eager"), ("compile", "compile, graphs")] if on_gpu else [("eager",)]
    for together, tf32 in product(executions, (False, True)):
        for batch, net, execution, last in product(options.batches, options.nets, together, (False, True)):
            yield net, batch, Mode(execution, last, tf32)


def run(kept: Kept, options: Options) -> None:
    """A record for each net, batch and mode; one that fails says why."""
    try:
        import torch
    except ImportError:
        kept.add(
            {"left_out": "PyTorch is not installed in this interpreter; --peer-python names another one"}
        )
        return
    on_gpu = torch.cuda.is_available()
    if not on_gpu and not options.stand_in:
        kept.add({"left_out": f"PyTorch {torch.__version__} sees no GPU"})
        return
    torch.backends.cudnn.benchmark = True
    for net, batch, mode in todo(options, on_gpu):
        key = {"net": net, "batch": batch, "library": "torch", "mode": str(mode)}
        if not kept.has(**key):
            try:
                found = measured(torch, "cuda" if on_gpu else "cpu", net, batch, mode, options)
            except Exception as error:
                found = {"error": f"{type(error).__name__}: {error}"[:500]}
            kept.add({**key, "tf32": mode.tf32, "version": torch.__version__, **found})


def measured(torch: Any, place: str, net: str, batch: int, mode: Mode, options: Options) -> dict[str, Any]:
    """Seconds of a step: those of an epoch, until its loss is known, divided by its steps."""
    torch.manual_seed(0)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = mode.tf32
    began, trainer = time.perf_counter(), Trainer(torch, place, net, batch, mode, options)
    return timed(trainer.epoch, trainer.steps, began, options)


class Trainer:
    """A net on the GPU with its images, and one step of it as `step()`, which adds its loss to `total`."""

    def __init__(self, torch: Any, place: str, net: str, batch: int, mode: Mode, options: Options) -> None:
        from .. import torch_layers

        arrays, what = images(NETS[net].data, options.size(batch)), NETS[net]
        layout = torch.channels_last if mode.channels_last else torch.contiguous_format
        weights = data.read_weights(folder(options, net))
        self.net = torch_layers.sequential(what.image, what.layers(torch_layers.Layers), weights)
        self.net = self.net.to(place).to(memory_format=layout)
        x = torch.from_numpy(arrays["x"].transpose(0, 3, 1, 2)).to(place)
        self.torch, self.steps = torch, options.size(batch) // batch
        self.x, self.y = x.contiguous(memory_format=layout), torch.from_numpy(arrays["y"]).to(place)
        self.layout = layout
        self.order = torch.arange(len(self.x), device=place)  # of the epoch, in place: a graph reads it there
        self.at = torch.arange(batch, device=place)  # of the step, likewise
        self.batch, self.total = batch, torch.zeros((), device=place)
        adam = {"lr": what.learning_rate, "eps": 1e-7, "fused": True, "capturable": place == "cuda"}
        self.optimizer = torch.optim.Adam(self.net.parameters(), **adam)
        self.loss = self._loss
        if mode.execution.startswith("compile"):
            how = {"mode": "reduce-overhead"} if "graphs" in mode.execution else {}
            self.loss = torch.compile(self._loss, **how)
        self.step: Callable[[], None] = self._step
        if mode.execution == "graph":
            self.step = self._recorded()

    def _loss(self, x: Any, y: Any) -> Any:
        return self.torch.nn.functional.cross_entropy(self.net(x), y)

    def _step(self) -> None:
        index = self.order.index_select(0, self.at)
        x = self.x.index_select(0, index).contiguous(memory_format=self.layout)
        loss = self.loss(x, self.y.index_select(0, index))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.total += loss.detach()
        self.at += self.batch

    def _recorded(self) -> Callable[[], None]:
        """The step as a CUDA graph; steps on a stream beside warm it up, then everything is put back."""
        torch = self.torch
        kept = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM):
                self.at.copy_(torch.arange(self.batch, device=self.at.device))
                self._step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        self.net.load_state_dict(kept)
        for state in self.optimizer.state.values():
            for tensor in state.values():
                tensor.zero_()
        return graph.replay

    def epoch(self) -> float:
        """All steps in a new order; their mean loss."""
        torch = self.torch
        self.order.copy_(torch.randperm(len(self.order), device=self.order.device))
        self.at.copy_(torch.arange(self.batch, device=self.at.device))
        self.total.zero_()
        for _ in range(self.steps):
            self.step()
        return float(self.total) / self.steps
