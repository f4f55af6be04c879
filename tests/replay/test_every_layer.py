"""Every layer between two others: replayed steps give the same bits as the tape,
and there are replayed steps.
"""

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, ops

from layers.cases import CASES, FORMATS, make
from replay_tools import same_bits


@pytest.mark.parametrize(("name", "data_format"), FORMATS, ids=lambda value: value or "")
def test_every_layer(name, data_format):
    ids, x = CASES[name].ids, make(name, data_format)[1]
    shapes = [one.shape[1:] for one in (x if isinstance(x, list) else [x])]

    def build():
        inputs = [layers.Input(shape, dtype="int32" if ids else None) for shape in shapes]
        hidden = (
            inputs
            if ids
            else [layers.Dense(shape[-1])(one) for shape, one in zip(shapes, inputs, strict=True)]
        )
        layer = make(name, data_format)[0]
        y = layer(hidden if isinstance(x, list) else hidden[0])
        return tinynet.Model(inputs, layers.Dense(4)(layers.Flatten()(y)))

    rng = np.random.default_rng(0)
    data = [
        rng.integers(0, ids, (70, *s)) if ids else rng.normal(size=(70, *s)).astype(np.float32)
        for s in shapes
    ]
    if name != "InputLayer":
        y = rng.normal(size=(70, 4)).astype(np.float32)
        same_bits(build, data=(data if isinstance(x, list) else data[0], y), loss="mse")


def test_what_a_lambda_is_told_may_change():
    told = {"negative_slope": 0.1}
    layer = []

    def build():
        layer[:] = [layers.Lambda(ops.leaky_relu, arguments=told)]
        return tinynet.Sequential([layers.Input((6,)), layers.Dense(8), *layer, layers.Dense(4)])

    class Steeper(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            layer[0].arguments["negative_slope"] += 0.2

    same_bits(build, hooks=[Steeper])
