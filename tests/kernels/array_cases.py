"""The kernels' references, a call of each: what array modules other than NumPy are tried with."""

import numpy as np

from tinynet.kernels import (
    activations,
    batch_norm,
    batch_norm_dropout,
    batch_norm_relu,
    batching,
    conv2d,
    dropout,
    embedding,
    gemm,
    group_norm,
    normal,
    philox,
    pool2d,
    reduce,
    resize,
    softmax,
)

RNG = np.random.default_rng(0)
X = RNG.standard_normal((7, 6, 5, 4))
P = RNG.dirichlet(np.ones(4), 7)
GAMMA = RNG.standard_normal(4)
POOL = {"pool_size": (3, 2), "strides": (2, 2), "padding": ((1, 1), (0, 1))}
POOLED = pool2d.max_pool2d(X, **POOL)
CONV = {"strides": (2, 1), "padding": ((1, 1), (0, 1)), "dilation": (1, 2), "groups": 2}
W = RNG.standard_normal((3, 2, 2, 6))
CONVOLVED = conv2d.conv2d["im2col"](X, W, **CONV)
EPSILON = {"epsilon": 1e-3}
DROP = {"rate": 0.4}
WORDS = np.array([1, 2, 3], np.uint32)
BITS = dropout.dropout(X, WORDS, **DROP)[1]

STEADY = ("relu", "selu", "sigmoid", "tanh", "softplus", "softsign", "silu")
LABELS = np.arange(7) % 4

CASES = [
    *((getattr(activations, name), (X,), {}) for name in STEADY),
    *((getattr(activations, f"{name}_grad"), (X, X), {}) for name in STEADY),
    (activations.elu, (X,), {"alpha": 1.3}),
    (activations.elu_grad, (X, X), {"alpha": 1.3}),
    (activations.leaky_relu, (X,), {"negative_slope": 0.2}),
    (activations.leaky_relu_grad, (X, X), {"negative_slope": 0.2}),
    *((activations.gelu, (X,), {"approximate": flag}) for flag in (True, False)),
    *((activations.gelu_grad, (X, X), {"approximate": flag}) for flag in (True, False)),
    (batch_norm.batch_norm, (X, GAMMA, GAMMA), EPSILON),
    (batch_norm.batch_norm_grad, (X, X, GAMMA, GAMMA, GAMMA**2), EPSILON),
    (batch_norm_relu.batch_norm_relu_grad, (X, X, GAMMA, GAMMA, GAMMA**2), EPSILON),
    (batch_norm.batch_norm_inference, (X, GAMMA, GAMMA, GAMMA, GAMMA**2), EPSILON),
    (batch_norm_dropout.batch_norm_dropout, (X, GAMMA, GAMMA, WORDS), {**EPSILON, **DROP}),
    (batch_norm_dropout.batch_norm_dropout_grad, (X, BITS, X, GAMMA, GAMMA, GAMMA**2), {**EPSILON, **DROP}),
    (batching.gather, (X, np.array([3, 1])), {}),
    (batching.gather, ((9 * X).astype(np.uint8), np.array([3, 1])), {"dtype": np.float32}),
    (conv2d.im2col.im2col, (X, (3, 2), (2, 1), ((1, 1), (0, 1)), (1, 2)), {}),
    (conv2d.conv2d, (X, W, RNG.standard_normal(6)), CONV),
    (conv2d.conv2d_input_grad, (CONVOLVED, W), {"input_size": (6, 5), **CONV}),
    (conv2d.conv2d_weight_grad, (X, CONVOLVED), {"kernel_size": (3, 2), **CONV}),
    (dropout.dropout, (X, WORDS), DROP),
    (dropout.dropout, (X, WORDS), {"noise_shape": (None, 1, 1, None), **DROP}),
    (dropout.dropout_grad, (X, BITS), {"rate": 0.4}),
    (embedding.embedding, (X[:, 0, 0], np.arange(6).reshape(2, 3)), {}),
    (embedding.embedding_grad, (X[:2, 0], np.array([[1, 0, 1, 3, 3]] * 2)), {"rows": 4}),
    (gemm.gemm, (X, X.swapaxes(2, 3)), {}),
    (gemm.gemm, (GAMMA[None], X[0, 0].T), {}),
    (group_norm.group_norm, (X, GAMMA, GAMMA), {"axes": (1, 3), **EPSILON}),
    (group_norm.group_norm, (X, GAMMA, GAMMA), {"axes": (3,), "centred": False, **EPSILON}),
    (group_norm.group_norm_grad, (X, X, GAMMA, X[..., :1], X[..., :1] ** 2), {"axes": (3,), **EPSILON}),
    (normal.normal, (X, WORDS), {}),
    (philox.philox4x32, (np.arange(24, dtype=np.uint32).reshape(2, 3, 4), (1, 2)), {}),
    (pool2d.max_pool2d, (X,), POOL),
    (pool2d.max_pool2d_grad, POOLED, {"input_size": (6, 5), **POOL}),
    (pool2d.max_pool2d_gather, (X, POOLED[1]), POOL),
    (pool2d.average_pool2d, (X,), POOL),
    (pool2d.average_pool2d_grad, POOLED[:1], {"input_size": (6, 5), **POOL}),
    *((reduce.sum, (X,), {"axis": axis}) for axis in (None, 0, (0, 1, 2))),
    *(
        (resize.resize, (X,), {"size": (12, 10), "method": method})
        for method in ("nearest", "bilinear", "bicubic")
    ),
    (resize.resize_grad, (X,), {"input_size": (3, 2), "method": "bilinear"}),
    (softmax.softmax, (X,), {"axis": 2}),
    (softmax.softmax_grad, (X, X), {"axis": -1}),
    *((softmax.crossentropy, (P, t), {}) for t in (P, LABELS)),
    (softmax.crossentropy_grad, (P[:, 0], P, P), {}),
    *(
        (softmax.softmax_crossentropy, (X[:, 0, 0], t), {"clip": c})
        for t in (P, LABELS)
        for c in (True, False)
    ),
    *((softmax.softmax_crossentropy_grad, (P[:, 0], P, P), {"clip": clip}) for clip in (True, False)),
]
