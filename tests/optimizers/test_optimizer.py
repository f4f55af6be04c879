"""What all optimizers share: the learning rate, clipping, decay, state, arguments and lookup."""

import copy
import inspect
import json
import pickle

import numpy as np
import pytest
from optimizers.cases import CASES

import tinynet.optimizers.schedules
from tinynet import ops, optimizers, registry, schedules
from tinynet.autograd import Parameter, Tensor
from tinynet.optimizers import SGD, Adam, AdamW, Nadam, Optimizer, RMSprop
from tinynet.optimizers.check_gradients import constrain
from tinynet.schedules import ExponentialDecay, InverseTimeDecay

ALL = sorted({case.cls.__name__ for case in CASES})


def variable(value, name="w"):
    return Parameter(np.array(value, "float64"), name=name)


def step(optimizer, w, g):
    optimizer.apply([np.array(g, "float64")], [w])
    return w.numpy()


class TestLearningRate:
    def test_assigned_at_any_time(self):
        optimizer, w = SGD(0.5), variable([1.0])
        step(optimizer, w, [1.0])
        optimizer.learning_rate = 0.25
        assert optimizer.lr == 0.25
        np.testing.assert_allclose(step(optimizer, w, [1.0]), [0.25])
        optimizer.lr = np.float32(0.125)
        assert optimizer.learning_rate == 0.125
        np.testing.assert_allclose(step(optimizer, w, [1.0]), [0.125])

    def test_schedule_is_asked_with_the_step(self):
        optimizer, w = SGD(InverseTimeDecay(1.0, 1, 1.0)), variable([0.0])
        assert [step(optimizer, w, [1.0])[0] for _ in range(3)] == pytest.approx([-1, -1.5, -1.5 - 1 / 3])
        assert optimizer.learning_rate == 0.25

    def test_schedule_refuses_a_float(self):
        optimizer = SGD(ExponentialDecay(0.1, 10, 0.5))
        with pytest.raises(TypeError, match="ExponentialDecay"):
            optimizer.learning_rate = 0.1
        with pytest.raises(TypeError):
            optimizer.lr = 0.1
        optimizer.learning_rate = ExponentialDecay(0.2, 10, 0.5)
        assert optimizer.learning_rate == 0.2

    def test_function_without_arguments(self):
        assert SGD(lambda: 0.3).learning_rate == 0.3

    def test_is_a_float_that_can_be_assigned(self):
        optimizer = SGD(0.5)
        rate = optimizer.learning_rate
        assert isinstance(rate, float)
        assert rate == 0.5 == float(rate)
        assert json.dumps(rate) == f"{rate}" == "0.5"
        assert type(rate * 2) is float
        assert rate.numpy().shape == ()
        rate.assign(rate * 0.5)
        optimizer.learning_rate.assign(optimizer.learning_rate * 0.5)
        assert (optimizer.learning_rate, rate) == (0.125, 0.5)
        assert type(copy.deepcopy(rate)) is type(pickle.loads(pickle.dumps(rate))) is float
        with pytest.raises(TypeError, match="schedule"):
            SGD(ExponentialDecay(0.1, 10, 0.5)).learning_rate.assign(0.1)

    def test_float_replaced_by_a_schedule(self):
        optimizer = SGD(0.1)
        assert [v.name for v in optimizer.variables] == ["iteration", "learning_rate"]
        optimizer.learning_rate = ExponentialDecay(0.2, 10, 0.5)
        assert optimizer.learning_rate == 0.2
        assert [v.name for v in optimizer.variables] == ["iteration"]

    def test_keras_address_of_schedules(self):
        assert tinynet.optimizers.schedules.ExponentialDecay is schedules.ExponentialDecay


class TestArguments:
    @pytest.mark.parametrize("name", ALL)
    def test_old_and_unknown_names_are_refused(self, name):
        cls = getattr(optimizers, name)
        with pytest.raises(ValueError, match="learning_rate"):
            cls(lr=0.1)
        with pytest.raises(
            ValueError, match=rf"^{name}: .*'decay': it is written .*InverseTimeDecay\(rate, 1, decay\)"
        ):
            cls(decay=0.1)
        with pytest.raises(ValueError, match=r"not recognized: \['momentun'\]"):
            cls(momentun=0.1)

    @pytest.mark.parametrize("value", [1, True, "0.1", None])
    def test_learning_rate_must_be_a_float(self, value):
        with pytest.raises(ValueError, match="float"):
            SGD(value)

    def test_momentum_must_be_a_float_between_0_and_1(self):
        for value in (1, 1.5, -0.1):
            with pytest.raises(ValueError, match="momentum"):
                SGD(momentum=value)

    def test_one_clip_argument_at_most(self):
        with pytest.raises(ValueError, match="only one of"):
            Adam(clipnorm=1.0, clipvalue=1.0)
        with pytest.raises(ValueError, match=r"clipnorm must be a number in \(0, inf\)"):
            Adam(clipnorm=0.0)

    def test_adamw_needs_a_decay(self):
        with pytest.raises(ValueError, match="weight_decay"):
            AdamW(weight_decay=None)


class TestClipping:
    def test_value(self):
        w = variable([0.0, 0.0])
        np.testing.assert_allclose(step(SGD(1.0, clipvalue=1.0), w, [0.9, 100.0]), [-0.9, -1.0])

    def test_norm(self):
        w = variable([0.0, 0.0])
        np.testing.assert_allclose(
            step(SGD(1.0, clipnorm=1.0), w, [0.9, 100.0]), [-0.0089996355, -0.9999595025], rtol=1e-8
        )
        w = variable([0.0, 0.0])
        np.testing.assert_allclose(step(SGD(1.0, clipnorm=1.0), w, [100.0, 100.0]), [-(0.5**0.5)] * 2)

    def test_norm_leaves_short_and_zero_gradients(self):
        w = variable([0.0, 0.0])
        np.testing.assert_allclose(step(SGD(1.0, clipnorm=1.0), w, [0.3, 0.4]), [-0.3, -0.4])
        np.testing.assert_allclose(step(SGD(1.0, clipnorm=1.0), w, [0.0, 0.0]), [-0.3, -0.4])

    def test_global_norm_is_that_of_all_gradients(self):
        a, b = variable([0.0], "a"), variable([0.0], "b")
        SGD(1.0, global_clipnorm=1.0).apply([np.array([3.0]), np.array([4.0])], [a, b])
        np.testing.assert_allclose([a.item(), b.item()], [-0.6, -0.8])

    def test_global_norm_spreads_what_is_not_finite(self):
        a, b = variable([0.0], "a"), variable([0.0], "b")
        SGD(1.0, global_clipnorm=1.0).apply([np.array([np.inf]), np.array([4.0])], [a, b])
        assert np.isnan([a.item(), b.item()]).all()

    @pytest.mark.parametrize("argument", ["clipnorm", "clipvalue", "global_clipnorm"])
    def test_gradient_is_not_changed_and_float32_stays(self, argument):
        g = np.array([3.0, 4.0], "float32")
        w = Parameter(np.zeros(2, "float32"), name="w")
        Adam(**{argument: 1.0}).apply([g], [w])
        np.testing.assert_array_equal(g, [3, 4])
        assert w.dtype == np.float32


class TestWeightDecay:
    def test_before_the_update_with_the_current_rate(self):
        w = variable([2.0])
        optimizer = SGD(1.0, weight_decay=0.004)
        for _ in range(3):
            step(optimizer, w, [0.0])
        np.testing.assert_allclose(w.numpy(), [1.9760959], atol=1e-7)

    def test_excluded_variables(self):
        kept, listed, named = (
            variable([2.0], "kernel"),
            variable([2.0], "other"),
            variable([2.0], "dense_bias"),
        )
        optimizer = Adam(1.0, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_list=[listed], var_names=["bias"])
        optimizer.apply([np.zeros(1)] * 3, [kept, listed, named])
        assert [v.item() for v in (kept, listed, named)] == [1.0, 2.0, 2.0]
        with pytest.raises(ValueError, match="before"):
            optimizer.exclude_from_weight_decay(var_names=["kernel"])


class TestApply:
    def test_counts_versions_and_steps(self):
        optimizer, w = Adam(), variable([1.0])
        assert optimizer.iterations == 0
        assert optimizer.apply_gradients([(np.ones(1), w)]) == 1
        assert w.version == 1

    def test_changes_the_array_in_place(self):
        w = variable([1.0, 2.0])
        array = w.data
        step(SGD(0.5), w, [1.0, 1.0])
        assert w.data is array

    def test_tensor_gradients(self):
        w = variable([1.0])
        SGD(0.5).apply([Tensor(np.ones(1))], [w])
        assert w.item() == 0.5

    def test_missing_gradients(self):
        a, b = variable([1.0], "a"), variable([1.0], "b")
        optimizer = SGD(0.5, weight_decay=0.1)
        with pytest.warns(UserWarning, match="'b'"):
            optimizer.apply([np.ones(1), None], [a, b])
        assert b.item() == 1.0
        with pytest.raises(ValueError, match="No gradients provided"):
            optimizer.apply([None, None], [a, b])

    def test_unknown_variable(self):
        optimizer = SGD()
        step(optimizer, variable([1.0]), [1.0])
        with pytest.raises(ValueError, match="Unknown variable 'new'"):
            step(optimizer, variable([1.0], "new"), [1.0])

    def test_wrong_shapes_and_counts(self):
        with pytest.raises(ValueError, match=r"'w' has shape \(2,\), its gradient \(1,\)"):
            step(SGD(), variable([1.0, 2.0]), [1.0])
        with pytest.raises(ValueError, match="2 gradients for 1"):
            SGD().apply([np.ones(1)] * 2, [variable([1.0])])

    def test_constraint_after_the_update(self):
        w = variable([1.0, 1.0])
        w.constraint = lambda value: np.maximum(value, 0.0)
        np.testing.assert_allclose(step(SGD(2.0), w, [1.0, 0.25]), [0.0, 0.5])

    @pytest.mark.parametrize(
        "constraint", [lambda w: w[:1], lambda w: w.sum(), lambda w: np.ones((1, 2)), lambda w: np.ones(3)]
    )
    def test_a_constraint_of_another_shape_is_refused(self, constraint):
        """Nothing is spread over the weight, and it stays what the update made of it."""
        w = variable([1.0, 2.0])
        w.constraint = constraint
        with pytest.raises(ValueError, match=r"w has shape \(2,\), assign got shape"):
            step(SGD(1.0), w, [0.5, 0.5])
        np.testing.assert_array_equal(w.numpy(), [0.5, 1.5])

    @pytest.mark.parametrize("dtype", ["float64", "int32"])
    def test_a_constraint_of_another_dtype_is_rounded(self, dtype):
        w = variable([1.0, 2.0])
        w.constraint = lambda value: value.numpy().astype(dtype)
        assert step(SGD(0.5), w, [1.0, 1.0]).dtype == np.float64
        np.testing.assert_array_equal(w.numpy(), np.array([0.5, 1.5]).astype(dtype))

    def test_a_constraint_counts_as_a_change(self):
        """A derivative of what was computed before would be that of other numbers."""
        w = variable([1.0, 2.0])
        w.constraint = lambda value: value * 0.5
        step(SGD(0.5), w, [1.0, 1.0])
        y = (w * w).sum()
        constrain(w)
        with pytest.raises(RuntimeError, match="changed it since"):
            y.backward()

    def test_gradients_in_another_memory_order(self):
        w = Parameter(np.zeros((2, 3), "float32"), name="w")
        g = np.asfortranarray(np.arange(6, dtype="float32").reshape(2, 3))
        SGD(1.0, momentum=0.9).apply([g], [w])
        np.testing.assert_array_equal(w.numpy(), -np.arange(6).reshape(2, 3))

    def test_a_rule_of_ones_own(self):
        class Sign(Optimizer):
            def update_step(self, gradient, variable, learning_rate):
                variable.data[...] -= learning_rate * np.sign(gradient)

        np.testing.assert_allclose(step(Sign(0.1), variable([1.0, 1.0]), [5.0, -3.0]), [0.9, 1.1])

    def test_a_rule_written_as_keras_has_them(self):
        class HeavyBall(Optimizer):
            def __init__(self, learning_rate=0.1, momentum=0.5, **kwargs):
                super().__init__(learning_rate=learning_rate, **kwargs)
                self.momentum = momentum

            def build(self, variables):
                if self.built:
                    return
                super().build(variables)
                self.first, self.steps = self.add_optimizer_variables(
                    variables, ["first", "steps"], ["ones", "zeros"]
                )
                self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

            def update_step(self, gradient, variable, learning_rate):
                index = self._get_variable_index(variable)
                m = self.momentums[index]
                self.assign(
                    m, ops.subtract(ops.multiply(m, self.momentum), ops.multiply(gradient, learning_rate))
                )
                self.assign_add(variable, m)
                self.assign_sub(self.steps[index], self.first[index])

        ours, theirs = variable([1.0, 2.0]), variable([1.0, 2.0])
        rule, sgd = HeavyBall(), SGD(0.1, momentum=0.5)
        for g in ([1.0, -1.0], [0.5, 2.0], [3.0, 1.0]):
            np.testing.assert_allclose(step(rule, ours, g), step(sgd, theirs, g), rtol=1e-12)
        assert [v.name for v in rule.variables[2:]] == ["w_first", "w_steps", "w_momentum"]
        np.testing.assert_array_equal(rule.get_weights()[3], [-3, -3])


    def test_variables_beside_others_by_one_name_or_several(self):
        beside = [variable([1.0, 2.0], "a"), variable([3.0], "b")]
        rule = Optimizer(0.1)
        rule.build(beside)
        one = rule.add_optimizer_variables(beside, "m")
        assert [v.numpy().tolist() for v in one] == [[0, 0], [0]]
        several = rule.add_optimizer_variables(beside, ["m", "v"], "ones")
        assert [[v.numpy().tolist() for v in each] for each in several] == [[[1, 1], [1]]] * 2
        assert [v.name for v in rule.variables[2:]] == ["a_m", "b_m", "a_m", "a_v", "b_m", "b_v"]


class TestState:
    def test_order_of_variables(self):
        a, b = variable([1.0], "a"), variable([1.0, 2.0], "b")
        optimizer = Adam(amsgrad=True)
        optimizer.build([a, b])
        assert [v.name for v in optimizer.variables] == [
            "iteration", "learning_rate", "a_momentum", "a_velocity", "b_momentum", "b_velocity",
            "a_velocity_hat", "b_velocity_hat",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "make", [lambda: Adam(amsgrad=True), Nadam, lambda: RMSprop(momentum=0.9, centered=True)]
    )
    def test_training_goes_on_from_restored_weights(self, make):
        rng = np.random.default_rng(0)
        gradients = rng.standard_normal((6, 3))
        w, optimizer = variable([1.0, 2.0, 3.0]), make()
        for g in gradients[:3]:
            step(optimizer, w, g)
        other, again = make(), variable(w.numpy())
        other.build([again])
        other.set_weights(optimizer.get_weights())
        for g in gradients[3:]:
            np.testing.assert_array_equal(step(optimizer, w, g), step(other, again, g))

    def test_set_weights_says_what_is_wrong(self):
        with pytest.raises(ValueError, match="build"):
            Adam().set_weights([0, 0.001, np.zeros(3)])
        optimizer = Adam()
        optimizer.build([variable([1.0])])
        with pytest.raises(ValueError, match="w_momentum"):
            optimizer.set_weights([7, 0.5, np.zeros(3), np.zeros(1)])
        assert (optimizer.iterations, optimizer.learning_rate) == (0, 0.001)


class TestLookup:
    @pytest.mark.parametrize("name", ALL)
    def test_by_name_in_any_case(self, name):
        for spelling in (name, name.lower(), name.upper()):
            assert type(optimizers.get(spelling)) is getattr(optimizers, name)
        assert type(optimizers.get(getattr(optimizers, name))) is getattr(optimizers, name)

    def test_an_instance_is_kept(self):
        optimizer = Adam()
        assert optimizers.get(optimizer) is optimizer

    @pytest.mark.parametrize("name", ALL)
    def test_configuration_survives_json(self, name):
        common = {
            "weight_decay": 0.1, "clipnorm": 2.0, "use_ema": True, "ema_momentum": 0.5,
            "ema_overwrite_frequency": 3,
            "loss_scale_factor": 2.0, "gradient_accumulation_steps": 4, "name": "mine",
        }  # fmt: skip
        optimizer = getattr(optimizers, name)(ExponentialDecay(0.1, 100, 0.5), **common)
        assert common.items() <= optimizer.get_config().items()
        config = json.loads(json.dumps(optimizers.serialize(optimizer)))
        again = optimizers.get(config)
        assert type(again) is type(optimizer)
        assert again.get_config() == optimizer.get_config()
        parameters = inspect.signature(type(optimizer)).parameters.values()
        own = {parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD}
        left_out = {"clipvalue", "global_clipnorm"}
        described = optimizer.get_config().keys()
        assert (own | common.keys() | left_out) - {"learning_rate_multipliers"} == described

    def test_optimizers_of_ones_own(self):
        @registry.register_keras_serializable("tests")
        class Slow(SGD):
            pass

        class Unregistered(SGD):
            pass

        config = json.loads(json.dumps(optimizers.serialize(Slow(0.25))))
        assert config["class_name"] == "tests>Slow"
        for given in (config, "Slow", "tests>Slow"):
            assert type(optimizers.get(given)) is Slow
        config = optimizers.serialize(Unregistered())
        assert (
            type(optimizers.deserialize(config, custom_objects={"Unregistered": Unregistered}))
            is Unregistered
        )

    def test_unknown(self):
        with pytest.raises(ValueError, match="did you mean 'adam'"):
            optimizers.get("adm")
        with pytest.raises(ValueError, match="optimizer identifier"):
            optimizers.get(3)
