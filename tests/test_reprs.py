"""What is printed of the things that a learner looks at."""

import inspect

import numpy as np
import pytest

import tinynet
from tinynet import (
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
    schedules,
    signature,
)
from tinynet.autograd import Parameter, Primitive, Tensor, primitive
from tinynet.data import ImageDataGenerator, PyDataset

from layers.cases import CASES, make

ROOMS = (callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules)
NEEDED = {
    "Optimizer": (0.1,),
    "BackupAndRestore": ("folder",), "ConfusionMatrix": (3,), "CosineDecay": (0.1, 10), "IoU": (2, [0]),
    "CosineDecayRestarts": (0.1, 10), "ExponentialDecay": (0.1, 10, 0.9), "InverseTimeDecay": (0.1, 10, 0.9),
    "PolynomialDecay": (0.1, 10), "PiecewiseConstantDecay": ([5], [0.1, 0.01]), "OneCycle": (0.1, 10),
    "MeanIoU": (2,),
    "CSVLogger": ("log.csv",), "LearningRateScheduler": (float,), "ModelCheckpoint": ("best.tinynet",),
    "OneHotIoU": (2, [0]), "OneHotMeanIoU": (2,), "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,),
    "SensitivityAtSpecificity": (0.5,), "SpecificityAtSensitivity": (0.5,), "LossFunctionWrapper": (max,),
    "MeanMetricWrapper": (max,),
}  # fmt: skip


def classes():
    for room in ROOMS:
        for name, found in vars(room).items():
            ours = (
                inspect.isclass(found) and found.__module__.startswith(room.__name__) and room is not layers
            )
            if ours and name == found.__name__ and name not in ("CallbackList", "MetricList"):
                yield found


@pytest.mark.parametrize("cls", list(classes()), ids=lambda cls: cls.__name__)
def test_objects_are_printed_as_calls(cls):
    known = {
        name: value
        for name, value in (("learning_rate", 0.1), ("filepath", "f"))
        if name in signature.accepted(cls)
    }
    needed = NEEDED.get(cls.__name__)
    try:
        thing = cls(*needed) if needed is not None else cls()
    except TypeError:
        try:
            thing = cls(**known)
        except TypeError as error:
            pytest.skip(f"a base class: {error}")
    shown = repr(thing)
    assert shown.startswith(f"{cls.__name__}("), shown
    assert "object at 0x" not in shown
    assert "\n" not in shown
    usual = signature.defaults(cls)
    for name in usual:  # arguments that are not given are not shown
        assert name == "learning_rate" or f"{name}=" not in shown or name in known or "Wrapper" in shown, (
            shown
        )


@pytest.mark.parametrize("name", CASES)
def test_layers_are_printed_with_their_shapes(name):
    layer, x = make(name, None)
    before = repr(layer)
    assert before.startswith(f"{type(layer).__name__}(")
    assert "->" not in before
    for argument in CASES[name].arguments:
        usual, value = signature.defaults(type(layer)), CASES[name].arguments[argument]
        assert argument not in usual or usual[argument] == value or f"{argument}=" in before
    shape = layer(x).shape
    after = repr(layer)
    assert after.startswith(before)
    assert after == before or after.endswith(str((None, *shape[1:])))


def test_what_was_given_is_shown_and_nothing_else():
    layer = layers.Conv2D(8, 3, activation="relu", padding="valid")
    assert repr(layer) == str(layer) == "Conv2D(8, 3, activation='relu')"
    layer(np.zeros((2, 8, 8, 1)))
    assert repr(layer) == "Conv2D(8, 3, activation='relu')  (None, 8, 8, 1) -> (None, 6, 6, 8)"
    layer = layers.Dense(3, ops.relu, kernel_regularizer=regularizers.L2(0.1), use_bias=False, name="head")
    assert (
        repr(layer) == "Dense(3, activation=relu, kernel_regularizer=L2(l2=0.1), use_bias=False, name='head')"
    )
    assert f"{layer}" == "<Dense 'head'>"  # in messages
    assert repr(optimizers.Adam(0.003)) == "Adam(learning_rate=0.003, iterations=0)"
    assert repr(optimizers.Adam()) == "Adam(learning_rate=0.001, iterations=0)"
    schedule = schedules.ExponentialDecay(0.1, 10, decay_rate=0.9)
    assert repr(optimizers.SGD(schedule, momentum=0.9)) == (
        "SGD(learning_rate=ExponentialDecay(initial_learning_rate=0.1, decay_steps=10, "
        "decay_rate=0.9), momentum=0.9, iterations=0)"
    )
    assert (
        repr(losses.SparseCategoricalCrossentropy(True)) == "SparseCategoricalCrossentropy(from_logits=True)"
    )
    assert repr(losses.Huber(delta=2.0, reduction="sum")) == "Huber(delta=2.0, reduction='sum')"
    assert (
        repr(metrics.BinaryAccuracy(name="right", threshold=0.4))
        == "BinaryAccuracy(name='right', threshold=0.4)"
    )
    assert repr(callbacks.EarlyStopping("loss", patience=3)) == "EarlyStopping(monitor='loss', patience=3)"
    assert repr(initializers.RandomNormal(stddev=0.1)) == "RandomNormal(stddev=0.1)"
    assert repr(regularizers.L1L2(0.1)) == "L1L2(l1=0.1)"
    assert repr(constraints.MaxNorm(3)) == "MaxNorm(max_value=3)"
    assert repr(ImageDataGenerator(rotation_range=10)).startswith("ImageDataGenerator(rotation_range=10.0")
    assert repr(PyDataset(workers=2)) == "PyDataset(workers=2)"
    flow = ImageDataGenerator().flow(np.zeros((10, 8, 8, 1)), np.zeros(10), batch_size=4)
    assert repr(flow).startswith(
        "ImageFlow(10 samples in 3 batches of 4, x (10, 8, 8, 1), y (10,), ImageDataGenerator("
    )


def test_layers_of_ones_own_and_lambdas():
    class Scale(layers.Layer):
        def __init__(self, factor, **settings):
            super().__init__(**settings)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    layer = Scale(np.arange(3), name="mine")
    layer(np.zeros((1, 3)))
    # asking for the output's shape would run `call`
    assert repr(layer) == "Scale(<array (3,) int64>, name='mine')"
    line = inspect.currentframe().f_lineno + 1
    assert repr(layers.Lambda(lambda x: x)) == f"Lambda(<lambda in test_reprs.py:{line}>)"
    assert len(repr(Scale("x" * 1000))) < 100


def test_things_that_are_half_made_are_printed_too():
    class Forgetful(layers.Layer):
        def __init__(self):
            pass

    class Odd(losses.Loss):
        def __init__(self, factor):
            pass

        def get_config(self):
            raise RuntimeError("not today")

    assert repr(Forgetful()) == "Forgetful()"
    assert repr(Odd(3)) == "<Odd>"


def test_models_and_histories():
    model = tinynet.Sequential([layers.Dense(4, activation="relu"), layers.Dense(3)])
    assert repr(model) == "Sequential(2 layers, not built)"
    model(np.zeros((1, 2)))
    assert repr(model) == "Sequential(2 layers, 27 parameters)  (None, 2) -> (None, 3)"
    model = tinynet.Sequential([layers.Input((2,)), layers.Dense(3)], name="small")
    assert repr(model) == "Sequential(1 layer, 9 parameters)  (None, 2) -> (None, 3)"
    a, b = layers.Input((2,)), layers.Input((3,))
    both = tinynet.Model([a, b], layers.Concatenate()([a, b]))
    assert repr(both) == "Functional(3 layers, 0 parameters)  [(None, 2), (None, 3)] -> (None, 5)"
    assert repr(both.layers[-1]) == "Concatenate()  [(None, 2), (None, 3)] -> (None, 5)"
    history = callbacks.History()
    assert repr(history) == "History(0 epochs)"
    history.on_epoch_end(0, {"loss": 2.0})
    assert repr(history) == "History(1 epoch, loss 2)"
    history.on_epoch_end(1, {"loss": 0.12345})
    assert repr(history) == "History(2 epochs, loss 2 -> 0.1235)"


def test_operations_say_what_they_do_and_where_they_stand():
    line = inspect.getsourcelines(ops.relu.forward)[1]
    assert repr(ops.relu) == f"relu(x): max(x, 0), tinynet/ops/rectifiers.py:{line}"

    @primitive
    def halved(x):
        """x / 2."""
        return x / 2

    here = inspect.currentframe().f_lineno - 5
    assert repr(halved) == f"halved(x): x / 2, test_reprs.py:{here}"
    for name in ops.__all__:
        operation = getattr(ops, name)
        if isinstance(operation, Primitive):
            assert repr(operation).startswith(f"{operation.name}("), name
            assert ", tinynet/ops/" in repr(operation), name
            assert len(repr(operation).splitlines()) == 1, name


# Tensors


def test_a_tensor_shows_shape_dtype_range_and_mean_first():
    x = Tensor(np.array([0.5, 1.5, 2.5]))
    assert repr(x) == "Tensor(shape=(3,), dtype=float64, min=0.5, max=2.5, mean=1.5, [0.5, 1.5, 2.5])"
    assert repr(Tensor(3)) == "Tensor(shape=(), dtype=int64, 3)"
    images = Tensor(np.arange(32 * 8 * 8, dtype=np.float32).reshape(32, 8, 8, 1))
    first, second, *_ = lines = repr(images).splitlines()
    assert first == "Tensor(shape=(32, 8, 8, 1), dtype=float32, min=0, max=2047, mean=1024,"
    assert second == "       [0, :, :, 0] = [[ 0.,  1.,  2., ...,  5.,  6.,  7.],"
    assert len(lines) <= 10


def test_numbers_that_are_none_are_counted_and_left_out_of_the_range():
    x = Tensor(np.array([1.0, np.nan, 3.0, np.inf]))
    assert "min=1, max=3, mean=2, not_finite=2" in repr(x)
    assert "not_finite=2" in repr(Tensor(np.array([np.nan, -np.inf])))
    large = Tensor(np.full(1000, 65504, np.float16))
    assert "mean=6.55e+04" in repr(large)  # not infinite, as a sum in float16 is


@pytest.mark.parametrize(
    "shape",
    [
        (), (0,), (1,), (7,), (10_000,), (1, 1), (3, 4), (300, 400), (2, 3, 4), (0, 3, 4), (2, 0, 2),
        (5, 9, 9, 3), (2,) * 6,
        (1,) * 7,
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
def test_a_tensor_takes_ten_lines_at_most(shape, dtype):
    shown = repr(Tensor(np.ones(shape, dtype)))
    assert shown.startswith(f"Tensor(shape={shape}, dtype={dtype}")
    assert len(shown.splitlines()) <= 10
    assert max(map(len, shown.splitlines())) <= 128
    assert str(Tensor(np.ones(shape, dtype))) == shown


def test_a_tensor_says_where_it_comes_from():
    tracked = Tensor(np.array([0.5, 1.5]), requires_grad=True, name="t")
    assert "name='t', requires_grad=True" in repr(tracked)
    assert "from=multiply" in repr(tracked * 2)
    assert repr(Parameter(np.zeros(1), name="bias")).startswith(
        "Parameter(shape=(1,), dtype=float64, name='bias'"
    )
