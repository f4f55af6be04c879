import numpy as np
import pytest

from tinynet import layers
from tinynet.models import Model, Sequential
from tinynet.models.footprint import training_memory

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


# What Keras 3.15 prints for the graph below at line_length=108.
BRANCHING = """Model: "net"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                  ┃ Output Shape              ┃         Param # ┃ Connected to               ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ image (InputLayer)            │ (None, 8, 8, 3)           │               0 │ -                          │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ conv (Conv2D)                 │ (None, 8, 8, 4)           │             112 │ image[0][0]                │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ shortcut_with_a_rather_long_… │ (None, 8, 8, 4)           │              16 │ image[0][0]                │
│ (Conv2D)                      │                           │                 │                            │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ sum (Add)                     │ (None, 8, 8, 4)           │               0 │ conv[0][0],                │
│                               │                           │                 │ shortcut_with_a_rather_lo… │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ flat (Flatten)                │ (None, 256)               │               0 │ sum[0][0]                  │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ d (Dense)                     │ (None, 256)               │          65,792 │ flat[0][0]                 │
├───────────────────────────────┼───────────────────────────┼─────────────────┼────────────────────────────┤
│ inner (Sequential)            │ (None, 2)                 │             779 │ flat[0][0], d[0][0]        │
└───────────────────────────────┴───────────────────────────┴─────────────────┴────────────────────────────┘
 Total params: 66,699 (260.54 KB)
 Trainable params: 66,691 (260.51 KB)
 Non-trainable params: 8 (32.00 B)"""
NESTED = """
│ inner (Sequential)         │ (None, 2)              │            779 │ flat[0][0], d[0][0]    │    Y     │
├────────────────────────────┼────────────────────────┼────────────────┼────────────────────────┼──────────┤
│    └ in1 (Dense)           │ (None, 3)              │            771 │ -                      │    Y     │
├────────────────────────────┼────────────────────────┼────────────────┼────────────────────────┼──────────┤
│    └ in2 (Dense)           │ (None, 2)              │              8 │ -                      │    N     │
"""


def branching():
    x = layers.Input((8, 8, 3), name="image")
    a = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(x)
    b = layers.Conv2D(4, 1, name="shortcut_with_a_rather_long_name")(x)
    f = layers.Flatten(name="flat")(layers.Add(name="sum")([a, b]))
    body = [layers.Dense(3, name="in1"), layers.Dense(2, name="in2", trainable=False)]
    inner = Sequential([layers.Input((256,)), *body], name="inner")
    return Model(x, [inner(f), inner(layers.Dense(256, name="d")(f))], name="net")


def test_a_graph_that_branches_says_what_is_connected():
    assert summary(branching(), line_length=108) == BRANCHING
    assert NESTED in summary(branching(), line_length=108, expand_nested=True, show_trainable=True)


def test_a_part_of_the_layers():
    text = summary(branching(), layer_range=("conv", "sum"))
    assert "conv (Conv2D)" in text
    assert "image (InputLayer)" not in text
    assert "flat (Flatten)" not in text
    with pytest.raises(ValueError, match="layer_range takes the names"):
        summary(branching(), layer_range=("conv", "nothing"))


def test_the_memory_of_training_is_foretold():
    # Compared with the memory that replayed steps hold.
    rng = np.random.default_rng(0)
    convolutions = [layers.Conv2D(7, 3, padding="same", activation="relu") for _ in range(2)]
    body = [*convolutions, layers.MaxPooling2D(), layers.BatchNormalization()]
    model = Sequential(
        [layers.Input((28, 28, 1)), *body, layers.Dropout(0.2), layers.Flatten(), layers.Dense(10, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(rng.normal(size=(256, 28, 28, 1)), rng.integers(0, 10, 256), batch_size=64, verbose=0)
    foretold = training_memory(model, 64)
    held = sum(program.bytes for program in model.replay.programs)
    weights = sum(w.data.nbytes for w in model.weights)
    slots = sum(v.data.nbytes for v in model.optimizer.variables)
    assert foretold["weights"] == weights
    assert foretold["optimizer"] == pytest.approx(slots, abs=16)
    assert sum(foretold.values()) == pytest.approx(held + weights + slots, rel=0.3)
    assert "Training memory at batch size 64: about " in summary(model, batch_size=64)
    with pytest.raises(ValueError, match="batch_size must be a positive integer"):
        summary(model, batch_size=0)
    with pytest.raises(ValueError, match="cannot be foretold"):
        summary(Sequential([layers.Dense(3)]), batch_size=8)
