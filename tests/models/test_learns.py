"""A small convolutional net learns to read digits."""

from tinynet import layers
from tinynet.datasets import digits
from tinynet.models import Sequential
from tinynet.utils import set_random_seed


def test_digits_past_ninety_five_percent():
    set_random_seed(0)
    (x, y), (x_test, y_test) = digits.load_data()
    model = Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Lambda(lambda x: x / 16.0),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=12, verbose=0, validation_data=(x_test, y_test)).history
    assert history["val_accuracy"][-1] > 0.95
    assert history["loss"][-1] < 0.3 * history["loss"][0]
