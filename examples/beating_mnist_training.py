"""How the nets of "Beating MNIST" are trained: one `fit`, several at other rates, augmented images."""

import math
from typing import Any

from beating_mnist_models import build, generator

from tinynet import optimizers
from tinynet.schedules import CosineDecay

from shared.data import scalars
from shared.training import fit, joined

RATE = 0.001  # Adam's default
SIGMOID_RATE = 0.002  # the highest one of Model 3, improved: a sigmoid passes back a quarter at most
AUGMENTED_BATCH, AUGMENTED_RATE = 128, 0.003  # the highest rate of the improved arms
# Model 11: (rate, epochs, augmented); the images as they are come 64 at a time, augmented ones 128.
ANNEALING = (
    (1e-4, 1, False),
    (1e-2, 3, False),
    (1e-2, 4, True),
    (1e-3, 5, True),
    (1e-4, 5, True),
    (1e-5, 5, True),
)
EPOCHS = 23  # of Model 11


def net_for(learn: Any, model: int, improved: bool = False) -> Any:
    return build(model, *scalars(learn[0]), improved)


def ready(net: Any, rate: Any = RATE) -> Any:
    """The net with Adam. The loss is that of probabilities: they are clipped to 1e-7 .. 1 - 1e-7."""
    net.compile(optimizers.Adam(rate), "categorical_crossentropy", metrics=["accuracy"])
    return net


def falling(rate: float, images: int, batch: int, epochs: int) -> Any:
    """A rate that falls to 0 in a half cosine, once per step."""
    return CosineDecay(rate, math.ceil(images / batch) * epochs)


def plain(net: Any, learn: Any, test: Any, batch: int, epochs: int, rate: Any) -> dict[str, Any]:
    """Models 1 to 9: one `fit`."""
    return fit(ready(net, rate), *learn, batch_size=batch, epochs=epochs, validation_data=test)


def trained_on(net: Any, learn: Any, test: Any, rate: float) -> dict[str, Any]:
    """Model 1, ten epochs, and then five at another rate."""
    ready(net)
    parts = []
    for epochs, now in ((10, RATE), (5, rate)):
        net.optimizer.learning_rate = now
        parts.append(fit(net, *learn, batch_size=32, epochs=epochs, validation_data=test))
    return joined(*parts)


def augmented(net: Any, learn: Any, test: Any, epochs: int, seed: int, improved: bool) -> dict[str, Any]:
    """Model 10: every image is seen differently each time."""
    rate = falling(AUGMENTED_RATE, len(learn[0]), AUGMENTED_BATCH, epochs) if improved else RATE
    ready(net, rate)
    stream = generator().flow(*learn, batch_size=AUGMENTED_BATCH, seed=seed)
    return fit(net, stream, epochs=epochs, validation_data=test)


def model_11(row: Any, learn: Any, test: Any, seed: int) -> dict[str, Any]:
    """Model 11, and the five epochs that came after it."""
    net = net_for(learn, 9, row.arm == "improved")
    if row.arm == "improved":
        return augmented(net, learn, test, EPOCHS, seed, True)
    phases = [(rate if row.arm == "as intended" else 1e-4, *rest) for rate, *rest in ANNEALING]
    if row.id == "S1-19":
        phases = (
            [*phases, (1e-7, 5, True)] if row.arm == "as intended" else [(RATE, 10, True), (RATE, 5, True)]
        )
    ready(net)
    stream, parts = generator().flow(*learn, batch_size=AUGMENTED_BATCH, seed=seed), []
    for rate, epochs, turned in phases:
        net.optimizer.learning_rate = rate
        images: Any = (stream,) if turned else learn
        batch = {} if turned else {"batch_size": 64}
        parts.append(fit(net, *images, epochs=epochs, validation_data=test, **batch))
    record = joined(*parts)
    if row.id == "S1-19":  # all test images in one batch, as S1-22 does it
        record["probabilities"] = net.predict(test[0], batch_size=len(test[0]), verbose=0)
    return record
