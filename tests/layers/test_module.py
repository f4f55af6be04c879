"""Which layers, weights and metrics a layer holds, however they came there and went."""

import copy

from tinynet import layers, metrics


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
