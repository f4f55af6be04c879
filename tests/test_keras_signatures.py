"""Arguments are Keras's: their names, order and defaults (fixtures/make_signatures.py).
What differs is named here.

What a rule of an optimizer shares with all others, weight_decay and so on,
is given by name; in Keras also by position.
"""

import ast
import inspect
import json
from pathlib import Path

import pytest

import tinynet
from tinynet.optimizers import Optimizer

KERAS = json.loads((Path(__file__).parent / "fixtures" / "signatures.json").read_text(encoding="utf-8"))
LEFT_OUT = {  # of what tinynet has not
    "autocast", "input_tensor", "lora_alpha", "lora_rank", "optional", "quantization_config", "ragged",
    "sparse", "tensor",
}  # fmt: skip
# alpha: an error that names today's
ADDED = {"callbacks.TensorBoard": {"gradients_on"}, "layers.LeakyReLU": {"alpha"}}
OF_OPTIMIZERS = {"learning_rate_multipliers"}
# required in Keras; a rule may have a `_default_rate` instead
OPTIONAL = {("optimizers.Optimizer", "learning_rate")}
# ours, Keras's
SAME = {(1, (1, 1)), ("zeros", "Zeros"), (None, "ExponentialDecay"), (None, "InverseTimeDecay")}
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def found(address):
    thing = tinynet
    for part in address.split("."):
        thing = getattr(thing, part, None)
    return thing


def arguments(thing):
    """{name: default}; an optimizer's after its own are those of Optimizer."""
    given = list(
        inspect.signature(thing.__init__ if thing is tinynet.layers.Layer else thing).parameters.values()
    )
    if isinstance(thing, type) and issubclass(thing, Optimizer):
        own = {one.name for one in given}
        given += [one for one in inspect.signature(Optimizer).parameters.values() if one.name not in own]
    return {one.name: one.default for one in given if one.kind in NAMED and one.name != "self"}


def value(default):
    return inspect.Parameter.empty if default is None else ast.literal_eval(default)


@pytest.mark.parametrize("address", [address for address in KERAS if found(address) is not None])
def test_arguments(address):
    ours = {
        name: default
        for name, default in arguments(found(address)).items()
        if name not in ADDED.get(address, set()) | OF_OPTIMIZERS
    }
    expected = {
        name: value(default)
        for name, default in KERAS[address].items()
        if name not in LEFT_OUT or name in ours
    }
    assert list(ours) == list(expected)
    for name, default in ours.items():
        assert (
            default == expected[name] or (default, expected[name]) in SAME or (address, name) in OPTIONAL
        ), name


def test_what_is_compared():
    """So that a room that cannot be found does not go unseen."""
    compared = [address for address in KERAS if found(address) is not None]
    assert len(compared) > 400
    assert {address.rpartition(".")[0] for address in compared} == {
        address.rpartition(".")[0] for address in KERAS
    }


@pytest.mark.parametrize(
    "room", ["activations", "constraints", "initializers", "losses", "metrics", "regularizers"]
)
def test_objects_of_ones_own_can_be_named_while_something_is_made_from_its_description(room):
    class Own(tinynet.initializers.Zeros):
        pass

    described = {"class_name": "Own", "config": {}}
    made = found(f"{room}.deserialize")(described, custom_objects={"Own": Own})
    assert type(made) is Own
    with pytest.raises(ValueError, match="Own"):
        found(f"{room}.deserialize")(described)
