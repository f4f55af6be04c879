"""Small nets that several topics train."""

from typing import Any


def classifier(k: Any) -> Any:
    """6 numbers to 3 classes."""
    hidden = k.layers.Dense(8, activation="tanh")
    return k.Sequential([k.Input((6,)), hidden, k.layers.Dense(3, activation="softmax")])


def regressor(k: Any, outputs: int = 3, activation: Any = None) -> Any:
    """6 numbers to a few."""
    hidden = k.layers.Dense(8, activation="tanh")
    return k.Sequential([k.Input((6,)), hidden, k.layers.Dense(outputs, activation=activation)])


def fitted(model: Any, x: Any, y: Any, **settings: Any) -> Any:
    """Three epochs of batches 8, 8, 8, 4: the History."""
    return model.fit(x, y, **{"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **settings})


def layer_trained(k: Any, run: Any, shape: tuple[int, ...], *layers: Any, rate: float = 0.005) -> Any:
    """Trains Dense, `layers`, Flatten, Dense on samples of `shape`, batches 4, 4,
    2; gradients pass through the layers.

    A small net on few samples: the layers' options come in many shapes, and each has kernels to compile.
    """
    x, y = run.x(10, *shape), run.x(10, 2)
    before, after = k.layers.Dense(shape[-1]), k.layers.Dense(2)
    model = k.Sequential([k.Input(shape), before, *layers, k.layers.Flatten(), after])
    model.compile(k.optimizers.SGD(rate, momentum=0.9), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=4))


def graph_trained(
    k: Any, run: Any, inputs: Any, outputs: Any, x: Any, samples: int = 28, rate: float = 0.05, **fit: Any
) -> Any:
    """A model from `inputs` to `outputs`, two numbers, trained on x."""
    model = k.Model(inputs, outputs)
    model.compile(k.optimizers.SGD(rate, momentum=0.5), "mse")
    run.start(model)
    return run.end(model, x, fitted(model, x, run.x(samples, 2), **fit))


def model_trained(
    k: Any, run: Any, model: Any, x: Any, y: Any, loss: Any = "mse", rate: float = 0.05, **settings: Any
) -> Any:
    """Of any kind: a call creates its weights."""
    model.compile(k.optimizers.SGD(rate, momentum=0.5), loss)
    model(x[:2])
    run.start(model)
    return run.end(model, x, fitted(model, x, y, **settings))
