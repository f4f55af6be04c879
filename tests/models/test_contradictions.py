"""Shapes that contradict one another are refused, where they are said."""

import numpy as np
import pytest

import tinynet as keras
from tinynet import layers


@pytest.mark.parametrize("make", [layers.Input, layers.InputLayer])
def test_batch_size_and_batch_shape_are_not_given_together(make):
    for sizes in ({"batch_size": 4, "batch_shape": (4, 3)}, {"batch_size": 2, "batch_shape": (None, 3)}):
        with pytest.raises(
            ValueError, match=r"batch_shape=.*holds the size of the batch; leave batch_size out"
        ):
            make(**sizes)
    with pytest.raises(ValueError, match="Input takes either shape"):
        make(shape=(3,), batch_shape=(4, 3))
    assert layers.Input(batch_shape=(4, 3)).shape == layers.Input((3,), batch_size=4).shape == (4, 3)


@pytest.mark.parametrize("shape", [(None, 4), (None, 3, 3), (8, 5)])
@pytest.mark.parametrize("first", [[layers.Input((3,))], []], ids=["an Input", "built before"])
def test_build_is_held_to_the_input(shape, first):
    model = keras.Sequential([*first, layers.Dense(2)])
    if not first:
        model.build((None, 3))
    with pytest.raises(ValueError, match=r"3"):
        model.build(shape)
    model.build((None, 3))
    model.build((5, 3))
    assert model(np.ones((4, 3))).shape == (4, 2)
    assert len(model.weights) == 2


@pytest.mark.parametrize("given", [{"b": 1}, {"b": 1, "c": 1}, {}], ids=str)
@pytest.mark.parametrize(
    "structure", [lambda x: x, lambda x: [x], lambda x: {"a": x}], ids=["alone", "a list", "a dictionary"]
)
def test_inputs_by_other_names_are_not_taken_for_the_models(structure, given):
    x = layers.Input((3,), name="a")
    model = keras.Model(structure(x), layers.Dense(2)(x))
    assert model({"a": np.ones((4, 3))}).shape == (4, 2)
    with pytest.raises(ValueError, match=r"has the inputs \['a'\]; \['a'\] are missing"):
        model({name: np.ones((4, 3)) for name in given})


@pytest.mark.parametrize("nothing", [[], (), {}, [[]]], ids=str)
def test_a_model_has_inputs_and_outputs(nothing):
    x = layers.Input((3,))
    with pytest.raises(ValueError, match="outputs must hold at least one symbolic tensor"):
        keras.Model(x, nothing)
    with pytest.raises(ValueError, match="inputs must hold at least one symbolic tensor"):
        keras.Model(nothing, layers.Dense(2)(x))
