"""Initializers: limits and moments of what is drawn, seeds, and lookup."""

import json
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet import Sequential, initializers
from tinynet.backend import config, deviates, random
from tinynet.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    compute_fans,
)
from tinynet.layers import Dense, Input
from tinynet.models import load_model
from tinynet.random import SeedGenerator

RANDOM = [
    GlorotNormal, GlorotUniform, HeNormal, HeUniform, LecunNormal, LecunUniform, Orthogonal, RandomNormal,
    RandomUniform, TruncatedNormal, VarianceScaling,
]  # fmt: skip
DEVIATES = (400, 500)  # 200,000 of them: a sample deviation is right to 0.2 %, so 2 % never fails by chance


@pytest.mark.parametrize(
    ("shape", "fans"),
    [
        ((), (1, 1)),
        ((7,), (7, 7)),
        ((784, 10), (784, 10)),
        ((3, 3, 32, 64), (288, 576)),  # the receptive field, whatever the size of the image
        ((5, 2, 3), (10, 15)),
        ((3, 3, 8, 2), (72, 18)),  # depthwise: KH KW C, not KH KW 1
        ((1, 1, 16, 32), (16, 32)),  # pointwise
        ((3, 5, 4, 6), (60, 90)),  # transposed convolution (KH, KW, F, C): the roles are exchanged
    ],
)
def test_fans(shape, fans):
    assert compute_fans(shape) == fans


def test_fans_of_given_axes():
    assert compute_fans((4, 3, 5), input_axes=(0, 1), output_axes=(2,)) == (12, 5)
    values = HeUniform(seed=0, input_axes=(1,), output_axes=(0,))((200, 24))
    assert abs(values).max() == pytest.approx(math.sqrt(6 / 24), rel=0.01)


@pytest.mark.parametrize(
    ("initializer", "shape", "limit"),
    [
        (GlorotUniform, (784, 10), 0.08692914),
        (GlorotUniform, (784, 300), 0.07439795),
        (GlorotUniform, (3072, 100), 0.04349197),
        (GlorotUniform, (3, 3, 1, 32), 0.14213381),
        (GlorotUniform, (3, 3, 32, 64), 0.08333333),
        (HeUniform, (784, 300), 0.08748178),
        (LecunUniform, (784, 300), math.sqrt(3 / 784)),
    ],
)
def test_uniform_limits(initializer, shape, limit):
    values = initializer(seed=0)(shape)
    assert abs(values).max() <= limit * (1 + 1e-6)
    assert abs(values).max() > 0.95 * limit
    assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize(
    ("initializer", "variance"),
    [(GlorotNormal, 2 / 900), (HeNormal, 2 / 400), (LecunNormal, 1 / 400)],
)
def test_normal_variances_and_cut(initializer, variance):
    values = initializer(seed=0)(DEVIATES)
    assert values.std() == pytest.approx(math.sqrt(variance), rel=0.02)
    assert abs(values).max() <= 2 * math.sqrt(variance) / 0.87962566103423978 * (1 + 1e-6)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "normal", "untruncated_normal", "uniform"])
def test_variance_scaling(mode, distribution):
    n = {"fan_in": 400, "fan_out": 500, "fan_avg": 450}[mode]
    values = VarianceScaling(3.0, mode, distribution, seed=1)(DEVIATES)
    assert values.std() == pytest.approx(math.sqrt(3 / n), rel=0.02)
    assert abs(values.mean()) < 5 * math.sqrt(3 / n / values.size)


def test_truncated_normal_lies_within_two_deviations():
    values = TruncatedNormal(mean=1.0, stddev=0.5, seed=0)(DEVIATES)
    assert values.min() >= 0.0
    assert values.max() <= 2.0
    assert values.mean() == pytest.approx(1.0, abs=0.01)
    assert values.std() == pytest.approx(0.5 * 0.87962566103423978, rel=0.02)


def test_plain_distributions():
    normal, uniform = RandomNormal(2.0, 3.0, seed=0)(DEVIATES), RandomUniform(1.0, 3.0, seed=0)(DEVIATES)
    assert normal.mean() == pytest.approx(2, abs=0.05)
    assert normal.std() == pytest.approx(3, rel=0.02)
    assert abs(normal - 2).max() > 9  # not truncated
    assert (uniform.min(), uniform.max()) == (pytest.approx(1, abs=0.01), pytest.approx(3, abs=0.01))
    assert uniform.std() == pytest.approx(2 / math.sqrt(12), rel=0.02)


def normal_share(z):
    return 0.5 * (1 + np.vectorize(math.erf)(z / math.sqrt(2)))


def truncated_share(z):
    return (normal_share(z) - normal_share(-2)) / (1 - 2 * normal_share(-2))


@pytest.mark.parametrize(
    ("initializer", "share"),
    [
        (RandomUniform(-1.0, 3.0, seed=0), lambda x: (x + 1) / 4),
        (RandomNormal(2.0, 0.5, seed=0), lambda x: normal_share((x - 2) / 0.5)),
        (TruncatedNormal(2.0, 0.5, seed=0), lambda x: truncated_share((x - 2) / 0.5)),
        (GlorotUniform(seed=0), lambda x: 0.5 + x / 2 / math.sqrt(6 / 200)),
        (LecunNormal(seed=0), lambda x: truncated_share(x * 8.7962566)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_distributions(initializer, share):
    """Kolmogorov and Smirnov's distance between the drawn values and the distribution;
    1.95 / sqrt(n) once in a thousand.
    """
    values = np.sort(initializer((100, 100), "float64").ravel())
    n = values.size
    assert abs(share(values) - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)


@pytest.mark.parametrize("cls", RANDOM)
def test_neighbours_are_independent(cls):
    values = cls(seed=5)((200, 200), "float64")
    for a, b in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 5 / 200


@given(
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple),
    gain=st.floats(0.5, 2.0),
    seed=st.integers(0, 100),
)
def test_orthogonal(shape, gain, seed):
    matrix = Orthogonal(gain, seed)(shape, "float64").reshape(-1, shape[-1])
    rows, columns = matrix.shape
    product = matrix @ matrix.T if rows < columns else matrix.T @ matrix
    np.testing.assert_allclose(product, gain**2 * np.eye(min(rows, columns)), atol=1e-12)


def test_orthogonal_signs_are_not_those_of_the_decomposition():
    diagonals = [Orthogonal(seed=seed)((1, 1), "float64").item() for seed in range(20)]
    assert set(diagonals) == {-1.0, 1.0}


def test_constants():
    assert initializers.get("zeros")((2, 3)).sum() == 0
    assert initializers.get("ones")((2, 3)).sum() == 6
    np.testing.assert_array_equal(Constant(3)((2,)), [3, 3])
    np.testing.assert_array_equal(Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    np.testing.assert_array_equal(Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("cls", RANDOM)
def test_seeds(cls):
    shape = (4, 5)
    seeded = cls(seed=3)
    np.testing.assert_array_equal(seeded(shape), seeded(shape))  # stateless
    np.testing.assert_array_equal(seeded(shape), cls(seed=3)(shape))
    assert (seeded(shape) != cls(seed=4)(shape)).any()
    alike = cls(), cls()
    np.testing.assert_array_equal(alike[0](shape), alike[0](shape))
    assert (alike[0](shape) != alike[1](shape)).any()


@pytest.mark.parametrize("cls", RANDOM)
def test_a_seed_generator_gives_other_numbers_at_every_call(cls, tmp_path):
    """Keras's semantics, and descriptions start the generator anew."""
    seeds = SeedGenerator(3)
    made, shape = cls(seed=seeds), (7, 5)
    first, second = made(shape), made(shape)
    assert (first != second).any()
    assert seeds.state.numpy().tolist() == [3, 2]
    np.testing.assert_array_equal(first, cls(seed=3)(shape), err_msg="the first draw is that of the number")
    assert (cls(seed=seeds)(shape) != first).any(), "two initializers share their generator"
    assert made.get_config()["seed"] == {
        "module": "keras.random",
        "class_name": "SeedGenerator",
        "config": {"seed": 3, "name": "seed_generator"},
        "registered_name": None,
    }
    for again in (
        initializers.deserialize(initializers.serialize(made)),
        made.clone(),
        cls.from_config(made.get_config()),
    ):
        assert again.seed is not seeds
        np.testing.assert_array_equal(again(shape), first)
        np.testing.assert_array_equal(again(shape), second)
    kernel = {} if cls is Orthogonal else {"bias_initializer": cls(seed=4)}
    model = Sequential([Input((4,)), Dense(3, kernel_initializer=cls(seed=SeedGenerator(8)), **kernel)])
    model.save(tmp_path / "model.tinynet")
    loaded = load_model(tmp_path / "model.tinynet").layers[0].kernel_initializer
    np.testing.assert_array_equal(loaded((4, 3)), model.layers[0].kernel.numpy())


@pytest.mark.parametrize("cls", RANDOM)
@pytest.mark.parametrize("seed", [1.5, "a", -1, True, {"class_name": "Dense", "config": {"units": 3}}, [1]])
def test_other_seeds_are_refused(cls, seed):
    with pytest.raises(
        ValueError, match=f"{cls.__name__}: seed must be None, an integer >= 0 or a random.SeedGenerator"
    ):
        cls(seed=seed)


def test_global_seed_repeats_the_weights():
    def draw():
        random.set_seed(5)
        return [GlorotUniform()((3, 3)) for _ in range(2)]

    first, second = draw(), draw()
    np.testing.assert_array_equal(first, second)
    assert (first[0] != first[1]).any()


INDEPENDENT = [cls for cls in RANDOM if cls is not Orthogonal]
DRAWN = [  # the distribution, and what NumPy's generator draws for it in one go, in double precision
    (RandomNormal(2.0, 3.0, seed=4), lambda g, n: g.normal(2.0, 3.0, n)),
    (RandomUniform(-1.0, 5.0, seed=4), lambda g, n: g.uniform(-1.0, 5.0, n)),
    (TruncatedNormal(1.5, 0.25, seed=4), lambda g, n: 1.5 + 0.25 * redrawn(g, n)),
    (
        VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=4),
        lambda g, n: math.sqrt(2 / n) * g.standard_normal(n),
    ),
    (GlorotUniform(seed=4), lambda g, n: g.uniform(-math.sqrt(3 / n), math.sqrt(3 / n), n)),
    (LecunNormal(seed=4), lambda g, n: math.sqrt(1 / n) / 0.87962566103423978 * redrawn(g, n)),
]


def redrawn(generator, n):
    z = generator.standard_normal(n)
    while (outside := np.abs(z) > 2).any():
        z[outside] = generator.standard_normal(np.count_nonzero(outside))
    return z


@pytest.mark.parametrize(
    ("initializer", "draw"), DRAWN, ids=lambda value: getattr(type(value), "__name__", "")
)
@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 16])
def test_pieces_are_those_of_one_draw(monkeypatch, initializer, draw, piece):
    """Whatever is drawn at a time, also where the last piece is full, and where nothing is left to draw."""
    monkeypatch.setattr(deviates, "PIECE", piece)
    for n in (0, 1, 6, 7, 63, 64, 65, 448):
        expected = draw(random.host_generator(random.key_from_seed(4)), n) if n else np.empty(0)
        for dtype in ("float64", "float32"):
            np.testing.assert_array_equal(initializer((n,), dtype), expected.astype(dtype))
    if piece == 64:
        expected = draw(random.host_generator(random.key_from_seed(4)), 1)
        np.testing.assert_array_equal(initializer((), "float64"), expected[0])


@pytest.mark.parametrize("cls", [*INDEPENDENT, initializers.Zeros, initializers.Ones, Constant])
def test_a_large_weight_takes_no_more_memory_than_its_own(cls):
    initializer = cls() if cls not in RANDOM else cls(seed=1)
    initializer((10, 10))
    tracemalloc.start()
    try:
        value = initializer((1000, 3000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert value.nbytes == 12_000_000
    assert peak < 1.4 * value.nbytes + 5_000_000


@pytest.mark.parametrize(
    "make",
    [Constant(2.5), Constant([1.0, 2.0, 3.0]), initializers.Zeros(), initializers.Ones(), Identity()],
    ids=repr,
)
def test_constant_arrays_can_be_written_to(make):
    for dtype in ("float32", "float64"):
        value = make((2, 3), dtype)
        assert value.flags.writeable
        assert value.flags.c_contiguous
        before = value.copy()
        value += 1
        np.testing.assert_array_equal(value, before + 1)
        np.testing.assert_array_equal(make((2, 3), dtype), before)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (0, 0), (3, 3, 0, 4), (3, 0, 2, 4)])
def test_axes_of_size_0_give_no_numbers(shape, mode, distribution):
    value = VarianceScaling(mode=mode, distribution=distribution, seed=0)(shape)
    assert value.shape == shape
    assert value.dtype == np.float32


def test_limits_follow_the_fan():
    limits = [abs(VarianceScaling(1.0, "fan_in", "uniform", seed=0)((n, 20_000))).max() for n in (1, 2)]
    assert limits == pytest.approx([math.sqrt(3), math.sqrt(1.5)], rel=1e-3)


def test_defaults_are_those_of_keras():
    assert RandomNormal().get_config() == {"mean": 0.0, "stddev": 0.05, "seed": None}
    assert RandomUniform().get_config() == {"minval": -0.05, "maxval": 0.05, "seed": None}
    assert TruncatedNormal().get_config() == {"mean": 0.0, "stddev": 0.05, "seed": None}
    assert Orthogonal().get_config() == {"gain": 1.0, "seed": None}
    assert {**VarianceScaling().get_config(), "input_axes": 0, "output_axes": 0} == {
        "scale": 1.0, "mode": "fan_in", "distribution": "truncated_normal", "seed": None, "input_axes": 0,
        "output_axes": 0,
    }  # fmt: skip
    assert Constant().get_config() == {"value": 0.0}
    assert Identity().get_config() == {"gain": 1.0}
    assert GlorotUniform(seed=3).get_config()["seed"] == 3


@pytest.mark.parametrize("seed", [True, False, 1.0, "1", -1, [1]])
def test_seeds_that_are_none_are_refused(seed):
    with pytest.raises(
        ValueError, match=r"HeNormal: seed must be None, an integer >= 0 or a random.SeedGenerator, got"
    ):
        HeNormal(seed=seed)


def test_seed_0_is_a_seed():
    np.testing.assert_array_equal(HeNormal(seed=0)((5,)), HeNormal(seed=np.int64(0))((5,)))
    assert (HeNormal(seed=0)((5,)) != HeNormal(seed=1)((5,))).all()


def test_dtypes():
    assert HeNormal()((2, 2)).dtype == np.float32
    assert HeNormal()((2, 2), "float64").dtype == np.float64
    try:
        config.set_floatx("float64")
        assert HeNormal()((2, 2)).dtype == np.float64
    finally:
        config.set_floatx("float32")


@pytest.mark.parametrize("cls", [*RANDOM, Constant, Identity, initializers.Zeros, initializers.Ones])
def test_lookup_and_configuration(cls):
    snake = "".join("_" + c.lower() if c.isupper() else c for c in cls.__name__)[1:]
    for identifier in (cls.__name__, snake, cls):
        assert type(initializers.get(identifier)) is cls
    original = cls() if cls not in RANDOM else cls(seed=9)
    copy = initializers.get(initializers.serialize(original))
    assert type(copy) is cls
    np.testing.assert_array_equal(copy((3, 4)), original((3, 4)))


def test_other_identifiers():
    assert initializers.get(None) is None
    assert type(initializers.get("normal")) is RandomNormal
    assert type(initializers.get("uniform")) is RandomUniform
    function = np.zeros
    assert initializers.get(function) is function
    array = np.arange(6.0).reshape(2, 3)
    value = initializers.get(array)((2, 3))
    np.testing.assert_array_equal(value, array)
    assert value is not array
    with pytest.raises(ValueError, match=r"shape \(2, 3\), the variable \(3, 2\)"):
        initializers.get(array)((3, 2))


def test_names_of_keras():
    aliases = {
        "one": initializers.Ones,
        "zero": initializers.Zeros,
        "OrthogonalInitializer": Orthogonal,
        "he_normal": HeNormal,
    }
    for name, cls in aliases.items():
        assert type(initializers.get(name)) is cls
    assert initializers.glorot_uniform is GlorotUniform
    assert VarianceScaling(distribution="Uniform").distribution == "uniform"


def test_configurations_are_plain():
    array = np.arange(6.0).reshape(2, 3)
    for initializer in (
        Constant(array),
        initializers.get(array),
        VarianceScaling(2.0, input_axes=(0,), output_axes=[1]),
    ):
        copy = initializers.deserialize(json.loads(json.dumps(initializers.serialize(initializer))))
        assert type(copy) is type(initializer)
    np.testing.assert_array_equal(
        initializers.deserialize(initializers.serialize(Constant(array)))((2, 3)), array
    )


def test_ones_own():
    class Diagonal(initializers.Initializer):
        def __init__(self, value):
            self.value = value

        def __call__(self, shape, dtype=None):
            return np.eye(*shape, dtype=dtype or "float32") * self.value

    copy = Diagonal(3).clone()
    np.testing.assert_array_equal(copy((2, 2)), [[3, 0], [0, 3]])
    with pytest.raises(TypeError, match="must define _draw_values"):
        initializers.Initializer()((2, 2))


def test_a_copy_without_a_seed_draws_other_values():
    original, seeded = HeNormal(), HeNormal(seed=1)
    assert (original.clone()((3, 3)) != original((3, 3))).any()
    np.testing.assert_array_equal(seeded.clone()((3, 3)), seeded((3, 3)))


@pytest.mark.parametrize("value", [None, "1", [1.0], object, True, np.nan, np.inf], ids=str)
@pytest.mark.parametrize(
    ("cls", "argument"),
    [(RandomNormal, "mean"), (RandomNormal, "stddev"), (TruncatedNormal, "mean"), (TruncatedNormal, "stddev"),
     (RandomUniform, "minval"), (RandomUniform, "maxval"), (VarianceScaling, "scale"), (Orthogonal, "gain"),
     (Identity, "gain")],
)  # fmt: skip
def test_settings_that_are_no_numbers_are_refused(cls, argument, value):
    with pytest.raises((TypeError, ValueError), match=f"^{cls.__name__}: {argument} must be"):
        cls(**{argument: value})


@pytest.mark.parametrize("shape", [None, "33", (2.5, 3), (True, 3), ("3", 3), (None, 3)], ids=str)
@pytest.mark.parametrize("cls", [Zeros, Ones, Constant, RandomNormal, GlorotUniform, Orthogonal])
def test_shapes_of_other_things_than_integers_are_refused(cls, shape):
    with pytest.raises(TypeError, match=f"^{cls.__name__}: shape must be"):
        cls()(shape)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-1.0, 0.0), (0.1, 0.3), (-3.0, -0.7), (2.0, 2.0), (-1e-9, 1e-9)]
)
def test_uniform_numbers_are_below_the_upper_bound_in_every_format(dtype, low, high):
    """1 - 2**-53 is below 1, and 1 as float32."""

    class Last:
        def uniform(self, low, high, size):
            return np.full(size, max(np.nextafter(high, -np.inf), low))

    values = deviates.uniform(Last(), (3,), dtype, low, high).astype("float64")
    assert (values < high).all() if low < high else (values == high).all()
    assert np.abs(values - high).max() <= 2 * np.spacing(np.dtype(dtype).type(abs(high)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot_unifrm"), "glorot_uniform"),
        (lambda: initializers.get(3), "initializer identifier 3"),
        (lambda: VarianceScaling(scale=0.0), "scale must be positive, got 0"),
        (lambda: VarianceScaling(scale=-1.0), "scale must be positive, got -1"),
        (lambda: VarianceScaling(mode="fan"), "mode"),
        (lambda: VarianceScaling(distribution="cauchy"), "distribution"),
        (lambda: Orthogonal()((3,)), "two axes"),
        (lambda: Identity()((3, 3, 3)), "matrices"),
        (lambda: HeNormal(seed=-1), "seed"),
        (lambda: RandomUniform(1.0, 0.5), "RandomUniform: maxval must be at least 1.0, got 0.5"),
        (lambda: RandomNormal(stddev=-1.0), "RandomNormal: stddev must be at least 0, got -1.0"),
        (lambda: Zeros()((-1, 2)), "Zeros: shape must be at least 0, got -1"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
