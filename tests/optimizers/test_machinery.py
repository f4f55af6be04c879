"""Averages of weights, collected gradients and scaled losses: Keras's trajectories,
and the numbers one can do by hand.
"""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from tinynet import constraints, kernels, optimizers
from tinynet.autograd import Parameter, Tensor
from tinynet.optimizers import SGD, Adam, Nadam
from tinynet.schedules import InverseTimeDecay

import strict_array

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "optimizers.json").read_text(encoding="utf-8"))
IMPLEMENTATIONS = pytest.mark.parametrize("implementation", ["numpy", "numba"])


def label(case):
    names = [name for name in case["config"] if "_" in name and "rate" not in name]
    return f"{case['class_name']}-{'-'.join(names)}"


CASES = pytest.mark.parametrize("case", FIXTURE["machinery"], ids=label)


def build(case, array=np.array):
    """The optimizer and the variables of a case."""
    config = dict(case["config"])
    constraint = config.pop("constraint", None)
    optimizer = optimizers.get({"class_name": case["class_name"], "config": config})
    variables = [Parameter(array(np.array(w)), name=f"w{i}") for i, w in enumerate(FIXTURE["few"])]
    variables[0].constraint = constraints.get(constraint)
    return optimizer, variables


def run(optimizer, variables, first=0, last=12, array=np.array):
    """The weights after each step."""
    seen = []
    for gradients in FIXTURE["many"][first:last]:
        optimizer.apply([array(np.array(g)) for g in gradients], variables)
        seen.append([variable.numpy() for variable in variables])
    return seen


def assert_close(found, expected):
    np.testing.assert_allclose(np.concatenate([np.ravel(w) for w in found]),
                               np.concatenate([np.ravel(w) for w in expected]),
                               rtol=1e-8, atol=1e-9)  # fmt: skip


@IMPLEMENTATIONS
@CASES
def test_trajectory_and_state_of_keras(case, implementation):
    optimizer, variables = build(case)
    with kernels.use("optimizers", implementation):
        seen = run(optimizer, variables)
    for step, expected in zip(FIXTURE["kept"], case["weights"], strict=True):
        assert_close(seen[step], expected)
    names, values = zip(*case["state"], strict=True)
    assert [v.name for v in optimizer.variables if v.name != "u_product"] == [
        n for n in names if "variable" not in n
    ]
    assert_close(optimizer.get_weights(), values)
    optimizer.finalize_variable_values(variables)
    assert_close([v.numpy() for v in variables], case["final"])


@pytest.mark.parametrize(
    "case", [one for one in FIXTURE["machinery"] if "constraint" not in one["config"]], ids=label
)
def test_arrays_of_another_module(case):
    optimizer, variables = build(case, strict_array.asarray)
    for gradients in FIXTURE["many"]:
        optimizer.apply([strict_array.asarray(np.array(g)) for g in gradients], variables)
    assert_close([variable.data.get() for variable in variables], case["weights"][-1])


@CASES
def test_training_goes_on_from_restored_weights(case):
    """After 5 calls: in the middle of a sum of gradients, with averages, with Nadam's product."""
    optimizer, variables = build(case)
    run(optimizer, variables, last=5)
    restored, again = build(case)
    for variable, trained in zip(again, variables, strict=True):
        variable.assign(trained.numpy())
    restored.build(again)
    restored.set_weights(optimizer.get_weights())
    for found, expected in zip(run(restored, again, 5), run(optimizer, variables, 5), strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_have_averages_and_sums_of_their_own(again):
    arguments = {"use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 3}
    optimizer, variables = Adam(0.1, **arguments), build(FIXTURE["machinery"][0])[1]
    run(optimizer, variables, last=4)
    before = [array.copy() for array in optimizer.get_weights()]
    twin, twins = again((optimizer, variables))
    found = run(twin, twins, 4)
    for array, expected in zip(optimizer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, expected)
    for a, b in zip(np.ravel(found[-1][0]), np.ravel(run(optimizer, variables, 4)[-1][0]), strict=True):
        assert a == b


def variable(value, name="w"):
    return Parameter(np.array(value, "float64"), name=name)


@IMPLEMENTATIONS
class TestAverages:
    def test_keras_own_vector(self, implementation):
        w, optimizer = variable([3.0]), SGD(1.0, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3)
        with kernels.use("optimizers", implementation):
            for weight, average in [(2, 2), (1, 1.9), (1.71, 1.71)]:
                optimizer.apply([np.ones(1)], [w])
                np.testing.assert_allclose(
                    [w.item(), optimizer.variables[2].item()], [weight, average], rtol=1e-12
                )

    def test_of_all_variables_also_of_those_without_a_gradient(self, implementation):
        a, b = variable([1.0], "a"), variable([4.0], "b")
        optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
        with kernels.use("optimizers", implementation):
            optimizer.apply([np.ones(1), np.ones(1)], [a, b])  # 0, 3
            optimizer.apply([np.ones(1)], [a])  # -1 and 3, averages -0.5 and 3
            version = b.version
            b.assign([5.0])
            optimizer.apply([np.ones(1)], [a])  # -1.5 and 5; averages -1 and 4
            optimizer.apply([np.ones(1)], [a])  # -2.5 and 5; averages -1.75 and 4.5
        np.testing.assert_allclose([a.item(), b.item()], [-1.75, 4.5])
        assert b.version > version + 1, "the tape is told"

    def test_constraint_comes_after_the_average(self, implementation):
        w, optimizer = variable([1.0]), SGD(2.0, use_ema=True, ema_momentum=0.9)
        w.constraint = constraints.NonNeg()
        with kernels.use("optimizers", implementation):
            optimizer.apply([np.ones(1)], [w])
        assert [w.item(), optimizer.variables[2].item()] == [0.0, -1.0]

    def test_finalize(self, implementation):
        w, other = variable([3.0]), variable([1.0], "other")
        optimizer = SGD(1.0, use_ema=True, ema_momentum=0.9)
        optimizer.finalize_variable_values([w])  # nothing was trained: nothing to do
        with kernels.use("optimizers", implementation):
            optimizer.apply([np.ones(1)], [w])
            optimizer.apply([np.ones(1)], [w])
        optimizer.finalize_variable_values([w])
        assert w.item() == pytest.approx(1.9)
        with pytest.raises(ValueError, match="Unknown variable 'other'"):
            optimizer.finalize_variable_values([other])
        plain = SGD(1.0)
        plain.apply([np.ones(1)], [other])
        plain.finalize_variable_values([other])
        assert other.item() == 0.0


@IMPLEMENTATIONS
class TestAccumulation:
    def test_the_mean_at_every_third_call(self, implementation):
        w, optimizer, seen = variable([1.0]), SGD(1.0, gradient_accumulation_steps=3), []
        with kernels.use("optimizers", implementation):
            for g in (1.0, 2.0, 6.0, 4.0, 4.0, 4.0, 9.0):
                assert optimizer._step_phase == (("update",) if len(seen) % 3 == 2 else ("accumulate",))
                optimizer.apply([np.array([g])], [w])
                seen.append((w.item(), optimizer.variables[2].item(), optimizer.iterations))
        assert seen == [(1, 1, 0), (1, 3, 0), (-2, 0, 1), (-2, 4, 1), (-2, 8, 1), (-6, 0, 2), (-6, 9, 2)]

    def test_schedule_counts_calls_and_bias_correction_counts_updates(self, implementation):
        rates = []

        class Seen(InverseTimeDecay):
            def __call__(self, step):
                rates.append(step)
                return super().__call__(step)

        w, optimizer = variable([0.0]), Adam(Seen(1.0, 1, 1.0), epsilon=0.0, gradient_accumulation_steps=2)
        with kernels.use("optimizers", implementation):
            for _ in range(4):
                optimizer.apply([np.ones(1)], [w])
        # Every update of Adam with equal gradients has the size of the learning rate, here of calls 1 and 3.
        np.testing.assert_allclose(w.item(), -(1 / 2 + 1 / 4), rtol=1e-12)
        assert {1, 3} <= set(rates)
        assert optimizer.learning_rate == 1 / 5

    def test_decay_and_nadams_product_wait_for_the_update(self, implementation):
        w, optimizer = variable([1.0]), Nadam(0.1, weight_decay=0.5, gradient_accumulation_steps=2)
        with kernels.use("optimizers", implementation):
            optimizer.apply([np.zeros(1)], [w])
            assert (w.item(), optimizer.variables[-1].item()) == (1.0, 1.0)
            optimizer.apply([np.zeros(1)], [w])
        np.testing.assert_allclose([w.item(), optimizer.variables[-1].item()], [0.95, 0.9 * (1 - 0.5 * 0.96)])

    def test_gradients_are_not_changed_and_float32_stays(self, implementation):
        g, w = np.array([3.0, 4.0], "float32"), Parameter(np.zeros(2, "float32"), name="w")
        optimizer = SGD(1.0, gradient_accumulation_steps=2, loss_scale_factor=2.0, clipvalue=1.0)
        with kernels.use("optimizers", implementation):
            optimizer.apply([g], [w])
            optimizer.apply([g], [w])
        np.testing.assert_array_equal(g, [3, 4])
        assert {v.dtype for v in optimizer.variables[2:]} | {w.dtype} == {np.dtype("float32")}
        np.testing.assert_array_equal(w.numpy(), [-1, -1])


def test_a_rule_of_ones_own_gets_the_mean():
    class Sign(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable.data[...] -= learning_rate * gradient

    w, optimizer = variable([1.0]), Sign(0.5, gradient_accumulation_steps=2, loss_scale_factor=2.0)
    optimizer.apply([np.array([4.0])], [w])
    assert w.item() == 1.0
    optimizer.apply([np.array([8.0])], [w])
    assert w.item() == 1.0 - 0.5 * 3.0


def test_gradients_of_a_scaled_loss():
    optimizer = SGD(1.0, loss_scale_factor=8.0)
    assert optimizer.scale_loss(Tensor(2.0)).item() == 16.0
    loss = Tensor(2.0)
    assert SGD(1.0).scale_loss(loss) is loss


def test_order_of_variables():
    w, b = variable([1.0], "w"), variable([1.0, 2.0], "b")
    optimizer = Adam(use_ema=True, gradient_accumulation_steps=2)
    optimizer.build([w, b])
    assert [v.name for v in optimizer.variables] == [
        "iteration", "learning_rate", "w_average", "b_average", "w_gradient_accumulator",
        "b_gradient_accumulator", "w_momentum", "w_velocity", "b_momentum", "b_velocity",
    ]  # fmt: skip


def test_built_anew_starts_anew():
    w, optimizer = variable([1.0]), SGD(1.0, use_ema=True, gradient_accumulation_steps=2)
    optimizer.apply([np.ones(1)], [w])
    other = [variable([1.0]), variable([2.0])]
    optimizer.build(other)
    assert len(optimizer.variables) == 2 + 2 * 2
    assert all(not v.data.any() for v in optimizer.variables[2:])


NO_NUMBERS = ("1.0", [1.0], True, np.nan, np.inf, {"a": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gradient_accumulation_steps": 1}, "gradient_accumulation_steps must be an integer >= 2"),
        ({"gradient_accumulation_steps": 2.5}, "gradient_accumulation_steps"),
        ({"use_ema": True, "ema_momentum": 1.1}, "ema_momentum must be a number in"),
        ({"use_ema": True, "ema_momentum": -0.1}, "ema_momentum"),
        ({"use_ema": True, "ema_overwrite_frequency": 0}, "ema_overwrite_frequency must be an integer >= 1"),
        ({"use_ema": True, "ema_overwrite_frequency": 2.0}, "ema_overwrite_frequency"),
        ({"loss_scale_factor": 0.0}, r"loss_scale_factor must be a number in \(0, inf\)"),
        *[({"loss_scale_factor": value}, "loss_scale_factor must be a number in") for value in NO_NUMBERS],
        *[({"weight_decay": value}, "weight_decay must be a number in") for value in NO_NUMBERS],
        *[
            ({name: value}, f"{name} must be a number in")
            for name in ("clipnorm", "clipvalue", "global_clipnorm")
            for value in (*NO_NUMBERS, 0.0, -1)
        ],
        *[({"epsilon": value}, "epsilon must be a number in") for value in (None, -1e-7, *NO_NUMBERS)],
        *[
            ({"learning_rate": value}, "the learning rate must be at least 0, and finite")
            for value in (-0.1, np.nan, np.inf)
        ],
        ({"beta_1": 1.0}, "beta_1 must be a number in"),
        ({"beta_2": "0.9"}, "beta_2"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=f"^Adam: {message}"):
        Adam(**arguments)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [("Lion", "beta_1", 0.0), ("Lion", "beta_2", 1.5), ("Adadelta", "rho", -0.1), ("RMSprop", "rho", 1.1),
     ("RMSprop", "momentum", 2.0), ("Nadam", "beta_2", 1.0), ("Adamax", "beta_1", True),
     *[(name, "epsilon", value) for name in ("RMSprop", "Nadam", "Adamax", "Adadelta", "Adagrad", "AdamW")
       for value in (None, "1e-7", np.nan, np.inf, -1.0)],
     *[("Adagrad", "initial_accumulator_value", value) for value in (None, [0.1], "0.1", np.nan, np.inf,
                                                                     -0.1)]],
)  # fmt: skip
def test_ranges(name, argument, value):
    with pytest.raises(ValueError, match=f"^{name}: {argument} must be a number in"):
        getattr(optimizers, name)(**{argument: value})
