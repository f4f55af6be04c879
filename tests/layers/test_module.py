"""Which layers, weights and metrics a layer holds, however they came there and went."""

import copy

import numpy as np
import pytest

from tinynet import layers, metrics, models
from tinynet.layers.base import Layer


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.parts, self.named = [], {}

    def call(self, x):
        return x


def test_what_is_appended_set_and_deleted_is_seen_at_once():
    block = Block()
    assert (block._with_all_within(), block.metrics) == ([block], [])
    first, second, third, mean = layers.Flatten(), layers.Flatten(), layers.Flatten(), metrics.Mean()
    block._with_all_within()
    block.parts.append(first)
    block.named["second"] = [second]
    block.parts.append((mean,))
    assert (block._with_all_within(), block.metrics) == ([block, first, second], [mean])
    block.third = third
    assert block._with_all_within() == [block, first, second, third]
    del block.third
    block.parts.clear()
    assert (block._with_all_within(), block.metrics) == ([block, second], [])


def test_a_copy_finds_its_own():
    block = Block()
    block.parts.append(layers.Flatten())
    block._with_all_within()
    twin = copy.deepcopy(block)
    assert twin._with_all_within() == [twin, twin.parts[0]] != block._with_all_within()


def test_attributes_that_are_not_searched_exist():
    """What a class declares, an object of it has: a name left over from other days would be noticed."""
    model = models.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    held = set(vars(model)) | {name for layer in model.layers for name in vars(layer)}
    declared = {"_set_at", "_inbound_nodes", "_added_losses", "_chain_tensors", "_flags_at_compile"}
    assert declared <= type(model)._not_searched
    assert "_chain_tensors" not in Layer._not_searched
    assert type(model)._not_searched <= held


def test_a_layer_takes_one_input_or_says_otherwise():
    class Own(layers.Layer):
        def call(self, inputs):
            return inputs[0] + inputs[1]

    class Gate(layers.Dense):
        _takes_many = None

        def build(self, input_shape):
            super().build(input_shape[0])

        def call(self, inputs):
            return super().call(inputs[0]) * inputs[1]

    x = np.array([[1.0, 2.0]])
    assert Own()([x, x]).numpy().tolist() == [[2.0, 4.0]]
    assert Gate(2, kernel_initializer="ones")([x, x]).numpy().tolist() == [[3.0, 6.0]]
    with pytest.raises(ValueError, match="expects one input, got 2 of them"):
        layers.Dense(2)([x, x])
