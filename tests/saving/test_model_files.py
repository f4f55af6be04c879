"""model.save and load_model: whole models in .tinynet files,
from which training goes on with the same bits.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file

import tinynet
from tinynet import layers
from tinynet.saving import (
    FileError,
    UnknownObjectError,
    container,
    custom_object_scope,
    load_model,
    register_keras_serializable,
)
from tinynet.saving.names import named_weights

from saving.for_keras import CASES as MODELS


@register_keras_serializable("tests")
class Scale(layers.Layer):
    """A layer of the user's own, with a layer inside."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor, self.mix = factor, layers.Dense(3)

    def build(self, input_shape):
        self.offset = self.add_weight("offset", input_shape[1:], "ones")
        super().build(input_shape)

    def call(self, x):
        return self.mix(x * self.factor + self.offset)


@register_keras_serializable("tests")
class Net(tinynet.Model):
    """A subclassed model, whose weights are made by its first batch."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Scale(2.0), layers.Dropout(0.5), layers.Dense(units)]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x


@register_keras_serializable("tests")
def squared(y_true, y_pred):
    return tinynet.ops.mean(tinynet.ops.square(y_true - y_pred), axis=-1)


def data(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def noisy():
    """A net with every kind of state: random layers, batch statistics, a schedule,
    averages, frozen layers.
    """
    model = tinynet.Sequential([
        layers.Input((6, 6, 1)), layers.RandomFlip(), layers.Conv2D(3, 3, activation="relu"),
        layers.GaussianNoise(0.1),
        layers.BatchNormalization(), layers.SpatialDropout2D(0.2), layers.Flatten(),
        layers.Dense(5, trainable=False),
        layers.Dropout(0.4), layers.Dense(3, activation="softmax", kernel_regularizer="l2",
                                          kernel_constraint="max_norm"),
    ])  # fmt: skip
    optimizer = tinynet.optimizers.Adam(
        tinynet.schedules.CosineDecay(0.02, 20),
        weight_decay=0.01,
        use_ema=True,
        gradient_accumulation_steps=2,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def as_json(value):
    return json.loads(json.dumps(value))  # tuples are lists there


def state(model):
    optimizer = [] if model.optimizer is None else model.optimizer.get_weights()
    return [array.tobytes() for array in (*model.get_weights(), *optimizer)]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_comes_back(name, tmp_path):
    rng = np.random.default_rng(0)
    model, shapes, _ = MODELS[name]()
    model.save(tmp_path / "net.tinynet")
    loaded = load_model(tmp_path / "net.tinynet")
    assert type(loaded) is type(model)
    assert as_json(loaded.get_config()) == as_json(model.get_config())
    assert as_json(loaded.get_compile_config()) == as_json(model.get_compile_config())
    x = [data(rng, 5, *shape) for shape in shapes]
    outputs = [one.predict(x if len(x) > 1 else x[0], verbose=0) for one in (model, loaded)]
    for a, b in zip(*(out.values() if isinstance(out, dict) else [out] for out in outputs), strict=True):
        np.testing.assert_array_equal(a, b)
    loaded.save(tmp_path / "again.tinynet")
    assert (tmp_path / "again.tinynet").read_bytes() == (tmp_path / "net.tinynet").read_bytes()


SCRIPT = """
import sys
import numpy as np
from tinynet.saving import load_model

x, y = np.load(sys.argv[2])["x"], np.load(sys.argv[2])["y"]
model = load_model(sys.argv[1])
history = model.fit(x, y, batch_size=4, epochs=6, initial_epoch=2, shuffle=False, verbose=0)
model.save(sys.argv[3])
"""


def test_training_goes_on_in_another_process_with_the_same_bits(tmp_path):
    tinynet.utils.set_random_seed(7)
    rng = np.random.default_rng(0)
    x, y = data(rng, 18, 6, 6, 1), rng.integers(0, 3, 18)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    model = noisy()
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "half.tinynet")
    model.fit(x, y, batch_size=4, epochs=6, initial_epoch=2, shuffle=False, verbose=0)
    arguments = [str(tmp_path / name) for name in ("half.tinynet", "data.npz", "whole.tinynet")]
    subprocess.run([sys.executable, "-c", SCRIPT, *arguments], check=True, timeout=300)
    resumed = load_model(tmp_path / "whole.tinynet")
    assert state(resumed) == state(model)
    assert resumed.optimizer.iterations == model.optimizer.iterations


def test_what_is_in_the_file(tmp_path):
    model = noisy()
    model.save(tmp_path / "net.tinynet")
    arrays = load_file(tmp_path / "net.tinynet")  # the safetensors library, which checks the format itself
    assert {name[8:] for name in arrays if name.startswith("weights/")} == set(named_weights(model))
    description, _ = container.read(tmp_path / "net.tinynet")
    assert description["format"] == 2
    assert set(description["draws"]) == {"dropout", "gaussian_noise", "random_flip", "spatial_dropout2d"}
    assert description["compile"]["metrics"] == ["accuracy"]
    assert not list(tmp_path.glob(".*"))


def test_without_compiling(tmp_path):
    model = noisy()
    model.save(tmp_path / "net.tinynet")
    assert not load_model(tmp_path / "net.tinynet", compile=False).compiled
    layers_alone = tinynet.Sequential([layers.Input((3,)), layers.Dense(2)])
    layers_alone.save(tmp_path / "plain.tinynet")
    assert not load_model(tmp_path / "plain.tinynet").compiled


def test_layers_losses_and_models_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    x, y = data(rng, 8, 4), data(rng, 8, 2)
    for model in (Net(2), tinynet.Sequential([layers.Input((4,)), Scale(3.0), layers.Dense(2)])):
        model.compile(tinynet.optimizers.SGD(0.01, momentum=0.9), squared)
        model.fit(x, y, epochs=2, shuffle=False, verbose=0)
        model.save(tmp_path / "net.tinynet")
        loaded = load_model(tmp_path / "net.tinynet")
        for one in (model, loaded):
            one.fit(x, y, epochs=2, shuffle=False, verbose=0)
        assert state(loaded) == state(model)


def test_layers_frozen_within_layers_of_ones_own(tmp_path):
    rng = np.random.default_rng(0)
    x, y = data(rng, 8, 4), data(rng, 8, 3)
    model = tinynet.Sequential([layers.Input((4,)), Scale(2.0), layers.Dense(3)])
    model.layers[0].mix.trainable = False
    model.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "net.tinynet")
    loaded = load_model(tmp_path / "net.tinynet")
    assert (
        [p.trainable for p in loaded.weights]
        == [p.trainable for p in model.weights]
        == [True, False, False, True, True]
    )
    for one in (model, loaded):
        one.fit(x, y, shuffle=False, verbose=0)
    assert state(loaded) == state(model)


def test_weight_decay_leaves_out_the_same_before_training(tmp_path):
    model = tinynet.Sequential([layers.Input((4,)), layers.Dense(3), layers.Dense(3)])
    optimizer = tinynet.optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "mse")
    model.save(tmp_path / "net.tinynet")
    loaded = load_model(tmp_path / "net.tinynet")
    assert [loaded.optimizer._is_excluded(p) for p in loaded.weights] == [False, True, False, True]


def test_an_optimizer_of_another_model(tmp_path):
    models = [tinynet.Sequential([layers.Input((4,)), layers.Dense(3)]) for _ in range(2)]
    for model in models:
        model.compile("adam" if model is models[0] else models[0].optimizer, "mse")
        if model is models[0]:
            model.fit(np.ones((4, 4), np.float32), np.ones((4, 3), np.float32), verbose=0)
    with pytest.raises(ValueError, match="variables of another model"):
        models[1].save(tmp_path / "net.tinynet")


def test_weights_whose_names_would_coincide(tmp_path):
    @register_keras_serializable("tests")
    class Names(layers.Layer):
        def build(self, input_shape):
            for name in ("a", "a", "a_1"):
                self.add_weight(name, (2,), "uniform")
            super().build(input_shape)

        def call(self, x):
            return x

    model = tinynet.Sequential([layers.Input((4,)), Names()])
    model.save(tmp_path / "net.tinynet")
    assert state(load_model(tmp_path / "net.tinynet")) == state(model)


def test_a_class_of_ones_own_is_never_taken_for_tinynets(tmp_path):
    class Dense(layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def call(self, x):
            return x * self.units

    class Huber(tinynet.losses.Loss):
        def call(self, y_true, y_pred):
            return y_true - y_pred

    model = tinynet.Sequential([layers.Input((3,)), Dense(2)])
    for path in (tmp_path / "net.tinynet", tmp_path / "net.keras"):
        model.save(path)
        with pytest.raises(UnknownObjectError, match=r"custom_objects=\{'Dense'"):
            load_model(path)
        assert type(load_model(path, {"Dense": Dense}).layers[0]) is Dense
    plain = tinynet.Sequential([layers.Input((3,)), layers.Dense(2)])
    plain.save(tmp_path / "plain.tinynet")
    assert type(load_model(tmp_path / "plain.tinynet", {"Dense": Dense}).layers[0]) is layers.Dense
    plain.compile("sgd", Huber())
    plain.save(tmp_path / "plain.tinynet")
    with pytest.raises(UnknownObjectError, match=r"custom_objects=\{'Huber'"):
        load_model(tmp_path / "plain.tinynet")
    assert load_model(tmp_path / "plain.tinynet", compile=False).built
    assert (
        type(load_model(tmp_path / "plain.tinynet", {"Huber": Huber})._compiled_objective.functions[0])
        is Huber
    )


def test_custom_objects(tmp_path):
    class Own(layers.Layer):
        def call(self, x):
            return x + 1

    model = tinynet.Sequential([layers.Input((3,)), Own()])
    with custom_object_scope({"Own": Own}):
        model.save(tmp_path / "net.tinynet")
    with pytest.raises(UnknownObjectError, match=r"custom_objects=\{'Own'"):
        load_model(tmp_path / "net.tinynet")
    with pytest.raises(TypeError):  # as in Keras
        load_model(tmp_path / "net.tinynet")
    assert (
        load_model(tmp_path / "net.tinynet", custom_objects={"Own": Own}).layers[0].name
        == model.layers[0].name
    )


def test_float64_and_models_that_are_not_built(tmp_path):
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(2, dtype="float64")])
    model.save(tmp_path / "net.tinynet")
    loaded = load_model(tmp_path / "net.tinynet")
    assert loaded.layers[0].kernel.dtype == np.float64
    assert state(loaded) == state(model)
    tinynet.Sequential([layers.Dense(2)]).save(tmp_path / "unbuilt.tinynet")
    assert not load_model(tmp_path / "unbuilt.tinynet").built


def test_the_data_format_of_the_day_is_kept(tmp_path):
    tinynet.config.set_image_data_format("channels_first")
    try:
        model = tinynet.Sequential([layers.Input((1, 5, 5)), layers.Conv2D(2, 3), layers.Flatten()])
        model.save(tmp_path / "net.tinynet")
    finally:
        tinynet.config.set_image_data_format("channels_last")
    assert load_model(tmp_path / "net.tinynet").layers[0].data_format == "channels_first"


def test_loading_leaves_names_and_random_numbers_of_others_alone(tmp_path):
    model = noisy()
    model.save(tmp_path / "net.tinynet")
    tinynet.utils.set_random_seed(3)
    wanted = layers.Dense(2).name
    tinynet.utils.set_random_seed(3)
    (tmp_path / "bad.tinynet").write_bytes((tmp_path / "net.tinynet").read_bytes()[:-1])
    with pytest.raises(FileError, match="damaged"):
        load_model(tmp_path / "bad.tinynet")
    assert layers.Dense(2).name == wanted.rpartition("_")[0] + f"_{int(wanted.rpartition('_')[2]) + 1}"


@pytest.mark.parametrize("suffix", ["tinynet", "keras"])
def test_unusual_arguments(suffix, tmp_path):
    if suffix == "keras":
        pytest.importorskip("h5py", reason="h5py is not installed: pip install 'tinynet[keras]'")
    for made in [
        [layers.Dense(2, kernel_initializer=np.ones((4, 2)))],
        [
            layers.Dense(
                np.int64(2), use_bias=1, bias_initializer=tinynet.initializers.Constant(np.arange(2.0))
            )
        ],
        [layers.Dense(2, activation=layers.LeakyReLU(0.25)), layers.Activation(tinynet.activations.gelu)],
        [
            layers.Rescaling(np.float32(2), np.arange(4)),
            layers.Normalization(mean=[1.0] * 4, variance=np.ones(4)),
        ],
        [
            layers.Reshape(np.array([2, 2])),
            layers.Dropout(0.5, noise_shape=(None, 1, 2)),
            layers.Lambda(tinynet.ops.square),
        ],
    ]:
        model = tinynet.Sequential([layers.Input((4,)), *made])
        loss = tinynet.losses.mean_squared_error
        model.compile(
            tinynet.optimizers.SGD(np.float32(0.1)), loss, metrics=[tinynet.metrics.mean_absolute_error]
        )
        model.save(tmp_path / f"net.{suffix}")
        loaded = load_model(tmp_path / f"net.{suffix}")
        x = data(np.random.default_rng(0), 3, 4)
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_layer_of_two_models_in_one_file(tmp_path):
    x, shared = layers.Input((4,)), layers.Dense(4)
    inner = tinynet.Model(x, shared(shared(x)))
    y = layers.Input((4,))
    tinynet.Model(y, layers.Add()([inner(y), inner(inner(y))])).save(tmp_path / "net.tinynet")
    with pytest.raises(ValueError, match="share layers"):
        tinynet.Model(y, inner(shared(y))).save(tmp_path / "net.tinynet")
    wrapped = Scale(2.0)
    wrapped.mix = layers.Dense(4)
    with pytest.raises(ValueError, match="share layers"):
        tinynet.Sequential([layers.Input((4,)), wrapped.mix, wrapped]).save(tmp_path / "net.tinynet")


def test_names_of_files(tmp_path):
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.save(tmp_path / "net.tinynet")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(tmp_path / "net.tinynet", overwrite=False)
    for name, match in [
        ("net.h5", "weights.h5"), ("net.hdf5", "Keras 2"), ("net", ".tinynet or .keras"),
        ("net.safetensors", "save_weights"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=match):
            model.save(tmp_path / name)
        with pytest.raises(ValueError, match=match):
            load_model(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "absent.tinynet")
    (tmp_path / "folder.tinynet").mkdir()
    with pytest.raises(IsADirectoryError):
        model.save(tmp_path / "folder.tinynet")
    # an argument of Keras's, without effect
    assert load_model(tmp_path / "net.tinynet", safe_mode=False).built
    assert os.listdir(tmp_path / "folder.tinynet") == []


def test_what_json_cannot_hold_is_named(tmp_path):
    model = tinynet.Sequential([layers.Input((3,)), layers.Dense(2)])
    model.compile(tinynet.optimizers.SGD(lambda: 0.1), "mse")
    with pytest.raises(ValueError, match=r"compile: optimizer: config: learning_rate.*lambda"):
        model.save(tmp_path / "net.tinynet")
    model.compile("sgd", tinynet.losses.Huber(float("inf")))
    with pytest.raises(ValueError, match="delta is inf: files hold finite numbers"):
        model.save(tmp_path / "net.tinynet")
    assert not list(tmp_path.iterdir())


def test_weights_of_whole_models(tmp_path):
    model = noisy()
    model.save(tmp_path / "net.tinynet")
    other = noisy()
    other.load_weights(tmp_path / "net.tinynet")
    assert state(other)[: len(model.weights)] == state(model)[: len(model.weights)]
    small = tinynet.Sequential([layers.Input((3,)), layers.Dense(2)])
    small.save(tmp_path / "small.tinynet")
    with pytest.raises(FileError, match="nothing was changed"):
        other.load_weights(tmp_path / "small.tinynet")
