"""Normal numbers: a function of key, call, feature and sample, and normal."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common, threads
from tinynet.kernels.normal import normal
from tinynet.kernels.philox import philox4x32
from tinynet.replay.capture import Capture

from kernel_cases import arrange, assert_agree, batches, dtypes, orders, seeds

IMPLEMENTATIONS = ("numpy", "numba", "cuda")
WORDS = np.array([12345, 2**32 - 7, 3], np.uint32)


@pytest.mark.parametrize("name", IMPLEMENTATIONS[1:])
@given(batches, st.sampled_from([(1,), (5,), (3, 5, 2), (40, 40)]), dtypes, orders, seeds)
def test_compiled_agrees_with_reference(name, n, shape, dtype, order, seed):
    x = arrange(np.zeros((n, *shape), dtype), order)
    words = np.array([seed, 7, seed % 1000], np.uint32)
    z = normal[name](x, words)
    assert_agree(z, normal["numpy"](x, words), float32=1e-6, float64=1e-13)
    assert common.is_batch_last(z)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_each_number_has_its_own_words(name):
    """Box and Muller's formula on the words of one counter, for every sample and feature."""
    z = normal[name](np.zeros((70, 3, 2)), WORDS)
    for n in range(70):
        for f in range(6):
            counter = np.array([WORDS[2], f, n // 32 * 8 + n % 8, 1], np.uint32)
            word = n % 32 // 8
            w0, w1 = (int(w) for w in philox4x32(counter, WORDS)[word // 2 * 2 : word // 2 * 2 + 2])
            angle = 2 * math.pi * (w1 / 2**32 - 0.125)
            radius = math.sqrt(-2 * math.log((w0 + 1) / 2**32))
            expected = radius * (math.sin(angle) if word % 2 else math.cos(angle))
            assert abs(z[n].flat[f] - expected) < 1e-13


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_moments_and_tails(name):
    z = np.sort(normal[name](np.zeros((1000, 400)), WORDS).ravel())
    count = z.size
    for power, expected, spread in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):  # variance of z**power
        assert abs((z**power).mean() - expected) < 4.5 * math.sqrt(spread / count), power
    # Kolmogorov's statistic: below 1.95 / sqrt(count) with probability 0.999
    distribution = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in z[::40]])
    assert np.abs(distribution - np.arange(0, count, 40) / count).max() < 1.95 / math.sqrt(count)


def test_neighbours_calls_and_keys_are_independent():
    x = np.zeros((500, 200))
    z = normal(x, WORDS)
    other = [normal(x, WORDS + np.array(step, np.uint32)) for step in ([1, 0, 0], [0, 1, 0], [0, 0, 1])]
    pairs = [(z[1:], z[:-1]), (z[8:], z[:-8]), (z[:, 1:], z[:, :-1]), *((z, one) for one in other)]
    for a, b in pairs:
        assert abs((a * b).mean()) < 4.5 / math.sqrt(a.size)


def test_same_numbers_at_any_number_of_threads():
    x, before = np.zeros((100, 500), np.float32), threads.get_num_threads()
    found = []
    for count in (1, before):
        threads.set_num_threads(count)
        found.append(normal(x, WORDS).tobytes())
    assert found[0] == found[1]


def test_a_repetition_reads_the_words_anew():
    x, words = np.zeros((9, 5), np.float32), WORDS.copy()
    with Capture() as capture:
        z = normal(x, words)
    words[2] = 8
    capture.program.run()
    np.testing.assert_array_equal(z, normal(x, np.array([*WORDS[:2], 8], np.uint32)))
