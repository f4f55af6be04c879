"""Arguments of `fit` that make no sense, and data that are none: refused before anything runs, by name."""

import numpy as np
import pytest

from tinynet.layers import Dense
from tinynet.models import Sequential

X, Y = np.ones((6, 3), np.float32), np.ones((6, 1), np.float32)


def net(units=1, loss="mse", **settings):
    model = Sequential([Dense(units)])
    model.compile("sgd", loss, **settings)
    return model


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 1.5}, "epochs must be an integer"),
        ({"epochs": -1}, "epochs must be an integer"),
        ({"initial_epoch": -1}, "initial_epoch must be an integer"),
        ({"validation_freq": 0}, "validation_freq must be an integer >= 1"),
        ({"validation_freq": 1.5}, "validation_freq must be an integer >= 1"),
        ({"validation_split": "half"}, "validation_split must be a fraction"),
        ({"steps_per_epoch": 1.5}, "number of steps must be a positive integer"),
        ({"verbose": "loud"}, "verbose must be"),
        ({"class_weight": "balanced"}, "class_weight must be a dictionary"),
        ({"class_weight": [1.0, 2.0]}, "class_weight must be a dictionary"),
        ({"class_weight": {"0": 2.0}}, "class_weight must be a dictionary"),
        ({"validation_data": (X, Y, Y, Y)}, r"validation_data must be \(x, y\)"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named(settings, message):
    model = net()
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, **{"verbose": 0, **settings})
    assert not model.built


def test_validation_freq_may_be_a_numpy_integer():
    history = net().fit(X, Y, epochs=2, validation_data=(X, Y), validation_freq=np.int64(2), verbose=0)
    assert len(history.history["val_loss"]) == 1


@pytest.mark.parametrize("batch", [None, (None, Y)])
def test_a_batch_without_x_says_so(batch):
    with pytest.raises(ValueError, match="a batch must have an x"):
        net().fit(iter([batch]), verbose=0)


def test_rows_of_different_length_are_named():
    with pytest.raises(ValueError, match="x is no array: its parts differ in length"):
        net().fit([[1, 2], [1]], [1, 2], verbose=0)


def test_an_error_about_a_dictionary_does_not_print_its_arrays():
    with pytest.raises(
        ValueError, match=r"has the inputs \['input'\]; \['input'\] are missing, got \['image', 'other'\]$"
    ):
        net().fit({"image": X, "other": X}, Y, verbose=0)


def test_a_label_that_is_no_class_is_refused():
    # It would cost nothing, and the net would learn without these samples.
    model = net(3, "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="got the label 3, but there are 3 classes, 0 to 2"):
        model.fit(X, np.array([1, 2, 3, 1, 2, 3]), verbose=0)
    for labels in (np.full(6, 0.5), np.full(6, np.nan)):
        with pytest.raises(ValueError, match="labels must be whole numbers"), np.errstate(invalid="ignore"):
            model.fit(X, labels, verbose=0)


def test_functions_that_return_nothing_are_named():
    def forgot(y_true, y_pred):
        return None

    with pytest.raises(TypeError, match="the loss 'forgot' must return a Tensor"):
        net(loss=forgot).fit(X, Y, verbose=0)
    with pytest.raises(TypeError, match="the metric 'forgot' must return a value"):
        net(metrics=[forgot]).fit(X, Y, verbose=0)


def test_weights_of_classes_and_of_samples_contradict_each_other():
    with pytest.raises(ValueError, match="either class_weight or sample_weight"):
        net().fit(X, Y, class_weight={1: 2.0}, sample_weight=np.ones(6), verbose=0)
    with pytest.raises(ValueError, match="the batches have weights of samples"):
        net().fit(iter([(X, Y, np.ones(6))]), class_weight={1: 2.0}, verbose=0)
