"""Seeds of the layers that draw: 0 is one, and what is none is refused."""

import numpy as np
import pytest

from tinynet import layers
from tinynet.layers.seeded import Seeded


def subclasses(cls):
    return {one for sub in cls.__subclasses__() for one in (sub, *subclasses(sub))}


ARGUMENTS = {
    "AlphaDropout": (0.5,), "Dropout": (0.5,), "GaussianDropout": (0.5,), "GaussianNoise": (0.5,),
    "RReLU": (),
    "RandomFlip": (), "RandomRotation": (0.2,), "RandomShear": (0.5, 0.5), "RandomTranslation": (0.5, 0.5),
    "RandomZoom": (0.5, 0.5), "SpatialDropout1D": (0.5,), "SpatialDropout2D": (0.5,),
}  # fmt: skip


def drawn(name, seed):
    """What a layer makes of the same images, twice."""
    layer = getattr(layers, name)(*ARGUMENTS[name], seed=seed)
    x = (
        np.random.default_rng(0)
        .normal(size=(16, 5, 6) if name.endswith("1D") else (16, 5, 6, 3))
        .astype(np.float32)
    )
    return [layer(x, training=True).numpy().copy() for _ in range(2)]


def test_every_layer_that_draws_is_here():
    public = {cls.__name__ for cls in subclasses(Seeded) if getattr(layers, cls.__name__, None) is cls}
    assert public == set(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("seed", [0, np.int64(0), 2**32 - 1])
def test_a_seed_says_what_is_drawn(name, seed):
    first, again, other = drawn(name, seed), drawn(name, seed), drawn(name, 1)
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any(), "the second draw is another one"
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_without_a_seed_every_layer_draws_its_own(name):
    assert (drawn(name, None)[0] != drawn(name, None)[0]).any()


@pytest.mark.parametrize("name", ARGUMENTS)
@pytest.mark.parametrize("seed", [-1, True, False, 1.0, "0"])
def test_what_is_no_seed_is_refused(name, seed):
    with pytest.raises(ValueError, match="seed must be an integer >= 0 or None, got"):
        getattr(layers, name)(*ARGUMENTS[name], seed=seed)
