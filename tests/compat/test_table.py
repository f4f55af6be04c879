"""Every name and call of Keras 1 and 2 that the notebooks have: what it means in compat,
and what the main API says to it.
"""

import re
import warnings

import numpy as np
import pytest

import tinynet
from tinynet.backend import config
from tinynet.compat import keras1, keras2
from tinynet.data.image_flow import ImageFlow

X = np.random.default_rng(0).random((48, 3)).astype(np.float32)
Y = np.eye(2)[(X[:, 0] > X[:, 1]).astype(int)]
IMAGES = np.arange(48 * 4 * 4, dtype=np.float32).reshape(48, 1, 4, 4)
BOTH = pytest.mark.parametrize("keras", [keras1, keras2], ids=["keras1", "keras2"])


def understood(call, today):
    """What `call` returns, once a DeprecationWarning for its line has said today's spelling."""
    with pytest.warns(DeprecationWarning, match=re.escape(today)) as caught:
        found = call()
    assert all(one.filename == __file__ for one in caught if one.category is DeprecationWarning)
    return found


def refused(call, says, error=ValueError):
    """Whether the main API raises an error that names today's spelling."""
    with pytest.raises(error, match=re.escape(says)):
        call()


def silent(call):
    """What `call` returns without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call()


def net(keras, optimizer="sgd", metrics=("accuracy",)):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = keras.models.Sequential([keras.layers.Dense(2, activation="softmax")])
        model.compile(optimizer, "categorical_crossentropy", metrics=list(metrics))
    return model


class TestLayers:
    @BOTH
    def test_three_whole_numbers_are_filters_and_a_kernel(self, keras):
        layer = understood(
            lambda: keras.layers.Convolution2D(7, 3, 3, border_mode="same", activation="relu"),
            "kernel_size=(3, 3)",
        )
        assert (layer.filters, layer.kernel_size, layer.strides, layer.padding) == (7, (3, 3), (1, 1), "same")
        assert type(layer) is tinynet.layers.Conv2D

    def test_in_the_main_api_the_third_is_strides(self):
        layer = silent(lambda: tinynet.layers.Convolution2D(7, 3, 3))
        assert (layer.kernel_size, layer.strides) == ((3, 3), (3, 3))
        refused(lambda: tinynet.layers.Convolution2D(7, 3, border_mode="same"), "written padding today")

    @BOTH
    def test_two_are_filters_and_a_square_kernel(self, keras):
        assert silent(lambda: keras.layers.Convolution2D(10, 4)).kernel_size == (4, 4)
        assert silent(lambda: tinynet.layers.Convolution2D(10, 4)).kernel_size == (4, 4)

    @BOTH
    @pytest.mark.parametrize(
        "name",
        ["Convolution2D", "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
         "UpSampling2D",
         "ZeroPadding2D", "Cropping2D", "SpatialDropout2D", "SeparableConvolution2D"],
    )  # fmt: skip
    @pytest.mark.parametrize(
        ("ordering", "today"),
        [("th", "channels_first"), ("tf", "channels_last"), ("default", "channels_last")],
    )
    def test_dim_ordering(self, keras, name, ordering, today):
        first = {"Convolution2D": (2, 3), "SeparableConvolution2D": (2, 3), "SpatialDropout2D": (0.5,)}.get(
            name, ()
        )
        said = "data_format=None" if ordering == "default" else f"data_format={today!r}"
        layer = understood(lambda: getattr(keras.layers, name)(*first, dim_ordering=ordering), said)
        assert layer.data_format == today
        refused(lambda: getattr(tinynet.layers, name)(*first, dim_ordering=ordering), "written data_format")

    @BOTH
    def test_set_image_dim_ordering(self, keras):
        before = config.image_data_format()
        try:
            understood(
                lambda: keras.backend.set_image_dim_ordering("th"),
                "config.set_image_data_format('channels_first')",
            )
            assert keras.layers.MaxPooling2D().data_format == "channels_first"
            assert (
                understood(lambda: keras.backend.image_dim_ordering(), "config.image_data_format()") == "th"
            )
        finally:
            config.set_image_data_format(before)
        refused(
            lambda: tinynet.backend.set_image_dim_ordering("th"),
            "tinynet.config.set_image_data_format",
            AttributeError,
        )

    @BOTH
    def test_pooling_with_an_order(self, keras):
        layer = understood(
            lambda: keras.layers.MaxPooling2D(pool_size=(2, 2), strides=(2, 2), dim_ordering="th"),
            "channels_first",
        )
        assert (layer.pool_size, layer.strides) == ((2, 2), (2, 2))
        assert layer(IMAGES).shape == (48, 1, 2, 2)

    @BOTH
    @pytest.mark.parametrize(
        "first", [lambda keras: keras.layers.Flatten(input_shape=(1, 4, 4)),
                  lambda keras: keras.layers.Lambda(lambda x: x / 255, input_shape=(1, 4, 4))],
    )  # fmt: skip
    def test_input_shape(self, keras, first):
        layer = understood(lambda: first(keras), "Input((1, 4, 4)) before it")
        model = keras.models.Sequential([layer])
        assert model.input_shape == (None, 1, 4, 4)
        # Keras 3 has it with a warning too
        with pytest.warns(UserWarning, match="begin the Sequential with Input"):
            model = tinynet.Sequential([first(tinynet)])
        assert model.input_shape == (None, 1, 4, 4)

    def test_batch_normalization(self):
        layer = understood(
            lambda: keras1.layers.BatchNormalization(1e-5, mode=0, axis=1, beta_init="one"),
            "beta_initializer='one'",
        )
        assert (layer.epsilon, layer.axis) == (1e-5, 1)
        layer(IMAGES)
        assert layer.count_params() == 4
        assert layer.beta.numpy() == 1
        assert (
            keras1.layers.BatchNormalization().epsilon == keras2.layers.BatchNormalization().epsilon == 1e-3
        )
        assert silent(lambda: keras1.layers.BatchNormalization(1)).axis == 1
        refused(lambda: keras1.layers.BatchNormalization(mode=2), "only mode=0")
        refused(
            lambda: tinynet.layers.BatchNormalization(mode=0), "statistics are always taken over the batch"
        )
        refused(lambda: tinynet.layers.BatchNormalization(beta_init="one"), "written beta_initializer today")

    @BOTH
    def test_leaky_relu(self, keras):
        assert (
            understood(lambda: keras.layers.LeakyReLU(alpha=0.2), "negative_slope=0.2").negative_slope == 0.2
        )
        with pytest.warns(UserWarning, match="negative_slope"):  # Keras 3 has it with a warning too
            assert tinynet.layers.LeakyReLU(alpha=0.2).negative_slope == 0.2

    @BOTH
    @pytest.mark.parametrize(
        ("old", "name", "first", "says"),
        [
            ({"output_dim": 3}, "Dense", (), "units=3"),
            ({"init": "uniform"}, "Dense", (3,), "kernel_initializer='uniform'"),
            ({"W_regularizer": "l2"}, "Dense", (3,), "kernel_regularizer='l2'"),
            ({"b_regularizer": "l2"}, "Dense", (3,), "bias_regularizer='l2'"),
            ({"W_constraint": "maxnorm"}, "Dense", (3,), "kernel_constraint='maxnorm'"),
            ({"b_constraint": "maxnorm"}, "Dense", (3,), "bias_constraint='maxnorm'"),
            ({"bias": False}, "Dense", (3,), "use_bias=False"),
            ({"p": 0.5}, "Dropout", (), "rate=0.5"),
            ({"p": 0.5}, "GaussianDropout", (), "rate=0.5"),
            ({"sigma": 0.5}, "GaussianNoise", (), "stddev=0.5"),
            ({"subsample": (2, 2)}, "Conv2D", (3, 3), "strides=(2, 2)"),
            ({"filter_length": 3}, "Conv1D", (3,), "kernel_size=3"),
            ({"subsample_length": 2}, "Conv1D", (3, 3), "strides=2"),
            ({"pool_length": 3}, "MaxPooling1D", (), "pool_size=3"),
            ({"stride": 3}, "MaxPooling1D", (), "strides=3"),
            ({"length": 3}, "UpSampling1D", (), "size=3"),
        ],
    )  # fmt: skip
    def test_other_arguments(self, keras, old, name, first, says):
        today, _, value = says.partition("=")
        layer = understood(lambda: getattr(keras.layers, name)(*first, **old), says)
        kept = layer.get_config()[today]
        assert value in (repr(kept), repr(kept).replace("'", '"')) or kept is not None
        refused(lambda: getattr(tinynet.layers, name)(*first, **old), f"written {today} today")


class TestFit:
    @BOTH
    def test_nb_epoch(self, keras):
        history = understood(lambda: net(keras).fit(X, Y, nb_epoch=3, verbose=0), "epochs=3")
        assert len(history.epoch) == 3
        refused(lambda: net(tinynet).fit(X, Y, nb_epoch=3), "written epochs today", TypeError)

    def test_fit_trained_for_ten_epochs(self):
        assert len(understood(lambda: net(keras1).fit(X, Y, verbose=0), "epochs=10").epoch) == 10
        assert len(silent(lambda: net(keras2).fit(X, Y, verbose=0)).epoch) == 1
        assert len(silent(lambda: net(tinynet).fit(X, Y, verbose=0)).epoch) == 1

    def test_fit_generator_counts_samples_in_keras_1(self):
        def batches():
            while True:
                yield X[:10], Y[:10]

        history = understood(
            lambda: net(keras1).fit_generator(batches(), 25, nb_epoch=2, verbose=0, validation_data=batches(),
                                              nb_val_samples=11),
            "fit(generator, steps_per_epoch=3",
        )  # fmt: skip
        assert history.params["steps"] == 3
        assert len(history.history["val_acc"]) == 2
        found = understood(lambda: net(keras1).evaluate_generator(batches(), 25), "steps=3")
        assert len(found) == 2
        assert understood(lambda: net(keras1).predict_generator(batches(), 25), "steps=3").shape == (30, 2)

    def test_fit_generator_counts_batches_in_keras_2(self):
        def batches():
            while True:
                yield X[:10], Y[:10]

        history = understood(
            lambda: net(keras2).fit_generator(batches(), 25 / 10, epochs=2, verbose=0,
                                              validation_data=batches(),
                                              validation_steps=2),
            "fit(generator",
        )  # fmt: skip
        assert history.params["steps"] == 3
        history = understood(
            lambda: net(keras2).fit_generator(batches(), samples_per_epoch=40, nb_epoch=1, verbose=0),
            "batches, 4",
        )
        assert history.params["steps"] == 4
        assert understood(lambda: net(keras2).predict_generator(batches(), 2), "predict(generator").shape == (
            20,
            2,
        )
        assert (
            len(understood(lambda: net(keras2).evaluate_generator(batches(), steps=2), "evaluate(generator"))
            == 2
        )

    def test_generators_in_the_main_api(self):
        for method in ("fit_generator", "evaluate_generator", "predict_generator"):
            today = method.removesuffix("_generator") + "(generator"
            refused(lambda method=method: getattr(net(tinynet), method), today, AttributeError)

    @BOTH
    def test_number_of_images_of_a_flow(self, keras):
        flow = keras.preprocessing.image.ImageDataGenerator(data_format="channels_first").flow(
            IMAGES, batch_size=10
        )
        assert understood(lambda: flow.N, "flow.n") == flow.n == 48
        assert understood(lambda: flow.next(), "next(flow)").shape == (10, 1, 4, 4)
        assert isinstance(flow, ImageFlow)
        flow = tinynet.preprocessing.image.ImageDataGenerator(data_format="channels_first").flow(IMAGES)
        refused(lambda: flow.N, "has no attribute 'N'", AttributeError)

    @BOTH
    def test_keys_of_the_history(self, keras):
        x = (X, Y)
        schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1)
        found = net(keras).fit(*x, epochs=2, validation_data=x, verbose=0, callbacks=[schedule]).history
        assert list(found) == ["acc", "loss", "val_acc", "val_loss", "lr"]
        assert found["accuracy"] == found["acc"]
        assert found["val_accuracy"] == found["val_acc"]
        assert found["learning_rate"] == found["lr"] == [0.1, 0.1]
        assert "accuracy" in found
        today = net(tinynet).fit(*x, verbose=0).history
        assert list(today) == ["accuracy", "loss"]
        refused(lambda: today["acc"], "acc", KeyError)
        # the key is the name that was given
        assert "acc" in net(tinynet, metrics=["acc"]).fit(*x, verbose=0).history

    @BOTH
    def test_predict_has_the_batch_size_second(self, keras):
        assert silent(lambda: net(keras).predict(X, 48)).shape == (48, 2)
        assert silent(lambda: net(tinynet).predict(X, 48, verbose=0)).shape == (48, 2)


class TestOptimizers:
    @BOTH
    @pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"])
    def test_lr(self, keras, name):
        made = understood(lambda: getattr(keras.optimizers, name)(lr=0.25), "learning_rate=0.25")
        assert made.learning_rate == 0.25
        refused(lambda: getattr(tinynet.optimizers, name)(lr=0.25), "written learning_rate today")

    @BOTH
    def test_decay(self, keras):
        made = understood(lambda: keras.optimizers.SGD(0.5, decay=0.25), "InverseTimeDecay(rate, 1, 0.25)")
        w = tinynet.Parameter(np.array([0.0]))
        steps = []
        for _ in range(4):
            before = w.numpy()
            made.apply([np.array([1.0])], [w])
            steps.append(float((before - w.numpy())[0]))
        np.testing.assert_allclose(steps, [0.5, 0.5 / 1.25, 0.5 / 1.5, 0.5 / 1.75])
        refused(lambda: tinynet.optimizers.SGD(0.5, decay=0.25), "InverseTimeDecay(rate, 1, decay)")

    @BOTH
    @pytest.mark.parametrize("decay", [0.0, 1.0])
    def test_lr_of_an_optimizer_in_use(self, keras, decay):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            model = net(keras, keras.optimizers.SGD(lr=0.1, decay=decay))
        model.fit(X, Y, epochs=1, verbose=0)
        before = model.get_weights()
        understood(lambda: setattr(model.optimizer, "lr", 0.0), "optimizer.learning_rate = x")
        model.fit(X, Y, epochs=1, verbose=0)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        assert understood(lambda: float(model.optimizer.lr), "optimizer.learning_rate") == 0.0
        model = net(tinynet, tinynet.optimizers.SGD(0.1))
        silent(lambda: setattr(model.optimizer, "lr", 0.5))  # an alias in the main API
        assert model.optimizer.learning_rate == 0.5

    @BOTH
    def test_set_value(self, keras):
        model = net(keras)
        understood(lambda: keras.backend.set_value(model.optimizer.lr, 0.5), "optimizer.learning_rate = x")
        assert model.optimizer.learning_rate == 0.5
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            assert keras.backend.get_value(model.optimizer.lr) == model.optimizer.lr.get_value() == 0.5
            model.optimizer.lr.set_value(0.25)
        assert model.optimizer.learning_rate == 0.25
        refused(lambda: tinynet.backend.set_value(1, 2), "optimizer.learning_rate = x", AttributeError)

    @BOTH
    def test_clipnorm_is_of_all_gradients(self, keras):
        made = understood(lambda: keras.optimizers.SGD(1.0, clipnorm=1.0), "global_clipnorm=1.0")
        a, b = (tinynet.Parameter(np.zeros(1)) for _ in range(2))
        made.apply([np.array([3.0]), np.array([4.0])], [a, b])
        np.testing.assert_allclose([a.numpy()[0], b.numpy()[0]], [-0.6, -0.8])
        made = silent(lambda: tinynet.optimizers.SGD(1.0, clipnorm=1.0))  # Keras 3's: each for itself
        a, b = (tinynet.Parameter(np.zeros(1)) for _ in range(2))
        made.apply([np.array([3.0]), np.array([4.0])], [a, b])
        np.testing.assert_allclose([a.numpy()[0], b.numpy()[0]], [-1.0, -1.0])

    @BOTH
    @pytest.mark.parametrize(
        ("name", "then", "today"),
        [("SGD", 0.01, 0.01), ("RMSprop", 0.001, 0.001), ("Adagrad", 0.01, 0.001), ("Nadam", 0.002, 0.001),
         ("Adamax", 0.002, 0.001), ("Adadelta", 1.0, 0.001), ("Adam", 0.001, 0.001)],
    )  # fmt: skip
    def test_default_rates(self, keras, name, then, today):
        assert getattr(keras.optimizers, name)().learning_rate == then
        assert keras.optimizers.get(name.lower()).learning_rate == then
        assert getattr(tinynet.optimizers, name)().learning_rate == today

    def test_default_epsilons(self):
        assert keras1.optimizers.Adam().epsilon == 1e-8
        assert keras2.optimizers.Adam().epsilon == keras2.optimizers.Adam(epsilon=None).epsilon == 1e-7
        assert keras1.optimizers.RMSprop().epsilon == pytest.approx(1e-16)
        assert keras1.optimizers.Adagrad().initial_accumulator_value == 0

    @BOTH
    def test_nadams_schedule(self, keras):
        assert keras.optimizers.Nadam().schedule_decay == 0.004
        refused(lambda: tinynet.optimizers.Nadam(schedule_decay=0.004), "momentum schedule is fixed")


class TestOtherNames:
    @BOTH
    def test_regularizers(self, keras):
        assert silent(lambda: keras.regularizers.l2(0.5)).l2 == 0.5
        assert keras.regularizers.l2(l=0.5).l2 == 0.5
        made = keras.regularizers.l1_l2()
        assert (made.l1, made.l2) == (0.01, 0.01)
        made = tinynet.regularizers.l1_l2()
        assert (made.l1, made.l2) == (0, 0)

    @BOTH
    def test_constraints(self, keras):
        assert silent(lambda: keras.constraints.max_norm(1.0)).max_value == 1.0
        assert keras.constraints.maxnorm().max_value == tinynet.constraints.max_norm().max_value == 2
        assert understood(lambda: keras.constraints.maxnorm(m=3), "max_value=3").max_value == 3

    def test_np_utils(self):
        for keras in (keras1, keras2):
            rows = understood(
                lambda keras=keras: keras.utils.np_utils.to_categorical([2, 0], 3),
                "keras.utils.to_categorical",
            )
            np.testing.assert_array_equal(rows, [[0, 0, 1], [1, 0, 0]])
        refused(lambda: tinynet.utils.np_utils, "tinynet.utils.to_categorical", AttributeError)

    @BOTH
    @pytest.mark.parametrize(
        "room", ["core", "convolutional", "normalization", "advanced_activations", "pooling"]
    )
    def test_modules_of_layers(self, keras, room):
        found = understood(lambda: getattr(keras.layers, room).Dropout, "keras.layers.Dropout")
        assert found is keras.layers.Dropout

    @pytest.mark.parametrize("room", ["core", "convolutional", "advanced_activations", "merge"])
    def test_modules_of_layers_in_the_main_api(self, room):
        refused(lambda: getattr(tinynet.layers, room), "tinynet.layers", AttributeError)
        refused(lambda: __import__(f"tinynet.layers.{room}"), "older address is gone", ModuleNotFoundError)

    def test_experimental_preprocessing(self):
        found = understood(
            lambda: keras2.layers.experimental.preprocessing.Normalization, "keras.layers.Normalization"
        )
        assert found is keras2.layers.Normalization
        refused(lambda: tinynet.layers.experimental, "its layers are in tinynet.layers", AttributeError)
        refused(
            lambda: __import__("tinynet.layers.experimental.preprocessing"),
            "older address",
            ModuleNotFoundError,
        )

    def test_image_generators(self):
        made = understood(
            lambda: keras1.preprocessing.image.ImageDataGenerator(shear_range=0.1, dim_ordering="th"),
            "shear_range=5.73",
        )
        assert made.shear_range == pytest.approx(np.degrees(0.1))
        assert made.data_format == "channels_first"
        assert (
            silent(lambda: keras2.preprocessing.image.ImageDataGenerator(shear_range=0.1)).shear_range == 0.1
        )
        assert tinynet.preprocessing.image.ImageDataGenerator(shear_range=0.1).shear_range == 0.1
        refused(
            lambda: tinynet.preprocessing.image.ImageDataGenerator(dim_ordering="th"),
            "dim_ordering",
            TypeError,
        )

    @BOTH
    def test_h5_files(self, keras, tmp_path):
        model = net(keras)
        model.fit(X, Y, epochs=1, verbose=0)
        name = str(tmp_path / "net.h5")
        understood(lambda: model.save(name), "net.tinynet")
        assert [path.name for path in tmp_path.iterdir()] == ["net.tinynet"]
        loaded = understood(lambda: keras.models.load_model(name), "net.tinynet is read")
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert type(loaded) is keras.models.Sequential
        understood(lambda: model.save_weights(name), "net.safetensors")
        understood(lambda: loaded.load_weights(name), "net.safetensors is read")
        refused(lambda: net(tinynet).save(name), ".tinynet or .keras")

    @BOTH
    def test_models(self, keras):
        inputs = keras.layers.Input(shape=(3,))
        outputs = keras.layers.Dense(2)(inputs)
        model = silent(lambda: keras.models.Model(inputs=inputs, outputs=outputs))
        assert (
            understood(lambda: keras.models.Model(input=inputs, output=outputs), "inputs=").count_params()
            == 8
        )
        clone = keras.models.clone_model(model)
        assert type(clone) is type(model)
        assert clone.get_weights()[0].shape == (3, 2)
        inputs = tinynet.Input((3,))
        refused(lambda: tinynet.Model(input=inputs, output=inputs), "inputs")

    @BOTH
    def test_seeds(self, keras):
        keras.utils.set_random_seed(42)
        first = keras.layers.Dense(2)
        first.build((None, 3))
        tinynet.utils.set_random_seed(42)
        second = tinynet.layers.Dense(2)
        second.build((None, 3))
        np.testing.assert_array_equal(first.kernel.numpy(), second.kernel.numpy())

    @BOTH
    def test_names_that_have_not_changed(self, keras):
        for call in (
            lambda k: k.layers.ZeroPadding2D((1, 1)), lambda k: k.layers.Dropout(0.5),
            lambda k: k.layers.Dense(3),
            lambda k: k.layers.Lambda(abs), lambda k: k.layers.Activation("relu"),
        ):  # fmt: skip
            assert type(silent(lambda call=call: call(keras))) is type(call(tinynet))
        understood(lambda: keras.layers.InputLayer(input_shape=(3,)), "shape=(3,)")

    def test_normal_initializers_of_keras_1_are_not_cut_off(self):
        kernels = {}
        for keras in (keras1, keras2, tinynet):
            layer = keras.layers.Dense(400, kernel_initializer="he_normal")
            layer.build((None, 400))
            kernels[keras] = layer.kernel.numpy() / np.sqrt(2 / 400)
        cut = 2 / 0.87962566103423978
        assert abs(kernels[keras1]).max() > 3.5
        assert abs(kernels[keras2]).max() <= cut + 1e-6
        assert abs(kernels[tinynet]).max() <= cut + 1e-6
        assert all(abs(values.std() - 1) < 0.02 for values in kernels.values())

    @BOTH
    def test_hard_sigmoid(self, keras):
        x = np.array([-3.0, -1.0, 0.0, 2.0, 3.0])
        then = np.clip(0.2 * x + 0.5, 0, 1)
        np.testing.assert_allclose(keras.activations.hard_sigmoid(x), then)
        np.testing.assert_allclose(
            keras.layers.Activation("hard_sigmoid")(x[None]).numpy()[0], then, rtol=1e-6
        )
        np.testing.assert_allclose(tinynet.activations.hard_sigmoid(x), np.clip(x / 6 + 0.5, 0, 1))

    @BOTH
    def test_messages_of_callbacks_are_todays(self, keras, capsys):
        schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1, verbose=1)
        net(keras).fit(X, Y, epochs=1, verbose=0, callbacks=[schedule])
        assert "Epoch 1: LearningRateScheduler" in capsys.readouterr().out
