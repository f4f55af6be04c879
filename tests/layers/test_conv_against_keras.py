"""Convolutions, poolings and the like give what Keras gave,
and the same gradients (tests/fixtures/make_layers_conv.py).
"""

from pathlib import Path

import numpy as np
import pytest

from tinynet import layers
from tinynet.autograd import Tensor, gradients

from fixtures.conv_cases import BATCH, CASES, numbers

FILE = Path(__file__).parents[1] / "fixtures" / "layers_conv.npz"


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients(name):
    kind, settings, shape = CASES[name]
    with np.load(FILE) as file:
        expected = {key.partition("/")[2]: file[key] for key in file if key.startswith(name + "/")}
    layer = getattr(layers, kind)(**settings)
    x = Tensor(numbers(name, "x", (BATCH, *shape)), requires_grad=True)
    assert layer.compute_output_shape((None, *shape))[1:] == expected["y"].shape[1:]
    layer.build((None, *shape))
    layer.set_weights([numbers(name, f"weight{i}", w.shape) for i, w in enumerate(layer.weights)])
    y = layer(x)
    np.testing.assert_allclose(y.numpy(), expected["y"], rtol=1e-5, atol=1e-5)
    dx, *dw = gradients(y, [x, *layer.weights], numbers(name, "g", y.shape))
    np.testing.assert_allclose(dx, expected["dx"], rtol=1e-5, atol=1e-5)
    for i, found in enumerate(dw):
        np.testing.assert_allclose(found, expected[f"dw{i}"], rtol=1e-5, atol=2e-5)
