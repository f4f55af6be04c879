"""Uniform numbers: the words they come from, their distribution,
and the compiled kernel against the reference.
"""

import numpy as np
import pytest

from tinynet.kernels import common
from tinynet.kernels.philox import philox4x32
from tinynet.kernels.uniform import uniform

from kernel_cases import assert_agree

WORDS = np.array([7, 9, 3], np.uint32)


@pytest.mark.parametrize("name", ["numba", "cuda"])
@pytest.mark.parametrize("shape", [(1,), (0, 3), (3, 5), (33, 2, 3), (64, 7), (200, 130)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_and_reference_give_the_same_numbers(name, shape, dtype):
    x = common.to_batch_last(np.zeros(shape, dtype))
    assert_agree(uniform[name](x, WORDS), uniform["numpy"](x, WORDS), 0.0, 0.0)


def test_a_number_is_the_upper_bits_of_its_word():
    word = philox4x32(np.array([3, 2, 9, 1], np.uint32), WORDS)[1]  # feature 2, block 1 of 8 counters, word 1
    assert uniform(np.zeros((64, 3)), WORDS)[32 + 8 + 1, 2] == (int(word) >> 8) / 2**24


def test_moments_and_distribution():
    u = uniform(np.zeros((200, 500), np.float32), WORDS).astype(float)
    n = u.size
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * np.sqrt(1 / 12 / n)
    assert abs(u.var() - 1 / 12) < 5 * np.sqrt(1 / 180 / n)
    distance = abs(np.sort(u.ravel()) - (np.arange(n) + 0.5) / n).max()
    assert distance < 1.95 / np.sqrt(n), "Kolmogorov and Smirnov's distance, exceeded once in a thousand"


def test_another_call_or_key_gives_other_numbers():
    x = np.zeros((64, 20))
    first = uniform(x, WORDS)
    for other in ([7, 9, 4], [7, 8, 3], [6, 9, 3]):
        second = uniform(x, np.array(other, np.uint32))
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 5 / np.sqrt(x.size)
