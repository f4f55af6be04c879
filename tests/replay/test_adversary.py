"""Programs as people write them, in which numbers change at places that nobody announced:
replayed, they give the same bits.
"""

import collections
import contextvars
import dataclasses
import functools
import gc
import itertools
import os
import random
import sys
import threading
import types
import weakref
from typing import ClassVar

import numpy as np
import pytest

import tinynet
from tinynet import layers, losses, metrics, ops, optimizers
from tinynet.autograd import Parameter, Tensor
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

RNG = np.random.default_rng(3)
X = RNG.normal(size=(8, 3)).astype(np.float32)
BATCHES = [(RNG.normal(size=(16, 6)).astype(np.float32), RNG.integers(0, 4, 16)) for _ in range(16)]
w = Parameter(np.ones(3, np.float32))
loss_of = losses.SparseCategoricalCrossentropy(from_logits=True)
number = 1.0
module = types.ModuleType("adversary_settings")
module.inner, module.alpha = types.ModuleType("adversary_settings.inner"), 1.0


def bits(value):
    """Something that is equal only where all bits are."""
    if isinstance(value, dict):
        return [(key, bits(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [bits(item) for item in value]
    if isinstance(value, Tensor):
        return "Tensor", bits(value._data)
    if isinstance(value, np.ndarray | np.generic):
        return str(value.dtype), value.shape, value.tobytes()
    return value


class Slots:
    __slots__ = ("n",)


@dataclasses.dataclass(slots=True)
class Settings:
    n: float = 1.0


class Table:
    rates: ClassVar = {"a": 1.0}
    steps: ClassVar = [1.0]

    def method(self):
        return 1.0


class Entries(dict):
    __getattr__ = dict.__getitem__


class Several(list):
    pass


Pair = collections.namedtuple("Pair", "a b")


def entry(thing, key="a"):
    return lambda: thing[key], lambda v: thing.__setitem__(key, v)


def attribute(thing, name="n"):
    return lambda: getattr(thing, name), lambda v: setattr(thing, name, v)


def nested(depth):
    outer = inner = types.SimpleNamespace()
    for _ in range(depth):
        inner.n = types.SimpleNamespace()
        inner = inner.n
    inner.v = 1.0

    def read():
        thing = outer
        while not hasattr(thing, "v"):
            thing = thing.n
        return thing.v

    return read, lambda v: setattr(inner, "v", v)


def queue():
    values = collections.deque([1.0], maxlen=1)
    return lambda: values[0], values.append


def bytes_that_change():
    values = bytearray(1)
    return lambda: float(values[0]), lambda v: values.__setitem__(0, int(v))


def class_attribute_that_comes_late():
    class Late:
        pass

    return lambda: getattr(Late, "late", 1.0), lambda v: v > 1 and setattr(Late, "late", v)


def exchanged_method():
    class Other(Table):
        def method(self):
            return 1.0

    thing = Other()
    return lambda: thing.method(), lambda v: setattr(Other, "method", lambda self: v)


def exchanged_code():
    def one():
        return 1.0

    def two():
        return 2.0

    return lambda: one(), lambda v: v > 1 and setattr(one, "__code__", two.__code__)


def partial_of_a_function():
    values = [1.0]
    return functools.partial(lambda k: values[0], 1), lambda v: values.__setitem__(0, v)


def attribute_of_a_function():
    def helper():
        return helper.n

    return helper, lambda v: setattr(helper, "n", v)


def cached():
    class Cached:
        values: ClassVar = [1.0]

        @functools.cached_property
        def n(self):
            return self.values[0]

    thing = Cached()
    return lambda: thing.n, lambda v: (Cached.values.__setitem__(0, v), vars(thing).pop("n", None))


def context_variable():
    variable = contextvars.ContextVar("adversary", default=1.0)
    return lambda: variable.get(), variable.set


def imported_within():
    sys.modules["adversary_settings"] = module

    def read():
        from adversary_settings import alpha

        return alpha

    return read, lambda v: setattr(module, "alpha", v)


def module_in_a_module():
    return lambda: module.inner.alpha, lambda v: setattr(module.inner, "alpha", v)


def environment():
    return lambda: float(os.environ["ADVERSARY"]), lambda v: os.environ.__setitem__("ADVERSARY", str(v))


def by_globals():
    return lambda: globals()["number"], lambda v: globals().__setitem__("number", v)


def element(values, read=lambda values: float(values[0])):
    return lambda: read(values), lambda v: values.__setitem__(0, v)


def tensor_data(tensor):
    return lambda: float(tensor.data[0]), lambda v: tensor.data.__setitem__(0, v)


def rebound_list():
    holder = types.SimpleNamespace(all=[[1.0], [2.0]])
    return lambda: holder.now[0], lambda v: setattr(holder, "now", holder.all[int(v) - 1])


def deep(values):
    return lambda: values[0][0][0][0][0][0], lambda v: values[0][0][0][0][0].__setitem__(0, v)


def true_after(values):
    return lambda: 3.0 if values[0] is True else 1.0, lambda v: values.__setitem__(0, 1 if v == 1 else True)


HOLDERS = {
    "dictionary": lambda: entry({}), "OrderedDict": lambda: entry(collections.OrderedDict()),
    "defaultdict": lambda: entry(collections.defaultdict(float)), "own dict": lambda: entry(Entries()),
    "own list": lambda: entry(Several([1.0]), 0), "long list": lambda: entry([1.0] * 1000, 7),
    "deep list": lambda: deep([[[[[[1.0]]]]]]),
    "named tuple": lambda: entry(Pair(1, [1.0]).b, 0), "deque": queue, "bytearray": bytes_that_change,
    "slots": lambda: attribute(Slots()), "dataclass with slots": lambda: attribute(Settings()),
    "deep object": lambda: nested(6),
    "dictionary of a class": lambda: (lambda: Table.rates["a"], lambda v: Table.rates.__setitem__("a", v)),
    "list of a class": lambda: (lambda: Table().steps[0], lambda v: Table.steps.__setitem__(0, v)),
    (
        "late class "
        "attribute"
    ): class_attribute_that_comes_late, "exchanged method": exchanged_method, "code": exchanged_code,
    "partial": partial_of_a_function, "attribute of a function": attribute_of_a_function,
    "cached property": cached,
    "context variable": context_variable, "import within": imported_within, (
        "module in a "
        "module"
    ): module_in_a_module,
    "environment": environment, "globals()": by_globals, "element of an array": lambda: element(np.ones(3)),
    "sum of an array": lambda: element(np.ones(3, np.float32), lambda values: values.sum()),
    "branch by an array": lambda: element(np.ones(3), lambda values: 1.0 if values.sum() < 3.5 else 2.0),
    "data of a Tensor": lambda: tensor_data(Tensor(np.ones(3, np.float32))),
    "data of a parameter": lambda: tensor_data(Parameter(np.ones(3, np.float32))),
    "minus zero": lambda: (lambda t: (lambda: t[0], lambda v: t.__setitem__(0,
                                                                            0.0 if v == 1 else -0.0)))([0.0]),
    "True, not 1": lambda: true_after([1]),
    "floatx": lambda: (
        lambda: ops.ones(()), lambda v: tinynet.config.set_floatx("float32" if v == 1 else "float64")
    ),
    "list bound anew": rebound_list,
}  # fmt: skip


@pytest.mark.parametrize("name", HOLDERS)
def test_a_number_that_changes_at_the_seventh_call_counts(name):
    read, put = HOLDERS[name]()

    def plain(x):
        return ops.sum(w * x) * read()

    step = tinynet.replayed(plain)
    try:
        for i in range(12):
            put(1.0 if i < 6 else 2.0)
            assert bits(step(X * (i + 1))) == bits(plain(X * (i + 1))), f"call {i + 1}: {step.why()}"
    finally:
        tinynet.config.set_floatx("float32")


@pytest.mark.parametrize(
    "make", [np.ones(3, np.float32), np.ones(3), np.ones(3, int)], ids=["float32", "float64", "int"]
)
def test_an_array_that_is_launched_may_change_at_each_call(make):
    plain = lambda x: ops.sum(w * x * make)  # noqa: E731
    step = tinynet.replayed(plain)
    for i in range(20):
        make[1] = i
        assert bits(step(X)) == bits(plain(X))
    assert step.why() == "replayed", "it is read by its launch, and compared once"


DRAWS = {
    "NumPy": lambda: np.random.rand, "Python": lambda: random.random,
    "Generator": lambda: np.random.default_rng(4).random,
    "RandomState": lambda: np.random.RandomState(4).rand, "object": lambda: random.Random(4).random,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_python_that_draws_gets_the_same_numbers(name):
    found = []
    for wrap in (lambda f: f, tinynet.replayed):
        np.random.seed(4)
        random.seed(4)
        draw = DRAWS[name]()
        step = wrap(lambda x, draw=draw: ops.sum(w * x) * (1.0 if draw() < 0.7 else 2.0))
        found.append([bits(step(X * i)) for i in range(14)])
    assert found[0] == found[1]
    assert "draws random numbers" in step.why()


ITERATORS = {
    "generator": lambda: (1.0 if i < 7 else 2.0 for i in range(100)), "count": itertools.count,
    "list": lambda: iter([1.0] * 7 + [2.0] * 50), "zip": lambda: zip(itertools.count()),
}  # fmt: skip


@pytest.mark.parametrize("name", ITERATORS)
def test_an_iterator_goes_on(name):
    found = []
    for wrap in (lambda f: f, tinynet.replayed):
        values = ITERATORS[name]()
        step = wrap(lambda x, values=values: ops.sum(w * x) * np.ravel(next(values))[0])
        found.append([bits(step(X * i)) for i in range(14)])
    assert found[0] == found[1]
    assert "is an iterator" in step.why()


class Out:
    def __init__(self, loss):
        self.loss = loss


def assigns_to_its_argument(x, p=w):
    t = Tensor(x) * 1.0
    t += 1.0
    return ops.sum(t) + ops.sum(p)


def is_the_same(x, y):
    return ops.sum(w * x) * (1.0 if x is y else 2.0)


holder = types.SimpleNamespace(x=X + 0, k=1.0)
same_array = X + 0
scale = [1.0]
scaled = lambda z: z * scale[0]  # noqa: E731

ARGUMENTS = {
    (
        "order of a dictionary that "
        "is returned"
    ): (lambda x: {"z": ops.sum(w * x), "a": ops.sum(w)}, lambda i: (X * i,)),
    "keys of several kinds": (lambda x: {1: ops.sum(w * x), "a": None, 2.0: ["s", 3]}, lambda i: (X * i,)),
    "order of a dictionary that is given": (
        lambda d: [v * w for v in d.values()], lambda i: ({"a": X * i, "b": X} if i % 2 else {"b": X * i,
                                                                                              "a": X},)
    ),
    "OrderedDict": (lambda d: ops.sum(d["a"] * w), lambda i: (collections.OrderedDict(a=X * i),)),
    "dictionary of one's own": (lambda d: ops.sum(d.a * w), lambda i: (Entries(a=X * i),)),
    "object": (lambda b: ops.sum(b.x * w), lambda i: (types.SimpleNamespace(x=X * i),)),
    "the same object": (lambda b: ops.sum(b.x * w) * b.k,
                        lambda i: (setattr(holder, "k", float(i > 6)), (holder,))[1]),
    "its array": (lambda b: ops.sum(b.x * w), lambda i: (setattr(holder, "x", X * i), (holder,))[1]),
    "the same array": (lambda x: ops.sum(x * w), lambda i: (same_array.__setitem__(..., X * i),
                                                            (same_array,))[1]),
    "number": (lambda x, k: ops.sum(w * x) * k, lambda i: (X, 1 if i < 6 else 2)),
    "flag": (lambda x, k: ops.sum(w * x) * (2 if k is True else 1), lambda i: (X, 1 if i < 6 else True)),
    "minus zero": (lambda x, k: k * ops.sum(w * x), lambda i: (np.abs(X), 0.0 if i < 6 else -0.0)),
    "NumPy's number": (lambda x, k: ops.sum(w * x) * k, lambda i: (X, np.float32(i))),
    "array of no axes": (lambda x, k: ops.sum(w * x) * Tensor(k), lambda i: (X, np.array(i, np.float32))),
    "twice the same": (is_the_same, lambda i: (lambda x: (x, x) if i > 6 else (x, x + 0))(X * i)),
    (
        "twice the same "
        "Tensor"
    ): (is_the_same, lambda i: (lambda x: (x, x) if i % 2 else (x, x * 1.0))(Tensor(X * i))),
    "an autoencoder": (lambda x, y: ops.sum((w * x - y) ** 2), lambda i: (lambda x: (x, x))(X * i)),
    "overlapping": (lambda x, y: ops.sum(w * x) - ops.sum(w * y),
                    lambda i: (lambda x: (x[:4], x[2:6]))(X * i)),
    "the other way round": (lambda x: ops.sum(w * x, axis=0), lambda i: ((X * i)[::-1] if i % 2 else X * i,)),
    "dtypes": (lambda x: x * w, lambda i: ((X * i).astype([np.float32, np.float64, np.int32][i % 3]),)),
    "byte order": (lambda x: ops.sum(x * w), lambda i: ((X * i).astype(">f4" if i % 2 else "<f4"),)),
    "None": (lambda x, m=None: ops.sum(x * w if m is None else x * m),
             lambda i: (X * i,) if i % 2 else (X * i, None)),
    "list": (lambda xs: sum(ops.sum(x * w) for x in xs), lambda i: ([X * i] * (1 + i % 3),)),
    "word": (lambda x, mode: ops.sum(x * w) if mode == "a" else ops.sum(w),
             lambda i: (X * i, "a" if i % 2 else "b")),
    "function": (lambda x, f: ops.sum(f(x * w)), lambda i: (Tensor(X * i), ops.tanh if i % 2 else ops.relu)),
    "what a function names": (
        lambda x, f: ops.sum(f(x * w)), lambda i: (scale.__setitem__(0, float(i > 6)),
                                                   (Tensor(X * i), scaled))[1]
    ),
    "in place": (assigns_to_its_argument, lambda i: (X * i,)),
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_and_results(name):
    plain, given = ARGUMENTS[name]
    step = tinynet.replayed(plain)
    for i in range(12):
        args = given(i)
        assert bits(step(*args)) == bits(plain(*args)), f"call {i + 1}: {step.why()}"


@pytest.mark.parametrize(
    "make", [lambda x: Out(x), lambda x: collections.OrderedDict(loss=x)], ids=["object", "OrderedDict"]
)
def test_what_no_program_can_return_keeps_it_on_the_tape(make):
    step = tinynet.replayed(lambda x: make(ops.sum(w * x)))
    kept = [step(X * i) for i in range(8)]
    for i, out in enumerate(kept):
        loss = out.loss if isinstance(out, Out) else out["loss"]
        np.testing.assert_allclose(loss.item(), i * X.sum(), rtol=1e-5)
    assert "returns an object of class" in step.why()


def test_results_are_constants_from_the_first_call_on():
    step = tinynet.replayed(lambda x: ops.sum(w * x))
    for i in range(6):
        with pytest.raises(RuntimeError, match="nothing to differentiate"):
            tinynet.grad(step(X * i), w)


class Layer(layers.Layer):
    """A layer of one's own with all that people keep in one."""

    table: ClassVar = {"a": 1.0}

    def __init__(self, call):
        super().__init__()
        self.calls_it = call
        self.settings, self._hidden, self.each = {"a": 1.0}, {"a": 1.0}, [np.ones(6, np.float32)]
        self.thing, self.mask, self.rate, self.n = (
            types.SimpleNamespace(k=1.0, m=np.ones(6)),
            np.ones(6, np.float32),
            1.0,
            0,
        )
        self.generator, self.tensor = np.random.default_rng(0), Tensor(np.ones(6, np.float32))

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, x):
        return self.calls_it(self, x) * self._hidden["a"] * self.table["a"]


def counts(self, x):
    self.n += 1
    return x * (1.0 if self.n % 5 else 2.0)


def counts_in_a_variable(self, x):
    self.count.assign(self.count + 1)
    return x * self.count * 0.1


def looks_at_its_count(self, x):
    self.count.assign(self.count + 1)
    return x * (1.0 if int(self.count) % 5 else 2.0)


def penalty(self, x):
    self.add_loss(self.settings["a"] * ops.mean(x * x))
    return x


def late(change):
    return lambda layer, i: change(layer, 1.0 if i < 6 else 2.0)


LAYERS = {
    "rate": (lambda s, x: x * s.rate, late(lambda layer, v: setattr(layer, "rate", v))),
    "count": (counts, None), "count in a variable": (counts_in_a_variable, None), (
        "count looked "
        "at"
    ): (looks_at_its_count, None),
    (
        "array bound "
        "anew"
    ): (lambda s, x: x * s.mask, late(lambda s, v: setattr(s, "mask", np.full(6, v, np.float32)))),
    "array in place": (lambda s, x: x * s.mask, late(lambda s, v: s.mask.__setitem__(0, v))),
    "element": (lambda s, x: x * float(s.mask[0]), late(lambda s, v: s.mask.__setitem__(0, v))),
    "branch": (lambda s, x: x if s.mask.sum() < 6.5 else x * 2, late(lambda s, v: s.mask.__setitem__(0, v))),
    "dictionary": (lambda s, x: x * s.settings["a"], late(lambda s, v: s.settings.__setitem__("a", v))),
    "hidden dictionary": (lambda s, x: x, late(lambda s, v: s._hidden.__setitem__("a", v))),
    "class": (lambda s, x: x, late(lambda s, v: Layer.table.__setitem__("a", v))),
    "list of arrays": (lambda s, x: x * s.each[0], late(lambda s,
                                                        v: s.each.__setitem__(0, np.full(6, v, np.float32)))),
    "array in a list": (lambda s, x: x * (s.each[0] + 0), late(lambda s, v: s.each[0].__setitem__(0, v))),
    "object": (lambda s, x: x * s.thing.k, late(lambda s, v: setattr(s.thing, "k", v))),
    "array of an object": (lambda s, x: x * s.thing.m.sum(), late(lambda s, v: s.thing.m.__setitem__(0, v))),
    "Tensor": (lambda s, x: x * s.tensor, late(lambda s, v: s.tensor.assign(np.full(6, v)))),
    "NumPy's draws": (lambda s, x: x * (1.0 if np.random.rand() < 0.7 else 2.0), None),
    "draws of its own": (lambda s, x: x * (1.0 if s.generator.random() < 0.7 else 2.0), None),
    "noise": (lambda s, x: x + s.generator.normal(size=6).astype(np.float32), None),
    "mean": (lambda s, x: x * 2 if ops.mean(x) > 0 else x, None), "penalty": (penalty, late(
        lambda s, v: s.settings.__setitem__("a", v))),
}  # fmt: skip


def trained(name, replays, fits):
    """All numbers of a training, by `fit`'s steps or by a loop of one's own."""
    call, change = LAYERS[name]
    set_random_seed(0)
    np.random.seed(0)
    Layer.table["a"] = 1.0
    layer, sgd = Layer(call), optimizers.SGD(0.05)
    model = Sequential([layers.Input((6,)), layer, layers.Dense(4)])
    model.compile(sgd, loss_of, run_eagerly=not replays)

    def step(x, y):
        loss = loss_of(y, model(x, training=True)) + sum(model.losses)
        sgd.apply(tinynet.grad(loss, model.trainable_weights), model.trainable_weights)
        return loss

    run = model.train_on_batch if fits else (tinynet.replayed(step) if replays else step)
    found = []
    for i, (x, y) in enumerate(BATCHES):
        if change is not None:
            change(layer, i)
        found.append(bits(run(x, y)))
    return [*found, bits(model.get_weights())], model.replay if fits else run


@pytest.mark.parametrize("fits", [True, False], ids=["fit", "loop"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_ones_own(name, fits):
    found, run = trained(name, True, fits)
    assert found == trained(name, False, fits)[0], run.why()


def loop(body):
    """A program in which body(model, optimizer, x, y) is a step."""

    def numbers(wrap):
        set_random_seed(0)
        model = Sequential(
            [layers.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(4)]
        )
        sgd, state = (
            optimizers.SGD(0.1),
            types.SimpleNamespace(average=np.zeros((6, 8), np.float32), mean=metrics.Mean()),
        )
        run = wrap(lambda x, y: body(model, sgd, state, x, y))
        found = [bits(run(x, y)) for x, y in BATCHES]
        return [*found, bits(model.get_weights()), bits(state.average)], run

    return numbers


def steps(model, sgd, x, y):
    loss = loss_of(y, model(x, training=True))
    sgd.apply(tinynet.grad(loss, model.trainable_weights), model.trainable_weights)
    return loss


def by_backward(model, sgd, state, x, y):
    for p in model.trainable_weights:
        p.zero_grad()
    loss = loss_of(y, model(x, training=True))
    loss.backward()
    sgd.apply([p.grad for p in model.trainable_weights], model.trainable_weights)
    return loss


def adds_up_backwards(model, sgd, state, x, y):
    loss = loss_of(y, model(x, training=True))
    loss.backward()
    sgd.apply([p.grad for p in model.trainable_weights], model.trainable_weights)
    return loss


def decays_with_numpy(model, sgd, state, x, y):
    loss = steps(model, sgd, x, y)
    model.trainable_weights[0].data[...] *= 0.9
    return loss


def averages_with_numpy(model, sgd, state, x, y):
    loss = steps(model, sgd, x, y)
    state.average *= 0.9
    state.average += model.get_weights()[0]
    return loss


def sgd_in_numpy(model, sgd, state, x, y):
    loss = loss_of(y, model(x, training=True))
    for p, g in zip(model.trainable_weights, tinynet.grad(loss, model.trainable_weights), strict=True):
        p.data[...] -= 0.1 * g.data
    return loss


def toggles(model, sgd, state, x, y):
    model.layers[0].trainable = True
    first = steps(model, sgd, x, y)
    model.layers[0].trainable = False
    return first, steps(model, sgd, x, y)


def by_a_metric(model, sgd, state, x, y):
    loss = steps(model, sgd, x, y)
    state.mean.update_state(loss)
    return loss * float(state.mean.result()), state.mean.result()


def by_the_learning_rate(model, sgd, state, x, y):
    sgd.learning_rate = sgd.learning_rate * 0.9
    return steps(model, sgd, x, y)


LOOPS = {
    "backward": by_backward, "backward adds up": adds_up_backwards, "decay": decays_with_numpy,
    "toggle": toggles,
    "average": averages_with_numpy, "NumPy": sgd_in_numpy, "metric": by_a_metric,
    "learning rate": by_the_learning_rate,
    "several": lambda model, sgd, state, x, y: [steps(model, sgd, x, y) for _ in range(3)],
    "iterations": lambda m, sgd, state, x, y: steps(m, sgd, x, y) * (2.0 if int(sgd.iterations) > 7 else 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_loops_of_ones_own(name):
    found, run = loop(LOOPS[name])(tinynet.replayed)
    assert found == loop(LOOPS[name])(lambda f: f)[0], run.why()


@pytest.mark.parametrize("change", [
    lambda model, sgd, more: setattr(more, "k", 2.0), lambda model, sgd, more: setattr(sgd, "clipnorm", 0.01),
    lambda model, sgd, more: setattr(sgd, "learning_rate", 0.01), lambda m, sgd,
    more: setattr(m.layers[0], "trainable", False),
    lambda model, sgd, more: setattr(model.layers[1], "rate", 0.6),
    lambda model, sgd, more: model.set_weights([0.5 * p for p in model.get_weights()]),
], ids=["object", "clipnorm", "learning rate", "frozen", "dropout", "weights"])  # fmt: skip
def test_a_model_an_optimizer_and_settings_may_be_arguments(change):
    found = []
    for wrap in (lambda f: f, tinynet.replayed):
        set_random_seed(0)
        model = Sequential(
            [layers.Input((6,)), layers.Dense(8, "relu"), layers.Dropout(0.3), layers.Dense(4)]
        )
        sgd, more = optimizers.SGD(0.1), types.SimpleNamespace(k=1.0)
        run = wrap(lambda model, sgd, more, x, y: steps(model, sgd, x, y) * more.k)
        numbers = []
        for i, (x, y) in enumerate(BATCHES):
            if i == 8:
                change(model, sgd, more)
            numbers.append(bits(run(model, sgd, more, x, y)))
        found.append([*numbers, bits(model.get_weights())])
    assert found[0] == found[1]
    assert run.why() == "replayed"


def test_a_gradient_by_an_argument_arrives_in_it():
    step = tinynet.replayed(lambda x: ops.sum(x**3).backward())
    for i in range(1, 7):
        x = Tensor(X * i, requires_grad=True)
        step(x)
        np.testing.assert_allclose(x.grad.numpy(), 3 * (X * i) ** 2, rtol=1e-5)
    assert "calls backward()" in step.why()


def test_a_call_that_raises_is_no_call():
    p, boom = Parameter(np.ones(3, np.float32)), [False]

    def plain(x):
        if boom[0]:
            raise KeyError(x)
        p.assign(p * 0.9)
        return ops.sum(p * x)

    step, expected = tinynet.replayed(plain), np.ones(3, np.float32)
    for i in range(12):
        boom[0] = i in (2, 7)
        if boom[0]:
            with pytest.raises(KeyError):
                step(X)
            continue
        expected = expected * np.float32(0.9)
        step(X)
        np.testing.assert_array_equal(p.numpy(), expected)


def test_what_is_dropped_is_free_and_many_kinds_do_not_pile_up():
    def made():
        model, k = Sequential([layers.Input((3,)), layers.Dense(4)]), [0.0]
        step = tinynet.replayed(lambda x: model(x) * k[0])
        for i in range(200):
            k[0] = float(i)
            step(X)
        assert len(step._kinds.steps) <= 8
        assert len(step._named._numbers) <= 65
        return weakref.ref(model)

    gone = made()
    gc.collect()
    assert gone() is None


def test_threads_with_numbers_of_their_own():
    step, found = tinynet.replayed(lambda x: ops.sum(w * x)), {}

    def calls(k):
        found.update({(k, i): step(X * (k + i)).item() for i in range(20)})

    threads = [threading.Thread(target=calls, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    for (k, i), value in found.items():
        np.testing.assert_allclose(value, (k + i) * X.sum(), rtol=1e-4, atol=1e-4)
