"""Replay: replayed steps give the same bits as the tape, and give way to it wherever they could not."""

import copy
import pickle

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, constraints, kernels, layers, losses, optimizers, regularizers, schedules
from tinynet.kernels import dense
from tinynet.models import Sequential
from tinynet.replay.step import Step
from tinynet.utils import set_random_seed, to_categorical

from models.nets import small_data, small_net
from replay_tools import X, Y, both, compiled, dense_net, same_bits, trained


def test_a_convolutional_net_with_everything():
    model = same_bits(
        small_net, data=small_data(72), loss="sparse_categorical_crossentropy", validation_split=0.25
    )
    assert len(model.replay.programs) >= 2, "training and validation"


ACTIVATIONS = (None, "relu", "elu", "selu", "sigmoid", "tanh", "leaky_relu", "softplus", "gelu", "silu")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_dense_nets(activation):
    same_bits(lambda: dense_net(activation=activation))


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: optimizers.Adam(0.01),
    "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.01),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "rmsprop": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.1),
    "clipvalue": lambda: optimizers.SGD(0.1, clipvalue=0.01),
    "global_clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.1),
    "schedule": lambda: optimizers.SGD(schedules.PiecewiseConstantDecay([7, 9], [0.1, 0.01, 0.001])),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name):
    same_bits(dense_net, optimizer=OPTIMIZERS[name])


LOSSES = {
    "categorical": "categorical_crossentropy",
    "smoothed": losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    "mse": "mse",
    "mae": "mae",
    "binary": losses.BinaryCrossentropy(from_logits=True),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    rng = np.random.default_rng(2)
    data = rng.normal(size=(70, 6)).astype(np.float32), to_categorical(rng.integers(0, 4, 70), 4)
    head = [layers.Activation("softmax")] if name == "categorical" else []
    same_bits(lambda: Sequential([*dense_net().layers, *head]), loss=LOSSES[name], data=data)


def test_sample_weights_and_class_weights():
    same_bits(dense_net, sample_weight=np.random.default_rng(3).uniform(size=70))
    same_bits(dense_net, class_weight={0: 1.0, 1: 2.0, 2: 0.5, 3: 0.0})


class ChangesThings(callbacks.Callback):
    """Turns every knob that a callback may turn while training runs."""

    def on_train_batch_begin(self, batch, logs=None):
        if batch == 3:
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate * 0.5
        if batch == 4:
            self.model.optimizer.beta_1 = 0.5

    def on_epoch_begin(self, epoch, logs=None):
        dropout = self.model.layers[1]
        dropout.rate = 0.1 * (epoch + 1)
        if epoch == 2:
            self.model.set_weights([weight * 0.5 for weight in self.model.get_weights()])


def with_dropout():
    return Sequential([layers.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(4)])


def test_what_callbacks_change_is_seen():
    same_bits(with_dropout, hooks=[ChangesThings], samples=128, epochs=4)


class Freezes(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.layers[0].trainable = epoch % 2 == 0


@pytest.mark.filterwarnings("ignore:.*trainable")
def test_layers_that_are_frozen_and_thawed_while_training_runs():
    same_bits(dense_net, hooks=[Freezes], samples=96, epochs=6)


def test_dropout_draws_a_new_mask_at_each_replayed_step():
    set_random_seed(0)
    model = Sequential([layers.Input((40,)), layers.Dropout(0.5), layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    x, y = np.ones((64, 40), np.float32), np.zeros((64, 1), np.float32)
    seen = []
    for _ in range(8):
        model.optimizer.learning_rate = 0.0
        seen.append(model.train_on_batch(x, y))
    assert model.replay.programs
    assert len(set(seen)) == len(seen)
    assert model.layers[0]._draw_count == 8


class Own(layers.Layer):
    def call(self, x):
        self.seen = getattr(self, "seen", 0) + 1
        return x * 2.0


def own_loss(y_true, y_pred):
    return tinynet.ops.square(y_pred - y_true)


def test_an_attribute_that_is_set_at_each_step_keeps_the_model_on_the_tape():
    model = same_bits(lambda: Sequential([Own(), *dense_net().layers]), programs=False)
    assert "'seen', an attribute of Own, is set at each step" in model.replay.why()


class Squashes(layers.Layer):
    """A layer of one's own, with a parameter."""

    def build(self, input_shape):
        self.cap = self.add_weight("cap", (input_shape[-1],), "ones")
        super().build(input_shape)

    def call(self, x):
        return self.cap * tinynet.ops.tanh(x / self.cap)


OWN = {
    "lambda": lambda: Sequential([layers.Lambda(lambda x: x * 2.0), *dense_net().layers]),
    "layer": lambda: Sequential([Squashes(), *dense_net().layers]),
    "activation": lambda: dense_net(activation=lambda x: x * 2.0),
}


@pytest.mark.parametrize("name", OWN)
def test_python_of_ones_own_is_replayed_where_the_bits_agree(name):
    same_bits(OWN[name])


def test_a_loss_of_ones_own_is_replayed():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(70, 6)).astype(np.float32), rng.normal(size=(70, 4)).astype(np.float32)
    same_bits(dense_net, loss=own_loss, data=data)


def test_a_metric_may_keep_what_it_is_given():
    kept = []

    def keeps(y_true, y_pred):
        kept.append((y_pred, y_pred.copy()))
        return y_pred[:, 0]

    model = dense_net()
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[keeps])
    model.fit(
        np.random.default_rng(0).normal(size=(128, 6)), np.zeros(128, int), batch_size=16, epochs=2, verbose=0
    )
    assert model.replay.programs
    for given, copied in kept:
        np.testing.assert_array_equal(given, copied)


def test_predictions_are_the_callers():
    model = dense_net()
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    first = model.predict(x, verbose=0)
    held = first.copy()
    for i in range(6):
        np.testing.assert_allclose(model.predict(x * i, verbose=0), model(x * i).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(first, held)


def test_another_implementation_is_another_kind_of_step():
    model = dense_net(activation="elu")
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.ones((16, 6), np.float32), np.zeros(16, int)
    for _ in range(5):
        model.train_on_batch(x, y)
    count = len(model.replay.steps)
    with kernels.use("activations", "numpy"):
        model.train_on_batch(x, y)
    assert len(model.replay.steps) == count + 1


def test_another_number_of_threads_is_another_kind_of_step():
    """A recorded matrix product has as many parts as there were threads."""
    model, _, _ = trained(dense_net, False, samples=64)
    kinds, before = len(model.replay.steps), tinynet.get_num_threads()
    x, y = np.zeros((16, 6), np.float32), np.zeros(16, int)
    try:
        tinynet.set_num_threads(1)
        model.train_on_batch(x, y)
    finally:
        tinynet.set_num_threads(before)
    assert len(model.replay.steps) == kinds + (before != 1)


def test_a_copied_model_records_for_itself():
    model = dense_net()
    x = np.ones((4, 6), np.float32)
    for _ in range(5):
        model.predict(x, verbose=0)
    twin = copy.deepcopy(model)
    twin.set_weights([weight + 1 for weight in twin.get_weights()])
    before = model.predict(x, verbose=0)
    assert not np.array_equal(twin.predict(x, verbose=0), before)
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)


def test_a_batch_may_be_used_by_another_kind_of_step_than_it_was_written_for(monkeypatch):
    """Where gradients are collected, every other step updates: both kinds are captured once."""
    captured, capture = [], Step._capture
    monkeypatch.setattr(Step, "_capture", lambda step, inputs: captured.append(1) or capture(step, inputs))
    same_bits(
        dense_net, samples=64, epochs=6, optimizer=lambda: optimizers.Adam(0.1, gradient_accumulation_steps=2)
    )
    assert len(captured) == 2


def test_old_kinds_of_batches_are_forgotten():
    model = dense_net()
    for size in range(1, 13):
        model.predict(np.ones((size, 6), np.float32), verbose=0)
    assert len(model.replay.steps) <= 8


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("conv2d", "im2col"), ("conv2d", "naive"), ("batch_norm", "numpy"), ("dense", "numpy"),
        ("dropout", "numpy"), ("sum", "numpy"),
    ],
)  # fmt: skip
def test_implementations_that_compute_with_numpy_are_replayed_with_the_same_bits(family, name):
    with kernels.use(family, name):
        same_bits(small_net, data=small_data(72), loss="sparse_categorical_crossentropy")


def test_what_a_program_does_not_repeat_is_noticed_though_the_batches_are_equal(monkeypatch):
    """The fastest implementation is trusted to change arrays in launches alone:
    here one adds without a launch.
    """
    right = dense.dense.implementations[dense.dense.fastest]
    monkeypatch.setitem(
        dense.dense.implementations, dense.dense.fastest, lambda *a, **k: right(*a, **k) + np.float32(1)
    )
    model = compiled()
    for _ in range(4):
        first = model.predict(X, verbose=0)
    assert not np.array_equal(model.predict(X * 2, verbose=0), first)
    assert not model.replay.programs


def test_why_counts_the_kinds_of_steps():
    model, _, _ = trained(dense_net, False, epochs=2)  # four batches of 16 and one of 6 in each epoch
    reason = (
        "a step is captured at the second batch of its kind, "
        "compared at the third and repeated from the fourth on"
    )
    assert model.replay.why() == f"replayed: 1 of 2 kinds of steps; not the other: {reason}"
    model.predict(X, verbose=0)
    assert model.replay.why() == f"replayed: 1 of 3 kinds of steps; not the others: {reason}"
    model, _, _ = trained(dense_net, False, epochs=4)
    assert model.replay.why() == "replayed: 2 kinds of steps"
    model, _, _ = trained(dense_net, False, epochs=1, samples=64)
    assert model.replay.why() == "replayed: 1 kind of steps"
    model, _, _ = trained(dense_net, False, epochs=1, samples=16)
    assert model.replay.why() == f"not replayed: {reason}"


def test_a_prediction_leaves_the_graph_of_an_earlier_forward_pass_alone():
    model = compiled()
    for _ in range(4):
        model.predict(X, verbose=0)
    loss = tinynet.ops.sum(tinynet.ops.square(model(X)))
    model.predict(X, verbose=0)
    tinynet.grad(loss, model.layers[-1].kernel)


def test_epsilon_and_the_settings_of_the_loss_can_be_changed():
    def epsilon(model):
        for _ in range(4):
            model.test_on_batch(50 * X, Y)
        tinynet.config.set_epsilon(1e-2)
        try:
            return model.test_on_batch(50 * X, Y)
        finally:
            tinynet.config.set_epsilon(1e-7)

    def probabilities():
        return lambda: Sequential([*dense_net().layers, layers.Softmax()])

    both(epsilon, loss=lambda: "sparse_categorical_crossentropy", build=probabilities)

    def settings(model):
        values = []
        for i in range(12):
            if i == 4:
                model._compiled_objective.functions[0].settings["label_smoothing"] = 0.5
            if i == 8:
                model._compiled_objective.functions[0].reduction = "sum"
            values.append(model.train_on_batch(X, to_categorical(Y, 4)))
        return values

    both(settings, loss=lambda: losses.CategoricalCrossentropy(from_logits=True))


class TrainsInBetween(callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        self.model.train_on_batch(X * batch, Y)


def test_a_callback_may_train_on_a_batch_of_its_own():
    same_bits(dense_net, hooks=[TrainsInBetween], samples=96)


def test_an_optimizer_can_be_built_anew():
    def run(model):
        for i in range(10):
            if i == 5:
                model.optimizer.build(model.trainable_weights)
            model.train_on_batch(X, Y)
        return 0

    both(run)


def test_a_learning_rate_function_may_launch_kernels():
    def run(model):
        for i in range(8):
            if i == 5:
                model.optimizer.learning_rate = lambda: (
                    0.01 * float(tinynet.ops.sum(tinynet.Tensor([1.0, 2.0])))
                )
            model.train_on_batch(X, Y)
        return 0

    both(run)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_trained_model_goes_on_training(again):
    model = compiled()
    for _ in range(4):
        model.train_on_batch(X, Y)
    twin = again(model)
    for _ in range(4):
        assert twin.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    for a, b in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_loader_writes_batches_where_the_program_reads_them():
    model = dense_net()
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.ones((64, 6), np.float32), np.zeros(64, int)
    model.fit(x, y, batch_size=16, verbose=0)
    (program,) = [one for one in model.replay.steps.values() if one.program is not None]
    place, *others = model.replay.places(program.label, 16)
    assert place is program.inputs[0]
    assert others == [None, None]
    assert model.replay.places(program.label, 15) is None


def test_regularizers_and_constraints_can_be_changed():
    def penalised():
        rules = {"kernel_regularizer": regularizers.L2(0.1), "kernel_constraint": constraints.MaxNorm(1.0)}
        return Sequential([layers.Input((6,)), layers.Dense(4, **rules, activity_regularizer="l2")])

    def run(model):
        dense, values = model.layers[0], []
        for i in range(24):
            if i == 4:
                dense.kernel.regularizer.l2 = 0.5
            if i == 8:
                dense.kernel.regularizer = regularizers.L1(0.1)
            if i == 12:
                dense.kernel.constraint.max_value = 0.5
            if i == 16:
                dense.bias.constraint = constraints.NonNeg()
            if i == 20:
                dense.activity_regularizer.l2 = 3.0
            values.append(model.train_on_batch(X, Y))
        assert len(set(values)) == len(values)
        return values

    both(run, build=lambda: penalised)


def test_a_rule_of_ones_own_that_is_set_later_stays_on_the_tape():
    def run(model):
        values, now = [], [0]
        for i in range(8):
            now[0] = i
            if i == 4:
                model.layers[-1].kernel.regularizer = lambda w: tinynet.ops.sum(w) * 0 + now[0]
            values.append(model.train_on_batch(X, Y))
        assert not model.replay.programs
        return values

    both(run)
