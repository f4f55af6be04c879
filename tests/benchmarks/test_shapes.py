"""The cases of the level `kernels`: what they cover, and that their FLOPs are counted right."""

import pytest

from benchmarks import shapes
from benchmarks.shapes import Conv
from tinynet.kernels.conv2d import output_size, resolve_padding

CONVOLUTIONS = shapes.convolutions()


def test_every_case_is_there_once():
    """A second one would take the place of the first in the file, and be of another group."""
    places = [(case["op"], case["name"], case["batch"]) for case in shapes.cases()]
    assert len(set(places)) == len(places)
    assert len({(conv.name, batch) for _, conv, batch in CONVOLUTIONS}) >= 60


def test_the_list_covers_what_it_should():
    convs = [conv for _, conv, _ in CONVOLUTIONS]
    assert {1, 3, 4, 5} <= {conv.kernel for conv in convs}
    assert {1, 2} == {conv.stride for conv in convs}
    assert {"valid", "same"} == {conv.padding for conv in convs}
    assert {1, 3, 7, 8, 10, 12, 14, 16, 20, 28, 32, 56, 64, 128, 256} <= {conv.channels for conv in convs}
    assert {1, 224} <= {conv.height for conv in convs}
    assert {1, 512} <= {batch for _, _, batch in CONVOLUTIONS}
    assert any(batch % 16 for _, _, batch in CONVOLUTIONS)


@pytest.mark.parametrize(("group", "conv", "batch"), CONVOLUTIONS)
def test_sizes_are_those_of_the_kernels(group, conv, batch):
    kernel, strides, size = (conv.kernel,) * 2, (conv.stride,) * 2, (conv.height, conv.width)
    assert conv.pads() == resolve_padding(conv.padding, size, kernel, strides)
    assert conv.output() == output_size(size, kernel, strides, conv.pads(), (1, 1))


def test_flops_leave_out_what_lies_outside_the_map():
    assert Conv(2, 5, 3, 8, 8).flops(4) == 2 * 4 * 2 * 5 * 6 * 6 * 9
    # A 3x3 map under a 3x3 kernel: rows see 2, 3 and 2 taps.
    assert Conv(1, 1, 3, 3, 3, "same").flops(1) == 2 * 7 * 7
    assert Conv(1, 1, 3, 4, 4, "same", 2).flops(1) == 2 * 5 * 5  # rows 0 and 2 see 3 and 2 taps
    assert Conv(3, 4, 1, 5, 7).bytes(2) == 4 * (2 * 35 * (3 + 4) + 12)
