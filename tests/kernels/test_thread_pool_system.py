"""What the pool asks of the operating system, and what launches learn from it about other processes."""

import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinynet.kernels import thread_pool
from tinynet.kernels.thread_pool import system

pytestmark = pytest.mark.skipif(not thread_pool.AVAILABLE, reason="needs helpers")
MILLISECOND = 1_000_000


def test_processor_time_is_that_of_the_thread_or_of_all():
    scratch = np.zeros(2, np.int64).ctypes

    def both():
        return np.array([system.work(scratch.data, everybody) for everybody in (False, True)])

    def spin(milliseconds):
        begin, before = time.thread_time_ns(), both()
        while time.thread_time_ns() - begin < milliseconds * MILLISECOND:
            pass
        return both() - before

    both()  # compiled
    assert (spin(20) >= 19 * MILLISECOND).all()
    before = both()
    with ThreadPoolExecutor(1) as other:
        other.submit(spin, 20).result()
    alone, all_threads = both() - before
    assert alone < 15 * MILLISECOND
    assert all_threads >= 19 * MILLISECOND


def run(code):
    """What `code` prints in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_launches_notice_that_another_process_has_their_core():
    """With a helper and, as the pool goes on, without:
    the two share one core with a process that never pauses.
    """
    found = run("""
        import os, subprocess, sys, time
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        import numpy as np, tinynet
        from tinynet.kernels import activations
        from tinynet.kernels.thread_pool import memory
        words, x = memory.cells(), np.ones(3_000_000, np.float32)
        tinynet.set_num_threads(2)
        activations.sigmoid(x)
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            for level in (1, -1):
                noticed, end = False, time.monotonic() + 20
                while not noticed and time.monotonic() < end:
                    words[[memory.TRIAL // 8, memory.WANTED // 8]] = 0
                    words[memory.LEVEL // 8], words[memory.UNTIL // 8] = level, 2**62
                    activations.sigmoid(x)
                    noticed = words[memory.WANTED // 8] != 0
                print(noticed)
        finally:
            busy.kill()
    """)
    assert found.stdout.split() == ["True", "True"], found.stderr


def test_a_pause_before_a_launch_is_no_sign_of_another_process():
    """Launches long enough to be looked at. Where other processes do keep this one from its core,
    that meets some of them.
    """
    found = run("""
        import time
        import numpy as np, tinynet
        from tinynet.kernels import activations
        from tinynet.kernels.thread_pool import helpers, memory
        words, x, noticed, took = memory.cells(), np.ones(10_000_000, np.float32), 0, []
        tinynet.set_num_threads(2)
        activations.sigmoid(x)
        words[memory.LEVEL // 8], words[memory.UNTIL // 8] = -1, 2**62
        for _ in range(60):
            time.sleep(0.01)
            words[memory.WANTED // 8] = 0
            begin = time.perf_counter_ns()
            activations.sigmoid(x)
            took.append(time.perf_counter_ns() - begin)
            noticed += int(words[memory.WANTED // 8] != 0)
        print(min(took) > 2 * helpers.LATE, noticed < 40)
    """)
    assert found.stdout.split() == ["True", "True"], found.stderr
