"""Every loss and every activation is replayed with the bits of the tape."""

import numpy as np
import pytest

from tinynet import activations, layers, losses
from tinynet.models import Sequential
from tinynet.utils import to_categorical

from replay_tools import same_bits

RNG = np.random.default_rng(2)
X = RNG.normal(size=(70, 6)).astype(np.float32)
LABELS = RNG.integers(0, 4, 70)
ONE_HOT = to_categorical(LABELS, 4)
REAL = RNG.normal(size=(70, 4)).astype(np.float32)
COUNTS = RNG.poisson(2.0, (70, 4))
SPARSE = losses.SparseCategoricalCrossentropy

# Loss, targets, activation of the last layer
LOSSES = {
    "mse": ("mse", REAL, None),
    "mae": (losses.MeanAbsoluteError(), REAL, None),
    "mape": ("mape", REAL, None),
    "msle": ("msle", abs(REAL), "softplus"),
    "huber": (losses.Huber(0.5), REAL, None),
    "huber, summed": (losses.Huber(reduction="sum"), REAL, None),
    "log_cosh": ("log_cosh", REAL, None),
    "cosine_similarity": ("cosine_similarity", REAL, None),
    "kl_divergence": ("kld", abs(REAL) / abs(REAL).sum(1, keepdims=True), "softmax"),
    "poisson": ("poisson", COUNTS, "softplus"),
    "hinge": ("hinge", np.sign(REAL), None),
    "hinge of bits": ("hinge", ONE_HOT, "tanh"),
    "squared_hinge": ("squared_hinge", ONE_HOT, None),
    "categorical_hinge": ("categorical_hinge", ONE_HOT, None),
    "binary": ("binary_crossentropy", ONE_HOT, "sigmoid"),
    "binary, of logits": (losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), ONE_HOT, None),
    "categorical": ("categorical_crossentropy", ONE_HOT, "softmax"),
    "categorical, of logits": (
        losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        ONE_HOT,
        None,
    ),
    "by shape": ("crossentropy", LABELS, "softmax"),
    "weighted mean": (SPARSE(from_logits=True, reduction="mean_with_sample_weight"), LABELS, None),
    "ignored class": (SPARSE(ignore_class=2), LABELS, "softmax"),
    "ignored label": (SPARSE(from_logits=True, ignore_class=255), np.where(LABELS == 1, 255, LABELS), None),
    "ignored, summed": (SPARSE(from_logits=True, ignore_class=0, reduction="sum"), LABELS, None),
}


WEIGHTS = RNG.uniform(size=70)


def net(*middle, last=None):
    head = [] if last is None else [layers.Activation(last)]
    return Sequential([layers.Input((6,)), layers.Dense(8), *middle, layers.Dense(4), *head])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_losses(name, weights):
    loss, y, last = LOSSES[name]
    same_bits(lambda: net(last=last), loss=loss, data=(X, y), optimizer="sgd", sample_weight=weights)


def test_no_loss_is_missing():
    given = [loss if isinstance(loss, str) else loss.fn.__name__ for loss, _, _ in LOSSES.values()]
    found = {loss if loss == "crossentropy" else losses.get(loss).__name__ for loss in given}
    others = {"as_loss", "deserialize", "get", "serialize"}
    assert {name for name in losses.__all__ if name.islower()} - others == found


def test_a_loss_along_the_batch():
    same_bits(net, loss=losses.CosineSimilarity(axis=0), data=(X, REAL), optimizer="sgd")


@pytest.mark.parametrize("name", sorted(set(activations._FUNCTIONS) - {"linear", "threshold"}))
def test_activations(name):
    same_bits(lambda: net(layers.Activation(name)))


LAYERS = {
    "relu": lambda: layers.ReLU(1.0, 0.1, 0.2),
    "softmax": lambda: layers.Softmax((1,)),
    "prelu": lambda: layers.PReLU(alpha_regularizer="l2"),
    "rrelu": layers.RReLU,
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    model = same_bits(lambda: net(LAYERS[name]()))
    if name == "rrelu":
        assert model.layers[1]._draw_count == 15, "new slopes at each replayed step"
