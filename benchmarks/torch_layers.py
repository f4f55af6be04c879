"""PyTorch's layers under Keras's names and with Keras's defaults, so that nets.py describes its nets as well.

PyTorch asks for the number of channels that come in. So each name here stands for a *maker*, which builds the
module when it is given the shape of its input; `sequential` sends one batch through while it builds. Images
are (N, C, H, W). The last softmax is left to the loss, `cross_entropy` of logits, as PyTorch has it.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

Maker = Callable[[torch.Size], nn.Module]

ACTIVATIONS = {
    "relu": lambda: nn.ReLU(inplace=True),
    "elu": lambda: nn.ELU(inplace=True),
    "selu": lambda: nn.SELU(inplace=True),
    "sigmoid": nn.Sigmoid,
    "softmax": nn.Identity,
    None: nn.Identity,
}


class Layers:
    """The layers that nets.py uses."""

    @staticmethod
    def Conv2D(filters: int, kernel: int, padding: str = "valid", activation: str | None = None) -> Maker:  # noqa: N802
        pad = kernel // 2 if padding == "same" else 0
        return lambda shape: _activated(nn.Conv2d(shape[1], filters, kernel, padding=pad), activation)

    @staticmethod
    def Dense(units: int, activation: str | None = None, kernel_initializer: str | None = None) -> Maker:  # noqa: N802
        return lambda shape: _activated(nn.Linear(shape[1], units), activation)

    @staticmethod
    def BatchNormalization() -> Maker:  # noqa: N802
        kinds = {2: nn.BatchNorm1d, 4: nn.BatchNorm2d}
        return lambda shape: kinds[len(shape)](shape[1], eps=1e-3, momentum=0.01)

    @staticmethod
    def Activation(name: str) -> Maker:  # noqa: N802
        return lambda shape: ACTIVATIONS[name]()

    @staticmethod
    def MaxPooling2D() -> Maker:  # noqa: N802
        return lambda shape: nn.MaxPool2d(2)

    @staticmethod
    def Dropout(rate: float) -> Maker:  # noqa: N802
        return lambda shape: nn.Dropout(rate)

    @staticmethod
    def Flatten() -> Maker:  # noqa: N802
        return lambda shape: nn.Flatten()


def _activated(layer: nn.Module, activation: str | None) -> nn.Module:
    return layer if activation is None else nn.Sequential(layer, ACTIVATIONS[activation]())


def sequential(image: tuple[int, ...], makers: Iterable[Maker], weights: list[np.ndarray]) -> nn.Module:
    """The net for images (H, W, C), holding `weights`,
    which are in the order and the shapes of Keras's get_weights.
    """
    net, x = nn.Sequential(), torch.zeros(2, image[2], image[0], image[1])
    # flattened: (C, H, W) of the maps whose pixels the next Dense layer sees
    left, flattened = iter(weights), None
    with torch.no_grad():
        for make in makers:
            module = make(x.shape)
            for part in module.modules():
                _load(part, left, flattened)
            flattened = x.shape[1:] if isinstance(module, nn.Flatten) else None
            x = module.eval()(x)  # only for its shape: moving means stay as they are
            net.append(module)
    if next(left, None) is not None:
        raise ValueError("there are more weights than this net has parameters")
    return net.train()


def _load(module: nn.Module, left: Any, flattened: torch.Size | None) -> None:
    """Fills one module with the next of Keras's arrays."""
    if isinstance(module, nn.Conv2d):
        _fill(module.weight, next(left).transpose(3, 2, 0, 1))  # (KH, KW, C, F) -> (F, C, KH, KW)
        _fill(module.bias, next(left))
    elif isinstance(module, nn.Linear):
        kernel = next(left)  # (K, M), K in the order (H, W, C) after Flatten
        if flattened is not None:
            c, h, w = flattened
            kernel = kernel.reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(kernel.shape)
        _fill(module.weight, kernel.T)
        _fill(module.bias, next(left))
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
            _fill(tensor, next(left))


def _fill(tensor: torch.Tensor, array: np.ndarray) -> None:
    tensor.copy_(torch.from_numpy(np.array(array)))
