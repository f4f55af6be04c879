"""Limits, which listen to what is about to be allocated while a model is made from a file."""

import numpy as np
import pytest

from tinynet.backend import allocations, limits


def test_nobody_listens_outside_of_limits():
    assert not allocations.sparing()
    allocations.array((10**12,))
    allocations.symbol((None, 10**12))
    allocations.trial([(None, 10**12)])


def test_arrays_that_are_kept_add_up():
    with limits.within(limits.Left(0, others=10)):
        assert allocations.sparing()
        allocations.array((2, 3))
        allocations.array((4,))
        allocations.array((0, 100))
        with pytest.raises(ValueError, match=r"an array of shape \(1,\) is larger than what the file holds"):
            allocations.array((1,))
    assert not allocations.sparing()


def test_first_values_are_zeros_within_limits():
    def ones(shape, dtype):
        return np.ones(shape, dtype)

    with limits.within(limits.Left(100)):
        assert allocations.weight(ones, (2,), "float32").tolist() == [0, 0]
        with limits.within(limits.Left(100, first=None)):
            assert allocations.weight(ones, (2,), "float32").tolist() == [1, 1]
            with pytest.raises(ValueError, match="larger than what the file holds"):
                allocations.weight(ones, (101,), "float32")
    assert allocations.weight(ones, (2,), "float32").tolist() == [1, 1]


@pytest.mark.parametrize(
    ("shape", "fine"),
    [
        ((None, limits.LONGEST), True),
        ((None, limits.LONGEST + 1), False),
        ((10**12, 3), True),  # the batch is the caller's
        ((None, 0), True),
        ((None, -1), False),
        ((None, 1 << 14, 1 << 14), True),  # LARGEST
        ((None, 1 << 14, (1 << 14) + 1), False),
        ((None, None, limits.LARGEST // limits.UNKNOWN), True),
        ((None, None, limits.LARGEST // limits.UNKNOWN + 1), False),
        ((None,) + (1,) * (limits.MOST_AXES - 1), True),
        ((None,) + (1,) * limits.MOST_AXES, False),
    ],
)
def test_shapes_of_a_sane_size(shape, fine):
    with limits.within(limits.Left(1)):
        if fine:
            allocations.symbol(shape)
        else:
            with pytest.raises(ValueError, match="no model has a tensor of shape"):
                allocations.symbol(shape)


def test_trials_are_counted_one_by_one_and_together():
    with limits.within(limits.Left(1)):
        allocations.trial([(None, limits.TRIAL)])
        with pytest.raises(ValueError, match="takes too much memory to find its output's shape"):
            allocations.trial([(None, limits.TRIAL), (None, 1)])
    with limits.within(limits.Left(1)):
        for _ in range(limits.TRIALS // limits.TRIAL):
            allocations.trial([(None, limits.TRIAL)])
        with pytest.raises(ValueError, match="give the Lambda an output_shape"):
            allocations.trial([(None, 1)])
