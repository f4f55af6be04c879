"""Learning-rate schedules at the steps where they are known,
and step by step as Keras and PyTorch have them.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tinynet import optimizers, schedules
from tinynet.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    LearningRateSchedule,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
)

FIXTURE = json.loads((Path(__file__).parent / "fixtures" / "optimizers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "case", FIXTURE["schedules"], ids=lambda case: f"{case['class_name']}{len(case['config'])}"
)
def test_step_by_step(case):
    """Keras's own values, whose cosines are in single precision, and those of PyTorch's OneCycleLR."""
    schedule = schedules.deserialize({"class_name": case["class_name"], "config": case["config"]})
    values = [schedule(step) for step in range(len(case["values"]))]
    tolerance = 1e-5 if case["class_name"].startswith("Cosine") else 1e-8
    np.testing.assert_allclose(values, case["values"], rtol=tolerance, atol=1e-10)


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


def test_polynomial_decay():
    root = PolynomialDecay(0.1, 100, 0.01, power=0.5)
    assert [root(k) for k in (0, 50, 100, 150)] == pytest.approx([0.1, 0.0736396103, 0.01, 0.01], rel=1e-8)
    assert PolynomialDecay(0.1, 100, 0.01, cycle=True)(150) == pytest.approx(0.0325)


def test_cosine_decay():
    plain = CosineDecay(0.1, 100, alpha=0.1)
    assert [plain(k) for k in (0, 25, 50, 100, 1000)] == pytest.approx(
        [0.1, 0.0868198052, 0.055, 0.01, 0.01], rel=1e-8
    )
    warm = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
    assert [warm(k) for k in (0, 5, 10, 60, 110, 200)] == pytest.approx([0, 0.05, 0.1, 0.05, 0, 0])
    assert CosineDecay(0.0, 100, warmup_target=0.1)(0) == 0.1, "no step of warm-up"


def test_cosine_decay_with_restarts():
    schedule = CosineDecayRestarts(0.1, 10)
    expected = [0.1, 0.05, 0.00244717, 0.1, 0.05, 0.00061558, 0.1]
    assert [schedule(k) for k in (0, 5, 9, 10, 20, 29, 30)] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("t_mul", [1.0, 1.5, 2.0, 3.0, 10.0])
@pytest.mark.parametrize("first", [1, 3, 7, 10, 1000])
def test_a_restart_is_where_a_period_ends(first, t_mul):
    schedule, start = CosineDecayRestarts(0.1, first, t_mul, m_mul=0.5), 0.0
    for period in range(6):
        if start == int(start):
            i, share = schedule.period(int(start))
            assert (i, share) == (period, pytest.approx(0, abs=1e-9)) or (i, share) == (
                period - 1,
                pytest.approx(1, abs=1e-9),
            )
            assert schedule(int(start)) == pytest.approx(0.1 * 0.5**period)
        start += first * t_mul**period


def test_one_cycle():
    schedule = OneCycle(
        1.0, 101, initial_divisor=10.0, final_divisor=100.0, warmup_fraction=51 / 101, anneal="linear"
    )
    assert [schedule(k) for k in (0, 25, 50, 75, 100, 500)] == pytest.approx(
        [0.1, 0.55, 1.0, 0.5005, 0.001, 0.001]
    )
    waves = OneCycle(1.0, 101, initial_divisor=10.0, final_divisor=100.0, warmup_fraction=51 / 101)
    assert [waves(k) for k in (0, 25, 50, 75, 100)] == pytest.approx([0.1, 0.55, 1.0, 0.5005, 0.001])
    assert waves(10) < schedule(10), "a wave starts slowly"


def test_one_cycle_as_it_was_published():
    schedule = OneCycle(1.0, 101, 10.0, 1000.0, warmup_fraction=41 / 101, anneal="linear", three_phase=True)
    assert [schedule(k) for k in (0, 20, 40, 60, 80, 90, 100)] == pytest.approx(
        [0.1, 0.55, 1, 0.55, 0.1, 0.05005, 1e-4]
    )


@pytest.mark.parametrize("anneal", ["linear", "cosine"])
@pytest.mark.parametrize("fraction", [0.0, 0.05])
def test_one_cycle_without_a_rise_begins_at_the_top(anneal, fraction):
    schedule = OneCycle(1.0, 11, 10.0, 1000.0, warmup_fraction=fraction, anneal=anneal)
    assert [schedule(k) for k in (0, 5, 10)] == pytest.approx([1.0, (1 + 1e-4) / 2, 1e-4])


def test_errors():
    with pytest.raises(ValueError, match="ExponentialDecay: decay_steps must be positive, got 0"):
        ExponentialDecay(0.1, 0, 0.5)
    with pytest.raises(ValueError, match="PolynomialDecay: decay_steps"):
        PolynomialDecay(0.1, -1)
    with pytest.raises(ValueError, match="CosineDecay: decay_steps"):
        CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="CosineDecayRestarts: first_decay_steps"):
        CosineDecayRestarts(0.1, 0)
    with pytest.raises(ValueError, match=r"t_mul=0.5 the periods are over before step 30"):
        CosineDecayRestarts(0.1, 10, t_mul=0.5)(30)
    with pytest.raises(ValueError, match="one value more"):
        PiecewiseConstantDecay([1], [0.1])
    for boundaries in ([2, 1], [5, 5], [1, 2, 2], [1, 3, 2]):
        with pytest.raises(ValueError, match="boundaries must increase"):
            PiecewiseConstantDecay(boundaries, [0.1] * (len(boundaries) + 1))
    with pytest.raises(TypeError, match="__call__"):
        LearningRateSchedule()(0)
    with pytest.raises(ValueError, match="schedule identifier"):
        schedules.deserialize({"class_name": "Exponential", "config": {}})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"total_steps": 1}, "total_steps must be at least 2"),
        ({"anneal": "cos"}, "anneal must be 'cosine' or 'linear', got 'cos'"),
        ({"warmup_fraction": 1.5}, "warmup_fraction must be between 0 and 1.0"),
        ({"warmup_fraction": 0.6, "three_phase": True}, "warmup_fraction must be between 0 and 0.5"),
        ({"initial_divisor": 0.0}, "initial_divisor must be positive"),
        ({"final_divisor": -1.0}, "final_divisor must be positive"),
    ],
)
def test_a_cycle_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=f"^OneCycle: {message}"):
        OneCycle(**{"max_learning_rate": 0.1, "total_steps": 10, **arguments})


@pytest.mark.parametrize(
    "schedule",
    [
        ExponentialDecay(0.1, 10, 0.5, staircase=True),
        InverseTimeDecay(0.1, 10, 0.5),
        PiecewiseConstantDecay([3], [0.1, 0.2]),
        PolynomialDecay(0.1, 10, 0.01, 2.0, cycle=True),
        CosineDecay(0.1, 10, 0.1, warmup_target=0.2, warmup_steps=3),
        CosineDecayRestarts(0.1, 3, 1.5, 0.5, 0.1),
        OneCycle(0.1, 8, 10.0, 5.0, 0.4, "linear", three_phase=True),
    ],
    ids=lambda schedule: schedule.name,
)
def test_serialisation(schedule):
    config = json.loads(json.dumps(schedules.serialize(schedule)))
    copy = schedules.deserialize(config)
    assert type(copy) is type(schedule)
    assert [copy(k) for k in range(8)] == [schedule(k) for k in range(8)]
    assert type(schedule).from_config(schedule.get_config()).get_config() == schedule.get_config()
    optimizer = optimizers.get(json.loads(json.dumps(optimizers.serialize(optimizers.SGD(schedule)))))
    assert optimizer.learning_rate == schedule(0)
