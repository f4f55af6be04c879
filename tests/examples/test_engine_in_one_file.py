"""The engine in one file computes what tinynet does: operations and gradients, Adam, whole training steps.

In float64 throughout. The two share no code, and the file's rules are also held against finite differences.
"""

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "examples" / "engine_in_one_file.py"
specification = importlib.util.spec_from_file_location("engine_in_one_file", SCRIPT)
engine = importlib.util.module_from_spec(specification)
specification.loader.exec_module(engine)

rng = np.random.default_rng(7)
EQUAL = {"rtol": 1e-12, "atol": 1e-13}
UNEVEN = ((0, 1), (2, 1))


def numbers(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def ties(*shape: int) -> np.ndarray:
    return rng.integers(-1, 2, shape).astype(float)


def tinynets_loss(scores, labels):
    return tinynet.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, scores)



def case(one, other, *arrays, **settings):
    return one, other, arrays, settings


CASES = {
    "add": case(engine.add, ops.add, numbers(2, 3), numbers(2, 3)),
    "add, a row to each row": case(engine.add, ops.add, numbers(2, 3), numbers(3)),
    "add, both repeated": case(engine.add, ops.add, numbers(4, 1, 3), numbers(2, 1)),
    "multiply": case(engine.multiply, ops.multiply, numbers(2, 3), numbers(2, 3)),
    "multiply by a number": case(engine.multiply, ops.multiply, numbers(2, 3), numbers()),
    "multiply, a column": case(engine.multiply, ops.multiply, numbers(2, 1), numbers(5, 2, 3)),
    "dense": case(engine.dense, ops.linear, numbers(4, 3), numbers(3, 5), numbers(5)),
    "relu": case(engine.relu, ops.relu, numbers(3, 4)),
    "relu at its kink": case(engine.relu, ops.relu, ties(3, 4)),
    "reshape": case(engine.reshape, lambda x, shape: ops.reshape(x, shape), numbers(2, 6), shape=(3, 4)),
    **{
        f"conv2d {kernel} strides {strides} padding {padding}": case(
            engine.conv2d, ops.conv2d, numbers(3, 6, 7, 2), numbers(*kernel, 2, 4), numbers(4),
            strides=strides, padding=padding,
        )
        for kernel, strides, padding in [
            ((3, 3), (1, 1), ((1, 1), (1, 1))), ((1, 1), (1, 1), ((0, 0), (0, 0))), ((2, 3), (2, 3), UNEVEN),
            ((3, 2), (3, 2), ((0, 0), (0, 0))),
        ]
    },
    **{
        f"max_pool2d {pool} strides {strides} padding {padding} of {kind.__name__}": case(
            engine.max_pool2d, ops.max_pool2d, kind(2, 6, 7, 3),
            pool_size=pool, strides=strides, padding=padding,
        )
        for kind in (numbers, ties)
        for pool, strides, padding in [
            ((2, 2), (2, 2), ((0, 0), (0, 0))), ((3, 2), (1, 2), ((1, 1), (0, 1))), ((3, 3), (2, 2), UNEVEN),
        ]
    },
    "batch_norm of images": case(
        engine.batch_norm, lambda *x, epsilon: ops.batch_norm(*x, epsilon=epsilon)[0],
        3 + 2 * numbers(4, 3, 2, 5), numbers(5), numbers(5), epsilon=1e-3,
    ),
    "batch_norm of vectors": case(
        engine.batch_norm, lambda *x, epsilon: ops.batch_norm(*x, epsilon=epsilon)[0],
        numbers(8, 3), numbers(3), numbers(3), epsilon=0.5,
    ),
    "loss": case(engine.softmax_crossentropy, tinynets_loss, 5 * numbers(6, 10), rng.integers(0, 10, 6)),
    "loss of large scores": case(
        engine.softmax_crossentropy, tinynets_loss, 900 + numbers(3, 4), np.array([0, 3, 3])
    ),
}  # fmt: skip
SMOOTH = [name for name in CASES if "kink" not in name and "ties" not in name]


def both(name):
    """What the file computes for a case and what tinynet does, and the Tensors of either."""
    one, other, arrays, settings = CASES[name]
    here = [engine.Tensor(x) if x.dtype.kind == "f" else x for x in arrays]
    there = [tinynet.Tensor(x, requires_grad=True) if x.dtype.kind == "f" else x for x in arrays]
    y, expected = one(*here, **settings), other(*there, **settings)
    return y, expected, *([x for x in xs if not isinstance(x, np.ndarray)] for xs in (here, there))


@pytest.mark.parametrize("name", CASES)
def test_an_operation_and_its_gradients_are_those_of_tinynet(name):
    y, expected, here, there = both(name)
    assert expected.dtype == np.float64
    np.testing.assert_allclose(y.data, expected.numpy(), **EQUAL)
    upstream = numbers(*y.data.shape)
    walk = engine.Walk()
    walk.send(y.edge, upstream)
    arrived = walk.run()
    for x, want in zip(here, tinynet.grad(expected, there, upstream), strict=True):
        assert arrived[x].shape == want.shape
        np.testing.assert_allclose(arrived[x], want.numpy(), **EQUAL)


def slopes_agree(operation, arrays, settings):
    """Whether the gradients of `operation` are slopes of what it computes, for a random upstream gradient."""
    tensors = [engine.Tensor(array.copy()) if array.dtype.kind == "f" else array for array in arrays]
    upstream = numbers(*operation(*tensors, **settings).data.shape)
    walk = engine.Walk()
    walk.send(operation(*tensors, **settings).edge, upstream)
    arrived = walk.run()
    arrays = [x.data if isinstance(x, engine.Tensor) else x for x in tensors]

    def weighted():
        return float(np.sum(upstream * operation(*arrays, **settings)))

    return all(
        np.allclose(arrived[x], engine.numeric_gradient(weighted, x.data), rtol=1e-6, atol=1e-7)
        for x in tensors if isinstance(x, engine.Tensor)
    )  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_a_rule_is_the_slope_of_its_forward(name):
    one, _, arrays, settings = CASES[name]
    assert slopes_agree(one, arrays, settings)


def test_finite_differences_see_a_wrong_rule():
    @engine.Primitive
    def cube(x):
        return x**3

    cube.vjp(lambda grad, y, x: [grad * 3 * x**2])
    assert slopes_agree(cube, [numbers(4)], {})
    cube.vjp(lambda grad, y, x: [grad * 3.01 * x**2])
    assert not slopes_agree(cube, [numbers(4)], {})


def test_every_primitive_has_a_case():
    primitives = {name for name, thing in vars(engine).items() if isinstance(thing, engine.Primitive)}
    assert primitives == {one.name for one, *_ in CASES.values()}


def test_a_value_used_twice_and_operations_of_constants():
    x, y = engine.Tensor(numbers(3)), engine.Tensor(numbers(3))
    z = x * y + x * x
    dx, dy = engine.gradients(z, [x, y])
    np.testing.assert_allclose(dx, y.data + 2 * x.data, **EQUAL)
    np.testing.assert_allclose(dy, x.data, **EQUAL)
    assert type(engine.add(np.ones(2), 1.0)) is np.ndarray  # nothing is recorded


def test_each_node_is_walked_once():
    walked = []

    @engine.Primitive
    def total(a, b):
        return a + b

    @total.vjp
    def _(grad, y, a, b):
        walked.append(y)
        return grad, grad

    a, b = x, y = engine.Tensor(1), engine.Tensor(1)
    for _ in range(10):
        a, b = b, total(a, b)  # Fibonacci's numbers: all but the last are used twice
    assert [float(grad) for grad in engine.gradients(b, [x, y])] == [55, 89]
    assert walked == [144, 89, 55, 34, 21, 13, 8, 5, 3, 2]


def test_the_traced_example_prints_what_it_says():
    found = doctest.testmod(engine)
    assert found.attempted == 1
    assert found.failed == 0


def test_adam_takes_the_steps_of_tinynets():
    here = [engine.Tensor(numbers(3, 2)), engine.Tensor(numbers(4))]
    there = [tinynet.Parameter(w.data.copy()) for w in here]
    settings = {"learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}
    one, other = engine.Adam(**settings), tinynet.optimizers.Adam(**settings)
    for step in range(5):
        grads = [numbers(*w.data.shape) * 10.0**-step for w in here]
        one.apply(grads, here)
        other.apply(grads, there)
        for w, want in zip(here, there, strict=True):
            np.testing.assert_allclose(w.data, want.numpy(), **EQUAL)


def test_adams_defaults_are_those_of_tinynet():
    one, other = engine.Adam(), tinynet.optimizers.Adam()
    for name in ("learning_rate", "beta_1", "beta_2", "epsilon"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-7), name


@pytest.fixture
def in_float64():
    before = tinynet.config.floatx()
    tinynet.config.set_floatx("float64")
    yield
    tinynet.config.set_floatx(before)


def the_same_net(model):
    """tinynet's net of `engine.build`, from the same weights."""
    parts = []
    for filters in (8, 16):
        parts += [layers.Conv2D(filters, 3, padding="same", activation="relu")]
        parts += [layers.BatchNormalization(momentum=0.9), layers.MaxPooling2D()]
    net = tinynet.Sequential([layers.Input((8, 8, 1)), *parts, layers.Flatten(), layers.Dense(10)])
    assert [w.shape for w in net.trainable_weights] == [w.data.shape for w in model.parameters]
    for w, value in zip(net.trainable_weights, model.parameters, strict=True):
        w.assign(value.data)
    return net


class RememberingAdam(engine.Adam):
    def apply(self, grads, parameters):
        self.grads = grads
        super().apply(grads, parameters)


def test_training_steps_are_those_of_tinynet(in_float64):
    model = engine.build(np.random.default_rng(3))
    net = the_same_net(model)
    x, labels, x_test, _ = engine.digits()
    one, other = RememberingAdam(0.003), tinynet.optimizers.Adam(0.003)
    for start in range(0, 6 * 24, 24):
        batch = slice(start, start + 24)
        expected = tinynets_loss(net(x[batch], training=True), labels[batch])
        grads = tinynet.grad(expected, net.trainable_weights)
        other.apply(grads, net.trainable_weights)
        assert engine.step(model, one, x[batch], labels[batch]) == pytest.approx(expected.item(), rel=1e-12)
        for found, wanted in zip(one.grads, grads, strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), **EQUAL)
        for w, wanted in zip(model.parameters, net.trainable_weights, strict=True):
            np.testing.assert_allclose(w.data, wanted.numpy(), **EQUAL)
    norms = [layer for layer in model.layers if isinstance(layer, engine.BatchNormalization)]
    moving = [array for layer in norms for array in (layer.moving_mean, layer.moving_variance)]
    for array, wanted in zip(moving, net.non_trainable_weights, strict=True):
        np.testing.assert_allclose(array, wanted.numpy(), rtol=1e-12)
    np.testing.assert_allclose(model(x_test[:50]).data, net(x_test[:50], training=False).numpy(), **EQUAL)


def test_the_digits_are_those_of_tinynet():
    x, labels, x_test, labels_test = engine.digits()
    train, test = tinynet.datasets.digits.load_data()
    for images, classes, (expected, wanted) in ((x, labels, train), (x_test, labels_test, test)):
        np.testing.assert_array_equal(images[..., 0] * 16, expected)
        np.testing.assert_array_equal(classes, wanted)


def test_it_needs_numpy_alone():
    nodes = list(ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    assert names - set(sys.stdlib_module_names) == {"numpy"}


def test_the_files_it_names_exist():
    named = re.findall(r"(?:tinynet|kernels)/[\w/]+\.(?:py|md)", SCRIPT.read_text(encoding="utf-8"))
    assert len(named) >= 20
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_it_learns_to_read_digits(tmp_path):
    command = [sys.executable, str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "dz/dx = 5, dz/dy = 3" in done.stdout.splitlines()
    epochs = re.findall(r"\nepoch +\d+: loss ([\d.]+), held-out digits right: ([\d.]+)%", done.stdout)
    assert len(epochs) == 10
    assert float(epochs[-1][0]) < 0.05 < float(epochs[0][0])
    assert float(epochs[-1][1]) > 95
