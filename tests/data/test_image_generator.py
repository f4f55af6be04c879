"""ImageDataGenerator: transformations against Keras's and SciPy's,
ranges by statistics, the stream and where it is.
"""

import json
import warnings

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers
from tinynet.data import ImageDataGenerator, as_batches, image_flow, image_transforms
from tinynet.kernels import threads
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

from fixtures import augmentation_cases as cases
from layer_tools import assert_uniform

SOME = {
    "rotation_range": 20,
    "zoom_range": 0.2,
    "shear_range": 5,
    "width_shift_range": 0.1,
    "height_shift_range": 0.2,
}


def data(n=50, shape=(6, 7, 1)):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (n, *shape)).astype(np.uint8), np.arange(n) % 5


def batches(flow, count):
    return [next(flow) for _ in range(count)]


def same(first, second):
    for one, other in zip(first, second, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


# Transformations


@pytest.mark.parametrize("mode", cases.LEGACY_MODES)
@pytest.mark.parametrize("number", range(len(cases.LEGACY)))
def test_transformations_against_keras_and_scipy(number, mode):
    generator = ImageDataGenerator(fill_mode=mode, cval=0.3, dtype="float64")
    for kind, image in zip(("square", "oblong"), cases.legacy_images(), strict=True):
        y = generator.apply_transform(image, cases.LEGACY[number])
        np.testing.assert_allclose(y, cases.stored()[f"legacy-{number}-{mode}-{kind}"], rtol=0, atol=1e-11)


@pytest.mark.parametrize("number", range(len(cases.CHANGES)))
def test_flips_and_channel_shifts_against_keras(number):
    y = ImageDataGenerator().apply_transform(cases.standard_images(None)[0], cases.CHANGES[number])
    np.testing.assert_allclose(y, cases.stored()[f"change-{number}"], rtol=1e-6)


def test_a_flip_comes_after_the_rest():
    generator, image = ImageDataGenerator(dtype="float64"), cases.legacy_images()[1]
    given = cases.LEGACY[-1]
    plain = generator.apply_transform(image, given)
    np.testing.assert_allclose(
        generator.apply_transform(image, {**given, "flip_horizontal": True}), plain[:, ::-1], atol=1e-12
    )
    np.testing.assert_allclose(
        generator.apply_transform(image, {**given, "flip_vertical": True}), plain[::-1], atol=1e-12
    )


def test_channels_first():
    image, given = cases.legacy_images()[1], cases.LEGACY[-1]
    first = ImageDataGenerator(dtype="float64", data_format="channels_first").apply_transform(
        image.transpose(2, 0, 1), given
    )
    last = ImageDataGenerator(dtype="float64").apply_transform(image, given)
    np.testing.assert_array_equal(first, last.transpose(2, 0, 1))


def test_brightness():
    """In whole numbers from 0 to 255; what goes beyond them is brought there and back."""
    generator = ImageDataGenerator(dtype="float64")
    image = np.array([0.0, 10.7, 100, 255]).reshape(2, 2, 1)
    assert generator.apply_transform(image, {"brightness": 0.55}).ravel().tolist() == [0, 5, 55, 140]
    assert generator.apply_transform(image, {"brightness": 2}).ravel().tolist() == [0, 20, 200, 255]
    # as bytes 0, 127, 191, 255; half of them 0, 63, 95, 127
    image = np.array([-1.0, 0, 0.5, 1]).reshape(2, 2, 1)
    expected = np.array([0, 63, 95, 127]) / 255 * 2 - 1
    np.testing.assert_allclose(generator.apply_transform(image, {"brightness": 0.5}).ravel(), expected)


@pytest.mark.parametrize("number", range(len(cases.STANDARD)))
def test_standardising_against_keras(number):
    arguments = cases.STANDARD[number]
    x, generator = cases.standard_images(arguments.get("data_format")), ImageDataGenerator(**arguments)
    generator.fit(x)
    flow = generator.flow(x, batch_size=3, shuffle=False)
    expected = cases.stored()[f"standard-{number}"]
    np.testing.assert_allclose(np.concatenate(batches(flow, 6)), expected, rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(
        [generator.standardize(image) for image in x], expected[:7], rtol=2e-5, atol=2e-6
    )


def test_everything_at_once_is_one_thing_after_the_other():
    """A batch is what the single steps give for its images."""
    x, _ = data(9, (6, 7, 3))
    generator = ImageDataGenerator(
        **SOME, horizontal_flip=True, channel_shift_range=30, brightness_range=(0.5, 1.5),
        samplewise_center=True,
        preprocessing_function=lambda image: image[::-1] + 1, dtype="float64",
    )  # fmt: skip
    flow = generator.flow(x, batch_size=9, shuffle=False, seed=4)
    drawn = np.random.Generator(np.random.Philox(key=list(flow.key), counter=[0, 0, 1, 0])).random(
        (9, image_transforms.DRAWS)
    )
    parameters = image_transforms.draw(generator, drawn, 6, 7)
    found = next(flow)
    for n, image in enumerate(x):
        one = generator.apply_transform(image, {name: values[n] for name, values in parameters.items()})
        np.testing.assert_allclose(found[n], generator.standardize(one), atol=1e-10)


# What is drawn


def drawn(**arguments):
    u = np.random.default_rng(0).random((20000, image_transforms.DRAWS))
    return image_transforms.draw(ImageDataGenerator(**arguments), u, 10, 20)


def test_ranges():
    found = drawn(**SOME, channel_shift_range=7, brightness_range=(0.5, 2))
    assert_uniform(found["theta"], -20, 20)
    assert_uniform(found["shear"], -5, 5)
    assert_uniform(found["zx"], 0.8, 1.2)
    assert_uniform(found["zy"], 0.8, 1.2)
    assert_uniform(found["tx"], -2, 2)  # a fifth of ten rows
    assert_uniform(found["ty"], -2, 2)  # a tenth of twenty columns
    assert_uniform(found["channel_shift_intensity"], -7, 7)
    assert_uniform(found["brightness"], 0.5, 2)
    values = [value for name, value in found.items() if "flip" not in name]
    correlations = np.corrcoef(values) - np.eye(len(values))
    assert np.abs(correlations).max() < 0.04
    assert not found["flip_horizontal"].any()
    found = drawn(horizontal_flip=True, vertical_flip=True, zoom_range=(0.5, 0.7))
    for name in ("flip_horizontal", "flip_vertical"):
        assert abs(found[name].mean() - 0.5) < 0.02
    assert_uniform(found["zx"], 0.5, 0.7)


def test_shifts():
    assert set(drawn(height_shift_range=3)["tx"]) == {-2, -1, 0, 1, 2}
    assert set(drawn(width_shift_range=[1, 5])["ty"]) == {-5, -1, 1, 5}
    assert set(drawn(width_shift_range=[0.1, 0.25])["ty"]) == {-5, -2, 2, 5}
    assert_uniform(drawn(width_shift_range=3.0)["ty"], -3, 3)


def test_nothing_asked_for_is_nothing_done():
    x, y = data()
    found = next(ImageDataGenerator().flow(x, y, shuffle=False))
    np.testing.assert_array_equal(found[0], x[:32].astype(np.float32))
    np.testing.assert_array_equal(found[1], y[:32])
    assert found[0].flags.c_contiguous


def test_single_images():
    image = data()[0][0]
    generator = ImageDataGenerator(**SOME)
    first = generator.random_transform(image, seed=3)
    np.testing.assert_array_equal(first, generator.random_transform(image, seed=3))
    np.testing.assert_array_equal(
        first, generator.apply_transform(image, generator.get_random_transform(image.shape, seed=3))
    )
    assert (generator.random_transform(image) != generator.random_transform(image)).any()
    parameters = generator.get_random_transform(image.shape)
    assert parameters["brightness"] is None
    assert json.loads(json.dumps(parameters)) == parameters


# The stream


def test_an_epoch_has_every_sample_once_and_then_comes_another():
    x, y = np.arange(11.0).reshape(11, 1, 1, 1), np.arange(11)
    flow = ImageDataGenerator().flow(x, y, batch_size=4, seed=1)
    assert (len(flow), flow.n, flow.batch_size) == (3, 11, 4)
    epochs = [batches(flow, 3) for _ in range(3)]
    orders = []
    for epoch in epochs:
        assert [len(batch[1]) for batch in epoch] == [4, 4, 3]
        for images, labels in epoch:
            np.testing.assert_array_equal(images.ravel(), labels)
        orders.append(np.concatenate([labels for _, labels in epoch]).tolist())
        assert sorted(orders[-1]) == list(range(11))
    assert len({tuple(order) for order in orders}) == 3


def test_what_is_yielded():
    x, y = data()
    weight = np.linspace(0, 1, 50)
    generator = ImageDataGenerator()
    assert next(generator.flow(x)).shape == (32, 6, 7, 1)
    assert len(next(generator.flow(x, y))) == 2
    images, labels, weights = next(generator.flow(x, y, sample_weight=weight, shuffle=False))
    np.testing.assert_array_equal(weights, weight[:32])
    np.testing.assert_array_equal(labels, y[:32])
    assert images.dtype == np.float32
    assert next(ImageDataGenerator(dtype="float64").flow(x)).dtype == np.float64


def test_the_seed_says_it_all():
    x, y = data()
    generator = ImageDataGenerator(**SOME)
    first = batches(generator.flow(x, y, 8, seed=5), 10)
    same(first, batches(ImageDataGenerator(**SOME).flow(x, y, 8, seed=5), 10))
    assert (first[0][0] != batches(generator.flow(x, y, 8, seed=6), 1)[0][0]).any()
    found = []
    for _ in range(2):
        set_random_seed(2)
        found.append(batches(generator.flow(x, y, 8), 10))
    same(*found)
    before = threads.get_num_threads()
    try:
        threads.set_num_threads(1)
        same(first, batches(generator.flow(x, y, 8, seed=5), 10))
    finally:
        threads.set_num_threads(before)


def test_samples_are_drawn_for_whatever_the_batch_size(monkeypatch):
    """Images that chunks of draws divide elsewhere are the same images."""
    x, _ = data()
    generator = ImageDataGenerator(**SOME)
    found = [
        np.concatenate(batches(generator.flow(x, None, size, False, seed=5), 50 // size)) for size in (10, 25)
    ]
    np.testing.assert_array_equal(*found)
    monkeypatch.setattr(image_flow, "CHUNK", 16)
    one, two = generator.flow(x, None, 10, False, seed=5), generator.flow(x, None, 50, False, seed=5)
    np.testing.assert_array_equal(np.concatenate(batches(one, 5)), next(two))


def test_batches_by_number():
    x, y = data()
    flow = ImageDataGenerator(**SOME).flow(x, y, 8, seed=5)
    ahead = [flow[i] for i in range(len(flow))]
    same(ahead, batches(flow, 7))
    assert (flow[0][0] != ahead[0][0]).any(), "another epoch"
    with pytest.raises(IndexError, match="batch 7 of 7"):
        flow[7]


def test_reset_begins_a_new_epoch():
    x, y = np.arange(9.0).reshape(9, 1, 1, 1), np.arange(9)
    flow = ImageDataGenerator().flow(x, y, 4)
    flow.reset()
    assert flow.training_state()["epoch"] == 0
    next(flow)
    flow.reset()
    assert sorted(np.concatenate([labels for _, labels in batches(flow, 3)])) == list(range(9))


@pytest.mark.parametrize("done", [0, 3, 7, 12])
def test_a_state_is_where_another_flow_goes_on(done):
    x, y = data()
    flow = ImageDataGenerator(**SOME).flow(x, y, 8)
    batches(flow, done)
    state = json.loads(json.dumps(flow.training_state()))
    expected = batches(flow, 10)
    other = ImageDataGenerator(**SOME).flow(x, y, 8)
    batches(other, 2)
    other.restore_training_state(state)
    same(batches(other, 10), expected)


def test_a_state_of_something_else():
    x, y = data()
    flow = ImageDataGenerator().flow(x, y, 8)
    with pytest.raises(ValueError, match="batch_size=16, this one has 8"):
        flow.restore_training_state(ImageDataGenerator().flow(x, y, 16).training_state())
    with pytest.raises(ValueError, match="key is missing"):
        flow.restore_training_state({**{k: v for k, v in flow.training_state().items() if k != "key"}})


def test_subsets():
    x, y = data()
    generator = ImageDataGenerator(validation_split=0.2)
    validation = generator.flow(x, y, 10, shuffle=False, subset="validation")
    training = generator.flow(x, y, 40, shuffle=False, subset="training")
    np.testing.assert_array_equal(next(validation)[0], x[:10])
    np.testing.assert_array_equal(next(training)[0], x[10:])
    with pytest.raises(ValueError, match="different labels"):
        generator.flow(x, np.arange(50), subset="training")
    assert generator.flow(x, np.arange(50), subset="training", ignore_class_split=True).n == 40


# Training


def net():
    set_random_seed(7)
    head = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(5, activation="softmax")]
    model = Sequential([layers.Input((6, 7, 1)), *head])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_fit_takes_a_pass_for_an_epoch():
    x, y = data()
    flow = ImageDataGenerator(**SOME).flow(x, y, 8, seed=1)
    model = net()
    history = model.fit(flow, epochs=3, verbose=0, validation_data=ImageDataGenerator().flow(x, y, 8))
    assert model.optimizer.iterations == 3 * 7
    assert len(history.history["val_loss"]) == 3
    assert flow.training_state()["epoch"] == 3
    # by hand, from batches in arrays
    same_flow, by_hand = ImageDataGenerator(**SOME).flow(x, y, 8, seed=1), net()
    for _ in range(21):
        by_hand.train_on_batch(*next(same_flow))
    for a, b in zip(model.get_weights(), by_hand.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_per_epoch_go_on_where_they_stopped():
    x, y = data()
    weights = []
    for fit in ({"epochs": 6, "steps_per_epoch": 7}, {"epochs": 14, "steps_per_epoch": 3}, {"epochs": 6}):
        model = net()
        model.fit(ImageDataGenerator(**SOME).flow(x, y, 8, seed=1), verbose=0, **fit)
        weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("fit", [{"epochs": 4}, {"epochs": 6, "steps_per_epoch": 5}])
@pytest.mark.parametrize("stop", [4, 10, 17])
def test_interrupted_training_goes_on_with_the_same_batches(fit, stop, tmp_path):
    x, y = data()

    def train(hooks=()):
        model = net()
        backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)
        model.fit(
            ImageDataGenerator(**SOME).flow(x, y, 8, seed=1), verbose=0, callbacks=[backup, *hooks], **fit
        )
        return model.get_weights()

    class Stop(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch, logs=None):
            self.seen += 1
            if self.seen == stop:
                raise KeyboardInterrupt

    expected = train()
    with pytest.raises(KeyboardInterrupt):
        train([Stop()])
    for a, b in zip(train(), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_evaluate_and_predict():
    x, y = data()
    model, generator = net(), ImageDataGenerator()
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(
        model.predict(generator.flow(x, shuffle=False), verbose=0), expected, rtol=1e-6
    )
    np.testing.assert_allclose(
        model.evaluate(generator.flow(x, y), verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5
    )


def test_class_weights_and_sample_weights():
    x, y = data()
    generator, weight = ImageDataGenerator(), {0: 2.0, 3: 0.5}
    given = np.array([weight.get(label, 1.0) for label in y])
    _, _, found = next(as_batches(generator.flow(x, y, 8, shuffle=False), class_weight=weight).epoch())
    np.testing.assert_array_equal(found, given[:8])
    _, _, found = next(as_batches(generator.flow(x, y, 8, shuffle=False, sample_weight=given)).epoch())
    np.testing.assert_array_equal(found, given[:8])
    with pytest.raises(ValueError, match="either class_weight or sample_weight"):
        as_batches(generator.flow(x, y, sample_weight=given), class_weight=weight)


def test_batches_are_written_where_they_are_wanted():
    x, y = data(16)
    flow = ImageDataGenerator(**SOME).flow(x, y, 8, seed=1)
    expected = batches(ImageDataGenerator(**SOME).flow(x, y, 8, seed=1), 2)
    place = np.zeros((8, 6, 7, 1), np.float32)
    for (images, _), (found, _, _) in zip(
        expected, as_batches(flow).epoch(lambda n: (place, None, None)), strict=True
    ):
        assert found is place
        np.testing.assert_array_equal(found, images)


# Statistics of the data


def test_fit_finds_means_and_deviations():
    x, _ = data(20, (6, 7, 3))
    generator = ImageDataGenerator(featurewise_std_normalization=True, rescale=1 / 255, dtype="float64")
    generator.fit(x)
    np.testing.assert_allclose(generator.mean.ravel(), (x / 255).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(generator.std.ravel(), (x / 255).std(axis=(0, 1, 2)))
    found = np.concatenate(batches(generator.flow(x, batch_size=20), 1))
    np.testing.assert_allclose(found.mean(axis=(0, 1, 2)), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), 1, rtol=1e-4)


def test_fit_on_transformed_images():
    x = np.zeros((50, 6, 6, 1))
    x[:, :, :3] = 1
    generator = ImageDataGenerator(
        featurewise_center=True, width_shift_range=[2], fill_mode="constant", cval=5.0
    )
    generator.fit(x, augment=True, rounds=4, seed=1)
    # two columns of six are 5, and one or three are 1, with equal chances
    assert generator.mean.item() == pytest.approx(2.0, abs=0.1)


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zca_whitening": True}, "zca_whitening is not part of tinynet"),
        ({"fill_mode": "mirror"}, "fill_mode must be one of 'nearest'"),
        ({"interpolation_order": 3}, "interpolation_order must be one of 0, 1"),
        ({"rotation_range": -3}, "rotation_range must be a number >= 0"),
        ({"shear_range": (1, 2)}, "shear_range"),
        ({"zoom_range": (1, 2, 3)}, "zoom_range must be two numbers"),
        ({"brightness_range": 0.5}, "brightness_range must be two numbers"),
        ({"width_shift_range": "much"}, "width_shift_range must be a fraction"),
        ({"height_shift_range": -0.1}, "height_shift_range"),
        ({"validation_split": 1.5}, "validation_split"),
        ({"data_format": "first"}, "data_format"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.zeros((5, 6, 7))}, "x must have 4 axes"),
        ({"x": np.zeros((0, 6, 7, 1))}, "no images"),
        ({"x": np.zeros((5, 6, 7, 1)), "y": np.zeros(4)}, "x has 5 samples and y 4"),
        ({"x": np.zeros((5, 6, 7, 1)), "sample_weight": np.zeros(5)}, "sample_weight needs y"),
        ({"x": np.zeros((5, 6, 7, 1)), "batch_size": 0}, "batch_size"),
        ({"x": np.zeros((5, 6, 7, 1)), "save_to_dir": "here"}, "save_to_dir is not part of tinynet"),
        ({"x": np.zeros((5, 6, 7, 1)), "subset": "test"}, "subset must be one of"),
        ({"x": np.zeros((5, 6, 7, 1)), "subset": "training"}, "needs a validation_split"),
    ],
)
def test_arguments_of_flow(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImageDataGenerator().flow(**arguments)


def test_unknown_parameters_and_files():
    with pytest.raises(ValueError, match=r"no parameters \['angle'\]"):
        ImageDataGenerator().apply_transform(np.zeros((4, 4, 1)), {"angle": 3})
    with pytest.raises(ValueError, match="an image has 3 axes"):
        ImageDataGenerator().apply_transform(np.zeros((4, 4)), {})
    with pytest.raises(NotImplementedError, match="reads no image files"):
        ImageDataGenerator().flow_from_directory("images")


def test_warnings():
    x = np.zeros((5, 6, 7, 1))
    with pytest.warns(UserWarning, match="no effect before fit"):
        ImageDataGenerator(featurewise_center=True).flow(x)
    with pytest.warns(UserWarning, match="brightness_range makes whole numbers"):
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(x)
    with pytest.warns(UserWarning, match="7 channels, for 'channels_last'"):
        ImageDataGenerator().flow(x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("channels", range(1, 9))
def test_numbers_of_channels_that_images_have(channels, data_format):
    """1 grey, 3 colour, 4 colour and transparency; others may be a wrong order of axes."""
    x = np.zeros((5, 6, 7, channels))
    x = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ImageDataGenerator(data_format=data_format).flow(x)
    expected = [] if channels in (1, 3, 4) else [f"{channels} channels, for '{data_format}'"]
    assert len(caught) == len(expected)
    assert all(text in str(warning.message) for text, warning in zip(expected, caught, strict=True))


def test_where_keras_had_it():
    assert tinynet.preprocessing.image.ImageDataGenerator is ImageDataGenerator
