"""The operations of the level `kernels` in TensorFlow, the usual backend of Keras:
called one by one, and as a graph.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from .inputs import labels, uniform
from .shapes import CONVOLUTIONS, SLOTS, Calls, Conv

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))
tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
raw = tf.raw_ops
Case = dict[str, Any]
POOL = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}


def calls(case: Case) -> Calls:
    op = case["op"]
    if op in SLOTS:
        return _optimizer(op, case["shape"][0])
    if op in CONVOLUTIONS:
        function, inputs = _convolution(op, Conv(*case["conv"]), case["batch"])
    elif op.startswith("dense"):
        function, inputs = _dense(op, case["batch"], case["inputs"], case["units"])
    elif op == "softmax_crossentropy":
        z, y = uniform(case["batch"], *case["shape"]), labels(case["batch"], case["shape"][0])
        function, inputs = raw.SparseSoftmaxCrossEntropyWithLogits, {"features": z, "labels": y}
    elif prepare := OTHERS.get(op):
        function, inputs = prepare(uniform(case["batch"], *case["shape"]))
    else:
        return {}  # TensorFlow computes it in another way, or together with something else
    tensors = {
        name: tf.constant(value) if isinstance(value, np.ndarray) else value for name, value in inputs.items()
    }
    arrays = {name: value for name, value in tensors.items() if isinstance(value, tf.Tensor)}
    settings = {name: value for name, value in tensors.items() if name not in arrays}
    compiled = tf.function(lambda **tensors: function(**tensors, **settings))
    return {"eager": partial(function, **tensors), "graph": partial(compiled, **arrays)}


def _convolution(op: str, conv: Conv, batch: int) -> tuple[Callable[..., Any], dict[str, Any]]:
    x, g = (
        uniform(batch, conv.height, conv.width, conv.channels),
        uniform(batch, *conv.output(), conv.filters),
    )
    w = uniform(conv.kernel, conv.kernel, conv.channels, conv.filters)
    settings = {"strides": [1, conv.stride, conv.stride, 1], "padding": conv.padding.upper()}
    if op == "conv2d_input_grad":
        shape = np.array(x.shape, np.int32)
        return raw.Conv2DBackpropInput, {"input_sizes": shape, "filter": w, "out_backprop": g, **settings}
    if op == "conv2d_weight_grad":
        shape = np.array(w.shape, np.int32)
        return raw.Conv2DBackpropFilter, {"input": x, "filter_sizes": shape, "out_backprop": g, **settings}

    def forward(input: Any, filter: Any, bias: Any, **settings: Any) -> Any:
        return tf.nn.bias_add(raw.Conv2D(input=input, filter=filter, **settings), bias)

    return forward, {"input": x, "filter": w, "bias": uniform(conv.filters), **settings}


def _dense(op: str, batch: int, inputs: int, units: int) -> tuple[Callable[..., Any], dict[str, Any]]:
    x, w, g = uniform(batch, inputs), uniform(inputs, units), uniform(batch, units)

    def forward(x: Any, w: Any, b: Any) -> Any:
        return tf.nn.bias_add(tf.matmul(x, w), b)

    def gradient(x: Any, w: Any, g: Any) -> Any:
        return (
            tf.matmul(g, w, transpose_b=True),
            tf.matmul(x, g, transpose_a=True),
            raw.BiasAddGrad(out_backprop=g),
        )

    return (
        (forward, {"x": x, "w": w, "b": uniform(units)})
        if op == "dense"
        else (gradient, {"x": x, "w": w, "g": g})
    )


def _batch_norm(x: np.ndarray, gradient: bool = False) -> tuple[Callable[..., Any], dict[str, Any]]:
    x = x if x.ndim == 4 else x[:, None, None, :]
    scale, empty = np.ones(x.shape[-1], np.float32), np.zeros(0, np.float32)
    forward = {"x": x, "scale": scale, "offset": 0 * scale, "mean": empty, "variance": empty, "epsilon": 1e-3}
    if not gradient:
        return raw.FusedBatchNormV3, forward
    y = raw.FusedBatchNormV3(**forward)
    spaces = {f"reserve_space_{i}": getattr(y, f"reserve_space_{i}").numpy() for i in (1, 2, 3)}
    return raw.FusedBatchNormGradV3, {"y_backprop": x, "x": x, "scale": scale, "epsilon": 1e-3, **spaces}


def _max_pool_grad(x: np.ndarray) -> tuple[Callable[..., Any], dict[str, Any]]:
    y = raw.MaxPool(input=x, **POOL).numpy()
    return raw.MaxPoolGrad, {"orig_input": x, "orig_output": y, "grad": y, **POOL}


def _average_pool_grad(x: np.ndarray) -> tuple[Callable[..., Any], dict[str, Any]]:
    y = raw.AvgPool(value=x, **POOL).numpy()
    return raw.AvgPoolGrad, {"orig_input_shape": np.array(x.shape, np.int32), "grad": y, **POOL}


OTHERS: dict[str, Callable[[np.ndarray], tuple[Callable[..., Any], dict[str, Any]]]] = {
    "max_pool2d": lambda x: (raw.MaxPool, {"input": x, **POOL}),
    "max_pool2d_grad": _max_pool_grad,
    "average_pool2d": lambda x: (raw.AvgPool, {"value": x, **POOL}),
    "average_pool2d_grad": _average_pool_grad,
    "batch_norm": _batch_norm,
    "batch_norm_grad": partial(_batch_norm, gradient=True),
    "dropout": lambda x: (tf.nn.dropout, {"x": x, "rate": 0.3}),
    "relu": lambda x: (raw.Relu, {"features": x}),
    "relu_grad": lambda x: (raw.ReluGrad, {"gradients": x, "features": x}),
    "elu": lambda x: (raw.Elu, {"features": x}),
    "elu_grad": lambda x: (raw.EluGrad, {"gradients": x, "outputs": x}),
    "selu": lambda x: (raw.Selu, {"features": x}),
    "selu_grad": lambda x: (raw.SeluGrad, {"gradients": x, "outputs": x}),
    "sigmoid": lambda x: (raw.Sigmoid, {"x": x}),
    "sigmoid_grad": lambda x: (raw.SigmoidGrad, {"y": x, "dy": x}),
    "tanh": lambda x: (raw.Tanh, {"x": x}),
    "tanh_grad": lambda x: (raw.TanhGrad, {"y": x, "dy": x}),
    "softplus": lambda x: (raw.Softplus, {"features": x}),
    "softplus_grad": lambda x: (raw.SoftplusGrad, {"gradients": x, "features": x}),
    "silu": lambda x: (tf.nn.silu, {"features": x}),
    "gelu": lambda x: (partial(tf.nn.gelu, approximate=False), {"features": x}),
}


def _optimizer(op: str, size: int) -> Calls:
    """Keras's own optimizer, compiled as `fit` compiles it."""
    import keras

    kinds = {
        "sgd": "SGD",
        "adam": "Adam",
        "rmsprop": "RMSprop",
        "adagrad": "Adagrad",
        "adamax": "Adamax",
        "nadam": "Nadam",
    }
    optimizer = getattr(keras.optimizers, kinds[op])()
    variable, gradient = keras.Variable(uniform(size)), tf.constant(uniform(size))
    optimizer.build([variable])
    apply = tf.function(lambda g: optimizer.apply([g], [variable]))
    return {"graph": partial(apply, gradient)}
