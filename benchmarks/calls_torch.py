"""The operations of the level `kernels` in PyTorch, in both memory formats where there are images.

A gradient is `torch.autograd.grad` of the inputs that are asked for, on a graph that was built once.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .inputs import labels, uniform
from .shapes import CONVOLUTIONS, SLOTS, Calls, Conv

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
Case = dict[str, Any]

FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "max_pool2d": partial(functional.max_pool2d, kernel_size=2),
    "average_pool2d": partial(functional.avg_pool2d, kernel_size=2),
    "batch_norm": lambda x: functional.batch_norm(
        x, None, None, x.new_ones(x.shape[1]), x.new_zeros(x.shape[1]), training=True, eps=1e-3
    ),
    "dropout": partial(functional.dropout, p=0.3),
    "relu": functional.relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
    "silu": functional.silu,
    "gelu": functional.gelu,
}
OPTIMIZERS = {
    "sgd": partial(torch.optim.SGD, fused=True), "adam": partial(torch.optim.Adam, fused=True),
    "adagrad": partial(torch.optim.Adagrad, fused=True), "rmsprop": torch.optim.RMSprop,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
}  # fmt: skip
LAYOUTS = {"eager": torch.contiguous_format, "channels_last": torch.channels_last}


def calls(case: Case) -> Calls:
    op = case["op"]
    if op in SLOTS:
        return {"eager": _optimizer(op, case["shape"][0])}
    if op in CONVOLUTIONS:
        return {
            name: _convolution(op, Conv(*case["conv"]), case["batch"], layout)
            for name, layout in LAYOUTS.items()
        }
    if op.startswith("dense"):
        return {"eager": _dense(op, case["batch"], case["inputs"], case["units"])}
    if op.startswith("softmax_crossentropy"):
        return {"eager": _loss(op, case["batch"], case["shape"][0])}
    kind, shape = op.removesuffix("_grad"), (case["batch"], *case["shape"])
    x = torch.from_numpy(uniform(*shape))
    if len(shape) == 2:
        return {"eager": _call(FUNCTIONS[kind], op, [x])}
    return {name: _call(FUNCTIONS[kind], op, [_image(x, layout)]) for name, layout in LAYOUTS.items()}


def _image(x: Tensor, layout: torch.memory_format) -> Tensor:
    """(N, H, W, C) -> (N, C, H, W) in the order of memory that is asked for."""
    return x.permute(0, 3, 1, 2).contiguous(memory_format=layout)


def _call(
    function: Callable[..., Tensor], op: str, inputs: list[Tensor], wanted: Sequence[int] = (0,)
) -> Callable[[], Any]:
    """The forward call, or the call for the gradients of the inputs with the numbers `wanted`."""
    if not op.endswith("_grad"):

        def forward() -> Tensor:
            with torch.no_grad():
                return function(*inputs)

        return forward
    sources = [inputs[number].requires_grad_() for number in wanted]
    y = function(*inputs)
    g = torch.rand_like(y)
    return lambda: torch.autograd.grad(y, sources, g, retain_graph=True)


def _convolution(op: str, conv: Conv, batch: int, layout: torch.memory_format) -> Callable[[], Any]:
    x = _image(torch.from_numpy(uniform(batch, conv.height, conv.width, conv.channels)), layout)
    w = torch.from_numpy(uniform(conv.filters, conv.channels, conv.kernel, conv.kernel)).contiguous(
        memory_format=layout
    )
    # Keras puts an odd row of padding at the end, PyTorch one more at the start too:
    # as many multiply-adds, or a few more.
    padding = 0 if conv.padding == "valid" else conv.kernel // 2
    function = partial(functional.conv2d, stride=conv.stride, padding=padding)
    return _call(
        function, op, [x, w, torch.from_numpy(uniform(conv.filters))], [int(op == "conv2d_weight_grad")]
    )


def _dense(op: str, batch: int, inputs: int, units: int) -> Callable[[], Any]:
    sizes = (batch, inputs), (units, inputs), (units,)
    return _call(functional.linear, op, [torch.from_numpy(uniform(*size)) for size in sizes], (0, 1, 2))


def _loss(op: str, batch: int, classes: int) -> Callable[[], Any]:
    y = torch.from_numpy(labels(batch, classes))
    logits = torch.from_numpy(uniform(batch, classes))
    return _call(lambda z: functional.cross_entropy(z, y, reduction="none"), op, [logits])


def _optimizer(op: str, size: int) -> Callable[[], Any]:
    w = torch.from_numpy(uniform(size)).requires_grad_()
    w.grad = torch.from_numpy(uniform(size))
    return OPTIMIZERS[op]([w], lr=1e-3).step
