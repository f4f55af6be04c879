"""replayed: functions of one's own give the same bits with and without it,
and say why where they stay on the tape.
"""

import copy
import signal
import threading

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses, metrics, ops, optimizers
from tinynet.autograd import Parameter, Tensor
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

RNG = np.random.default_rng(3)
BATCHES = [(RNG.normal(size=(16, 6)).astype(np.float32), RNG.integers(0, 4, 16)) for _ in range(40)]


class Loop:
    """A training loop of one's own, as the documents show it."""

    def __init__(self, replays, optimizer=None):
        set_random_seed(0)
        self.model = Sequential(
            [
                layers.Input((6,)), layers.Dense(8, "relu"), layers.BatchNormalization(), layers.Dropout(0.3),
                layers.Dense(4),
            ]
        )  # fmt: skip
        self.optimizer = optimizer or optimizers.Adam(0.01)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        self.accuracy, self.mean = metrics.SparseCategoricalAccuracy(), metrics.Mean()
        self.step = tinynet.replayed(self.train) if replays else self.train

    def train(self, x, y):
        logits = self.model(x, training=True)
        loss = self.loss(y, logits)
        weights = self.model.trainable_weights
        self.optimizer.apply(tinynet.grad(loss, weights), weights)
        self.accuracy.update_state(y, logits)
        self.mean.update_state(loss)
        return {"loss": loss, "accuracy": self.accuracy.result(), "logits": [logits]}

    def run(self, change=lambda loop, i: None, steps=12):
        found = []
        for i, (x, y) in enumerate(BATCHES[:steps]):
            change(self, i)
            out = self.step(x, y)
            assert isinstance(out["loss"], Tensor)
            assert isinstance(out["accuracy"], float)
            found += [out["loss"].numpy(), out["accuracy"], out["logits"][0].numpy()]
        return [*found, self.mean.result(), *self.model.get_weights(), *self.optimizer.get_weights()]


def same(found, expected):
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_array_equal(a, b, err_msg=f"value {i}")


def test_a_loop_of_ones_own_gives_the_same_bits():
    loop = Loop(True)
    same(loop.run(), Loop(False).run())
    assert loop.step.why() == "replayed"
    assert len(loop.step.programs) == 1


CHANGES = {
    "learning rate": lambda loop, i: setattr(loop.optimizer, "learning_rate", 0.1 if i > 5 else 0.01),
    "clipnorm": lambda loop, i: setattr(loop.optimizer, "clipnorm", 0.01 if i > 5 else None),
    "beta_1": lambda loop, i: setattr(loop.optimizer, "beta_1", 0.5 if i > 5 else 0.9),
    "frozen": lambda loop, i: i == 6 and setattr(loop.model.layers[0], "trainable", False),
    "rate of dropout": lambda loop, i: i == 6 and setattr(loop.model.layers[2], "rate", 0.6),
    "weights": lambda loop, i: i == 6 and loop.model.set_weights([w * 0.5 for w in loop.model.get_weights()]),
    "label smoothing": lambda loop, i: setattr(
        loop.loss, "reduction", "sum" if i > 5 else "sum_over_batch_size"
    ),
    "metric": lambda loop, i: i == 6 and loop.accuracy.reset_state(),
    "draws": lambda loop, i: i == 6 and setattr(loop.model.layers[2], "_draw_count", 1),
    "slots": lambda loop, i: i == 6 and loop.optimizer.build(loop.model.trainable_weights),
    "epsilon": lambda loop, i: tinynet.config.set_epsilon(1e-3 if i == 6 else 1e-7),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_between_steps_is_seen(name):
    loop = Loop(True)
    same(loop.run(CHANGES[name]), Loop(False).run(CHANGES[name]))
    tinynet.config.set_epsilon(1e-7)
    assert loop.step.why() == "replayed"


@pytest.mark.parametrize("make", [
    lambda: optimizers.SGD(0.1, momentum=0.9, clipnorm=0.1), lambda: optimizers.Nadam(0.01),
    lambda: optimizers.Adam(tinynet.schedules.ExponentialDecay(0.1, 3, 0.5)),
    lambda: optimizers.SGD(0.1, gradient_accumulation_steps=2), lambda: optimizers.Adam(0.01, use_ema=True),
])  # fmt: skip
def test_optimizers(make):
    loop = Loop(True, make())
    same(loop.run(steps=20), Loop(False, make()).run(steps=20))
    assert loop.step.why() == "replayed"


class Scaled(optimizers.Optimizer):
    """A rule of one's own in plain NumPy."""

    def build(self, variables):
        super().build(variables)
        self._add_slots("sum")

    def update_step(self, gradient, variable, learning_rate):
        (total,) = self._slots_of(variable)
        total += gradient
        variable.data[...] -= learning_rate * total


def test_an_optimizer_in_plain_numpy_is_one_launch_and_a_rehearsal_leaves_no_trace():
    loop = Loop(True, Scaled(0.01))
    same(loop.run(CHANGES["learning rate"]), Loop(False, Scaled(0.01)).run(CHANGES["learning rate"]))
    assert loop.step.why() == "replayed"


w = Parameter(np.ones(3, np.float32))
X = np.linspace(0.1, 1.2, 12, dtype=np.float32).reshape(4, 3)
factor = 1.0
settings = {"factor": 1.0}
kept = []
model = Sequential([layers.Input((3,)), layers.Dense(2)])
model.compile("sgd", "mse")


def float_of_an_argument(x):
    return ops.sum(w * x) * float(x.mean())


def branch_by_an_argument(x):
    return ops.sum(w) if x[0, 0] > 0.5 else ops.sum(w * w)


def branch_by_a_result(x):
    total = ops.sum(w * x)
    return total if total > 1 else total * 2


def numpy_of_an_argument(x):
    return ops.sum(w * np.tanh(x))


def numpy_of_a_result(x):
    y = w * x
    return ops.sum(y * np.abs(y.data))


def number_of_a_result(x):
    return ops.sum(w * x) * (w * x).numpy().max()


def item(x):
    total = ops.sum(w * x)
    return total * total.item()


def random_numbers(x):
    return ops.sum(w * x * np.random.normal())


def random_without_a_seed(x):
    return ops.sum(w * tinynet.random.normal((4, 3)))


def changes_its_argument(x):
    x[...] = 0
    return ops.sum(w * x)


def nothing(x):
    return x


def trains(x):
    return model.train_on_batch(x, np.zeros((4, 2), np.float32))


def prints(x):
    total = ops.sum(w * x)
    f"{total}"
    return total


def list_that_grows(x):
    kept.append(len(kept))
    return ops.sum(w * x)


REASONS = {
    float_of_an_argument: "computes with NumPy",
    branch_by_an_argument: "looks at the numbers of an array",
    branch_by_a_result: "looks at the numbers of a Tensor",
    numpy_of_an_argument: "computes with NumPy (np.tanh)",
    numpy_of_a_result: "computes with NumPy (np.absolute)",
    number_of_a_result: "looks at the numbers of a Tensor",
    item: "looks at the numbers of a Tensor",
    random_numbers: "draws random numbers of NumPy",
    random_without_a_seed: "draws random numbers without a seed",
    changes_its_argument: "changes an array in place",
    nothing: "it launches no kernel",
    trains: "runs a step of a model",
    prints: "looks at the numbers of a Tensor",
    list_that_grows: "'kept' is another value at each call",
}


@pytest.mark.parametrize("function", REASONS, ids=lambda function: function.__name__)
def test_what_cannot_be_repeated_runs_its_python_and_says_why(function):
    step = tinynet.replayed(function)
    for i in range(8):
        rng, seed = np.random.get_state(), tinynet.backend.random.state()
        a = step(X * (i + 1))
        if function is trains:  # a rehearsal draws too
            continue
        np.random.set_state(rng)
        tinynet.backend.random.set_state(seed)
        b = function(X * (i + 1))
        np.testing.assert_array_equal(getattr(a, "data", a), getattr(b, "data", b))
    assert not step.programs
    assert REASONS[function] in step.why()
    if "looks" in step.why() or "computes with NumPy (" in step.why():
        assert "test_function.py:" in step.why(), "it names the line"


def by_a_global(x):
    return ops.sum(w * x) * factor


def by_an_entry(x):
    return helper(x)


def helper(x):
    return ops.sum(w * x) * settings["factor"]


def by_a_default(x, *, factor=3.0):
    return ops.sum(w * x) * factor


@pytest.mark.parametrize("name", ["global", "entry", "default", "closure", "attribute", "argument"])
def test_numbers_that_its_python_names_may_change(name, monkeypatch):
    class Holds:
        factor = 1.0

    holds, number = Holds(), 1.0

    def by_closure(x):
        return ops.sum(w * x) * number

    functions = {
        "global": by_a_global, "entry": by_an_entry, "default": by_a_default, "closure": by_closure,
        "attribute": lambda x: ops.sum(w * x) * holds.factor, "argument": lambda x,
        factor: ops.sum(w * x) * factor,
    }  # fmt: skip
    step, plain = tinynet.replayed(functions[name]), functions[name]
    for i in range(12):
        number = holds.factor = 1.0 if i < 6 else 7.0
        monkeypatch.setitem(globals(), "factor", number)
        monkeypatch.setitem(settings, "factor", number)
        if name == "default":
            monkeypatch.setitem(by_a_default.__kwdefaults__, "factor", number)
        more = (number,) if name == "argument" else ()
        assert step(X * (i + 1), *more).item() == plain(X * (i + 1), *more).item()
    assert len(step.programs) == 2, step.why()


def test_a_variable_that_python_reads_is_watched():
    scale = Parameter(np.full((), 2.0, np.float32), trainable=False)
    step = tinynet.replayed(lambda x: ops.sum(w * x) * float(scale))
    for i in range(10):
        if i == 6:
            scale.assign(5.0)
        expected = np.float32((X * (i + 1)).sum()) * (2 if i < 6 else 5)
        np.testing.assert_allclose(step(X * (i + 1)).item(), expected, rtol=1e-5)


def test_a_count_that_python_reads_and_the_step_changes_keeps_it_on_the_tape():
    count = Parameter(np.zeros((), np.float32), trainable=False)

    def every_fifth(x):
        count.assign(count + 1)
        return ops.sum(w * x) * (100.0 if int(count) % 5 == 0 else 1.0)

    step = tinynet.replayed(every_fifth)
    for i in range(1, 13):
        assert (step(X).item() > 100) == (i % 5 == 0)
    assert not step.programs
    assert "numbers" in step.why()


def test_a_count_of_the_optimizer_that_python_reads_keeps_it_on_the_tape():
    v = Parameter(np.ones(3, np.float32))
    sgd = optimizers.SGD(0.1)

    def step(x):
        sgd.apply([ops.sum(v * x, axis=0)], [v])
        return ops.sum(v) * (1.0 if sgd.iterations % 2 else -1.0)

    replayed = tinynet.replayed(step)
    signs = [np.sign(replayed(-X).item()) for _ in range(8)]
    assert signs == [1, -1] * 4
    assert not replayed.programs


def test_assignments_and_in_place_operators_are_repeated():
    results = []
    for replays in (False, True):
        total, average = Tensor(np.zeros(3, np.float32)), Parameter(np.zeros(3, np.float32), trainable=False)

        def step(x, total=total, average=average):
            now = ops.mean(Tensor(x), axis=0)
            total += now
            total[0] = now[1]
            average.assign(0.9 * average + 0.1 * now)
            return total + average

        run = tinynet.replayed(step) if replays else step
        results.append([run(X * (i + 1)).numpy() for i in range(8)])
        assert not replays or run.why() == "replayed"
    same(*results)


def test_results_stay_the_callers_and_arguments_may_be_structures():
    step = tinynet.replayed(lambda data, scale: ({"y": data["a"] * scale[0] + data["b"][0]}, w))
    held = []
    for i in range(7):
        out, variable = step({"a": Tensor(X), "b": [X * i]}, scale=(2.0,))
        assert variable is w
        held.append(out["y"])
    assert step.why() == "replayed"
    for i, y in enumerate(held):
        np.testing.assert_allclose(y.numpy(), X * 2 + X * i, rtol=1e-6)


def test_other_shapes_and_memory_orders_are_other_kinds():
    step = tinynet.replayed(lambda x: ops.sum(w * x))
    for _ in range(4):
        for x in (X, X[:2], np.asfortranarray(X), X.astype(np.float64)):
            np.testing.assert_allclose(step(x).item(), x.sum(), rtol=1e-5)
    assert len(step.programs) == 4


def test_gradients_by_an_argument():
    step = tinynet.replayed(lambda x: tinynet.grad(ops.sum(x**3), x))
    for i in range(1, 7):
        np.testing.assert_allclose(
            step(Tensor(X * i, requires_grad=True)).numpy(), 3 * (X * i) ** 2, rtol=1e-5
        )
    assert step.why() == "replayed"
    step(Tensor(X, requires_grad=True) * 2)
    assert "further back" in tinynet.replayed(step.repeats).why() or "further back" in step._reason


def test_it_may_be_called_within_another_one_and_within_itself():
    inner = tinynet.replayed(lambda x: ops.sum(w * x))
    outer = tinynet.replayed(lambda x: inner(x) * 2)
    for i in range(6):
        np.testing.assert_allclose(outer(X * i).item(), 2 * i * X.sum(), rtol=1e-5)
    assert outer.why() == "replayed"


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal")
def test_a_signal_handler_may_call_it():
    seen = []
    step = tinynet.replayed(lambda x: ops.sum(w * x))
    before = signal.signal(signal.SIGUSR1, lambda *told: seen.append(step(X * 100).item()))
    sends = tinynet.replayed(lambda x: (signal.raise_signal(signal.SIGUSR1), step.repeats(x))[1])
    try:
        for i in range(6):
            np.testing.assert_allclose(sends(X * i).item(), i * X.sum(), rtol=1e-5)
            np.testing.assert_allclose(step(X * i).item(), i * X.sum(), rtol=1e-5)
    finally:
        signal.signal(signal.SIGUSR1, before)
    np.testing.assert_allclose(seen, 100 * X.sum(), rtol=1e-5)


def test_threads_have_programs_of_their_own():
    step, found = tinynet.replayed(lambda x: ops.sum(w * x)), []
    threads = [
        threading.Thread(
            target=lambda k=k: found.extend((k * i * X.sum(), step(X * k * i).item()) for i in range(20))
        )
        for k in (1, 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    for expected, value in found:
        np.testing.assert_allclose(value, expected, rtol=1e-5)


class Trainer:
    def __init__(self, scale):
        self.scale = scale

    @tinynet.replayed
    def step(self, x):
        return ops.sum(w * x) * self.scale


def test_methods():
    one, two = Trainer(1.0), Trainer(5.0)
    for i in range(6):
        np.testing.assert_allclose(
            [one.step(X * i).item(), two.step(X * i).item()], [i * X.sum(), 5 * i * X.sum()], rtol=1e-5
        )
    assert one.step.why() == two.step.why() == "replayed"
    three = copy.deepcopy(two)
    three.scale = 2.0
    np.testing.assert_allclose(three.step(X).item(), 2 * X.sum(), rtol=1e-5)


def test_eagerly():
    calls = []
    step = tinynet.replayed(lambda x: (calls.append(0), ops.sum(w * x))[1])
    tinynet.config.run_functions_eagerly(True)
    try:
        for _ in range(6):
            step(X)
    finally:
        tinynet.config.run_functions_eagerly(False)
    assert len(calls) == 6
    assert "eagerly" in step.why()


def test_python_that_hangs_on_something_hidden_is_found_at_the_thirtieth_call():
    table = np.ones(20_000)  # too long to be looked at at each call
    step = tinynet.replayed(lambda x: ops.sum(w * x) * float(table[0]))
    for _ in range(10):
        step(X)
    assert step.why() == "replayed"
    table[0] = 2.0
    with pytest.warns(UserWarning, match="gave other numbers than its Python"):
        last = [step(X) for _ in range(40)][-1]
    np.testing.assert_allclose(last.item(), 2 * X.sum(), rtol=1e-5)
    assert not step.programs


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="takes a function"):
        tinynet.replayed(3)
