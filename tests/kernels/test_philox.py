"""Philox4x32-10 against the known-answer vectors published with Random123, and against Python's integers."""

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels.philox import philox4x32, philox_rows

# Random123, tests/kat_vectors, philox4x32 with 10 rounds: counter, key, result.
VECTORS = [
    ((0x00000000,) * 4, (0x00000000,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
word = st.integers(0, 2**32 - 1)


@numba.njit
def _rows(counters, key):
    philox_rows(counters[0], counters[1], counters[2], counters[3], key[0], key[1])


def compiled(counter, key):
    rows = np.array(counter, np.uint32).T.copy()
    _rows(rows, np.array(key, np.uint32))
    return rows.T


def integers(counter, key):
    """The rounds in Python's integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(c[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(c[2] * 0xCD9E8D57, 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return tuple(c)


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_known_answers(counter, key, expected):
    words = philox4x32(np.array(counter, np.uint32), key)
    assert words.dtype == np.uint32
    assert tuple(words.tolist()) == expected
    assert tuple(compiled([counter], key)[0].tolist()) == expected


@given(st.lists(st.tuples(word, word, word, word), min_size=1, max_size=40), st.tuples(word, word))
def test_any_counter_and_key(counters, key):
    expected = [integers(counter, key) for counter in counters]
    array = np.array(counters, np.uint32)
    assert philox4x32(array, key).tolist() == [list(words) for words in expected]
    assert compiled(counters, key).tolist() == [list(words) for words in expected]


def test_counters_keep_their_shape():
    assert philox4x32(np.zeros((3, 5, 4), np.uint32), (1, 2)).shape == (3, 5, 4)
