"""The corners of compat: defaults that the eras had, names that lead elsewhere, and what is refused."""

import importlib.util
import warnings

import numpy as np
import pytest

import tinynet
from tinynet.compat import keras1, keras2

X = np.random.default_rng(0).random((12, 3)).astype(np.float32)
Y = np.eye(2)[(X[:, 0] > X[:, 1]).astype(int)]
BOTH = pytest.mark.parametrize("keras", [keras1, keras2], ids=["keras1", "keras2"])


def said(call):
    """(what a call gives, what it warns of)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call()
    return value, [str(warning.message) for warning in caught if warning.category is DeprecationWarning]


def quietly(call):
    return said(call)[0]


# Regularizers and constraints


@BOTH
def test_penalties_unless_told_otherwise(keras):
    """0.01, also of l1_l2, which is 0 and 0 today."""
    assert keras.regularizers.l1().l1 == 0.01
    assert keras.regularizers.l2().l2 == 0.01
    both = keras.regularizers.l1_l2()
    assert (both.l1, both.l2) == (0.01, 0.01)
    assert (keras.regularizers.l1_l2(0.5, 0.25).l1, keras.regularizers.l1_l2(0.5, 0.25).l2) == (0.5, 0.25)
    assert float(keras.regularizers.l1(l=2.0)(np.array([1.0, -3.0]))) == 8.0
    assert float(keras.regularizers.l2(l=2.0)(np.array([1.0, -3.0]))) == 20.0


def test_names_of_keras_1():
    made, words = said(lambda: keras1.regularizers.l1l2(0.5, 0.25))
    assert (made.l1, made.l2) == (0.5, 0.25)
    assert words == ["l1l2(...) is an older spelling of Keras: write l1_l2(0.5, 0.25) today"]
    default = quietly(keras1.regularizers.l1l2)
    assert (default.l1, default.l2) == (0.01, 0.01)
    assert quietly(keras1.regularizers.activity_l1).l1 == 0.01
    assert quietly(keras1.regularizers.activity_l2).l2 == 0.01
    with pytest.raises(AttributeError):
        _ = keras2.regularizers.l1l2


@BOTH
@pytest.mark.parametrize(
    ("call", "settings"),
    [
        (lambda c: c.MaxNorm(), {"max_value": 2, "axis": 0}),
        (lambda c: c.maxnorm(3, 1), {"max_value": 3, "axis": 1}),
        (lambda c: c.max_norm(m=4), {"max_value": 4, "axis": 0}),
        (lambda c: c.MinMaxNorm(), {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0}),
        (
            lambda c: c.MinMaxNorm(0.5, 1.5, 0.25, 1),
            {"min_value": 0.5, "max_value": 1.5, "rate": 0.25, "axis": 1},
        ),
        (lambda c: c.min_max_norm(low=0.5, high=1.5), {"min_value": 0.5, "max_value": 1.5}),
        (lambda c: c.unitnorm(1), {"axis": 1}),
        (lambda c: c.unit_norm(), {"axis": 0}),
    ],
)
def test_constraints_by_position_and_by_older_names(keras, call, settings):
    made = quietly(lambda: call(keras.constraints))
    assert {name: getattr(made, name) for name in settings} == settings


@BOTH
def test_what_constraints_say(keras):
    assert said(lambda: keras.constraints.MinMaxNorm(low=0.5, high=2.0))[1] == [
        "MinMaxNorm(low=...) is an older spelling of Keras: write min_value=0.5 today",
        "MinMaxNorm(high=...) is an older spelling of Keras: write max_value=2.0 today",
    ]
    assert said(lambda: keras.constraints.MaxNorm(3))[1] == []
    assert keras.constraints.nonneg.__name__ == "NonNeg"
    with pytest.raises(TypeError):
        keras.constraints.NonNeg(1)


# The backend


@BOTH
def test_more_functions_of_tensors(keras):
    K = keras.backend
    x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    for found, expected in (
        (K.argmin(x), [1, 2]), (K.argmin(x, axis=0), [0, 0, 1]), (K.argmax(x, axis=0), [1, 1, 0]),
        (K.expand_dims(x, 0), x[None]), (K.concatenate([x, x]), np.concatenate([x, x], -1)),
        (K.mean(x, axis=[0, 1]), x.mean()), (K.sum(x, axis=[0], keepdims=True), x.sum(0, keepdims=True)),
        (K.mean(x, axis=1, keepdims=True), x.mean(1, keepdims=True)), (K.sum(x > 0), 4),
        (K.mean(x > 0, axis=0), [1, 0.5, 0.5]),
        (K.l2_normalize(np.zeros((1, 3))), np.zeros((1, 3))), (K.l2_normalize(x), x / np.linalg.norm(x)),
        (K.batch_flatten(x.reshape(2, 3, 1)), x), (K.constant(2.5, shape=(2, 2)), np.full((2, 2), 2.5)),
        (K.constant([1, 2]), [1, 2]),
    ):  # fmt: skip
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
    assert K.cast(x, "float32").dtype == np.float32
    assert np.asarray(K.cast(x, "int32")).tolist() == x.astype(int).tolist()
    assert K.constant(1).dtype == K.variable(1).dtype == np.float32
    assert K.constant(1, dtype="float64").dtype == K.variable(1, dtype="float64").dtype == np.float64
    assert K.variable(1, name="v").name == "v"
    assert K.get_value(2.5) == 2.5
    assert type(K.get_value(np.float64(2.5))) is float
    assert K.get_value([1]) == [1]
    assert K.backend() == "tinynet"


@BOTH
def test_values_of_several_variables(keras):
    K = keras.backend
    a, b = K.variable([1.0, 2.0]), K.variable(3.0)
    assert [value.tolist() for value in K.batch_get_value([a, b])] == [[1, 2], 3]
    words = said(lambda: K.batch_set_value([(a, [5.0, 6.0]), (b, 7.0)]))[1]
    assert len(words) == 2
    assert (a.numpy().tolist(), float(b.numpy())) == ([5, 6], 7)
    with pytest.raises(TypeError, match=r"K.set_value: expected a variable .*, got 3"):
        K.set_value(3, 4)


@BOTH
def test_orders_of_axes_in_the_words_of_the_era(keras):
    K, before = keras.backend, tinynet.config.image_data_format()
    try:
        for name, today in (("th", "channels_first"), ("tf", "channels_last")):
            words = said(lambda name=name: K.set_image_dim_ordering(name))[1]
            assert len(words) == 1
            assert f"write config.set_image_data_format({today!r}) today" in words[0]
            assert tinynet.config.image_data_format() == today
            assert quietly(K.image_dim_ordering) == name
        with pytest.raises(ValueError, match="expects 'th' or 'tf', got 'theano'"):
            K.set_image_dim_ordering("theano")
    finally:
        tinynet.config.set_image_data_format(before)


@BOTH
def test_names_are_counted_anew(keras):
    K = keras.backend
    K.clear_session()
    first = K.get_uid("dense")
    assert K.get_uid("dense") != first
    K.clear_session()
    assert K.get_uid("dense") == first


def test_crossentropy_of_logits_and_of_certainties():
    t, z = np.array([1.0, 0.0, 1.0, 0.0]), np.array([2.0, -1.0, -3.0, 0.5])
    p = 1 / (1 + np.exp(-z))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(
        keras2.backend.binary_crossentropy(t, z, from_logits=True), expected, rtol=1e-6
    )
    np.testing.assert_allclose(
        keras1.backend.binary_crossentropy(z, t, from_logits=True), expected, rtol=1e-6
    )
    wrong = keras2.backend.binary_crossentropy(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    np.testing.assert_allclose(wrong, [-np.log(1e-7), -np.log(1e-7)], rtol=1e-3)


# Helpers


@BOTH
def test_labels_as_rows(keras):
    rows, words = said(lambda: keras.utils.np_utils.to_categorical([2, 0], nb_classes=4))
    np.testing.assert_array_equal(rows, np.eye(4)[[2, 0]])
    assert "to_categorical(nb_classes=...) is an older spelling of Keras: write num_classes=4 today" in words
    assert rows.dtype == np.float64
    assert quietly(lambda: keras.utils.np_utils.to_categorical([1], 2, "float32")).dtype == np.float32


@BOTH
@pytest.mark.parametrize(
    ("probabilities", "classes"),
    [
        ([[0.2, 0.8], [0.6, 0.4]], [1, 0]),
        ([[0.5], [0.51]], [0, 1]),
        ([0.4, 0.6], [0, 1]),
        ([[0.1, 0.2, 0.7]], [2]),
    ],
)
def test_classes_of_probabilities(keras, probabilities, classes):
    found = quietly(lambda: keras.utils.np_utils.probas_to_classes(probabilities))
    assert found.tolist() == classes


@BOTH
def test_inputs(keras):
    assert keras.layers.Input((3,)).shape == (None, 3)
    assert keras.layers.Input(batch_shape=(5, 3), name="i", dtype="float64").shape == (5, 3)
    for unknown in ({"sparse": True}, {"tensor": X}):
        with pytest.raises(ValueError, match="sparse and tensor are not part of tinynet"):
            keras.layers.Input((3,), **unknown)
    assert keras.layers.Input((3,), sparse=False, tensor=None).shape == (None, 3)
    with pytest.raises(TypeError, match="Input has no argument 'batch'"):
        keras.layers.Input((3,), batch=4)
    with pytest.raises(TypeError, match="Model has no argument 'outs'"):
        keras.models.Model(keras.layers.Input((3,)), outs=3)


@BOTH
def test_an_embedding_needs_its_dimension(keras):
    with pytest.raises(TypeError, match="input_length needs input_dim beside it"):
        keras.layers.Dense(2, input_length=3)


# Callbacks


def net(keras):
    model = keras.models.Sequential([keras.layers.Dense(2, activation="softmax", input_dim=3)])
    model.compile("sgd", "categorical_crossentropy", ["accuracy"])
    return model


@BOTH
@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        ("net", False, "net.tinynet"),
        ("w", True, "w.safetensors"),
        ("{epoch}.{acc:.2f}", False, "1.{:.2f}.tinynet"),
    ],
)
def test_files_without_an_ending_get_one(keras, tmp_path, name, weights, expected):
    make = keras.callbacks.ModelCheckpoint
    checkpoint, words = said(lambda: make(str(tmp_path / name), save_weights_only=weights))
    assert any("a file's name says what is in it" in text for text in words)
    history = quietly(lambda: net(keras).fit(X, Y, nb_epoch=1, verbose=0, callbacks=[checkpoint])).history
    assert [path.name for path in tmp_path.iterdir()] == [expected.format(history["acc"][0])]


@BOTH
def test_a_period_counts_epochs(keras, tmp_path):
    checkpoint, words = said(
        lambda: keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.tinynet"), period=3)
    )
    assert words == ["ModelCheckpoint(period=...) has no successor but save_freq=n, which counts batches"]
    quietly(lambda: net(keras).fit(X, Y, nb_epoch=7, verbose=0, callbacks=[checkpoint]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.tinynet", "6.tinynet"]
    assert said(lambda: keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.tinynet")))[1] == []


@BOTH
def test_a_plateau_by_its_older_name(keras):
    made, words = said(lambda: keras.callbacks.ReduceLROnPlateau(epsilon=0.5))
    assert made.min_delta == 0.5
    assert words == [
        "ReduceLROnPlateau(epsilon=...) is an older spelling of Keras: write min_delta=0.5 today"
    ]
    assert said(lambda: keras.callbacks.ReduceLROnPlateau(min_delta=0.25))[1] == []


@BOTH
@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="needs the extra `tensorboard`")
def test_tensorboard_by_position(keras, tmp_path):
    made, words = said(lambda: keras.callbacks.TensorBoard(str(tmp_path), 2, 32, False, embeddings_data=None))
    assert (made.histogram_freq, made.write_graph) == (2, False)
    assert words == [
        "TensorBoard: batch_size has no effect, and write_grads=True is written gradients_on=(x, y) today"
    ]
    assert said(lambda: keras.callbacks.TensorBoard(str(tmp_path)))[1] == []
    assert len(said(lambda: keras.callbacks.TensorBoard(str(tmp_path), write_grads=True))[1]) == 1


# Files


@pytest.mark.parametrize(
    ("name", "weights", "expected"),
    [
        ("a.h5", False, "a.tinynet"), ("a.hdf5", False, "a.tinynet"), ("A.H5", False, "A.tinynet"),
        ("a.h5", True, "a.safetensors"), ("a.b.h5", True, "a.b.safetensors"), ("a.weights.h5", True, None),
        ("a.tinynet", False, "a.tinynet"),
    ],
)  # fmt: skip
def test_names_of_files(tmp_path, name, weights, expected):
    model = net(keras2)
    if expected is None and importlib.util.find_spec("h5py") is None:
        return
    quietly(lambda: (model.save_weights if weights else model.save)(str(tmp_path / name)))
    assert [path.name for path in tmp_path.iterdir()] == [expected or name]


@BOTH
def test_what_is_not_done_with_files(keras, tmp_path):
    model = net(keras)
    words = said(lambda: model.save(str(tmp_path / "a.tinynet"), include_optimizer=False))[1]
    assert words == ["save(include_optimizer=False) has no effect: the optimizer is saved too"]
    with pytest.raises(ValueError, match=r"load_weights\(by_name=True\) is not part of tinynet"):
        model.load_weights(str(tmp_path / "a.tinynet"), by_name=True)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*b\.tinynet \(nor .*b\.h5\)"):
        keras.models.load_model(str(tmp_path / "b.h5"))


# Generators of images


IMAGES = np.zeros((5, 4, 4, 1))


@BOTH
def test_flows_as_they_were(keras):
    generator = keras.preprocessing.image.ImageDataGenerator()
    flow, words = said(lambda: generator.flow(X=IMAGES, y=np.arange(5), batch_size=2, shuffle=False))
    assert words == ["flow(X=...) is an older spelling of Keras: write flow(x=...) today"]
    number, words = said(lambda: flow.N)
    assert (number, words) == (5, ["flow.N is an older spelling of Keras: write flow.n today"])
    batch, words = said(flow.next)
    assert batch[1].tolist() == [0, 1]
    assert words == ["flow.next() is an older spelling of Keras: write next(flow) today"]


def test_keras_1_had_the_seed_fifth():
    generator = keras1.preprocessing.image.ImageDataGenerator()
    one, two = (quietly(lambda: generator.flow(IMAGES, np.arange(5), 2, True, 7)) for _ in range(2))
    assert [next(one)[1].tolist() for _ in range(3)] == [next(two)[1].tolist() for _ in range(3)]
    weighted = keras2.preprocessing.image.ImageDataGenerator().flow(
        IMAGES, np.arange(5), 5, False, np.arange(5.0)
    )
    assert next(weighted)[2].tolist() == [0, 1, 2, 3, 4]


def test_orders_of_axes_of_a_generator():
    def make(order):
        return keras1.preprocessing.image.ImageDataGenerator(dim_ordering=order)

    assert quietly(lambda: make("th")).data_format == "channels_first"
    assert quietly(lambda: make("tf")).data_format == "channels_last"
    with pytest.raises(ValueError, match="dim_ordering must be 'th', 'tf' or 'default', got 'cntk'"):
        make("cntk")


# Optimizers


@BOTH
def test_rates_that_are_whole_numbers(keras):
    made = quietly(lambda: keras.optimizers.SGD(lr=1, momentum=0))
    assert (float(made.learning_rate), made.momentum) == (1.0, 0.0)
    assert type(made.momentum) is float
    with pytest.raises((TypeError, ValueError)):
        quietly(lambda: keras.optimizers.SGD(lr=True))


@BOTH
def test_decay_follows_a_rate_that_is_set(keras):
    made = quietly(lambda: keras.optimizers.SGD(lr=0.5, decay=1.0))
    w = tinynet.Parameter(np.zeros(1))
    made.apply([np.ones(1)], [w])
    assert w.numpy()[0] == pytest.approx(-0.5)
    quietly(lambda: setattr(made, "lr", 0.25))
    assert quietly(lambda: made.lr.get_value()) == 0.25
    made.apply([np.ones(1)], [w])
    assert w.numpy()[0] == pytest.approx(-0.5 - 0.25 / 2)
    quietly(lambda: made.lr.set_value(1.0))
    made.apply([np.ones(1)], [w])
    assert w.numpy()[0] == pytest.approx(-0.625 - 1.0 / 3)
    schedule = tinynet.schedules.ExponentialDecay(0.5, 1, 0.5)
    made.learning_rate = schedule  # a schedule takes the place of the decay
    made.apply([np.ones(1)], [w])
    assert w.numpy()[0] == pytest.approx(-0.625 - 1.0 / 3 - 0.5**4)


@BOTH
def test_epsilon_beside_the_root(keras):
    made, words = said(lambda: keras.optimizers.RMSprop(epsilon=0.01))
    assert made.epsilon == pytest.approx(1e-4)
    (words,) = words
    assert words.endswith(
        "beside the root is an older spelling of Keras: write epsilon=0.0001 under the root today"
    )
    assert keras.optimizers.Adam(epsilon=0.01).epsilon == 0.01
    assert quietly(lambda: keras.optimizers.SGD(clipnorm=2.0)).global_clipnorm == 2.0


@BOTH
def test_nadams_schedule_is_kept(keras):
    made = keras.optimizers.Nadam(schedule_decay=0.5)
    assert made.mu(2) == pytest.approx(0.9 * (1 - 0.5 * 0.96))
    again = type(made).from_config(made.get_config())
    assert again.schedule_decay == 0.5
    config = made.get_config()
    del config["schedule_decay"]
    assert type(made).from_config(config).schedule_decay == 0.004


# Arguments of models' methods


@BOTH
def test_steps_that_are_no_whole_numbers_are_rounded_up(keras):
    def batches():
        while True:
            yield X[:4], Y[:4]

    model = net(keras)
    model.fit(batches(), epochs=1, steps_per_epoch=len(X) / 5, verbose=0)
    assert model.optimizer.iterations == 3


@BOTH
def test_two_names_of_one_argument(keras):
    with pytest.raises(TypeError, match="nb_epoch and epochs are two names of one argument"):
        quietly(lambda: net(keras).fit(X, Y, nb_epoch=2, epochs=2, verbose=0))


@BOTH
def test_losses_by_older_names(keras):
    model = net(keras)
    words = said(lambda: model.compile("sgd", "cosine", ["cosine_proximity"]))[1]
    assert sorted(words) == [
        "'cosine' is an older spelling of Keras: write 'cosine_similarity' today",
        "'cosine_proximity' is an older spelling of Keras: write 'cosine_similarity' today",
    ]


@BOTH
def test_what_has_no_effect_is_said_only_if_it_is_given(keras):
    model = net(keras)
    assert said(lambda: model.fit(X, Y, epochs=1, verbose=0, workers=None))[1] == []
    words = said(lambda: model.fit(X, Y, epochs=1, verbose=0, workers=3, use_multiprocessing=False))[1]
    assert words == [
        "fit(use_multiprocessing=...) has no effect: batches are made when they are needed",
        "fit(workers=...) has no effect: batches are made when they are needed",
    ]
