"""How many threads a launch may use: one number for the whole process, beside Numba's own for each thread."""

import os
import subprocess
import sys
import threading

import numba
import numpy as np
import pytest

import tinynet
from tinynet.kernels import common, replay, threads

MOST = numba.config.NUMBA_NUM_THREADS

pytestmark = pytest.mark.filterwarnings("ignore:_limit holds addresses")


@common.parallel
def _limit(count, index):
    for i in common.prange(index.size):
        if i == 0:
            count[0] = numba.get_num_threads()


def used():
    """Threads that a launch is divided among."""
    count = np.zeros(1, np.int64)
    _limit(count, np.zeros(common.SMALL + 2))
    return int(count[0])


@pytest.fixture(autouse=True)
def restored():
    yield
    tinynet.set_num_threads(MOST)


def test_as_many_as_the_pool_has_unless_told_otherwise():
    assert tinynet.get_num_threads() == MOST == used()


def test_one_number_for_the_whole_process():
    numbers = []
    for n in (1, MOST):
        tinynet.set_num_threads(n)
        assert tinynet.get_num_threads() == n
        other = threading.Thread(target=lambda: numbers.append(used()))
        other.start()
        other.join()
        assert used() == numbers[-1] == n
        assert numba.get_num_threads() == MOST, "Numba's own limit stays"


def test_the_smaller_of_two_limits_counts():
    numba.set_num_threads(1)
    try:
        assert used() == 1
    finally:
        numba.set_num_threads(MOST)


def test_programs_obey():
    count, index = np.zeros(1, np.int64), np.zeros(common.SMALL + 2)
    with replay.Recorder() as recorder:
        _limit(count, index)
    for n in (1, MOST):
        tinynet.set_num_threads(n)
        recorder.program.run()
        assert count[0] == n
        assert numba.get_num_threads() == MOST


def test_functions_without_loops_join_any_stretch():
    a, large = np.zeros(3), np.zeros(common.SMALL + 2)
    with replay.Recorder() as recorder:
        common.launch(np.add, a, 1, a)
        _limit(np.zeros(1, np.int64), large)
        common.launch(np.add, a, 1, a)
    assert [alone for alone, _ in recorder.program.stretches] == [True, False]
    recorder.program.run()
    assert a.tolist() == [4, 4, 4]


@pytest.mark.parametrize("n", [0, -1, MOST + 1, True, 1.0, "2", None])
def test_bad_numbers_are_refused(n):
    with pytest.raises(ValueError, match=f"from 1 to {MOST}"):
        tinynet.set_num_threads(n)


def test_the_environment_chooses():
    code = "import tinynet; print(tinynet.get_num_threads())"
    for text in ("1", "none"):
        environment = {**os.environ, "TINYNET_NUM_THREADS": text}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "1" if text == "1" else "TINYNET_NUM_THREADS must be" in done.stderr


def test_the_pool_starts_once():
    assert threads.started
    assert threads.limit() == MOST
