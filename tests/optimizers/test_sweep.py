"""All variables in one sweep: the same bits at any thread count, and again when repeated.
Values: test_cases.py.
"""

import copy

import numpy as np
import pytest

import tinynet
from tinynet import kernels, ops
from tinynet.autograd import Parameter
from tinynet.kernels import common
from tinynet.optimizers import SGD, Adam, AdamW, Nadam, RMSprop
from tinynet.replay.capture import Capture
from tinynet.schedules import InverseTimeDecay

SHAPES = [(3, 3, 2, 7), (7,), (), (0, 4), (101, 90), (16,), (5, 1), (33, 200)]
RULES = {
    "nesterov": lambda **more: SGD(0.1, momentum=0.9, nesterov=True, **more),
    "rmsprop both": lambda **more: RMSprop(0.1, momentum=0.9, centered=True, **more),
    "adamw": lambda **more: AdamW(InverseTimeDecay(0.1, 1, 0.5), **more),
    "nadam": lambda **more: Nadam(0.1, **more),
}
EXTRAS = [
    {}, {"clipvalue": 0.5}, {"clipnorm": 2.0}, {"global_clipnorm": 3.0},
    {"gradient_accumulation_steps": 2, "clipnorm": 2.0},
    {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2, "loss_scale_factor": 3.0},
]  # fmt: skip


def draw(seed, dtype="float32"):
    rng = np.random.default_rng(seed)
    return [np.asarray(rng.standard_normal(shape), dtype) for shape in SHAPES]


def variables(dtype="float32"):
    return [Parameter(w, name=f"w{i}") for i, w in enumerate(draw(0, dtype))]


def train(make, steps=3, dtype="float32"):
    """(variables, optimizer) after some steps"""
    optimizer, trained = make(), variables(dtype)
    for step in range(steps):
        optimizer.apply(draw(step + 1, dtype), trained)
    return trained, optimizer


def state(trained, optimizer):
    return [v.numpy() for v in [*trained, *optimizer.variables]]


def assert_same_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def launched(monkeypatch):
    """The functions launched while a test runs, by name."""
    names, launch = [], common.launch

    def note(function, *args, **options):
        names.append(function.__name__)
        launch(function, *args, **options)

    monkeypatch.setattr(common, "launch", note)
    return names


@pytest.mark.parametrize("extra", EXTRAS, ids=str)
def test_bits_do_not_depend_on_threads(extra, monkeypatch):
    monkeypatch.setattr(common, "MAX_ELEMENTS_ALONE", 0)
    threads, results = tinynet.get_num_threads(), []
    try:
        for count in (1, 2, 5):
            tinynet.set_num_threads(count)
            results.append(state(*train(lambda: AdamW(**extra))))
    finally:
        tinynet.set_num_threads(threads)
    assert_same_bits(results[0], results[-1])


def test_one_launch_for_all_variables(launched):
    train(Adam, steps=1)
    assert launched == ["_adam_sweep"]


def doubled(gradients):
    """2 g, launched, in memory that nobody else keeps"""
    out = [common.aligned(g.shape, g.dtype) for g in gradients]
    for g, twice in zip(gradients, out, strict=True):
        common.launch(np.add, g, g, twice)
    return out


@pytest.mark.parametrize(
    "extra", [extra for extra in EXTRAS if "gradient_accumulation_steps" not in extra], ids=str
)
@pytest.mark.parametrize("rule", RULES)
def test_a_recorded_step_is_repeated(rule, extra):
    """The learning rate changes with the schedule and is assigned in between;
    a tape step may come in between, too.

    Collected gradients make two kinds of steps: tests/models/test_replay_optimizers.py.
    """
    runs = []
    for replayed in (False, True):
        trained, optimizer = train(lambda: RULES[rule](**extra), steps=1)
        static = draw(2)
        with Capture() as capture:
            optimizer.apply(doubled(static), trained)
            optimizer.apply(static, trained)
        for step in range(3, 6):
            if step == 4 and rule != "adamw":
                optimizer.learning_rate = 0.025
            optimizer.apply(draw(step), trained)  # elsewhere in memory
            for held, g in zip(static, draw(step), strict=True):
                held[...] = g
            if replayed:
                capture.program.run()
            else:
                optimizer.apply(doubled(static), trained)
                optimizer.apply(static, trained)
        assert optimizer.iterations == 12
        runs.append(state(trained, optimizer))
    assert_same_bits(*runs)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, 1e30])
@pytest.mark.parametrize("extra", EXTRAS[1:], ids=str)
def test_what_is_not_finite_goes_where_it_went(extra, bad):
    results = []
    for implementation in ("numpy", "numba"):
        trained, gradients = variables(), draw(1)
        gradients[1][3] = bad
        with kernels.use("optimizers", implementation), np.errstate(all="ignore"):
            SGD(1.0, **extra).apply(gradients, trained)
        results.append(trained)
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["F order", "gaps", "another dtype"])
def test_gradients_that_are_not_dense(name, launched):
    trained, expected, gradients = variables(), variables(), draw(1)
    Adam().apply(gradients, expected)
    del launched[:]
    if name == "F order":
        given = [np.array(g, order="F") for g in gradients]
    elif name == "gaps":
        given = [np.repeat(g[..., None], 2, -1)[..., 0] for g in gradients]
    else:
        given = [g.astype("float64") for g in gradients]
    Adam().apply(given, trained)
    assert_same_bits([v.numpy() for v in trained], [v.numpy() for v in expected])
    assert launched.count("_adam_sweep") == 1


@pytest.mark.parametrize("odd", ["F order", "another dtype"])
def test_variables_that_are_not_dense_or_of_one_dtype(odd):
    expected, trained = variables(), variables()
    other = np.asfortranarray(trained[4].data) if odd == "F order" else trained[4].data.astype("float64")
    trained[4] = Parameter(other, name="odd")
    for step in range(2):
        Adam(weight_decay=0.1, global_clipnorm=1.0).apply(draw(step), expected)
        Adam(weight_decay=0.1, global_clipnorm=1.0).apply(draw(step), trained)
    for a, b in zip(trained, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_variables_that_overlap_are_updated_one_after_the_other(launched):
    memory = np.zeros(6, "float32")
    first, second = Parameter(memory[:4], name="first"), Parameter(memory[2:], name="second")
    SGD(1.0).apply([np.ones(4, "float32")] * 2, [first, second])
    np.testing.assert_array_equal(memory, [-1, -1, -2, -2, -1, -1])
    assert len(launched) == 2


def test_a_read_only_variable_is_left_alone():
    array = np.zeros(3)
    array.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        SGD(1.0).apply([np.ones(3)], [Parameter(array, name="w")])
    np.testing.assert_array_equal(array, 0)


def test_an_array_of_odd_alignment():
    w = Parameter(np.frombuffer(bytearray(13), np.float32, offset=1), name="w")
    SGD(1.0).apply([np.frombuffer(np.ones(4, np.float32).tobytes()[2:-2], np.float32)], [w])
    assert (w.data < 0).any()


def test_settings_may_change_between_steps():
    w = Parameter(np.zeros(2), name="w")
    optimizer = SGD(1.0)
    for changes, g, value in [
        ({}, [3.0, 4.0], [-3.0, -4.0]),
        ({"clipnorm": 1.0}, [3.0, 4.0], [-3.6, -4.8]),
        ({"clipnorm": None, "weight_decay": 0.5}, [0.0, 0.0], [-1.8, -2.4]),
        ({"weight_decay": None, "clipvalue": 0.1}, [1.0, -1.0], [-1.9, -2.3]),
        ({"clipvalue": 0.2}, [1.0, -1.0], [-2.1, -2.1]),
    ]:
        for name, setting in changes.items():
            setattr(optimizer, name, setting)
        optimizer.apply([np.array(g)], [w])
        np.testing.assert_allclose(w.numpy(), value)


def test_other_variables_from_step_to_step():
    optimizer, expected = Adam(), Adam()
    trained, apart = variables(), variables()
    optimizer.build(trained)
    for step in range(12):
        some = [i for i in range(len(SHAPES)) if (step >> i % 4) % 2 == 0]
        gradients = draw(step)
        optimizer.apply([gradients[i] for i in some], [trained[i] for i in some])
        with kernels.use("optimizers", "numpy"):
            if step == 0:
                expected.build(apart)
            expected.apply([gradients[i] for i in some], [apart[i] for i in some])
    for a, b in zip(trained, apart, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)


def test_a_copy_leaves_the_original_alone():
    (w, *_), optimizer = train(Adam)
    before = w.numpy()
    other = copy.deepcopy(optimizer)
    other.build(copies := variables())
    other.apply(draw(1), copies)
    np.testing.assert_array_equal(w.numpy(), before)


def test_a_rule_on_top_of_another_is_asked_for_every_variable():
    class Half(Adam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate / 2)

    found, expected = train(lambda: Half(0.2)), train(lambda: Adam(0.1))
    for a, b in zip(state(*found)[: len(SHAPES)], state(*expected)[: len(SHAPES)], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


def test_a_learning_rate_may_run_kernels():
    x = np.ones((4, 4), "float32")
    optimizer = SGD(lambda: float(ops.relu(x)[0, 0]))
    w = Parameter(np.zeros(3), name="w")
    optimizer.apply([np.ones(3)], [w])
    np.testing.assert_array_equal(w.numpy(), -np.ones(3))
