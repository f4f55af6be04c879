"""Pooling with its options, in both data formats."""

from keras_fixtures.cases.nets import layer_trained
from keras_fixtures.harness import cases

FIRST = {"data_format": "channels_first"}
POOLS = {
    "max": lambda L, **f: L.MaxPooling2D(**f),
    "max_same": lambda L, **f: L.MaxPooling2D(3, padding="same", **f),
    "max_overlapping": lambda L, **f: L.MaxPooling2D((3, 2), strides=1, **f),
    "max_overlapping_same": lambda L, **f: L.MaxPooling2D(3, 1, "same", **f),
    "average": lambda L, **f: L.AveragePooling2D((2, 2), **f),
    "average_same": lambda L, **f: L.AveragePooling2D(3, padding="same", **f),
    "average_overlapping": lambda L, **f: L.AveragePooling2D((3, 2), strides=(1, 2), **f),
    "average_overlapping_same": lambda L, **f: L.AveragePooling2D(2, strides=1, padding="same", **f),
    "global_average": lambda L, **f: L.GlobalAveragePooling2D(**f),
    "global_max": lambda L, **f: L.GlobalMaxPooling2D(**f),
}
POOLS_1D = {
    "max": lambda L: L.MaxPooling1D(),
    "max_same": lambda L: L.MaxPooling1D(4, padding="same"),
    "max_strides": lambda L: L.MaxPooling1D(3, strides=2),
    "average": lambda L: L.AveragePooling1D(2),
    "average_same": lambda L: L.AveragePooling1D(4, strides=3, padding="same"),
}


@cases(
    {
        name + suffix: (make, form)
        for name, make in POOLS.items()
        for suffix, form in (("", {}), ("_first", FIRST))
    }
)
def pool2d(k, run, option):
    make, form = option
    return layer_trained(k, run, (4, 7, 6) if form else (7, 6, 4), make(k.layers, **form))


@cases({"average": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D"})
def keepdims(k, run, name):
    pool = getattr(k.layers, name)(keepdims=True)
    return layer_trained(k, run, (7, 6, 4), pool, k.layers.Conv2D(2, 1))


@cases(POOLS_1D)
def pool1d(k, run, make):
    return layer_trained(k, run, (9, 4), make(k.layers))


@cases({"max": "MaxPooling1D", "average": "AveragePooling1D"})
def pool1d_first(k, run, name):
    return layer_trained(k, run, (4, 9), getattr(k.layers, name)(2, **FIRST))


@cases(
    {
        "max": "MaxPool2D",
        "average": "AvgPool2D",
        "global_average": "GlobalAvgPool2D",
        "global_max": "GlobalMaxPool2D",
    }
)
def second_names(k, run, name):
    arguments = () if "Global" in name else (2,)
    return layer_trained(k, run, (7, 6, 4), getattr(k.layers, name)(*arguments))
