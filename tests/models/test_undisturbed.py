"""Whatever is called on a model while it is trained leaves that training as it is:
bits of weights, logs and History.

From callbacks at every hook, from the middle of a step (a metric that calls), and from a second thread.
"""

import collections
import signal
import threading

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, metrics, optimizers
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

RNG = np.random.default_rng(6)
X, Y = RNG.normal(size=(100, 5)).astype(np.float32), RNG.integers(0, 2, (100, 1)).astype(np.float32)
XV, YV = RNG.normal(size=(40, 5)).astype(np.float32), np.zeros((40, 1), np.float32)


class Seen(metrics.Metric):
    """Keeps what it has seen in attributes of its own, as a metric may."""

    def __init__(self, name="seen"):
        super().__init__(name=name)
        self.values, self.sums, self.count = [], {"y": 0.0}, 0
        self.array, self.inner = np.zeros(2), metrics.Mean()

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.values.append(float(np.sum(y_pred)))
        self.sums["y"] += float(np.sum(y_true))
        self.count += len(y_pred)
        self.array += 1, len(y_pred)
        self.inner.update_state(y_pred)

    def result(self):
        return (
            sum(self.values)
            + self.sums["y"] / max(self.count, 1)
            + self.array[1]
            + float(self.inner.result())
        )

    def reset_state(self):
        self.values.clear()
        self.sums["y"], self.count = 0.0, 0
        self.array[...] = 0
        self.inner.reset_state()


def net(eagerly=False, dropout=0.2, reported=()):
    set_random_seed(3)
    model = Sequential(
        [
            layers.Input((5,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(dropout),
            layers.Dense(1, "sigmoid"),
        ]
    )
    reported = ["accuracy", metrics.AUC(num_thresholds=20), *reported, metrics.TruePositives(), Seen()]
    model.compile(optimizers.Adam(0.02), "binary_crossentropy", metrics=reported, run_eagerly=eagerly)
    return model


class Logs(callbacks.Callback):
    """Every value that training's hooks are told, after every batch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((epoch, dict(logs)))


def trained(model, *given, epochs=3):
    logs = Logs()
    settings = {"validation_data": (XV, YV), "validation_batch_size": 16, "epochs": epochs, "verbose": 0}
    history = model.fit(X, Y, batch_size=16, callbacks=[*given, logs], **settings)
    return [history.history, logs.seen], model.get_weights() + model.optimizer.get_weights()


def same(found, expected):
    assert found[0] == expected[0]
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(a, b)


def calls(model, folder):
    """{name: function}: the public methods that do not train."""
    return {
        "evaluate": lambda: model.evaluate(XV, YV, batch_size=16, verbose=0),
        "evaluate of the same kind": lambda: model.evaluate(
            XV[:32], YV[:32], batch_size=16, verbose=0, return_dict=True
        ),
        "predict": lambda: model.predict(XV, batch_size=16, verbose=0),
        "predict of other sizes": lambda: [model.predict(XV[:n], batch_size=n, verbose=0) for n in (3, 5, 7)],
        "predict_on_batch": lambda: model.predict_on_batch(XV[:16]),
        "test_on_batch": lambda: model.test_on_batch(XV[:16], YV[:16]),
        "gradients": lambda: model.gradients(XV[:16], YV[:16]),
        "call": lambda: model(XV[:16]),
        "save": lambda: model.save(folder / "model.tinynet"),
        "save_weights": lambda: model.save_weights(folder / "weights.safetensors"),
        "get_weights": model.get_weights,
        "set_weights": lambda: model.set_weights(model.get_weights()),
        "summary": lambda: model.summary(print_fn=lambda line: None),
        "to_json": model.to_json,
        "get_config": model.get_config,
        "get_compile_config": model.get_compile_config,
        "metrics": lambda: (model.metrics, model.metrics_names, model.losses, model.layers),
        "get_metrics_result": model.get_metrics_result,
    }


NAMES = sorted(calls(net(), None))
HOOKS = [
    f"on_{what}_{when}"
    for what in ("epoch", "train_batch", "test", "test_batch")
    for when in ("begin", "end")
]


class Calls(callbacks.Callback):
    """Calls functions at every hook, or at one of them."""

    def __init__(self, folder, names, hooks=HOOKS):
        super().__init__()
        self.folder, self.names, self.busy, self.count = folder, names, False, 0
        for hook in hooks:
            setattr(self, hook, self.call)

    def call(self, *told, **logs):
        if self.busy:  # evaluate has hooks of its own, but not for this callback
            return
        self.busy = True
        functions = calls(self.model, self.folder)
        for name in self.names:
            functions[name]()
            self.count += 1
        self.busy = False


@pytest.fixture(scope="module")
def undisturbed():
    return {eagerly: trained(net(eagerly)) for eagerly in (False, True)}


@pytest.mark.parametrize(
    ("name", "eagerly"), [*((name, False) for name in NAMES), ("evaluate", True), ("predict", True)]
)
def test_a_callback_may_call_anything_at_every_hook(name, eagerly, undisturbed, tmp_path):
    aside = Calls(tmp_path, [name])
    same(trained(net(eagerly), aside), undisturbed[eagerly])
    assert aside.count > 50


def test_all_of_it_at_once(undisturbed, tmp_path):
    same(trained(net(), Calls(tmp_path, NAMES)), undisturbed[False])


class Trains(callbacks.Callback):
    """Trains aside, on weights that are put back: what is left is whether the
    epoch's own numbers are disturbed.
    """

    def __init__(self, how, hook):
        super().__init__()
        self.how, self.inside = how, False
        setattr(self, hook, self.train)

    def train(self, *told, **logs):
        if self.inside:
            return
        self.inside = True
        weights, slots = (
            self.model.get_weights(),
            self.model.optimizer.get_weights() if self.model.optimizer.built else None,
        )
        if self.how == "fit":
            stop = callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: setattr(self.model, "stop_training", True)
            )
            history = self.model.fit(XV, YV, batch_size=16, epochs=3, verbose=0, callbacks=[stop])
            assert len(history.epoch) == 1
            assert not self.model.stop_training, "that of the fit around"
        else:
            self.model.train_on_batch(XV[:16], YV[:16])
        self.model.set_weights(weights)
        if slots is not None:
            self.model.optimizer.set_weights(slots)
        self.inside = False


@pytest.mark.parametrize(
    "hook", ["on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_test_batch_end"]
)
@pytest.mark.parametrize("how", ["fit", "train_on_batch"])
def test_training_aside_leaves_the_epochs_own_numbers(how, hook):
    def weights(model):  # the optimizer is built before, so that its slots can be put back
        model.train_on_batch(X[:16], Y[:16])
        return model

    plain = trained(weights(net(dropout=0.0)))
    model = weights(net(dropout=0.0))
    same(trained(model, Trains(how, hook)), plain)
    assert len(model.history.epoch) == 3, "the history of the fit around, not of the one within"


def test_compiling_anew_in_the_middle_of_an_epoch():
    """As when `fit` had been told so at the epoch's beginning:
    the rest of it is reported under the new names.
    """

    class Compiles(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.compile("sgd", "mse", metrics=["mae"])

    history = net().fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[Compiles()]).history
    assert list(history) == ["loss", "mae"]


# From within a step


class Reenters(metrics.Mean):
    """A metric that uses the model itself: in the middle of a step, as a signal handler might."""

    def __init__(self, folder, names):
        super().__init__(name="accuracy_again")
        self.folder, self.names, self.model, self.inside = folder, names, None, False

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state((y_pred > 0.5) == (y_true > 0.5))
        if self.model is not None and not self.inside:
            self.inside = True
            functions = calls(self.model, self.folder)
            for name in self.names:
                functions[name]()
            self.inside = False


@pytest.mark.parametrize("eagerly", [False, True])
def test_calls_from_the_middle_of_a_step(eagerly, tmp_path):
    results = []
    for reenters in (False, True):
        metric = Reenters(tmp_path, [name for name in NAMES if "metric" not in name])
        model = net(eagerly, reported=[metric])
        if reenters:
            object.__setattr__(metric, "model", model)
        results.append(trained(model))
        metric.model = None
    same(*results)


class Writes(metrics.Metric):
    """A metric that has its collections in hand, about to write to them, when an evaluation comes between."""

    def __init__(self):
        super().__init__(name="writes")
        self.between = None
        self.reset_state()

    def update_state(self, y_true, y_pred, sample_weight=None):
        into, sums, names, last, nested = self.values, self.sums, self.names, self.last, self.nested["a"][0]
        if self.between is not None and not self.inside:
            self.inside = True
            self.between()
            self.inside = False
        value = float(np.sum(y_pred))
        into.append(value)
        sums["y"] = sums.get("y", 0.0) + value
        names.add(len(into))
        last.append(value)
        nested.append(value)

    def result(self):
        return (
            sum(self.values)
            + sum(self.sums.values())
            + len(self.names)
            + sum(self.last)
            + sum(self.nested["a"][0])
        )

    def reset_state(self):
        self.values, self.sums, self.names, self.last = [], {}, set(), collections.deque(maxlen=3)
        self.nested = {"a": ([],)}
        self.inside = getattr(self, "inside", False)


@pytest.mark.parametrize("eagerly", [False, True])
def test_an_update_that_is_interrupted_writes_to_what_it_had_in_hand(eagerly):
    results = []
    for interrupted in (False, True):
        metric = Writes()
        model = net(eagerly, reported=[metric])
        if interrupted:
            metric.between = lambda model=model: model.evaluate(XV, YV, batch_size=16, verbose=0)
        results.append(trained(model))
        metric.between = None
    same(*results)


# From a second thread


def beside(model, function, run):
    """What run() gives while another thread calls `function` over and over; and how often it did."""
    done, failed, count = threading.Event(), [], [0]

    def repeat():
        while not done.is_set():
            try:
                function()
            except BaseException as error:
                failed.append(error)
                return
            count[0] += 1

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        result = run()
        while not count[0] and not failed:
            done.wait(0.001)
    finally:
        done.set()
        thread.join()
    assert not failed, failed
    return result, count[0]


# get_weights, a step, set_weights: that would be a change
ASIDE = [name for name in NAMES if name != "set_weights"]


@pytest.mark.parametrize(
    ("name", "eagerly"),
    [*((name, False) for name in ASIDE), ("everything", False), ("evaluate", True), ("predict", True)],
)
def test_a_second_thread_may_call_anything(name, eagerly, undisturbed, tmp_path):
    model = net(eagerly)
    functions = calls(model, tmp_path)
    chosen = [functions[one] for one in ASIDE] if name == "everything" else [functions[name]]
    found, count = beside(model, lambda: [function() for function in chosen], lambda: trained(model))
    assert count
    same(found, undisturbed[eagerly])


def test_predictions_of_a_second_thread_are_those_of_one_step():
    """The weights of each step make all outputs equal that step's number: no prediction mixes two steps."""
    model = Sequential(
        [layers.Input((3,)), layers.Dense(64, kernel_initializer="zeros", use_bias=False), layers.Dense(1)]
    )
    model.layers[1].set_weights([np.ones((64, 1), np.float32) / 64, np.zeros(1, np.float32)])
    model.layers[1].trainable = False
    model.compile(optimizers.SGD(1.0), "mae")
    x = np.ones((8, 3), np.float32)
    seen, copies = [], []

    def look():
        seen.append(model.predict(x, verbose=0))
        copies.append(model.get_weights()[0])

    # The loss's gradient has one sign throughout:
    # every step adds the same to every weight of the first kernel.
    beside(
        model,
        look,
        lambda: model.fit(x, np.full((8, 1), 1e9, np.float32), batch_size=8, epochs=400, verbose=0),
    )
    for prediction in seen:
        assert np.unique(prediction).size == 1
        steps = prediction[0, 0] / (3 / 64)
        assert abs(steps - round(float(steps))) < 1e-2, steps
    for copy in copies:
        assert np.unique(copy).size == 1, "weights of two steps"


def test_a_rehearsal_leaves_the_weights_alone():
    """While a step is recorded, on numbers that are not to count,
    the weights never hold what comes of them.
    """
    model = Sequential([layers.Input((5,)), layers.Dense(4), layers.BatchNormalization(), layers.Dense(1)])
    model.compile(optimizers.Adam(0.1, use_ema=True), "mse")
    states = []
    original = tinynet.replay.capture.Capture.__exit__

    def looks(self, *exception):
        original(self, *exception)
        states.append([p.numpy() for p in (*model.weights, *model.optimizer.variables)])

    model.train_on_batch(X[:16], Y[:16])
    before = [p.numpy() for p in (*model.weights, *model.optimizer.variables)]
    tinynet.replay.capture.Capture.__exit__ = looks
    try:
        model.train_on_batch(X[:16], Y[:16])
    finally:
        tinynet.replay.capture.Capture.__exit__ = original
    (seen,) = states
    for a, b in zip(seen, before, strict=True):
        np.testing.assert_array_equal(a, b)
    for _ in range(3):
        model.train_on_batch(X[:16], Y[:16])
    assert model.replay.programs


# From a signal handler: in the middle of anything, also of a launch

# model(x) within a call of the model is part of it: it may be training
HANDLED = [name for name in ASIDE if name != "call"]

@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")
@pytest.mark.parametrize("eagerly", [False, True])
def test_a_signal_handler_may_call_anything(eagerly, undisturbed, tmp_path):
    model, count = net(eagerly), [0]
    functions = calls(model, tmp_path)

    def handle(*told):
        functions[HANDLED[count[0] % len(HANDLED)]]()
        count[0] += 1
        signal.setitimer(signal.ITIMER_REAL, 0.0015)  # the next signal comes when this handler is done

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0015)
    try:
        found = trained(model)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert count[0] >= len(HANDLED)
    same(found, undisturbed[eagerly])


def test_gradients_are_found_where_nothing_else_is_recorded():
    """As in a handler that interrupts an evaluation."""
    model = net()
    expected = model.gradients(X[:16], Y[:16])
    with tinynet.no_grad():
        found = model.gradients(X[:16], Y[:16])
    assert expected.keys() == found.keys() != set()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
