"""How many helpers the pool asks for: by delays and speeds that are made up, on a clock of the test's own."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinynet.kernels import thread_pool
from tinynet.kernels.thread_pool import helpers, memory, system

pytestmark = pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
MILLISECOND = 1_000_000


def test_the_clock_is_that_of_the_system():
    scratch = np.zeros(16, np.int64)
    before = time.monotonic_ns()
    read = [system.clock(scratch.ctypes.data) for _ in range(3)]
    time.sleep(1.1)  # into another second
    read += [system.clock(scratch.ctypes.data)]
    assert before <= read[0] <= read[1] <= read[2]
    assert read[2] + 1_100_000_000 <= read[3] <= time.monotonic_ns()


class Pool:
    """The memory of a pool without threads, in which time passes as it is told to."""

    def __init__(self, helpers):
        self.block = np.zeros(memory.SIZE // 8 + 512, np.int64)
        self.place = self.block.ctypes.data + -self.block.ctypes.data % 4096
        self.words = self.block[(self.place - self.block.ctypes.data) // 8 :]
        self.words[memory.LIMIT // 8] = self.words[memory.LEVEL // 8] = helpers
        self.now = 10**15

    @property
    def level(self):
        return int(self.words[memory.LEVEL // 8])

    def launches(self, count, milliseconds):
        """So many launches in so much time; the levels that they had."""
        levels = []
        for _ in range(count):
            self.now += milliseconds * MILLISECOND // count
            self.words[memory.NUMBER // 8] += 1
            levels.append(helpers.arrange(self.place, self.now))
        return levels

    def delays(self, milliseconds, count):
        """So many delays within 10 ms."""
        for _ in range(count):
            self.now += 10 * MILLISECOND // count
            helpers.late(self.place, self.now, int(milliseconds * MILLISECOND))

    def long_launches(self, count, milliseconds, ran):
        """So many launches of so many milliseconds, in which the thread that
        launches had its core for `ran` of them.
        """
        work = self.words[memory.WORK // 8]
        self.words[memory.READ // 8] = self.now
        for _ in range(count):
            begin, self.now, work = (
                self.now,
                self.now + int(milliseconds * MILLISECOND),
                work + int(ran * MILLISECOND),
            )
            helpers.kept(self.place, begin, self.now, work)
            self.launches(1, 0)

    def trial(self, speeds):
        """Runs at the speed, in launches a millisecond, that each level has,
        until a level stays for 300 ms; the level.
        """
        tried, stays = [], 0
        while stays < 60:
            before = self.level
            self.launches(5 * speeds[before], 5)
            stays = stays + 1 if self.level == before else 0
            tried += [before] if before not in tried[-1:] else []
        return self.level, tried


def test_a_quiet_machine_keeps_its_helpers():
    shared = Pool(3)
    for _ in range(300):
        assert set(shared.launches(20, 10)) == {3}
        shared.delays(0.6, 1) if shared.now % 7 == 0 else None
    for _ in range(100):  # a delay now and then, less than a fiftieth of the time
        shared.launches(20, 100)
        shared.delays(1.5, 1)
    assert shared.level == 3


@pytest.mark.parametrize(
    ("helpers", "speeds", "best"),
    [
        (1, {1: 10, 0: 12, -1: 11}, 0),
        (1, {1: 20, 0: 12, -1: 11}, 1),
        (1, {1: 5, 0: 8, -1: 10}, -1),
        (1, {1: 10, 0: 20, -1: 23}, 0),
        (1, {1: 12, 0: 10, -1: 13}, 1),
        (8, {8: 10, 6: 14, 4: 12, 0: 5, -1: 5}, 6),
        (8, {8: 10, 6: 11, 4: 15, 0: 5, -1: 5}, 4),
        (8, {8: 10, 6: 11, 4: 9, 0: 5, -1: 20}, -1),
    ],
)
def test_delays_bring_trials_and_the_fastest_stays(helpers, speeds, best):
    shared = Pool(helpers)
    shared.launches(100, 100)
    shared.delays(2, 3)
    level, tried = shared.trial(speeds)
    assert level == best
    assert set(tried) == set(speeds), "each was tried"


def test_all_helpers_are_asked_for_again_and_seldom_if_they_do_not_come():
    shared, speeds, waited = Pool(1), {1: 5, 0: 10, -1: 9}, []
    for _ in range(5):
        shared.launches(10, 10)
        shared.delays(2, 3)
        shared.trial(speeds)
        assert shared.level == 0
        begin = shared.now
        while shared.level == 0:
            shared.launches(1, 5)
        waited.append((shared.now - begin) / 1e9)
    assert [round(seconds, 1) for seconds in waited] == sorted(round(seconds, 1) for seconds in waited)
    assert waited[0] < 1.1
    assert 3 < waited[-1] < 4.1
    shared.launches(100, 60_000)  # a minute without delays
    assert shared.level == 1
    shared.delays(2, 3)
    shared.trial(speeds)
    begin = shared.now
    while shared.level == 0:
        shared.launches(1, 5)
    assert (shared.now - begin) / 1e9 < 1.1


def test_one_delay_is_not_enough_however_long():
    shared = Pool(1)
    for _ in range(10):
        shared.delays(50, 1)
        shared.launches(10, 400)
    assert shared.level == 1
    assert shared.words[memory.TRIAL // 8] == 0
    shared.delays(50, 2)
    assert shared.words[memory.TRIAL // 8] == 1


def test_a_thread_that_others_keep_from_its_core_tries_other_levels():
    shared = Pool(1)
    shared.long_launches(100, 5, ran=5)  # long because there is much to do
    shared.long_launches(100, 5, ran=4.8)
    assert shared.words[memory.DELAYS // 8] == 0
    shared.long_launches(2, 5, ran=1)
    assert shared.words[memory.TRIAL // 8] == 1
    assert shared.trial({1: 5, 0: 10, -1: 8}) == (0, [0, -1, 1, 0])


def test_time_before_a_launch_is_not_lost_in_it():
    """The thread slept after its processor time was read, then launched at once."""
    shared = Pool(1)
    shared.words[memory.READ // 8] = shared.now
    for _ in range(50):
        shared.now += 900_000
        helpers.kept(shared.place, shared.now, shared.now + 100_000, 0)
    assert shared.words[memory.DELAYS // 8] == 0


def test_processor_time_is_read_anew_for_another_thread_and_after_a_while():
    shared = Pool(1)

    def read(after):
        """Whether it is read, by the thread that asks."""
        shared.now += after
        shared.words[memory.WORK // 8] = -1
        helpers.watch(shared.place, shared.now)
        return bool(shared.words[memory.WORK // 8] != -1)

    assert [read(after) for after in (0, 0, 999_999, 2, 1_000_000)] == [True, False, False, True, False]
    with ThreadPoolExecutor(1) as other:
        assert other.submit(read, 0).result()
    assert [read(0), read(0)] == [True, False]
    shared.words[memory.LEVEL // 8] = 0
    assert read(0), "another clock: that of all threads"
    assert not read(0)


def resting(shared):
    """A pool whose best level, 0, has just been found for the second time: it stays for two seconds."""
    speeds = {1: 5, 0: 10, -1: 9}
    for _ in range(2):
        while shared.level != 1:
            shared.launches(1, 5)
        shared.delays(2, 3)
        while shared.words[memory.TRIAL // 8]:
            shared.launches(5 * speeds[shared.level], 5)
    assert shared.level == 0
    return shared.now


def test_where_others_have_left_all_helpers_are_asked_for_soon():
    shared = Pool(1)
    begin = resting(shared)
    while shared.now - begin < 1000 * MILLISECOND:
        shared.long_launches(1, 6, ran=2)
        shared.launches(30, 30)
    assert shared.level == 0, "others have this core now and then"
    left = shared.now
    while shared.level == 0:
        shared.launches(1, 5)
    assert 150 < (shared.now - left) / MILLISECOND < 220
    shared.delays(2, 3)
    assert shared.level == 0, "they are back"

    shared = Pool(1)
    begin = resting(shared)  # nobody wanted this core: who keeps another one may still be there
    while shared.level == 0:
        shared.launches(1, 5)
    assert 1900 < (shared.now - begin) / MILLISECOND < 2100


def tried_at(speeds, seconds):
    """When trials begin, in seconds, where all helpers always bring delays; the level that they end with."""
    shared, begin, found = Pool(1), 10**15, []
    while shared.now - begin < seconds * 1e9:
        if shared.level == 1:
            shared.delays(2, 3)
        if shared.words[memory.TRIAL // 8]:
            found.append((shared.now - begin) / 1e9)
        while shared.words[memory.TRIAL // 8]:
            shared.launches(5 * speeds[shared.level], 5)
        shared.launches(1, 5)
    return np.diff(found), shared.words[memory.BEST // 8]


def test_the_best_level_returns_without_trials_until_they_are_long_ago():
    between, best = tried_at({1: 5, 0: 10, -1: 9}, 40)
    assert best == 0
    assert len(between) >= 2
    assert between.min() > 8
    assert between.max() < 13


def test_no_helper_and_all_helpers_are_tried_again_each_time():
    between, best = tried_at({1: 5, 0: 8, -1: 10}, 20)
    assert best == -1
    assert between.max() < 5, "as long as the level stays"
    between, best = tried_at({1: 20, 0: 8, -1: 10}, 20)
    assert best == 1
    assert between.max() < 2


def test_helpers_have_a_core_of_their_own_or_that_of_the_launch():
    """By the names that the system knows threads by: here this thread itself."""
    import os
    import threading

    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is one core")
    shared = Pool(1)
    shared.words[memory.NAMES // 8] = threading.get_native_id()
    try:
        helpers.arrange(shared.place, shared.now)
        apart = os.sched_getaffinity(0)
        assert len(apart) == len(allowed) - 1
        assert apart < allowed
        os.sched_setaffinity(0, allowed)
        shared.words[memory.LEVEL // 8], shared.words[memory.UNTIL // 8] = 0, shared.now + 10**9
        helpers.arrange(shared.place, shared.now)
        assert len(os.sched_getaffinity(0)) == 1
    finally:
        os.sched_setaffinity(0, allowed)
