"""What every layer owes: a configuration, shapes, dtypes, derivatives,
the same bits at any number of threads, errors.

All names in `layers.__all__` are here: a new layer fails until it has a line in cases.py.
"""

import inspect
import json

import numpy as np
import pytest

import tinynet
from tinynet import layers, ops

from layers.cases import CASES, FORMATS, freeze, make, of

FUNCTIONS = {"Input", "add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"}
every_layer = pytest.mark.parametrize(("name", "data_format"), FORMATS, ids=lambda value: value or "")


def test_every_name_has_a_case():
    classes = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))} - {
        "Layer",
        "InputSpec",
    }
    made = {getattr(layers, name).__name__ for name in classes}
    wrong = [f"{name} is in tests/layers/cases.py but not in layers.__all__" for name in set(CASES) - made]
    wrong += [f"{name} has no line in tests/layers/cases.py: add one" for name in made - set(CASES)]
    assert not wrong, "; ".join(sorted(wrong))
    assert set(layers.__all__) - classes == {*FUNCTIONS, "InputSpec", "Layer"}
    for name in FUNCTIONS - {"Input"}:
        layer, x = make(name.capitalize(), None)
        y = getattr(layers, name)(x, **CASES[name.capitalize()].arguments)
        np.testing.assert_array_equal(y.numpy(), layer(x).numpy())


@pytest.mark.parametrize("name", sorted(set(CASES) - {"Lambda", "Embedding"}))  # for which a list is an array
def test_one_input_or_several(name):
    layer, x = make(name, None)
    several = isinstance(x, list)
    words = "expects a list of inputs, got one" if several else "expects (one|a b)"
    with pytest.raises(ValueError, match=words):
        layer(x[0] if several else [x, x])


@every_layer
def test_configuration(name, data_format):
    """A copy made of the configuration, after its way through JSON, has it too, and computes the same."""
    layer, x = make(name, data_format, name="it")
    layer(x)
    config = json.dumps(layer.get_config())
    again = type(layer).from_config(json.loads(config))
    assert json.dumps(again.get_config()) == config
    assert again.name == "it"
    again._build_once(of(x, np.shape))
    again.set_weights(layer.get_weights())
    freeze(layer)
    np.testing.assert_array_equal(again(x, training=True).numpy(), layer(x, training=True).numpy())


@every_layer
def test_shapes(name, data_format):
    layer, x = make(name, data_format)
    known = of(x, lambda one: (None, *one.shape[1:]))
    y = layer(x)
    assert tuple(layer.compute_output_shape(known)) == (None, *y.shape[1:])
    needs = [1 if data_format and axis == -1 else axis % x.ndim for axis in CASES[name].needs]
    unknown = of(x, lambda one: tuple(n if axis in needs else None for axis, n in enumerate(one.shape)))
    for shape in (unknown, known):
        fresh, _ = make(name, data_format)
        found = fresh.compute_output_shape(shape) if shape is unknown else layer.compute_output_shape(shape)
        assert all(n is None or n == m for n, m in zip(found, y.shape, strict=True))
    symbols = of(x, lambda one: layers.Input(one.shape[1:]))
    fresh, _ = make(name, data_format)
    if name != "InputLayer":
        assert fresh(symbols).shape == (None, *y.shape[1:])


@every_layer
def test_samples_are_independent_at_inference(name, data_format):
    """Whatever the size of the batch: alone, among others, and no sample at all."""
    layer, x = make(name, data_format, dtype="float64")
    y = layer(x, training=False).numpy()
    for samples in (slice(1, 2), slice(0, 0), [0, 1] * 9):
        part = layer(of(x, lambda one, samples=samples: one[samples]), training=False).numpy()
        np.testing.assert_allclose(part, y[samples], rtol=1e-12, atol=1e-12)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_format_of_numbers_is_kept(name, data_format, dtype):
    layer, x = make(name, data_format, dtype=dtype)
    for training in (True, False):
        y = layer(x, training=training)
        assert y.dtype == dtype
    if layer.trainable_weights:
        ops.sum(ops.square(layer(x, training=True))).backward()
        assert all(p.dtype == p.grad.dtype == dtype for p in layer.trainable_weights)


@every_layer
@pytest.mark.parametrize("training", [True, False])
def test_gradients(name, data_format, training):
    """gradcheck by the inputs and all parameters, and gradgradcheck; integers are passed on."""
    layer, x = make(name, data_format, dtype="float64")
    layer(x, training=False)
    inputs = x if isinstance(x, list) else [x]
    owned = {
        key: value for key, value in vars(layer).items() if any(value is p for p in layer.trainable_weights)
    }
    assert len(owned) == len(layer.trainable_weights)

    def run(*values):
        freeze(layer)
        for key, value in zip(owned, values[len(inputs) :], strict=True):
            setattr(layer, key, value)
        given = list(values[: len(inputs)])
        return layer(given if isinstance(x, list) else given[0], training=training)

    values = [*inputs, *(p.numpy() for p in owned.values())]
    assert tinynet.gradcheck(run, values)
    assert tinynet.gradgradcheck(run, values, directions=1, jacobian_size=0)


@every_layer
def test_one_thread_or_all(name, data_format):
    """Outputs and gradients have the same bits."""
    layer, x = make(name, data_format)
    layer(x, training=False)
    found = []
    for threads in (1, tinynet.get_num_threads()):
        tinynet.set_num_threads(threads)
        freeze(layer)
        given = of(
            x,
            lambda one: (
                one if CASES[name].ids else tinynet.Tensor(one.astype(np.float32), requires_grad=True)
            ),
        )
        y = layer(given, training=True)
        ops.sum(ops.multiply(y, np.linspace(-1, 1, y.size, dtype=np.float32).reshape(y.shape))).backward()
        inputs = [] if CASES[name].ids else given if isinstance(x, list) else [given]
        found.append([y.numpy(), *(one.grad.numpy() for one in [*inputs, *layer.trainable_weights])])
        for p in layer.trainable_weights:
            p.zero_grad()
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@every_layer
def test_a_wrong_input_names_the_layer(name, data_format):
    layer, x = make(name, data_format, name="here")
    if CASES[name].any_rank:
        return
    wrong = (
        np.ones((2, 3))
        if isinstance(x, list)
        else np.ones((2,) * (x.ndim + 1))
        if layer._input_rank
        else np.ones(())
    )
    with pytest.raises(ValueError, match="'here'"):
        layer(wrong)
    if CASES[name].needs:
        with pytest.raises(ValueError, match=r"'here'.*None"):
            layer.build(tuple(None for _ in x.shape))
        layer(x)
        axis = 1 if data_format else -1
        with pytest.raises(ValueError, match=r"'here'> was built for inputs of shape .*got"):
            layer(np.concatenate([x, x], axis))


@every_layer
def test_frozen(name, data_format):
    """With trainable=False nothing is trained; what is computed at inference stays the same."""
    layer, x = make(name, data_format)
    y = layer(x, training=False).numpy()
    frozen, _ = make(name, data_format, **({} if name == "InputLayer" else {"trainable": False}))
    frozen._build_once(of(x, np.shape))
    frozen.set_weights(layer.get_weights())
    np.testing.assert_array_equal(frozen(x, training=False).numpy(), y)
    assert not frozen.trainable_weights
    assert len(frozen.weights) == len(layer.weights)
