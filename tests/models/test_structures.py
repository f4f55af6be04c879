"""Inputs and outputs in any structure: lists, tuples, named tuples and dictionaries within one another.

Each output is an input times a number of its own, so that what every model gives, and its loss, follow in
closed form. Structures after a copy, and after a file, whose tuples are lists, were compared with Keras
3.15's.
"""

import collections
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinynet
from tinynet import Model, layers, saving

N = 4
Pair = collections.namedtuple("Pair", "left right")
KEYS = st.sampled_from(["a", "b", "c", "10", "9", "inputs", "training"])
STRUCTURES = st.recursive(
    st.none(),
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3),
        st.lists(part, min_size=1, max_size=3).map(tuple),
        st.builds(Pair, part, part),
        st.dictionaries(KEYS, part, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
# A list whose first part is a tuple of arrays holds batches (x, y): what predict and fit take it for.
INPUTS = STRUCTURES.filter(lambda one: not (isinstance(one, list | tuple) and isinstance(one[0], tuple)))
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def filled(structure, values):
    """The structure with the next of `values` at each place, met in an order of its own: from the back."""
    if isinstance(structure, dict):
        return {key: filled(structure[key], values) for key in sorted(structure, reverse=True)}
    if isinstance(structure, list | tuple):
        parts = [filled(part, values) for part in reversed(structure)][::-1]
        return Pair(*parts) if isinstance(structure, Pair) else type(structure)(parts)
    return next(values)


def paired(one, other, kinds=True):
    """The pairs of values at the same places of two structures, which are the same;
    in files tuples are lists.
    """
    if isinstance(one, dict):
        assert isinstance(other, dict)
        assert set(one) == set(other)
        return [pair for key in one for pair in paired(one[key], other[key], kinds)]
    if isinstance(one, list | tuple):
        assert type(other) is (type(one) if kinds else list)
        assert len(one) == len(other)
        return [pair for parts in zip(one, other, strict=True) for pair in paired(*parts, kinds)]
    return [(one, other)]


def count(structure):
    numbers = iter(range(1000))
    filled(structure, numbers)
    return next(numbers)


def alone(structure):
    """A list or tuple of one output gives that output."""
    return structure[0] if isinstance(structure, list | tuple) and len(structure) == 1 else structure


def made(inputs, outputs, weight_is=1.0):
    """(model, data, what it gives if its weight is that of the identity times a number)
    for two structures.
    """
    tensors = [layers.Input((3,), name=f"in{i}") for i in range(count(inputs))]
    arrays = [np.random.default_rng(i).normal(size=(N, 3)).astype("float32") for i in range(len(tensors))]
    weight = layers.Dense(3, use_bias=False, kernel_initializer="identity", name="weight")
    few = [
        layers.Rescaling(k + 2.0, name=f"out{k}")(weight(tensors[k % len(tensors)]))
        for k in range(count(outputs))
    ]
    expected = [arrays[k % len(arrays)] * (k + 2.0) * weight_is for k in range(len(few))]
    model = Model(filled(inputs, iter(tensors)), filled(outputs, iter(few)))
    return model, filled(inputs, iter(arrays)), filled(outputs, iter(expected))


def gives(model, data, expected, kinds=True):
    for found in (model(data), model.predict(data, batch_size=3, verbose=0)):
        for wanted, value in paired(alone(expected), found, kinds):
            np.testing.assert_allclose(
                value if isinstance(value, np.ndarray) else value.numpy(), wanted, rtol=1e-5
            )


@FEW
@given(INPUTS, STRUCTURES)
def test_structures_are_kept(inputs, outputs):
    """By the model, by copies of it, and by models that it is part of."""
    model, data, expected = made(inputs, outputs)
    assert all(
        tensor.shape == (None, 3) for _, tensor in paired(inputs, model.input) + paired(outputs, model.output)
    )
    gives(model, data, expected)
    for other in (Model.from_config(model.get_config()), tinynet.models.clone_model(model)):
        paired(outputs, other.output)
        other.set_weights(model.get_weights())
        gives(other, data, expected)
    around = filled(inputs, iter([layers.Input((3,)) for _ in range(count(inputs))]))
    gives(Model(around, model(around)), data, expected)
    specification = model.compute_output_spec(
        filled(inputs, iter([tinynet.KerasTensor((5, 3))] * count(inputs)))
    )
    assert all(tensor.shape == (5, 3) for _, tensor in paired(alone(expected), specification))


@FEW
@given(inputs=INPUTS, outputs=STRUCTURES)
@pytest.mark.parametrize("suffix", ["tinynet", "keras", "json"])
def test_structures_in_files(suffix, inputs, outputs, tmp_path_factory):
    model, data, expected = made(inputs, outputs, weight_is=2.0)
    model.set_weights([2 * weight for weight in model.get_weights()])
    if suffix == "json":
        other = tinynet.models.model_from_json(model.to_json())
        other.set_weights(model.get_weights())
    else:
        path = tmp_path_factory.mktemp("files") / f"model.{suffix}"
        model.save(path)
        other = saving.load_model(path)
    gives(other, data, expected, kinds=False)
    paired(inputs, other.input, kinds=False)


@FEW
@given(INPUTS, STRUCTURES)
def test_training_on_structures(inputs, outputs):
    """The loss is the sum of the outputs' (closed form); a step follows its gradient."""
    model, data, expected = made(inputs, outputs)
    pairs = paired(expected, expected)
    targets = filled(outputs, iter([0 * one for one, _ in pairs]))
    model.compile(tinynet.optimizers.SGD(1e-4), "mse")
    loss = sum(float(np.mean(one**2)) for one, _ in pairs)
    found = model.evaluate(data, targets, batch_size=2, verbose=0)
    np.testing.assert_allclose(found if len(pairs) == 1 else found[0], loss, rtol=1e-4)
    history = model.fit(data, targets, batch_size=N, epochs=5, verbose=0).history["loss"]
    np.testing.assert_allclose(history[0], loss, rtol=1e-4)
    kernel = np.eye(3) - 1e-4 * sum(gradient(one) for one, _ in pairs)
    after = sum(float(np.mean((one @ kernel) ** 2)) for one, _ in pairs)
    np.testing.assert_allclose(history[1], after, rtol=1e-4)


def gradient(output):
    """Of mean((x W scale)^2) at W = 1, for x scale = output: 2 / size (x scale)^T (x scale)."""
    return 2 / output.size * output.T @ output


def test_what_a_configuration_holds():
    """Keras 3.15's: tuples as tuples, in JSON lists."""
    model = made({"p": (None, None)}, (None, [None]))[0]
    config = model.get_config()
    assert config["input_layers"] == {"p": (["in1", 0, 0], ["in0", 0, 0])}
    assert config["output_layers"] == (["out1", 0, 0], [["out0", 0, 0]])
    assert json.loads(json.dumps(config))["output_layers"] == [["out1", 0, 0], [["out0", 0, 0]]]


def test_other_ways_to_give_inputs():
    """In a flat list for a dictionary, by names, with keys besides (Keras 3.15 takes all of these)."""
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    y = layers.Subtract()([a, b])
    A, B = np.full((2, 3), 5.0), np.full((2, 3), 3.0)
    for inputs, given_ in [
        ({"p": a, "q": b}, [A, B]),
        ({"p": a, "q": b}, {"q": B, "p": A, "more": A}),
        ([a, b], {"b": B, "a": A}),
        ((a, b), [A, B]),
        (Pair(a, b), (A, B)),
    ]:
        np.testing.assert_array_equal(Model(inputs, y)(given_).numpy(), A - B)
    with pytest.raises(
        ValueError, match=r"has the inputs \['a', 'b'\]; \['a', 'b'\] are missing, got \['p', 'x'\]"
    ):
        Model({"p": a, "q": b}, y)({"p": A, "x": B})
    with pytest.raises(ValueError, match=r"has 2 inputs, \['a', 'b'\], got 3"):
        Model([a, [b]], y)([A, B, B])
