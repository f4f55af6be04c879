import numpy as np

from tinynet import layers
from tinynet.models import Sequential

from models.nets import small_data, small_net

# What Keras prints for the same net at line_length=60.
KERAS = """Model: "m"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┓
┃ Layer (type)             ┃ Output Shape      ┃   Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━┩
│ conv2d (Conv2D)          │ (None, 28, 28, 7) │        70 │
├──────────────────────────┼───────────────────┼───────────┤
│ max_pooling2d            │ (None, 14, 14, 7) │         0 │
│ (MaxPooling2D)           │                   │           │
├──────────────────────────┼───────────────────┼───────────┤
│ batch_normalization      │ (None, 14, 14, 7) │        28 │
│ (BatchNormalization)     │                   │           │
├──────────────────────────┼───────────────────┼───────────┤
│ dropout (Dropout)        │ (None, 14, 14, 7) │         0 │
├──────────────────────────┼───────────────────┼───────────┤
│ flatten (Flatten)        │ (None, 1372)      │         0 │
├──────────────────────────┼───────────────────┼───────────┤
│ a_very_long_name_for_a_… │ (None, 10)        │    13,730 │
│ (Dense)                  │                   │           │
└──────────────────────────┴───────────────────┴───────────┘
 Total params: 13,828 (54.02 KB)
 Trainable params: 13,814 (53.96 KB)
 Non-trainable params: 14 (56.00 B)"""


def summary(model, **arguments):
    lines = []
    model.summary(print_fn=lines.append, **arguments)
    assert len(lines) == 1
    return lines[0]


def test_looks_like_keras():
    model = Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(7, 3, padding="same", name="conv2d"),
            layers.MaxPooling2D(name="max_pooling2d"),
            layers.BatchNormalization(name="batch_normalization"),
            layers.Dropout(0.1, name="dropout"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, name="a_very_long_name_for_a_layer_of_this_kind"),
        ],
        name="m",
    )
    assert summary(model, line_length=60) == KERAS


def test_optimizer_parameters_count_once_they_exist():
    model = Sequential([layers.Input((2,)), layers.Dense(3)])
    model.compile("adam", "mse")
    assert "Optimizer" not in summary(model)
    model.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0)
    text = summary(model)
    assert "Optimizer params: 20 " in text
    assert "Total params: 29 " in text


def test_unbuilt_layers():
    text = summary(Sequential([layers.Dense(3), layers.Dense(4)]))
    assert text.count("0 (unbuilt)") == 2
    assert text.count("?") == 2
    assert "Total params: 0 (0.00 B)" in text


def test_frozen_layers_are_not_trainable():
    model = small_net()
    model.layers[0].trainable = False
    assert "Non-trainable params: 48 " in summary(model)  # 40 of the convolution, 8 of the batch norm
    assert model.predict(small_data(2)[0], verbose=0).shape == (2, 4)
