"""Augmentation layers whose range is a single value, so that nothing is left to chance;
`training` is their default.
"""

import numpy as np

from keras_fixtures.cases.nets import layer_trained
from keras_fixtures.harness import case, cases

TRANSFORMS = {
    "rotation": lambda L, **s: L.RandomRotation((0.1, 0.1), **s),
    "translation": lambda L, **s: L.RandomTranslation((0.3, 0.3), (-0.2, -0.2), **s),
    "zoom_out": lambda L, **s: L.RandomZoom((0.4, 0.4), **s),
}
WITHIN = {
    "rotation_half": lambda L: L.RandomRotation((0.5, 0.5)),
    "zoom_in": lambda L: L.RandomZoom((-0.4, -0.4), (-0.2, -0.2)),
}
FILLS = {
    "reflect": {},
    "constant": {"fill_mode": "constant"},
    "constant_value": {"fill_mode": "constant", "fill_value": 0.7},
    "nearest": {"fill_mode": "nearest"},
    "wrap": {"fill_mode": "wrap"},
    "nearest_pixel": {"interpolation": "nearest", "fill_mode": "constant"},
}


@cases({f"{name}-{fill}": (make, FILLS[fill]) for name, make in TRANSFORMS.items() for fill in FILLS})
def transformed(k, run, option):
    make, settings = option
    images = run.uniform(2, 7, 6, 3)
    layer = make(k.layers, **settings)
    return {
        "images": k.ops.convert_to_numpy(layer(images)),
        "inference": k.ops.convert_to_numpy(layer(images, training=False)),
    }


@cases(WITHIN)
def within(k, run, make):
    """Where no pixel comes from outside of the image."""
    return {"images": k.ops.convert_to_numpy(make(k.layers)(run.uniform(2, 7, 6, 3)))}


@cases(TRANSFORMS)
def channels_first(k, run, make):
    layer = make(k.layers, data_format="channels_first")
    return {"images": k.ops.convert_to_numpy(layer(run.uniform(2, 3, 7, 6), training=True))}


@case
def trained(k, run):
    """In a model: active in fit, not in predict; gradients pass to the layer before."""
    layers = [k.layers.RandomRotation((0.1, 0.1)), k.layers.RandomZoom((0.2, 0.2)), k.layers.Conv2D(2, 3)]
    return layer_trained(k, run, (7, 6, 3), *layers)


@case
def bytes_of_an_image(k, run):
    images = run.labels(2, 6, 6, 1, classes=256).astype(np.uint8)
    layer = k.layers.RandomTranslation((0.5, 0.5), (0.0, 0.0), fill_mode="constant")
    return {"images": k.ops.convert_to_numpy(layer(images))}
