"""Configurations of classes of one's own: what a base reports is its own,
and what nobody reports is found.
"""

import numpy as np
import pytest

import tinynet as keras
from tinynet import layers, ops

LAYER = {"name", "trainable", "dtype"}
OPTIMIZER = {
    "name", "learning_rate", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema",
    "ema_momentum", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
}  # fmt: skip

# {base: what `super().get_config()` reports in Keras 3.15 to a class that defines get_config},
# with what it is made with
BASES = {
    "Layer": (layers.Layer, {}, LAYER),
    "Model": (keras.Model, {}, LAYER),
    "Loss": (keras.Loss, {}, {"name", "reduction"}),
    "Metric": (keras.Metric, {}, {"name", "dtype"}),
    "Mean": (keras.metrics.Mean, {}, {"name", "dtype"}),
    "Initializer": (keras.initializers.Initializer, {}, set()),
    "Constraint": (keras.constraints.Constraint, {}, set()),
    "Optimizer": (keras.optimizers.Optimizer, {"learning_rate": 0.25}, OPTIMIZER),
    "SGD": (keras.optimizers.SGD, {"learning_rate": 0.25}, {*OPTIMIZER, "momentum", "nesterov"}),
    "HeNormal": (keras.initializers.HeNormal, {}, {"seed", "input_axes", "output_axes"}),
    "L2": (keras.regularizers.L2, {}, {"l2"}),
    "MaxNorm": (keras.constraints.MaxNorm, {}, {"max_value", "axis"}),
    "Regularizer": (keras.regularizers.Regularizer, {}, set()),  # Keras's raises NotImplementedError,
    # and so does this one
    "LearningRateSchedule": (keras.optimizers.schedules.LearningRateSchedule, {}, set()),
    "Dropout": (layers.Dropout, {"rate": 0.25}, {*LAYER, "rate", "noise_shape", "seed"}),
    "Dense": (
        layers.Dense,
        {"units": 3},
        {
            *LAYER, "units", "activation", "use_bias", "kernel_initializer", "bias_initializer",
            "kernel_regularizer",
            "bias_regularizer", "kernel_constraint", "bias_constraint",
        },
    ),
}  # fmt: skip


def own_class(base, passed):
    """A class with an argument of its own, which it reports as guides do."""

    class Own(base):
        def __init__(self, width=2, **kwargs):
            super().__init__(**{**passed, **kwargs})
            self.width = width

        def get_config(self):
            return dict(**super().get_config(), width=self.width)

    return Own


@pytest.mark.parametrize("base", BASES)
def test_a_base_reports_its_own_arguments(base):
    cls, passed, names = BASES[base]
    own = own_class(cls, passed)
    config = own(7).get_config()
    assert set(config) == names | {"width"}
    assert config["width"] == 7
    again = own.from_config(config)
    assert again.width == 7
    assert again.get_config() == config
    for name, value in passed.items():
        assert getattr(again, name) == value


@pytest.mark.parametrize("base", BASES)
def test_a_class_below_that_one_does_likewise(base):
    cls, passed, names = BASES[base]

    class Further(own_class(cls, passed)):
        def __init__(self, depth=1, **kwargs):
            super().__init__(**kwargs)
            self.depth = depth

        def get_config(self):
            return dict(**super().get_config(), depth=self.depth)

    config = Further(4, width=9).get_config()
    assert set(config) == names | {"width", "depth"}
    assert Further.from_config(config).width == 9


def test_arguments_that_nobody_reports_are_found():
    class Scale(layers.Layer):
        def __init__(self, factor, shift=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor, self.shift = factor, shift

        def call(self, x):
            return ops.add(ops.multiply(x, self.factor), self.shift)

    class Wide(layers.Dense):
        def __init__(self, units, spare=0, **kwargs):
            super().__init__(units + spare, **kwargs)

    again = Scale.from_config(Scale(3.0, name="third").get_config())
    np.testing.assert_array_equal(again(np.ones((1, 2))).numpy(), [[4.0, 4.0]])
    assert again.name == "third"
    assert Wide.from_config(Wide(3, spare=2, activation="relu").get_config()).units == 5


def test_a_constructor_without_keyword_arguments_takes_its_configuration():
    """The base's regularizer of activities is told of only where there is one."""

    class Plain(layers.Layer):
        def __init__(self, units, name=None, trainable=True, dtype=None):
            super().__init__(name=name, trainable=trainable, dtype=dtype)
            self.units = units

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    assert Plain.from_config(Plain(3).get_config()).units == 3
    penalised = own_class(layers.Layer, {})(activity_regularizer="l2")
    assert (
        type(penalised).from_config(penalised.get_config()).activity_regularizer.l2
        == penalised.activity_regularizer.l2
    )


@pytest.mark.parametrize("base", ["Dense", "Dropout", "Layer"])
def test_models_with_such_layers_come_back(base, tmp_path):
    cls, passed, _ = BASES[base]
    own = own_class(cls, passed)
    own.call = cls.call if base != "Layer" else lambda self, x: ops.multiply(x, self.width)
    model = keras.Sequential([layers.Input((4,)), own(5), layers.Dense(2)])
    model.save(tmp_path / "model.tinynet")
    again = keras.models.load_model(tmp_path / "model.tinynet", custom_objects={"Own": own})
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.layers[0].width == 5
