"""tinynet.random: distributions, and what the seeds mean."""

import numpy as np
import pytest

import tinynet
from tinynet import random
from tinynet.backend import random as keys
from tinynet.random import SeedGenerator

N = 20_000


def test_distributions():
    z = random.normal((N,), mean=2.0, stddev=3.0, seed=1).numpy()
    assert z.dtype == np.float32
    assert abs(z.mean() - 2) < 5 * 3 / N**0.5
    assert abs(z.std() / 3 - 1) < 5 / (2 * N) ** 0.5
    t = random.truncated_normal((N,), stddev=2.0, seed=1).numpy()
    assert abs(t).max() <= 4
    assert abs(t.std() / 2 - 0.8796) < 0.02, "the standard deviation of a normal cut off at 2"
    u = random.uniform((N,), -1.0, 3.0, seed=1).numpy()
    assert u.min() >= -1
    assert u.max() <= 3
    assert abs(u.mean() - 1) < 5 * 4 / 12**0.5 / N**0.5
    i = random.randint((N,), 2, 5, seed=1).numpy()
    assert sorted(set(i.tolist())) == [2, 3, 4]
    assert i.dtype == np.int32


@pytest.mark.parametrize("dtype", [None, "float64"])
def test_numbers_are_those_of_one_draw_in_double_precision(dtype):
    def generator():
        return keys.host_generator(keys.key_from_seed(6))

    shape = (300, 301)
    for found, expected in (
        (random.normal(shape, 2.0, 3.0, dtype, seed=6), generator().normal(2.0, 3.0, shape)),
        (random.uniform(shape, 2.0, 3.0, dtype, seed=6), generator().uniform(2.0, 3.0, shape)),
        (random.randint(shape, 2, 30, "int64", seed=6), generator().integers(2, 30, shape)),
    ):
        array = found.numpy()
        assert array.dtype == (array.dtype if array.dtype.kind == "i" else dtype or "float32")
        np.testing.assert_array_equal(array, expected.astype(array.dtype))
    cut = random.truncated_normal(shape, 2.0, 3.0, dtype, seed=6).numpy()
    first = generator().standard_normal(shape)
    kept = abs(first) <= 2
    np.testing.assert_array_equal(cut[kept], (2.0 + 3.0 * first[kept]).astype(cut.dtype))
    assert abs(cut - 2).max() <= 6.001
    assert (abs(cut[~kept] - 2) < 6).all()


def test_defaults_are_standard():
    for call, moments in (
        (random.normal, (0, 1)),
        (random.uniform, (0.5, 12**-0.5)),
        (random.truncated_normal, (0, 0.8796)),
    ):
        values = call((100_000,), seed=0).numpy().astype(float)
        assert (values.mean(), values.std()) == (
            pytest.approx(moments[0], abs=0.01),
            pytest.approx(moments[1], rel=0.01),
        )


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), [2, 3]])
def test_shapes(shape):
    for call in (random.normal, random.uniform, random.truncated_normal):
        assert call(shape, seed=1).numpy().shape == tuple(shape)
    assert random.randint(shape, 0, 3, seed=1).numpy().shape == tuple(shape)


def test_seeds():
    assert (random.normal((3,), seed=5).numpy() == random.normal((3,), seed=5).numpy()).all(), (
        "an integer: always the same"
    )
    generator, again = SeedGenerator(5), SeedGenerator(5)
    first, second = random.normal((3,), seed=generator).numpy(), random.normal((3,), seed=generator).numpy()
    assert (first != second).all(), "a generator: others each time"
    assert (random.normal((3,), seed=again).numpy() == first).all()
    tinynet.utils.set_random_seed(3)
    a, b = random.uniform((3,)).numpy(), random.uniform((3,)).numpy()
    tinynet.utils.set_random_seed(3)
    assert (a != b).all()
    assert (random.uniform((3,)).numpy() == a).all()
    with pytest.raises(ValueError, match="seed must be an integer, a SeedGenerator or None"):
        random.normal((3,), seed=1.5)


def test_shuffle_keeps_the_parts_together():
    x = np.arange(12.0).reshape(6, 2)
    y = random.shuffle(x, seed=2).numpy()
    assert not (y == x).all()
    np.testing.assert_array_equal(y[np.argsort(y[:, 0])], x)
    np.testing.assert_array_equal(np.sort(random.shuffle(x, axis=1, seed=4).numpy(), axis=1), x)


def test_a_sampling_layer_of_ones_own():
    class Sampling(tinynet.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.seed_generator = SeedGenerator(1)

        def call(self, inputs):
            mean, log_variance = inputs
            noise = random.normal(mean.shape, seed=self.seed_generator)
            return mean + tinynet.ops.exp(0.5 * log_variance) * noise

    layer = Sampling()
    zeros = np.zeros((500, 4), np.float32)
    first, second = layer([zeros, zeros]).numpy(), layer([zeros, zeros]).numpy()
    assert abs(first.std() - 1) < 0.1
    assert (first != second).any()


def test_the_state_of_a_seed_generator():
    """Keras's: the seed and the number of draws so far;
    another generator with that state goes on as this one.
    """
    tinynet.utils.set_random_seed(4)
    for made in (SeedGenerator(7), SeedGenerator(), SeedGenerator(2**40 + 3)):
        start = made.state.numpy()
        assert start.dtype == np.uint32
        assert made.next().numpy().tolist() == [*start[:1], 0]
        random.normal((3,), seed=made)
        assert made.state.numpy().tolist() == [*start[:1], 2]
        other = SeedGenerator(1)
        other.state.assign(made.state)
        np.testing.assert_array_equal(random.normal((5,), seed=other), random.normal((5,), seed=made))
    assert SeedGenerator(7).state.numpy().tolist() == [7, 0]
    assert SeedGenerator(7, name="a").state.path == "a/seed_generator_state"
    assert (random.normal((5,), seed=SeedGenerator(7)).numpy() == random.normal((5,), seed=7).numpy()).all()


def test_seed_generators_without_a_seed_follow_from_the_global_one():
    def states():
        tinynet.utils.set_random_seed(4)
        return [SeedGenerator().state.numpy().tolist() for _ in range(3)]

    assert states() == states()
    assert len({tuple(state) for state in states()}) == 3


def test_configurations_of_seed_generators():
    made = SeedGenerator(7, name="mine")
    made.next()
    assert made.get_config() == {"seed": 7, "name": "mine"}
    assert SeedGenerator.from_config(made.get_config()).state.numpy().tolist() == [7, 0]
    assert SeedGenerator().get_config()["seed"] is None
    for wrong in (1.5, "a", True, SeedGenerator(1)):
        with pytest.raises(ValueError, match="seed must be an integer or None"):
            SeedGenerator(wrong)
