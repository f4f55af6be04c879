"""Normalisations, merging layers and Embedding give the numbers and gradients
of Keras (fixtures/make_layers_norm.py).
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import layers

from fixtures.norm_cases import ADAPT, CASES, EMBEDDING

FOUND = np.load(Path(__file__).parents[1] / "fixtures" / "layers_norm.npz")


def several(name, key):
    """The arrays name/key/0, name/key/1, ..."""
    wanted = (f"{name}/{key}/{i}" for i in itertools.count())
    return [FOUND[one] for one in itertools.takewhile(lambda one: one in FOUND, wanted)]


def check(name, layer, dtype):
    inputs = several(name, "x")
    given = [
        tinynet.Tensor(x if x.dtype.kind != "f" else x.astype(dtype), requires_grad=x.dtype.kind == "f")
        for x in inputs
    ]
    argument = given if layer._takes_many else given[0]
    layer(argument)
    layer.set_weights(several(name, "before"))
    y = layer(argument, training=True)
    assert y.dtype == dtype
    assert y.shape == FOUND[f"{name}/y"].shape
    np.testing.assert_allclose(y.numpy(), FOUND[f"{name}/y"], **NEAR)
    np.testing.assert_allclose([float(v) for v in layer.losses], several(name, "losses"), **NEAR)
    variables = [x for x in given if x.requires_grad] + layer.trainable_weights
    found = tinynet.grad((y * FOUND[f"{name}/g"].astype(dtype)).sum(), variables)
    for one, expected in zip(found, several(name, "dx") + several(name, "dw"), strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(one.numpy(), expected, **NEAR)
    for one, expected in zip(
        layer.get_weights(), several(name, "after") or several(name, "before"), strict=True
    ):
        np.testing.assert_allclose(one, expected, **NEAR)


NEAR = {"rtol": 1e-5, "atol": 2e-5}  # Keras computes in float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_layers(name, dtype):
    kind, arguments, _ = CASES[name]
    check(name, getattr(layers, kind)(**arguments, dtype=dtype), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_embedding(dtype):
    check("embedding", layers.Embedding(**EMBEDDING[0], dtype=dtype), dtype)


@pytest.mark.parametrize("name", ADAPT)
def test_adapt(name):
    batches = several(f"adapt/{name}", "batch")
    layer = layers.Normalization(**ADAPT[name][0])
    layer.adapt(batches[0] if len(batches) == 1 else batches)
    for one, expected in zip(layer.get_weights(), several(f"adapt/{name}", "weight"), strict=True):
        assert one.shape == expected.shape
        assert one.dtype == expected.dtype
        np.testing.assert_allclose(one, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(layer(batches[0]).numpy(), FOUND[f"adapt/{name}/y"], **NEAR)
