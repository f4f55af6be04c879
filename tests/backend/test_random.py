import numpy as np
import pytest

from tinynet.backend import random


def test_the_same_seed_gives_the_same_keys_and_draws():
    random.set_seed(5)
    first = [random.next_key() for _ in range(3)]
    random.set_seed(5)
    assert [random.next_key() for _ in range(3)] == first
    assert len(set(first)) == 3
    draws = [random.host_generator(first[0]).random(4) for _ in range(2)]
    np.testing.assert_array_equal(*draws)


def test_streams_differ_by_key_and_by_call():
    draws = [
        random.host_generator(key, call).random(8) for key in ((1, 0), (1, 1), (2, 0)) for call in (0, 1)
    ]
    assert len({tuple(d) for d in draws}) == 6


def test_calls_of_one_key_do_not_overlap():
    # NumPy's Philox counts blocks in the lowest words; the call sits in the highest, 2**192 blocks away.
    long = random.host_generator((3, 4), 0).random(10_000)
    assert not np.isin(random.host_generator((3, 4), 1).random(100), long).any()


def test_explicit_seeds_never_meet_the_global_sequence():
    random.set_seed(7)
    assert random.key_from_seed(7) not in {random.next_key() for _ in range(1000)}
    assert random.key_from_seed(7) == random.key_from_seed(7) != random.key_from_seed(8)


def test_seeds_wider_than_a_word_are_folded_into_one():
    random.set_seed(2**40 + 3)
    assert all(0 <= word < 2**32 for word in random.next_key())


@pytest.mark.parametrize("seed", [-1, 1.5, "a", None, True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="integer >= 0"):
        random.set_seed(seed)


def test_a_state_is_where_keys_go_on():
    random.set_seed(11)
    random.next_key()
    state = random.state()
    expected = [random.next_key() for _ in range(3)]
    random.set_seed(12)
    random.set_state(state)
    assert [random.next_key() for _ in range(3)] == expected
    assert state == {"seed": 11, "drawn": 1}
    state["drawn"] = 99
    assert random.state()["drawn"] == 4, "a state is a copy"


def test_keys_count_from_0_under_the_seed():
    random.set_seed(3)
    assert [random.next_key() for _ in range(3)] == [(3, 0), (3, 1), (3, 2)]
    random.set_seed(0)
    assert random.next_key() == (0, 0)
    assert random.key_from_seed(0)[0] == 0
    assert random.key_from_seed(2**32 + 5) == random.key_from_seed(5 ^ 1)
