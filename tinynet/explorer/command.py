"""`python -m tinynet explore net.tinynet --data digits`: a page of a net that is in a file."""

import argparse
import importlib
import sys
from typing import Any

import numpy as np

from tinynet import saving
from tinynet.datasets import DatasetUnavailable, digits
from tinynet.explorer import explore
from tinynet.utils import to_categorical


def main(args: argparse.Namespace) -> int:
    """Writes the page that the arguments of `tinynet/__main__.py` describe; returns the exit status."""
    try:
        net = saving.load_model(args.net)
        x, y = images_for(net, args.data)
        explore(net, x / np.float32(args.divide), y, args.out, images=args.images, open=args.open)
    except (OSError, ValueError, DatasetUnavailable) as error:
        sys.stderr.write(f"explore: {error}\n")
        return 1
    return 0


def images_for(net: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a data set in the form that a net takes; ValueError if it takes others."""
    (x, y), _ = importlib.import_module(f"tinynet.datasets.{name}").load_data()
    shape = tuple(net.input_shape[1:]) if isinstance(net.input_shape, tuple) else None
    if name == "digits" and shape is not None and shape[:2] == (28, 28):
        x = digits.upsample(x)
    if shape is not None and x.shape[1:] != shape and x[0].size == np.prod(shape):
        x = x.reshape(len(x), *shape)  # with an axis of one channel, or flat
    if shape is None or x.shape[1:] != shape:
        raise ValueError(f"{net} takes inputs {net.input_shape}, and the images of {name} are {x.shape[1:]}")
    y = y.reshape(len(y))
    loss = net.loss if isinstance(net.loss, str) else getattr(net.loss, "name", "")
    return x, to_categorical(y) if loss == "categorical_crossentropy" else y
