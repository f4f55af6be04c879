"""Every optimizer of the table (cases.py): values, dtypes, shapes, shared settings, replay, configuration,
resuming."""

import json

import numpy as np
import pytest
from optimizers.cases import CASES, COMMON, SHAPES, WAYS, by_itself, check, numbers, run

import tinynet
from tinynet import kernels, layers, optimizers, signature
from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as rules
from tinynet.optimizers import Optimizer

CLASSES = [found for found in vars(optimizers).values() if isinstance(found, type)]
CLASSES = [cls for cls in CLASSES if issubclass(cls, Optimizer) and cls is not Optimizer]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=str)
EVERY_CLASS = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def test_every_optimizer_and_every_rule_has_a_case():
    for cls in CLASSES:
        assert cls in {case.cls for case in CASES}, (
            f"no line in tests/optimizers/cases.py makes {cls.__name__}: add one"
        )
        assert cls.__name__ in optimizers.__all__, f"{cls.__name__} is not in optimizers.__all__"
    used = {case.make()._update_kernel for case in CASES}
    for rule in rules.rules:
        assert rule in used, f"no line in tests/optimizers/cases.py uses the rule {rule.__name__}: add one"
    assert {case.cls for case in CASES} == set(CLASSES)
    assert used - {None} == set(rules.rules)


@pytest.mark.parametrize("common", COMMON)
@EVERY_CASE
def test_values_are_those_of_the_formula(case, common):
    for way in WAYS:
        check(case, way, **COMMON[common])


@pytest.mark.parametrize("common", ["plain", "everything"])
@EVERY_CASE
def test_float32_stays_float32(case, common):
    for way in WAYS:
        check(case, way, "float32", **COMMON[common])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@EVERY_CASE
def test_all_variables_at_once_get_the_bits_of_one_after_the_other(case, dtype):
    for ours, theirs in zip(run(case, "sweep", dtype), run(case, "one by one", dtype), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@EVERY_CASE
def test_training_goes_on_from_restored_weights(case):
    start, gradients = numbers(SHAPES)
    first, again = ([Parameter(w.copy(), name=f"w{i}") for i, w in enumerate(start)] for _ in range(2))
    optimizer, other = case.make(**COMMON["everything"]), case.make(**COMMON["everything"])
    for gs in gradients[:4]:  # in the middle of a sum
        optimizer.apply(gs, first)
    for mine, its in zip(again, first, strict=True):
        mine.assign(its.numpy())
    other.build(again)
    other.set_weights(optimizer.get_weights())
    for gs in gradients[4:]:
        optimizer.apply(gs, first)
        other.apply(gs, again)
    for a, b in zip([*first, *optimizer.variables], [*again, *other.variables], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def trained(optimizer, eagerly):
    """All weights after some steps of a small net."""
    tinynet.utils.set_random_seed(5)
    model = tinynet.Sequential([layers.Input((6,)), layers.Dense(8, activation="tanh"), layers.Dense(4)])
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(64, 6)).astype("float32"), rng.normal(size=(64, 4)).astype("float32")
    model.compile(optimizer, "mse", run_eagerly=eagerly)
    model.fit(x, y, batch_size=16, epochs=4, verbose=0)
    return model, model.get_weights() + optimizer.get_weights()


def assert_replayed(make):
    model, found = trained(make(), False)
    _, wanted = trained(make(), True)
    assert model.replay.programs, f"{model.optimizer}: no step was recorded and repeated"
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("common", ["schedule", "everything"])
@EVERY_CASE
def test_a_recorded_step_is_repeated(case, common):
    assert_replayed(lambda: case.make(**COMMON[common]))


@pytest.mark.parametrize("common", ["schedule", "everything"])
@EVERY_CASE
def test_a_rule_in_plain_python_is_repeated_as_it_is(case, common):
    """One of tinynet's own, that is: what users' classes hold beside their arrays is not known."""
    cls = by_itself(case.cls)
    cls.__module__ = case.cls.__module__
    assert_replayed(lambda: case._replace(cls=cls).make(**COMMON[common]))


@EVERY_CASE
def test_the_reference_is_repeated_as_it_is(case):
    with kernels.use("optimizers", "numpy"):
        assert_replayed(lambda: case.make(**COMMON["everything"]))


@EVERY_CASE
def test_a_configuration_makes_the_same_optimizer(case):
    common = {name: value for name, value in COMMON["everything"].items() if name != "rate"}
    made = case.make(COMMON["everything"]["rate"], **common, name="mine")
    config = made.get_config()
    assert {**case.settings, **common, "name": "mine"}.items() <= config.items()
    assert config.keys() == set(signature.accepted(case.cls))
    again = optimizers.get(json.loads(json.dumps(optimizers.serialize(made))))
    assert type(again) is case.cls
    assert again.get_config() == config


@EVERY_CLASS
def test_without_arguments_it_has_the_default_of_its_constructor(cls):
    rate = signature.defaults(cls).get("learning_rate") or cls._default_rate
    assert cls().learning_rate == rate > 0
    for spelling in (cls.__name__, cls.__name__.lower(), cls.__name__.upper(), cls):
        made = optimizers.get(spelling)
        assert type(made) is cls
        assert made.learning_rate == rate
