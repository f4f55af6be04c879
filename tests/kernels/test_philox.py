"""Philox4x32-10 against the known-answer vectors published with Random123, and against Python's integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.emit import VectorFunction, address, call_kernel, vectors
from tinynet.kernels.philox import Rounds, philox4x32

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


@common.serial
def _call(code, place):
    call_kernel(code, (place,))


def compiled(counter, key):
    """The same counter in all lanes of the vector code -> the words of each lane."""
    k = VectorFunction(vectors(np.float64), "out")
    philox = Rounds(k, (str(key[0]), str(key[1])))
    for i, word in enumerate(philox.words([philox.constant(c) for c in counter])):
        place = k.move(k.pointer("%out"), i * k.vectors.bytes)
        k.lines.append(f"  store {philox.type} {word}, ptr {place}, align 8")
    out = np.zeros((4, k.vectors.lanes), np.uint64)
    _call(address(k), out.ctypes.data)
    return (out & 0xFFFFFFFF).T


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
    assert compiled(counter, key).tolist() == [list(expected)] * len(compiled(counter, key))


@given(st.lists(st.tuples(word, word, word, word), min_size=1, max_size=40), st.tuples(word, word))
def test_any_counter_and_key(counters, key):
    expected = [integers(counter, key) for counter in counters]
    array = np.array(counters, np.uint32)
    assert philox4x32(array, key).tolist() == [list(words) for words in expected]
    assert compiled(counters[0], key)[-1].tolist() == list(expected[0])


def test_counters_keep_their_shape():
    assert philox4x32(np.zeros((3, 5, 4), np.uint32), (1, 2)).shape == (3, 5, 4)
