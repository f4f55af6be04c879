"""Learning-rate schedules at the steps where they are known."""

import pytest

from tinynet import schedules
from tinynet.schedules import ExponentialDecay, InverseTimeDecay, LearningRateSchedule, PiecewiseConstantDecay


def test_exponential_decay():
    schedule = ExponentialDecay(0.01, 34375, 0.1)
    steps = [0, 10000, 34375, 68750]
    assert [schedule(k) for k in steps] == pytest.approx([0.01, 0.00511788955, 0.001, 0.0001], rel=1e-8)


def test_inverse_time_decay():
    schedule = InverseTimeDecay(0.01, 1, 1e-4)
    assert [schedule(k) for k in (0, 10000, 20000)] == pytest.approx([0.01, 0.005, 0.01 / 3])


def test_staircase():
    exponential, inverse = (cls(1.0, 2, 0.5, staircase=True) for cls in (ExponentialDecay, InverseTimeDecay))
    assert [exponential(k) for k in range(5)] == pytest.approx([1, 1, 0.5, 0.5, 0.25])
    assert [inverse(k) for k in range(5)] == pytest.approx([1, 1, 1 / 1.5, 1 / 1.5, 0.5])


def test_piecewise_boundaries_belong_to_the_piece_before():
    schedule = PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.25])
    assert [schedule(k) for k in range(7)] == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]


def test_errors():
    with pytest.raises(ValueError, match="decay_steps"):
        ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="one value more"):
        PiecewiseConstantDecay([1], [0.1])
    with pytest.raises(ValueError, match="increase"):
        PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3])
    with pytest.raises(TypeError, match="__call__"):
        LearningRateSchedule()(0)
    with pytest.raises(ValueError, match="schedule identifier"):
        schedules.deserialize({"class_name": "Exponential", "config": {}})


@pytest.mark.parametrize(
    "schedule",
    [
        ExponentialDecay(0.1, 10, 0.5, staircase=True),
        InverseTimeDecay(0.1, 10, 0.5),
        PiecewiseConstantDecay([3], [0.1, 0.2]),
    ],
    ids=lambda schedule: schedule.name,
)
def test_serialisation(schedule):
    copy = schedules.deserialize(schedules.serialize(schedule))
    assert type(copy) is type(schedule)
    assert [copy(k) for k in range(8)] == [schedule(k) for k in range(8)]
