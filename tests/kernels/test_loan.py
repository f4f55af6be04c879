"""How many helpers the pool asks for: by delays and speeds that are made up, on a clock of the test's own."""

import time

import numpy as np
import pytest

from tinynet.kernels import pool
from tinynet.kernels.pool import loan, memory, system

pytestmark = pytest.mark.skipif(not pool.AVAILABLE, reason="needs helpers")
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
            levels.append(loan.arrange(self.place, self.now))
        return levels

    def delays(self, milliseconds, count):
        """So many delays within 10 ms."""
        for _ in range(count):
            self.now += 10 * MILLISECOND // count
            loan.late(self.place, self.now, int(milliseconds * MILLISECOND))

    def trial(self, speeds):
        """Runs at the speed, in launches a millisecond, that each level has, until a level stays for 200 ms; the level."""
        tried, stays = [], 0
        while stays < 40:
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
    assert waited == sorted(waited)
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
        loan.arrange(shared.place, shared.now)
        apart = os.sched_getaffinity(0)
        assert len(apart) == len(allowed) - 1
        assert apart < allowed
        os.sched_setaffinity(0, allowed)
        shared.words[memory.LEVEL // 8], shared.words[memory.UNTIL // 8] = 0, shared.now + 10**9
        loan.arrange(shared.place, shared.now)
        assert len(os.sched_getaffinity(0)) == 1
    finally:
        os.sched_setaffinity(0, allowed)
