"""Edges of the data room: what is refused, sizes at which something changes, and where a stream stands."""

import warnings

import numpy as np
import pytest

from tinynet.data import (
    ArrayBatches,
    Epochs,
    ImageDataGenerator,
    IterableBatches,
    as_batches,
    image_flow,
    weights_from_classes,
)
from tinynet.data.adapt import split
from tinynet.data.arrays import check_lengths
from tinynet.data.columns import Inputs, Labels, as_array, as_arrays, targets
from tinynet.kernels import common

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10)


# Arrays


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, r"z must be an array with the samples along its first axis, got 3"),
        ("text", r"z must be an array with the samples along its first axis, got 'text'"),
        (None, r"z must be an array with the samples along its first axis, got None"),
        (object(), r"z must be an array with the samples along its first axis, got a object"),
        (np.float32(2), "z must be an array with the samples"),
        ([[1, 2], [3]], "z is no array: its parts differ in length"),
        (
            np.array(["a", "b"]),
            r"z must hold numbers, got an array of dtype <U1; classes, numbers = np.unique",
        ),
        (np.array([b"a"]), r"dtype \|S1; classes"),
        (np.array([1, "a"], object), r"dtype object: arrays of several shapes"),
        (np.array([1j]), r"z must hold numbers, got an array of dtype complex128$"),
        (np.array(["2020-01-01"], "M8[D]"), r"dtype datetime64\[D\]$"),
    ],
)
def test_what_is_no_array_of_numbers(data, message):
    with pytest.raises(ValueError, match=message):
        as_array(data, "z")


@pytest.mark.parametrize("kind", ["?", "u1", "i8", "f2", "f4", "f8"])
def test_arrays_of_numbers_stay_as_they_are(kind):
    array = np.ones(3, kind)
    assert as_array(array, "z") is array


def test_parts_are_named():
    with pytest.raises(ValueError, match=r"z\[1\] must hold numbers"):
        as_arrays([X, np.array(["a"])], "z")
    with pytest.raises(ValueError, match=r"z\['b'\] must hold numbers"):
        as_arrays({"a": X, "b": np.array(["a"])}, "z")
    assert as_arrays([X, None], "z")[1] is None
    assert as_arrays([[1, 2], [3, 4]], "z").shape == (2, 2)


@pytest.mark.parametrize("wrong", [1, "yes", None, "Batch"])
def test_shuffle_is_one_of_three(wrong):
    if wrong == 1:  # is True
        assert ArrayBatches(X, shuffle=wrong).shuffle
        return
    with pytest.raises(ValueError, match=r"shuffle must be True, False or 'batch', got"):
        ArrayBatches(X, shuffle=wrong)


@pytest.mark.parametrize("wrong", [0, -1, 1.0, True, "8", None])
def test_batch_sizes(wrong):
    with pytest.raises(ValueError, match="batch_size must be a positive integer, got"):
        ArrayBatches(X, batch_size=wrong)


@pytest.mark.parametrize(("size", "steps"), [(1, 10), (9, 2), (10, 1), (11, 1), (np.int64(3), 4)])
def test_steps_of_a_pass(size, steps):
    batches = ArrayBatches(X, Y, batch_size=size)
    assert batches.steps == steps == len(list(batches.epoch()))
    assert as_batches(X).batch_size == 32


def test_different_lengths_are_listed():
    with pytest.raises(ValueError, match=r"same number of samples: x has 10, y has 9$"):
        ArrayBatches(X, Y[:9])
    with pytest.raises(ValueError, match=r"x has 10, y\[0\] has 10, y\[1\] has 9$"):
        ArrayBatches(X, [Y, Y[:9]])
    six = {f"x{i}": np.zeros(i + 1) for i in range(6)}
    with pytest.raises(ValueError, match=r"x\[4\] has 5, x\[5\] has 6$"):
        check_lengths({"x": six})
    with pytest.raises(ValueError, match=r"x\[4\] has 5, and 2 more$"):
        check_lengths({"x": {**six, "x6": np.zeros(7)}})
    assert check_lengths({"x": X, "y": [Y, None]}) == 10


def test_no_samples_are_refused():
    with pytest.raises(ValueError, match=r"the data are empty: x has shape \(0, 2\)"):
        ArrayBatches(X[:0], Y[:0])
    assert ArrayBatches(X[:1], Y[:1]).steps == 1


def test_lists_of_samples_are_told_from_inputs():
    images = [np.zeros((4, 4)) for _ in range(10)]
    with pytest.raises(ValueError, match=r"x is a list of 10 arrays of shape \(4, 4\).*np.stack\(x\)"):
        ArrayBatches(images, Y)
    with pytest.raises(ValueError, match="same number of samples"):
        ArrayBatches(images[:9], Y)
    with pytest.raises(ValueError, match="same number of samples"):
        ArrayBatches([*images[:9], np.zeros((5, 4))], Y)


def test_columns_round_floats_alone():
    assert type(targets(Y, "float32")) is Labels
    assert type(targets(X, "float32")) is Inputs
    assert targets(Y, "float32").take(np.arange(2)).dtype == Y.dtype
    assert targets(Y / 2, "float32").take(np.arange(2)).dtype == np.float32
    assert targets(X.astype(np.uint8), "float32").take(np.arange(2)).dtype == np.uint8


@pytest.mark.parametrize(
    ("shape", "dtype", "fits"), [((3, 2), "f4", True), ((2, 2), "f4", False), ((3, 2), "f8", False)]
)
def test_a_batch_goes_where_it_fits(shape, dtype, fits):
    place = common.empty(X, shape, dtype)
    found = Inputs(X, "float32").take(np.array([4, 1, 1]), place)
    assert (found is place) == fits
    np.testing.assert_array_equal(found, X[[4, 1, 1]])
    numbers = np.zeros(shape[:1], dtype)
    found = Labels(Y.astype(float), "float32").take(np.array([4, 1, 1]), numbers)
    assert (found is numbers) == fits
    np.testing.assert_array_equal(found, [4, 1, 1])


# Whatever fit is given


@pytest.mark.parametrize("steps", [0, -1, 1.5, "2"])
def test_numbers_of_steps(steps):
    with pytest.raises(ValueError, match="number of steps must be a positive integer, got"):
        as_batches(X, steps=steps)


@pytest.mark.parametrize(("steps", "size"), [(1, 10), (2, 5), (3, 4), (9, 2), (10, 1), (11, 1), (100, 1)])
def test_steps_say_how_large_batches_are(steps, size):
    assert as_batches(X, Y, steps=steps).batch_size == size
    assert as_batches(X, Y, steps=steps, batch_size=3).batch_size == 3


def test_arguments_that_contradict_each_other():
    with pytest.raises(ValueError, match="give either class_weight or sample_weight, not both"):
        as_batches(X, Y, np.ones(10), class_weight={0: 1.0})
    with pytest.raises(ValueError, match="class_weight needs y, the labels"):
        as_batches(X, class_weight={0: 1.0})
    batches = [(X, Y)]
    with pytest.raises(
        ValueError, match=r"x is a list, which yields whole batches .*; leave out y, or pass arrays"
    ):
        as_batches(batches, Y)
    with pytest.raises(ValueError, match="leave out y, sample_weight, or"):
        as_batches(batches, Y, Y)
    with pytest.raises(ValueError, match="class_weight was given, but the batches have weights"):
        list(IterableBatches([(X, Y, np.ones(10))], class_weight={0: 1.0}).epoch())


@pytest.mark.parametrize(
    ("fraction", "training"), [(0.1, 9), (0.25, 7), (0.5, 5), (0.8, 1), (0.9, 0), (0.05, 9), (1e-9, 9)]
)
def test_the_last_samples_are_for_validation(fraction, training):
    """floor(10 (1 - fraction)) for training, as in Keras, where 1 - 0.8 is below 0.2;
    both parts need some.
    """
    if training in (0, 10):
        with pytest.raises(
            ValueError, match=rf"validation_split={fraction} leaves {training} of 10 samples for training"
        ):
            split(fraction, X, Y, None)
        return
    (x, y, weight), (x_val, y_val, weight_val) = split(fraction, X, Y, None)
    np.testing.assert_array_equal(x, X[:training])
    np.testing.assert_array_equal(y, Y[:training])
    np.testing.assert_array_equal(x_val, X[training:])
    np.testing.assert_array_equal(y_val, Y[training:])
    assert weight is None is weight_val


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_fractions_that_are_none(fraction):
    with pytest.raises(ValueError, match=r"^validation_split"):
        split(fraction, X, Y, None)


def test_what_cannot_be_split():
    with pytest.raises(ValueError, match="validation_split must be a fraction between 0 and 1, got 'half'"):
        split("half", X, Y, None)
    with pytest.raises(ValueError, match="validation_split works on arrays only"):
        split(0.5, [(X, Y)], None, None)


def test_structures_are_split_alike():
    (x, _, weight), (x_val, _, weight_val) = split(0.3, {"a": X, "b": [X, Y]}, Y, [Y, None])
    assert x["b"][1].tolist() == list(range(7))
    assert x_val["b"][1].tolist() == [7, 8, 9]
    assert (len(x["a"]), len(x_val["a"]), weight[1], weight_val[1]) == (7, 3, None, None)
    assert weight_val[0].tolist() == [7, 8, 9]


# Batches of somebody else's


def test_entries_of_a_batch():
    for wrong in ((), (X, Y, Y, Y)):
        with pytest.raises(ValueError, match=f"got {len(wrong)} entries"):
            list(IterableBatches([wrong]).epoch())
    with pytest.raises(ValueError, match="its first entry is None"):
        list(IterableBatches([(None, Y)]).epoch())
    _, y, weight = next(IterableBatches([(X, None)]).epoch())
    assert y is None is weight
    assert next(IterableBatches([X]).epoch())[0].shape == (10, 2)
    assert next(IterableBatches([[X, Y, Y]]).epoch())[2].tolist() == Y.tolist()


def test_batches_that_are_done_are_skipped():
    batches = IterableBatches([(X + i, Y) for i in range(4)])
    assert [x[0, 0] for x, _, _ in batches.epoch(skip=2)] == [2, 3]
    assert [x[0, 0] for x, _, _ in batches.epoch()] == [0, 1, 2, 3]


def test_a_source_that_knows_where_it_is_skips_nothing():
    class Source:
        at = 0

        def __iter__(self):
            while self.at < 4:
                self.at += 1
                yield X + self.at - 1, Y
            self.at = 0

        def training_state(self):
            return {"at": self.at}

        def restore_training_state(self, state):
            self.at = state["at"]

    first = IterableBatches(Source())
    stream = first.epoch()
    next(stream), next(stream)
    second = IterableBatches(Source())
    second.restore_training_state(first.training_state(True))
    assert [x[0, 0] for x, _, _ in second.epoch(skip=2)] == [2, 3]
    assert [x[0, 0] for x, _, _ in second.epoch(skip=1)] == [1, 2, 3], "the position counts once"
    assert IterableBatches([(X, Y)]).training_state(True) is None


def test_epochs_of_given_lengths():
    with pytest.raises(ValueError, match="number of steps must be positive, got 0"):
        Epochs(ArrayBatches(X), 0)
    assert Epochs(ArrayBatches(X, batch_size=3)).steps == 4
    assert Epochs(ArrayBatches(X, batch_size=3), 1).steps == 1
    assert Epochs(IterableBatches(iter([]))).steps is None


def test_data_that_run_out_are_said_and_begun_again():
    epochs = Epochs(ArrayBatches(X, Y, batch_size=5), 3)
    with pytest.warns(UserWarning, match="the data ran out after 2 of 3 steps"):
        assert [step for step, _ in epochs.epoch()] == [0, 1]
    with pytest.warns(UserWarning, match="ran out after 2 of 3"):
        assert [batch[1][0] for _, batch in epochs.epoch()] == [0, 5]
    whole = Epochs(ArrayBatches(X, Y, batch_size=5), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a pass that ends with the epoch is no shortage
        assert [len(list(whole.epoch())) for _ in range(3)] == [2, 2, 2]


def test_where_epochs_stand():
    for steps in (None, 2):
        epochs = Epochs(ArrayBatches(X, Y, batch_size=3, shuffle=True), steps)
        stream = epochs.epoch()
        next(stream)
        state = epochs.training_state()
        assert (state["step"], state["given"]) == (1, 1)
        rest = [batch[1].tolist() for _, batch in stream]
        other = Epochs(ArrayBatches(X, Y, batch_size=3, shuffle=True), steps)
        other.restore_training_state(state)
        assert [batch[1].tolist() for _, batch in other.epoch()] == rest
        assert (other.step, epochs.step) == (0, 0)
        assert epochs.given == (0 if steps is None else 2)
        epochs.restart()
        assert (epochs.step, epochs.given) == (0, 0)


# Weights of classes


@pytest.mark.parametrize("wrong", [[1.0, 2.0], "balanced", {"0": 1.0}, {0.5: 1.0}, 3])
def test_class_weights_are_a_dictionary(wrong):
    with pytest.raises(ValueError, match="class_weight must be a dictionary such as"):
        weights_from_classes(Y, wrong)


def test_class_weights_are_for_one_label_a_sample():
    with pytest.raises(ValueError, match="models with one output"):
        weights_from_classes([Y, Y], {0: 1.0})
    with pytest.raises(ValueError, match=r"one label a sample, y has shape \(2, 3, 4\)"):
        weights_from_classes(np.zeros((2, 3, 4)), {0: 1.0})
    assert weights_from_classes(np.zeros((3, 1, 1)), {0: 2.0}).tolist() == [2, 2, 2]


def test_classes_that_are_not_named_weigh_1():
    found = weights_from_classes(
        np.array([0.0, 0.9999999, 2.0, 7.0]), {1: 3.0, np.int64(2): 0.0, 5: 9.0}, "float64"
    )
    assert found.tolist() == [1, 3, 0, 1]
    assert found.dtype == np.float64
    assert weights_from_classes(Y, {}).dtype == np.float32
    assert weights_from_classes(np.array([[1], [0]]), {1: 2.0}).tolist() == [2, 1]
    assert weights_from_classes(np.array([[0.2, 0.8], [0.6, 0.4]]), {1: 2.0}).tolist() == [2, 1]


# Streams of images


IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 5, 1)).astype(np.uint8)


def test_batches_of_a_stream_have_numbers_from_0():
    flow = ImageDataGenerator().flow(IMAGES, Y, 4, shuffle=False)
    for wrong in (-1, 3):
        with pytest.raises(IndexError, match=f"batch {wrong} of 3: an epoch of this flow has batches 0 to 2"):
            flow[wrong]
    assert flow[2][1].tolist() == [8, 9]
    assert repr(flow).startswith(
        "ImageFlow(10 samples in 3 batches of 4, x (10, 4, 5, 1), y (10,), ImageDataGenerator("
    )
    assert "y" not in repr(ImageDataGenerator().flow(IMAGES)).partition("ImageDataGenerator")[0]


def test_a_stream_keeps_two_chunks_of_draws(monkeypatch):
    monkeypatch.setattr(image_flow, "CHUNK", 2)
    flow = ImageDataGenerator(rotation_range=5).flow(IMAGES, Y, 2)
    for _ in range(7):
        next(flow)
        assert len(flow._drawn) <= 2


def test_a_stream_is_somewhere():
    flow = ImageDataGenerator().flow(IMAGES, Y, 5, shuffle=False)
    places = []
    for _ in range(4):
        places.append((flow.training_state()["epoch"], flow.training_state()["batch"]))
        next(flow)
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1)]
    flow.on_epoch_end()
    assert (flow.training_state()["epoch"], flow.training_state()["batch"]) == (3, 0)
    for name, value in (("n", 9), ("batch_size", 4), ("shuffle", True)):
        with pytest.raises(ValueError, match=f"a flow with {name}={value}, this one has"):
            flow.restore_training_state({**flow.training_state(), name: value})


def test_a_pass_of_a_stream_and_one_without_end():
    flow = ImageDataGenerator().flow(IMAGES, Y, 4, shuffle=False)
    batches = as_batches(flow)
    assert batches.steps == 3
    assert [y.tolist() for _, y, _ in batches.epoch(skip=1)] == [[0, 1, 2, 3], [4, 5, 6, 7]], (
        "it goes on where it is"
    )
    assert flow.as_batches("float32").steps == 3
    endless = as_batches(flow, steps=5)
    assert endless.steps is None
    stream = endless.epoch()
    assert [next(stream)[1].tolist() for _ in range(3)] == [[8, 9], [0, 1, 2, 3], [4, 5, 6, 7]]
    without = as_batches(ImageDataGenerator().flow(IMAGES, batch_size=4), class_weight={0: 2.0})
    assert next(without.epoch())[1:] == (None, None)


@pytest.mark.parametrize(("split_at", "n"), [(0.0, None), (0.05, None), (0.1, 1), (0.5, 5), (0.95, 9)])
def test_subsets_have_some_samples(split_at, n):
    generator = ImageDataGenerator(validation_split=split_at)
    if n is None:
        with pytest.raises(
            ValueError, match=f"needs a validation_split that leaves both parts some, it is {split_at}"
        ):
            generator.flow(IMAGES, subset="training")
        return
    assert generator.flow(IMAGES, subset="validation").n == n
    assert generator.flow(IMAGES, subset="training").n == 10 - n
    assert generator.flow(IMAGES).n == 10


@pytest.mark.parametrize("wrong", [-0.1, 1.0, 1.5, 2])
def test_validation_splits(wrong):
    with pytest.raises(ValueError, match="validation_split must lie between 0 and 1, got"):
        ImageDataGenerator(validation_split=wrong)


@pytest.mark.parametrize("wrong", [-1, -0.5, True, "3", (1, 2), float("nan"), None])
@pytest.mark.parametrize("name", ["rotation_range", "shear_range", "channel_shift_range"])
def test_ranges_of_one_number(name, wrong):
    with pytest.raises(ValueError, match=f"{name} must be a number >= 0, got"):
        ImageDataGenerator(**{name: wrong})
    assert getattr(ImageDataGenerator(**{name: np.int32(3)}), name) == 3.0


@pytest.mark.parametrize("wrong", [(1,), (1, 2, 3), "ab", (1, None), ("a", "b"), [[1, 2]]])
def test_ranges_of_two_numbers(wrong):
    for name in ("zoom_range", "brightness_range"):
        with pytest.raises(ValueError, match=rf"{name} must be two numbers, \(from, to\), got"):
            ImageDataGenerator(**{name: wrong})
    assert ImageDataGenerator(zoom_range=0.25).zoom_range == [0.75, 1.25]
    assert ImageDataGenerator(zoom_range=(2, 3)).zoom_range == [2.0, 3.0]


@pytest.mark.parametrize("wrong", [-1, -0.5, True, "x", [], [[1]], None])
def test_shifts(wrong):
    for name in ("width_shift_range", "height_shift_range"):
        with pytest.raises(ValueError, match=f"{name} must be a fraction below 1, a number of pixels"):
            ImageDataGenerator(**{name: wrong})


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (0, {0.0}),
        (1, {0.0}),
        (2, {0.0, 1.0, -1.0}),
        ([0.5], {10.0, -10.0}),  # a fraction of 20 columns
        ([0.5, 1], {0.5, -0.5, 1.0, -1.0}),  # pixels, since one of them is 1
        ((3,), {3.0, -3.0}),
    ],
)
def test_shifts_of_whole_pixels_and_of_fractions(shift, expected):
    from tinynet.data import image_transforms

    u = np.random.default_rng(0).random((4000, image_transforms.DRAWS))
    drawn = image_transforms.draw(ImageDataGenerator(width_shift_range=shift), u, 10, 20)["ty"]
    assert set(np.abs(drawn)) == {abs(value) for value in expected}
    assert set(drawn) <= expected | {-0.0}
    for value in expected - {0.0}:
        assert (drawn == value).mean() == pytest.approx((drawn != 0).mean() / len(expected - {0.0}), abs=0.03)


@pytest.mark.parametrize(("limit", "largest"), [(0.5, 10.0), (0.999, 19.98), (1.0, 1.0), (3.5, 3.5)])
def test_floats_below_1_are_fractions(limit, largest):
    from tinynet.data import image_transforms

    u = np.random.default_rng(0).random((4000, image_transforms.DRAWS))
    drawn = image_transforms.draw(ImageDataGenerator(width_shift_range=limit), u, 10, 20)["ty"]
    assert abs(drawn).max() == pytest.approx(largest, rel=2e-3)


def test_standardising_each_image():
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(6, 4, 5, 2))
    flow = ImageDataGenerator(samplewise_center=True, dtype="float64").flow(x, batch_size=6, shuffle=False)
    np.testing.assert_allclose(next(flow), x - x.mean(axis=(1, 2, 3), keepdims=True), atol=1e-12)
    generator = ImageDataGenerator(samplewise_std_normalization=True, rescale=0.5, dtype="float64")
    centred = 0.5 * (x - x.mean(axis=(1, 2, 3), keepdims=True))
    expected = centred / (centred.std(axis=(1, 2, 3), keepdims=True) + 1e-6)
    np.testing.assert_allclose(next(generator.flow(x, batch_size=6, shuffle=False)), expected, atol=1e-12)
    np.testing.assert_allclose(generator.standardize(x[0]), expected[0], atol=1e-12)


@pytest.mark.parametrize("low_high", [(-3.0, 10.0), (0.0, 300.0), (0.0, 255.0)])
def test_brightness_of_a_constant_and_of_a_foreign_image(low_high):
    generator = ImageDataGenerator(dtype="float64")
    image = np.full((2, 2, 1), low_high[1])
    found = generator.apply_transform(image, {"brightness": 1.0})
    assert np.isfinite(found).all()
    image = np.array([*low_high, low_high[0], low_high[1]]).reshape(2, 2, 1)
    found = generator.apply_transform(image, {"brightness": 1.0})
    np.testing.assert_allclose(found, image, atol=(low_high[1] - low_high[0]) / 255)


def test_half_floats_are_widened():
    flow = ImageDataGenerator().flow(IMAGES.astype(np.float16))
    assert flow.x.dtype == np.float32
    assert ImageDataGenerator().flow(IMAGES).x.dtype == np.uint8


def test_brightness_is_said_where_images_are_small():
    with pytest.warns(UserWarning, match="brightness_range makes whole numbers"):
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(np.ones((2, 3, 3, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(np.ones((2, 3, 3, 1)) * 1.5)
        ImageDataGenerator(brightness_range=(0.5, 1)).flow(np.ones((2, 3, 3, 1), np.uint8))
        ImageDataGenerator().flow(np.ones((2, 3, 3, 1)))


def test_a_mean_is_taken_before_a_deviation():
    generator = ImageDataGenerator(featurewise_std_normalization=True, samplewise_std_normalization=True)
    assert generator.featurewise_center
    assert generator.samplewise_center
    only = ImageDataGenerator(featurewise_center=True, samplewise_center=True)
    only.fit(IMAGES)
    assert only.std is None
    assert not only.samplewise_std_normalization
    neither = ImageDataGenerator()
    neither.fit(IMAGES)
    assert neither.mean is None is neither.std


@pytest.mark.parametrize("each", [False, True])
def test_means_that_were_not_found_have_no_effect(each):
    """On both ways: with passes of their own for each image, and in the launch that picks the images."""
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(4, 3, 3, 2))
    generator = ImageDataGenerator(
        featurewise_std_normalization=True, samplewise_center=each, dtype="float64"
    )
    expected = x - each * x.mean(axis=(1, 2, 3), keepdims=True)
    with pytest.warns(UserWarning, match="no effect before fit"):
        flow = generator.flow(x, batch_size=4, shuffle=False)
    np.testing.assert_allclose(next(flow), expected, atol=1e-12)
    np.testing.assert_allclose(generator.standardize(x[0]), expected[0], atol=1e-12)
    plain = ImageDataGenerator(samplewise_center=each, dtype="float64")
    plain.mean, plain.std = np.full((1, 1, 2), 5.0), np.full((1, 1, 2), 7.0)  # found, and not asked for
    np.testing.assert_allclose(next(plain.flow(x, batch_size=4, shuffle=False)), expected, atol=1e-12)
