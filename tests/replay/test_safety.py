"""What keeps a replayed step from being repeated where it would be wrong:
each failure is brought about by hand.
"""

import threading

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses, ops, optimizers
from tinynet.autograd import Tensor
from tinynet.models import Sequential, steps
from tinynet.utils import set_random_seed

RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(16, 6)).astype(np.float32), RNG.integers(0, 4, 16)


def compiled(*body, eagerly=False, optimizer=None):
    set_random_seed(5)
    model = Sequential([layers.Input((6,)), *body, layers.Dense(4)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or optimizers.SGD(0.1), loss, run_eagerly=eagerly)
    return model


class Doubles(layers.Layer):
    """Computes 2 w of a frozen w outside a launch, as no layer of tinynet's does."""

    def build(self, input_shape):
        self.factor = self.add_weight("factor", (1,), "ones", trainable=False)
        super().build(input_shape)

    def call(self, x):
        return x * Tensor(2 * self.factor.numpy())


Doubles.__module__ = "tinynet.layers.of_a_test"  # so that it is taken for one of tinynet's


@pytest.mark.parametrize("how", ["predict", "train_on_batch"])
def test_parameters_that_a_step_leaves_alone_are_watched(how):
    """The program is right as long as they are what they were; once they have changed,
    the step is compared again.
    """
    results = []
    for eagerly in (False, True):
        model = compiled(Doubles(), eagerly=eagerly)
        values = []
        for i in range(12):
            if i in (5, 9):
                model.layers[0].factor.assign(np.full(1, i, np.float32))
            values.append(model.predict(X, verbose=0) if how == "predict" else model.train_on_batch(X, Y))
            if not eagerly and i == 4:
                assert model.replay.programs, "until then the program is right"
        results.append(values)
    np.testing.assert_array_equal(*results)


class Counts(layers.Layer):
    """Counts its training steps in a weight, outside a launch."""

    def build(self, input_shape):
        self.count = self.add_weight("count", (), "zeros", trainable=False)
        super().build(input_shape)

    def call(self, x, training=False):
        if training:
            self.count.assign(self.count.data + 1)
        return x


Counts.__module__ = "tinynet.layers.of_a_test"


def test_what_changes_outside_a_launch_is_changed_once_a_step():
    for eagerly in (False, True):
        model = compiled(Counts(), eagerly=eagerly)
        for i in range(8):
            model.train_on_batch(X, Y)
            assert model.layers[0].count.numpy() == i + 1
        assert not model.replay.programs


def test_a_number_that_a_rule_of_ones_own_names_is_part_of_the_kind_of_step():
    """It doubles after the steps that were compared."""
    results = []
    for eagerly in (False, True):
        model, factor = compiled(eagerly=eagerly), [1.0]
        model.layers[0].kernel.regularizer = lambda w, factor=factor: ops.sum(ops.square(w)) * factor[0]
        values = []
        for i in range(12):
            factor[0] = 1.0 if i < 8 else 2.0
            values.append(model.train_on_batch(X, Y))
        assert len(model.replay.programs) == (0 if eagerly else 2), model.replay.why()
        results.append(values)
    assert results[0] == results[1]


def elsewhere(function):
    """What function() gives in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_a_place_for_a_batch_belongs_to_the_thread_that_recorded():
    model = compiled()
    for _ in range(4):
        model.train_on_batch(X, Y)
    assert elsewhere(lambda: model.replay.places(steps.update, 16)) is None
    place, *_ = model.replay.places(steps.update, 16)
    assert place is next(iter(model.replay.steps.values())).inputs[0]
    assert model.replay.places(steps.update, 16) is None, "it holds a batch that is not used yet"
    place[...] = X
    model.replay(steps.update, place, Y)
    assert model.replay.places(steps.update, 16) is not None


def test_what_another_thread_changes_is_not_taken_for_what_a_step_changed():
    """While a prediction is recorded, somebody trains layers that it shares:
    the prediction takes nothing back.
    """
    shared = layers.Dense(4)
    model = Sequential([layers.Input((6,)), shared])
    original, trained = tinynet.replay.capture.Capture.__exit__, []

    def trains(self, *exception):
        original(self, *exception)
        elsewhere(lambda: shared.kernel.assign(shared.kernel.numpy() + 1))
        trained.append(shared.kernel.numpy())

    model.predict(X, verbose=0)
    tinynet.replay.capture.Capture.__exit__ = trains
    try:
        model.predict(X, verbose=0)
    finally:
        tinynet.replay.capture.Capture.__exit__ = original
    np.testing.assert_array_equal(shared.kernel.numpy(), trained[0])
    for _ in range(4):
        np.testing.assert_allclose(
            model.predict(X, verbose=0), X @ shared.kernel.numpy(), rtol=1e-4, atol=1e-5
        )


def test_a_frozen_layer_that_somebody_trains_meanwhile_keeps_what_was_learned():
    """A step that is compared puts back what it changed itself, not the weights that it leaves alone."""
    frozen = layers.Dense(6)
    model = compiled(frozen)
    frozen.trainable = False
    model.compile(optimizers.SGD(0.1), losses.SparseCategoricalCrossentropy(from_logits=True))
    original = tinynet.replay.step.Step._run

    def trains(self, *args):
        elsewhere(lambda: frozen.kernel.assign(frozen.kernel.numpy() + 1))
        return original(self, *args)

    tinynet.replay.step.Step._run = trains
    before = frozen.kernel.numpy()
    try:
        for _ in range(3):
            model.train_on_batch(X, Y)
    finally:
        tinynet.replay.step.Step._run = original
    np.testing.assert_array_equal(frozen.kernel.numpy(), before + 1)
    assert not model.replay.programs, "it does not repeat what the tape gave"


def test_steps_of_two_threads_take_turns():
    """One thread is within a step; another's prediction waits for its end."""
    model, order = compiled(), []
    inside, go = threading.Event(), threading.Event()

    class Waits(tinynet.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            inside.set()
            assert go.wait(5)
            order.append("step")

    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[Waits()])
    step = threading.Thread(target=lambda: model.train_on_batch(X, Y))
    step.start()
    assert inside.wait(5)
    others = [
        threading.Thread(target=lambda call=call, name=name: (call(), order.append(name)))
        for name, call in {
            "predict": lambda: model.predict(X, verbose=0),
            "get_weights": model.get_weights,
            "gradients": lambda: model.gradients(X, Y),
        }.items()
    ]
    for thread in others:
        thread.start()
    others[0].join(0.2)
    assert not order
    go.set()
    for thread in (step, *others):
        thread.join()
    assert order[0] == "step"
    assert sorted(order[1:]) == ["get_weights", "gradients", "predict"]


def test_statistics_that_change_are_seen_by_the_tape():
    """The derivative in inference mode uses the moving variance; a training pass in between changes it."""
    norm = layers.BatchNormalization()
    x = Tensor(X, requires_grad=True)
    y = norm(x, training=False)
    norm(Tensor(X * 3), training=True)
    with pytest.raises(RuntimeError, match="changed it since"):
        ops.sum(y).backward()


@pytest.mark.parametrize("step", ["predict_on_batch", "test_on_batch", "train_on_batch"])
def test_a_step_within_a_step_of_its_own_kind_leaves_it_alone(step, monkeypatch):
    """As a signal handler might begin one, between the copy of a batch to where a
    program reads it and the program.
    """
    run, results = tinynet.replay.program.Program.run, []

    def reenters(self):
        if inside and not inside.pop():
            model.predict(3 * X, batch_size=16, verbose=0)
            model.evaluate(3 * X, Y, batch_size=16, verbose=0)
        run(self)

    monkeypatch.setattr(tinynet.replay.program.Program, "run", reenters)
    for disturbed in (False, True):
        model, inside, values = compiled(layers.BatchNormalization(), optimizer=optimizers.Adam(0.1)), [], []
        batch = (X,) if step == "predict_on_batch" else (X, Y)
        for _ in range(4):
            model.predict(X, batch_size=16, verbose=0)
            model.evaluate(X, Y, batch_size=16, verbose=0)
        for i in range(8):
            if disturbed and i in (4, 6):
                inside = [False]
            values.append(getattr(model, step)(*batch))
        results.append([*values, *model.get_weights()])
        assert not inside
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
