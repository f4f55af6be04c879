"""Models, callbacks, files and the backend of Keras 1 and 2, and how they take Keras's place."""

import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

import tinynet
from tinynet.compat import keras1, keras2, modules

X = np.random.default_rng(0).random((48, 3)).astype(np.float32)
Y = np.eye(2)[(X[:, 0] > X[:, 1]).astype(int)]
BOTH = pytest.mark.parametrize("keras", [keras1, keras2], ids=["keras1", "keras2"])


@pytest.fixture(autouse=True)
def _without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def net(keras, optimizer="adam"):
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(4, activation="relu", input_dim=3))
    model.add(keras.layers.Dense(2, activation="softmax"))
    model.compile(optimizer, "categorical_crossentropy", ["accuracy"])  # the third is metrics
    return model


class TestFit:
    @BOTH
    def test_steps_are_recorded(self, keras):
        model = net(keras)
        model.fit(X, Y, batch_size=8, nb_epoch=2, verbose=0)
        assert model.replay.programs

    @BOTH
    def test_trains_as_todays_model_does(self, keras):
        model, today = net(keras, "sgd"), tinynet.Sequential([tinynet.Input((3,)), *(
            tinynet.layers.Dense(n, activation=a) for n, a in ((4, "relu"), (2, "softmax")))])  # fmt: skip
        today.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
        today.set_weights(model.get_weights())
        settings = {"batch_size": 8, "verbose": 0, "shuffle": False, "validation_data": (X, Y)}
        then = model.fit(X, Y, nb_epoch=2, **settings).history
        now = today.fit(X, Y, epochs=2, **settings).history
        assert {name: now[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")} == {
            name: then[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")
        }

    @BOTH
    def test_arguments_without_effect_are_said(self, keras):
        with pytest.warns(DeprecationWarning, match=r"fit\(show_accuracy=...\) has no effect: write metrics"):
            net(keras).fit(X, Y, nb_epoch=1, verbose=0, show_accuracy=True)
        with pytest.raises(TypeError, match="nb_epoch and epochs are two names"):
            net(keras).fit(X, Y, nb_epoch=1, epochs=1)
        with pytest.raises(TypeError, match="unexpected argument 'nb_epochs'"):
            net(keras).fit(X, Y, nb_epochs=1, verbose=0)

    @BOTH
    def test_classes_and_probabilities(self, keras):
        model = net(keras)
        np.testing.assert_array_equal(model.predict_classes(X), model.predict(X).argmax(axis=-1))
        np.testing.assert_array_equal(model.predict_proba(X), model.predict(X))
        model = keras.models.Sequential([keras.layers.Dense(1, activation="sigmoid")])
        np.testing.assert_array_equal(model.predict_classes(X), (model.predict(X) > 0.5).astype(int))

    def test_weights_of_a_batch(self):
        model = net(keras1)
        first = model.test_on_batch(X, Y)[0]
        # class_weight is third
        assert model.train_on_batch(X, Y, {0: 2.0, 1: 2.0})[0] == pytest.approx(2 * first, rel=1e-5)

    @BOTH
    def test_accuracy_under_both_names(self, keras, tmp_path):
        seen = []
        watch = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: seen.append((logs["acc"], logs.get("val_accuracy")))
        )
        stop = [
            keras.callbacks.EarlyStopping(monitor=name, patience=0, mode="min")
            for name in ("val_acc", "val_accuracy")
        ]
        best = keras.callbacks.ModelCheckpoint(
            str(tmp_path / "{epoch}-{val_acc:.3f}-{val_accuracy:.3f}.hdf5"), period=2
        )
        history = net(keras).fit(
            X, Y, nb_epoch=2, verbose=0, validation_data=(X, Y), callbacks=[watch, *stop, best]
        )
        assert seen == list(zip(history.history["acc"], history.history["val_acc"], strict=True))
        if len(seen) == 2:
            value = f"{history.history['val_acc'][1]:.3f}"
            assert [path.name for path in tmp_path.iterdir()] == [f"2-{value}-{value}.tinynet"]
        assert history.history.get("acc_of_nothing") is None

    @BOTH
    def test_older_losses(self, keras):
        model = net(keras)
        with pytest.warns(DeprecationWarning, match="'cosine_similarity'"):
            model.compile("sgd", "cosine_proximity")
        assert np.isfinite(model.evaluate(X, Y, verbose=0))

    def test_a_generator_without_a_batch_size(self):
        class Batches(keras2.utils.Sequence):
            def __len__(self):
                return 4

            def __getitem__(self, i):
                return X[12 * i : 12 * (i + 1)], Y[12 * i : 12 * (i + 1)]

        assert net(keras2).fit_generator(Batches(), epochs=2, verbose=0, workers=4).params["steps"] == 4
        assert (
            net(keras2).fit_generator(Batches(), samples_per_epoch=20, nb_epoch=1, verbose=0).params["steps"]
            == 2
        )

    @BOTH
    def test_plateau(self, keras):
        lower = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=0, epsilon=10.0)
        history = net(keras).fit(X, Y, nb_epoch=3, verbose=0, callbacks=[lower])
        np.testing.assert_allclose(history.history["lr"], [0.001, 0.001, 0.0005])


class TestWhatIsSaid:
    """Progress as the eras showed it: fit and evaluate unless told not to, predict only if told to."""

    @BOTH
    def test_predict_is_silent(self, keras, capsys):
        model = net(keras)
        capsys.readouterr()
        for call in (model.predict, model.predict_proba, model.predict_classes):
            call(X)
            assert capsys.readouterr().out == ""
            call(X, verbose=1)
            assert "2/2" in capsys.readouterr().out
            call(X, 8, 1)  # batch_size and verbose in their order
            assert "6/6" in capsys.readouterr().out

    @BOTH
    def test_fit_and_evaluate_are_not(self, keras, capsys):
        model = net(keras)
        capsys.readouterr()
        model.fit(X, Y, nb_epoch=1)
        assert "loss: " in capsys.readouterr().out
        model.evaluate(X, Y)
        assert "2/2" in capsys.readouterr().out
        model.fit(X, Y, nb_epoch=1, verbose=0)
        model.evaluate(X, Y, verbose=0)
        assert capsys.readouterr().out == ""
        for wrong in (3, "yes", None):
            with pytest.raises(ValueError, match="verbose must be 0, 1 or 2"):
                model.fit(X, Y, nb_epoch=1, verbose=wrong)

    def test_epochs_where_none_are_given(self):
        with pytest.warns(DeprecationWarning, match="fit without nb_epoch, for 10 epochs"):
            assert len(net(keras1).fit(X, Y, verbose=0).history["loss"]) == 10
        assert len(net(keras2).fit(X, Y, verbose=0).history["loss"]) == 1

    @BOTH
    def test_one_output_above_a_half_is_class_1(self, keras):
        model = keras.models.Sequential([keras.layers.Activation("linear", input_shape=(1,))])
        found = model.predict_classes(np.array([[0.4], [0.5], [0.6]], np.float32))
        assert found.tolist() == [[0], [0], [1]]
        assert found.dtype == np.int32


class TestFiles:
    @BOTH
    @pytest.mark.parametrize("optimizer", ["nadam", "sgd"])
    def test_training_goes_on(self, keras, optimizer, tmp_path):
        name = str(tmp_path / "net.h5")
        model = net(keras, keras.optimizers.SGD(lr=0.5, decay=0.5) if optimizer == "sgd" else optimizer)
        model.fit(X, Y, epochs=1, verbose=0, shuffle=False)
        model.save(name)
        other = keras.models.load_model(name)
        assert type(other.optimizer) is type(model.optimizer)
        for one in (model, other):
            one.optimizer.lr = 0.25
            one.fit(X, Y, epochs=1, verbose=0, shuffle=False)
        for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert tinynet.models.load_model(str(tmp_path / "net.tinynet")).count_params() == 26

    def test_a_file_of_keras_itself(self, tmp_path):
        path = tmp_path / "net.h5"
        with pytest.raises(FileNotFoundError, match=r"net\.tinynet"):
            keras2.models.load_model(str(path))
        path.write_bytes(b"\x89HDF\r\n\x1a\n")
        with pytest.raises(ValueError, match="is a file of Keras 1 or 2, which tinynet does not read"):
            keras2.models.load_model(str(path))
        with pytest.raises(ValueError, match="is a file of Keras 1 or 2"):
            net(keras2).load_weights(str(path))

    @BOTH
    def test_json_and_functional_models(self, keras):
        inputs = keras.layers.Input((3,))
        model = keras.models.Model(inputs, keras.layers.Dense(2)(inputs))
        other = keras.models.model_from_json(model.to_json())
        assert type(other) is type(model)
        other.compile("sgd", "mse")
        other.fit(X, Y, nb_epoch=1, verbose=0)

    def test_hard_sigmoid_is_saved_as_what_it_was(self, tmp_path):
        model = keras2.models.Sequential([keras2.layers.Dense(2, activation="hard_sigmoid", input_dim=3)])
        model.save(str(tmp_path / "net.h5"))
        other = keras2.models.load_model(str(tmp_path / "net.h5"))
        np.testing.assert_array_equal(other.predict(9 * X), model.predict(9 * X))


class TestBackend:
    @BOTH
    def test_functions_of_tensors(self, keras):
        K = keras.backend
        x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
        for found, expected in (
            (K.mean(x, axis=-1), x.mean(-1)), (K.sum(x), x.sum()), (K.mean(K.equal(x, 3.0)), 1 / 6),
            (K.argmax(x), [2, 1]),
            (K.clip(x, -1, 1), x.clip(-1, 1)), (K.permute_dimensions(x, (1, 0)), x.T), (K.pow(x, 2), x**2),
            (K.flatten(x), x.ravel()), (K.expand_dims(x), x[..., None]), (K.max(x, axis=0), x.max(0)),
            (K.concatenate([x, x], axis=0), np.concatenate([x, x])), (K.switch(x > 0, x, -x), abs(x)),
            (K.l2_normalize(x, axis=1), x / np.linalg.norm(x, axis=1, keepdims=True)),
            (K.batch_flatten(x[None]), x.reshape(1, 6)),
            (K.get_value(K.variable(x)), x), (K.eval(K.constant(x)), x),
        ):  # fmt: skip
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
        assert K.int_shape(K.variable(x)) == (2, 3)
        assert K.epsilon() == 1e-7

    def test_the_order_of_binary_crossentropy(self):
        t, p = np.array([1.0, 0.0]), np.array([0.9, 0.2])
        expected = [-np.log(0.9), -np.log(0.8)]
        np.testing.assert_allclose(keras2.backend.binary_crossentropy(t, p), expected)
        np.testing.assert_allclose(keras1.backend.binary_crossentropy(p, t), expected)

    @BOTH
    def test_a_loss_written_with_it(self, keras):
        K = keras.backend
        model = net(keras)
        model.compile("sgd", lambda y_true, y_pred: K.mean(K.square(y_pred - y_true), axis=-1))
        model.fit(X, Y, nb_epoch=1, verbose=0)
        assert model.evaluate(X, Y, verbose=0) == pytest.approx(
            float(np.mean((model.predict(X) - Y) ** 2)), rel=1e-5
        )

    @BOTH
    def test_what_is_gone_says_what_to_do(self, keras):
        with pytest.raises(AttributeError, match=r"today it is .*Model"):
            _ = keras.backend.function
        with pytest.raises(AttributeError, match=r"layers.LSTM of Keras . is not part of tinynet"):
            _ = keras.layers.LSTM


class TestInstall:
    @pytest.fixture(autouse=True)
    def _leave_nothing(self):
        yield
        modules.uninstall()

    @BOTH
    def test_imports_find_the_modules(self, keras):
        keras.install()
        found = {}
        exec(
            "import keras\nimport keras.layers.convolutional as c\nfrom keras.layers.core import *\n"
            "from keras.models import Sequential\nfrom keras import backend as K, optimizers\n",
            found,
        )
        assert found["keras"] is keras
        assert found["Lambda"] is found["c"].Lambda is keras.layers.Lambda
        assert found["optimizers"].SGD is keras.optimizers.SGD
        with pytest.raises(ImportError, match="LSTM"):
            exec("from keras.layers import LSTM")
        keras.uninstall()
        assert not [name for name in sys.modules if name == "keras" or name.startswith("keras.")]

    def test_the_other_era_takes_its_place(self):
        keras1.install()
        keras2.install()
        assert sys.modules["keras"] is keras2
        assert "keras.objectives" in sys.modules

    def test_keras_itself_is_not_replaced(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
        with pytest.raises(ImportError, match="Keras itself is imported in this process already"):
            keras1.install()

    def test_the_order_of_axes(self):
        before = tinynet.config.image_data_format()
        try:
            keras1.install(dim_ordering="th")
            assert tinynet.config.image_data_format() == "channels_first"
            with pytest.raises(ValueError, match="'th' or 'tf'"):
                keras1.install(dim_ordering="theano")
        finally:
            tinynet.config.set_image_data_format(before)

    def test_modules_below_the_package_can_be_imported_first(self):
        code = (
            "from tinynet.compat.keras1.layers.convolutional import Convolution2D; "
            "print(Convolution2D(7, 3, 3).kernel_size)"
        )
        done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
        assert "DeprecationWarning: keras.layers.convolutional.Convolution2D" in done.stderr
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "(3, 3)\n"
        assert done.stderr.count("older spelling") == 2  # once for each spelling and line
        assert "<string>:1: DeprecationWarning" in done.stderr


def test_the_main_api_does_not_change_with_compat():
    assert tinynet.activations.get("hard_sigmoid") is tinynet.activations.hard_sigmoid
    assert type(tinynet.optimizers.get("nadam")) is tinynet.optimizers.Nadam
    assert type(tinynet.layers.Conv2D(3, 3)) is tinynet.layers.Conv2D


@pytest.mark.parametrize("keras", [keras1, keras2])
def test_a_model_of_inputs_and_outputs_is_trained_unless_told_otherwise(keras):
    def made(**told):
        x = keras.layers.Input(shape=(3,))
        names = ("input", "output") if keras is keras1 else ("inputs", "outputs")
        model = keras.models.Model(**dict(zip(names, (x, keras.layers.Dense(2)(x)), strict=True)), **told)
        model.compile("sgd", "mse")
        return model

    model, frozen = made(), made(trainable=False)
    assert (model.trainable, len(model.trainable_weights)) == (True, 2)
    assert (frozen.trainable, len(frozen.trainable_weights)) == (False, 0)
    before = model.get_weights()
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    assert not np.array_equal(model.get_weights()[0], before[0])
