"""A training step on arrays that are not NumPy's: forward and backward stay in their module, as on a GPU."""

import numpy as np
import pytest

from tinynet import Tensor, grad, ops
from tinynet.kernels.common import xp

import strict_array as sx

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 6, 5, 2)).astype(np.float32)
START = {
    "w": RNG.standard_normal((3, 3, 2, 4)) * 0.3, "b": np.zeros(4), "gamma": np.ones(4), "beta": np.zeros(4),
    "dense": RNG.standard_normal((24, 3)) * 0.2, "bias": np.zeros(3),
}  # fmt: skip
LABELS = np.array([0, 2, 1, 1, 0, 2])


def step(module, fused, create_graph=False):
    """Loss and gradients of conv, batch norm, relu, pooling, dropout, dense, softmax, cross-entropy."""
    p = {name: Tensor(module.asarray(v.astype(np.float32)), requires_grad=True) for name, v in START.items()}
    x = Tensor(module.asarray(X), requires_grad=True)
    y = ops.conv2d(x, p["w"], p["b"], padding="same")
    y, mean, var = ops.batch_norm(y, p["gamma"], p["beta"])
    y = ops.max_pool2d(ops.relu(y), pool_size=2)
    y = ops.average_pool2d(y, pool_size=(1, 2), strides=1, padding="same")
    y = ops.dropout(ops.reshape(y, (6, -1)), rate=0.25, key=(1, 2), call=0)
    z = ops.linear(y, p["dense"], p["bias"])
    if fused:
        loss = ops.mean(ops.sparse_categorical_crossentropy(module.asarray(LABELS), ops.softmax(z)))
    else:
        loss = (
            ops.mean(ops.logsumexp(z, axis=1) - ops.max(z, axis=1)) + ops.var(z) + ops.sum(mean * var) * 0.1
        )
    inputs = [x, *p.values()]
    grads = grad(loss, inputs, create_graph=create_graph, allow_unused=True)
    if create_graph:
        norm = ops.sum(ops.square(grads[1])) + ops.sum(ops.square(grads[5]))
        grads = grad(norm, inputs, allow_unused=True)
    return loss, grads


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_training_step_gives_what_numpy_gives(fused, create_graph):
    loss, grads = step(sx, fused, create_graph)
    expected_loss, expected = step(np, fused, create_graph)
    assert isinstance(loss.data, sx.ndarray)
    np.testing.assert_allclose(loss.data.get(), expected_loss.data, rtol=1e-5)
    for g, e in zip(grads, expected, strict=True):
        assert (g is None) == (e is None)
        if g is not None:
            assert xp(g.data) is sx
            assert g.dtype == np.float32
            np.testing.assert_allclose(g.data.get(), e.data, rtol=2e-4, atol=2e-5)


CALLS = {
    "arithmetic": lambda x: (x + 1) * 2 / (x - 7) ** 2 - (-x) ** 3 + 2.0**x,
    "elementary": lambda x: ops.exp(x) + ops.log(ops.abs(x)) + ops.sqrt(ops.square(x))
    + ops.sin(x) * ops.cos(x) + ops.sign(x),
    "selection": lambda x: ops.maximum(x, 0.5) + ops.minimum(x, x * x) + ops.clip(x, x_min=-1.0, x_max=1.0)
    + ops.where(x > 0, x, 0.0),
    "reductions": lambda x: ops.sum(x, 0) + ops.mean(x, 1)[0] + ops.var(x)
    + ops.max(x, 0) * ops.min(x) + ops.logsumexp(x, 0),
    "shapes": lambda x: ops.pad(x.T, 1) @ ops.reshape(ops.concatenate([x, ops.stack([x[0], x[1]])]), (-1, 4)),
    "indexing": lambda x: x[1, 2] * x[:, 1:] + x[:, None, 0],
    "integers": lambda x: x[sx.asarray(np.array([0, 1, 1]))],
    "activations": lambda x: ops.tanh(x) + ops.sigmoid(x) + ops.elu(x) + ops.selu(x) + ops.gelu(x)
    + ops.silu(x) + ops.softplus(x) + ops.softsign(x) + ops.leaky_relu(x)
    + ops.log_softmax(x) + ops.gelu(x, approximate=True) + ops.erf(x),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_operations_stay_in_their_module(name):
    values = RNG.standard_normal((2, 4))
    f = CALLS[name]
    results = []
    for module in (sx, np):
        x = Tensor(module.asarray(values), requires_grad=True)
        if module is np and name == "integers":
            y = x[np.array([0, 1, 1])]
        else:
            y = f(x)
        first = grad(ops.sum(y * y), x, create_graph=True)
        second = grad(ops.sum(first * first), x)
        results.append([v.data.get() if module is sx else v.data for v in (y, first, second)])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9)
