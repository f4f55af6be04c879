"""How many threads a launch may use, one number for the whole process;
and that they help, sleep, and survive a fork.
"""

import os
import subprocess
import sys
import textwrap
import threading
import time

import numba
import numpy as np
import pytest

import tinynet
from tinynet.kernels import common, thread_pool
from tinynet.kernels.emit.atomic import add, load, pause
from tinynet.kernels.thread_pool import work_sharing
from tinynet.replay.capture import Capture

BEFORE = tinynet.get_num_threads()
TURNS = 200_000_000  # of waiting, some seconds


@common.parallel
def _cut(count, index):
    for i in common.prange(index.size):
        if i == 0:
            count[0] = work_sharing.pieces()


@common.parallel
def _meet(arrived, ids, wanted):
    """Every piece waits until so many are under way."""
    for i in common.prange(ids.size):
        add(arrived, 1)
        turns = 0
        while load(arrived) < wanted and turns < TURNS:
            pause()
            turns += 1
        ids[i] = numba.get_thread_id()


@common.parallel
def _stay(arrived, gate, first, last):
    """Every piece says who runs it, waits for the gate to open, and says it again."""
    for i in common.prange(first.size):
        first[i] = numba.get_thread_id()
        add(arrived, 1)
        turns = 0
        while load(gate) == 0 and turns < TURNS:
            pause()
            turns += 1
        last[i] = numba.get_thread_id()


def cut():
    """Into how many pieces a launch of much work is cut."""
    count = np.zeros(1, np.int64)
    _cut(count, np.zeros(common.MAX_ELEMENTS_ALONE + 2))
    return int(count[0])


def expected(n):
    return 1 if n == 1 else n * thread_pool.PIECES_PER_THREAD


@pytest.fixture(autouse=True)
def restored():
    yield
    tinynet.set_num_threads(BEFORE)


def test_one_number_for_the_whole_process():
    numbers = []
    for n in (1, 3, 2, 40):
        tinynet.set_num_threads(n)
        assert tinynet.get_num_threads() == n
        other = threading.Thread(target=lambda: numbers.append(cut()))
        other.start()
        other.join()
        assert cut() == numbers[-1] == expected(n)


@pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
@pytest.mark.parametrize("n", [2, 5, 3])
def test_that_many_threads_work_at_once(n):
    """More than there are cores, and fewer than there were."""
    tinynet.set_num_threads(n)
    arrived, ids = np.zeros(1, np.int64), np.zeros(2 * n, np.int64)
    _meet(arrived.ctypes.data, ids, n)
    assert arrived[0] == 2 * n
    assert set(ids) == set(range(n))


def test_no_more_than_that():
    ids = np.zeros(64, np.int64)
    for n in (5, 2, 1):
        tinynet.set_num_threads(n)
        for _ in range(50):
            _meet(np.zeros(1, np.int64).ctypes.data, ids, 1)
            assert ids.max() < n


@pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
def test_helpers_keep_their_numbers_while_another_thread_allows_fewer():
    """Or two threads of one launch would write into the same memory."""
    tinynet.set_num_threads(3)
    _meet(np.zeros(1, np.int64).ctypes.data, np.zeros(6, np.int64), 3)  # all helpers are there
    arrived, gate = np.zeros(1, np.int64), np.zeros(1, np.int64)
    first, last = np.full(6, -1), np.full(6, -2)
    launching = threading.Thread(target=_stay, args=(arrived.ctypes.data, gate.ctypes.data, first, last))
    launching.start()
    while arrived[0] < 3:
        time.sleep(0.001)
    thread_pool.allow(0)
    gate[0] = 1
    launching.join()
    assert set(first) == {0, 1, 2}
    np.testing.assert_array_equal(last, first)


def test_programs_obey():
    count, index = np.zeros(1, np.int64), np.zeros(common.MAX_ELEMENTS_ALONE + 2)
    with Capture() as capture:
        _cut(count, index)
    for n in (1, 3):
        tinynet.set_num_threads(n)
        capture.program.run()
        assert count[0] == expected(n)


def test_functions_without_loops_join_any_stretch():
    a, large = np.zeros(3), np.zeros(common.MAX_ELEMENTS_ALONE + 2)
    with Capture() as capture:
        common.launch(np.add, a, 1, a)
        _cut(np.zeros(1, np.int64), large)
        common.launch(np.add, a, 1, a)
    assert [alone for alone, _ in capture.program.stretches] == [True, False]
    capture.program.run()
    assert a.tolist() == [4, 4, 4]


@pytest.mark.parametrize("n", [0, -1, thread_pool.MOST + 1, True, 1.0, "2", None])
def test_bad_numbers_are_refused(n):
    with pytest.raises(ValueError, match=f"from 1 to {thread_pool.MOST}"):
        tinynet.set_num_threads(n)


def run(code, **variables):
    """What `code` prints in an interpreter of its own, where small arrays are shared too."""
    code = "from tinynet.kernels import common; common.MAX_ELEMENTS_ALONE = -1\n" + textwrap.dedent(code)
    kept = {name: value for name, value in os.environ.items() if "NUM_THREADS" not in name}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"TINYNET_NUM_THREADS": "1"}, "1"),
        ({"TINYNET_NUM_THREADS": "7"}, "7"),
        ({"NUMBA_NUM_THREADS": "6"}, "6"),
        ({"NUMBA_NUM_THREADS": "6", "TINYNET_NUM_THREADS": "2"}, "2"),
    ],
)
def test_the_environment_chooses(variables, count):
    assert run("import tinynet; print(tinynet.get_num_threads())", **variables).stdout.strip() == count


def test_a_variable_that_is_no_number_is_named():
    assert "TINYNET_NUM_THREADS must be" in run("import tinynet.kernels", TINYNET_NUM_THREADS="none").stderr


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs a choice of cores")
def test_one_thread_for_each_core_unless_told_otherwise():
    code = "import os; os.sched_setaffinity(0, [0]); import tinynet; print(tinynet.get_num_threads())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={name: value for name, value in os.environ.items() if "NUM_THREADS" not in name},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "1"


def test_idle_threads_sleep():
    tinynet.set_num_threads(4)
    cut()
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.4)
    assert time.process_time() - before < 0.1


@pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
def test_signals_are_left_to_threads_that_run_python():
    found = run("""
        import os, signal, tinynet
        import numpy as np
        from tinynet.kernels import activations
        tinynet.set_num_threads(3)
        activations.relu(np.ones(1000, np.float32))
        blocked = []
        for task in os.listdir("/proc/self/task"):
            lines = open(f"/proc/self/task/{task}/status").read().splitlines()
            mask = next(int(line.split()[1], 16) for line in lines if line.startswith("SigBlk"))
            blocked.append(bool(mask >> (signal.SIGINT - 1) & 1))
        print(sum(blocked), bool(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
    """)
    assert found.stdout.strip() == "2 False", found.stderr


@pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
def test_a_helper_may_look_for_work_until_the_process_is_gone():
    """As one does that lost its core before it was told to sleep, and has it back while Python ends."""
    ended = run("""
        import atexit
        import numpy as np
        import tinynet
        from tinynet.kernels import activations, thread_pool
        from tinynet.kernels.thread_pool import memory
        tinynet.set_num_threads(4)
        activations.relu(np.ones(1000, np.float32))
        memory.cells()[memory.PATIENCE // 8] = 2**62  # helpers that are awake stay so
        activations.relu(np.ones(1000, np.float32))
        atexit.unregister(thread_pool.allow)
    """)
    assert ended.returncode == 0, ended.stderr


def test_the_numba_code_of_others_keeps_the_pool_of_numba():
    """Compiled before and after tinynet's kernels; the number of threads is Numba's in the one,
    tinynet's in the other.
    """
    found = run(
        """
        import numba
        import numpy as np
        from numba.np.ufunc.parallel import _iget_num_threads

        def total(x, count):
            for i in numba.prange(x.size):
                if i == 0:
                    count[0] = _iget_num_threads()
                x[i] += 1

        x, count = np.zeros(1000), np.zeros(1, np.int64)
        before = numba.njit(parallel=True)(total)
        before(x, count)
        counts = [count[0]]
        import tinynet
        from tinynet.kernels import activations, common
        tinynet.set_num_threads(20)
        njit = numba.njit(parallel=True)
        for shared in (njit(total), common.parallel(total), before, numba.njit(parallel=True)(total)):
            activations.relu(np.ones(1000, np.float32))
            shared(x, count)
            counts.append(count[0])
        print(*counts, x.min(), x.max(), numba.get_num_threads())
        """,
        NUMBA_NUM_THREADS="3",
    )
    assert found.stdout.split() == ["3", "3", "40", "3", "3", "5.0", "5.0", "3"], found.stderr
