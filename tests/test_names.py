"""Names: what base classes are called by is Keras's, a few documented names,
or underscored, so that users' names are free.

The lists of Keras's names are those of Keras 3.15: tests/fixtures/make_attributes.py.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet as keras
from tinynet import layers, ops

KERAS = json.loads((Path(__file__).parent / "fixtures" / "attributes.json").read_text(encoding="utf-8"))
RESUMED = {"training_state", "restore_training_state"}  # what takes part in a backup
# the derivatives of the loss on a batch; what was recorded of the steps; to a GPU and back
OF_MODELS = RESUMED | {"gradients", "replay", "to_device"}
DOCUMENTED = {
    "Layer": {"to_device"},
    # of a subclass that ends in super().__init__(inputs, outputs)
    "Model": OF_MODELS | {"input_shape", "output_shape"},
    "Sequential": OF_MODELS | {"output_names"},
    "Functional": OF_MODELS | {"input_names"},
    "Metric": RESUMED,
    "Mean": RESUMED,
    "Callback": RESUMED | {"check_training_state"},
    # two of Keras 1 and 2, and ours
    "Optimizer": {"get_weights", "lr", "learning_rate_multipliers", "to_device"},
}
# single words that Keras underscores too
OF_KERAS = {"_direction", "_iterations", "_layers", "_trainable", "_variables"}


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = layers.Dense(1)

    def call(self, x):
        return self.inner(x)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1


def trained(model):
    model.compile("sgd", "mse")
    model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    return model


def instances():
    x = layers.Input((1,))
    model = trained(Own())
    return {
        "Layer": layers.Layer(),
        "Model": model,
        "Sequential": trained(keras.Sequential([layers.Input((1,)), layers.Dense(1)])),
        "Functional": trained(keras.Model(x, layers.Dense(1)(x))),
        "Loss": keras.losses.Loss(),
        "Metric": keras.metrics.Metric(),
        "Mean": keras.metrics.Mean(),
        "Callback": keras.callbacks.Callback(),
        "Optimizer": model.optimizer,
        "Regularizer": keras.regularizers.Regularizer(),
        "Constraint": keras.constraints.Constraint(),
        "Initializer": keras.initializers.Initializer(),
        "LearningRateSchedule": Schedule(),
        "PyDataset": keras.utils.PyDataset(),
    }


@pytest.mark.parametrize("base", KERAS)
def test_public_names_are_those_of_keras_and_documented_ones(base):
    instance = instances()[base]
    public = {name for name in dir(instance) if not name.startswith("_")} - {"inner"}
    assert public - set(KERAS[base]) == DOCUMENTED.get(base, set())


@pytest.mark.parametrize("base", KERAS)
def test_other_names_are_no_single_words(base):
    """`self._rank`, `self._state`: classes of one's own have such attributes too."""
    instance = instances()[base]
    words = {
        name
        for name in dir(instance)
        if name.startswith("_") and not name.startswith("__") and "_" not in name[1:]
    }
    assert words <= OF_KERAS


# Classes of one's own, with attributes of everyday names.

X = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")
Y = X[:, :2] * 0.5
EVERYDAY = """
rank many expects revision min_rank calls key scale phase state mask last siblings history_size replay
objective loss_fn steps gradients functional progress input_shape output_shape count total size shape units
mode seed params direction converts slots updates kernel kind index temperature given inner graph nodes
tensors waiting run train validation hooks rate averages arrays scalars excluded layers_list input_names
output_names functions data batch epoch step value values keys items parent children child path_length width
depth alpha beta hidden hidden_size config settings options cache memory buffer target teacher student encoder
decoder head body logits lr momentum_value draw drawing record recorded places names sizes shapes inputs_seen
outputs_seen axis axes groups activation_fn callback parts terms weighting reduction_kind
"""
WORDS = EVERYDAY.split()
VALUES = {
    "number": 4,
    "word": "warmup",
    "array": np.ones(2, "float32"),
    "nothing": None,
    "list": [1, 2],
    "function": len,
}


def sequential(*middle):
    return keras.Sequential([layers.Input((6,)), *middle, layers.Dense(2)])


def a_layer(attributes):
    class Mine(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            for name, value in attributes.items():
                setattr(self, name, value)
            self.inner_layer = layers.Dense(3, use_bias=False, kernel_initializer="ones")

        def call(self, x):
            return self.inner_layer(x)

    model = sequential(Mine())
    model.summary(print_fn=str)
    assert len(model.trainable_weights) == 3
    return model, {"loss": "mse"}


def a_model(attributes):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            for name, value in attributes.items():
                setattr(self, name, value)
            self.inner_layer = layers.Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.inner_layer(x)

    model = Mine()
    model(X[:1])
    model.summary(print_fn=str)
    return model, {"loss": "mse"}


def a_loss(attributes):
    class Mine(keras.Loss):
        def __init__(self):
            super().__init__(name="mine")
            for name, value in attributes.items():
                setattr(self, name, value)

        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    return sequential(), {"loss": Mine()}


def a_metric(attributes):
    class Mine(keras.Metric):
        def __init__(self):
            super().__init__(name="mine")
            for name, value in attributes.items():
                setattr(self, name, value)
            self.own_sum = self.add_weight(name="own_sum", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.own_sum.assign_add(1.0)

        def result(self):
            return self.own_sum

    return sequential(), {"loss": "mse", "metrics": [Mine()]}


def a_callback(attributes):
    class Mine(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            for name, value in attributes.items():
                setattr(self, name, value)

        def on_epoch_end(self, epoch, logs=None):
            self.seen = dict(logs)

    return sequential(), {"loss": "mse", "callbacks": [Mine()]}


def an_optimizer(attributes):
    class Mine(keras.optimizers.Optimizer):
        def __init__(self):
            super().__init__(learning_rate=0.01)
            for name, value in attributes.items():
                setattr(self, name, value)

        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient * learning_rate)

    return sequential(), {"loss": "mse", "optimizer": Mine()}


MAKERS = {
    "layer": a_layer,
    "model": a_model,
    "loss": a_loss,
    "metric": a_metric,
    "callback": a_callback,
    "optimizer": an_optimizer,
}
OF_KERAS_THERE = {"optimizer": {"lr"}, "callback": {"params"}}  # names that have a meaning in that base


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", MAKERS)
def test_attributes_of_everyday_names(kind, value, tmp_path):
    """The same training, bit by bit, as of a class without them."""
    words = [word for word in WORDS if word not in OF_KERAS_THERE.get(kind, ())]
    attributes = {
        name: VALUES[value] for word in words for name in (word, f"_{word}") if name not in OF_KERAS
    }

    def bits(attributes):
        keras.utils.set_random_seed(3)
        model, settings = MAKERS[kind](attributes)
        callbacks, optimizer = settings.pop("callbacks", ()), settings.pop("optimizer", "sgd")
        model.compile(optimizer, **settings)
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        data = {"validation_data": (X, Y), "batch_size": 4, "epochs": 2, "verbose": 0}
        history = model.fit(X, Y, callbacks=[*callbacks, backup], **data).history
        predictions = model.predict(X, verbose=0)
        return [weight.tobytes() for weight in model.get_weights()], predictions.tobytes(), history

    assert bits(attributes) == bits({})
