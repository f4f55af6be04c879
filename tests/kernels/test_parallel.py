"""Compiled loops and threads: several Python threads, forked children,
and the same bits at any number of threads.
"""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from tinynet.kernels import common, threads
from tinynet.kernels.thread_pool import work_sharing

# Small arrays among threads too, as conftest.py has it.
SHARE = "from tinynet.kernels import common; common.MAX_ELEMENTS_ALONE = -1\n"


def run(code, **environment):
    """Runs `code` in a fresh interpreter; its output."""
    done = subprocess.run(
        [sys.executable, "-c", SHARE + textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_several_python_threads_may_launch_at_once():
    output = run("""
        import threading
        import numpy as np
        from tinynet.kernels import activations, batch_norm, pool2d
        rng = np.random.default_rng(0)
        x, one = rng.standard_normal((33, 12, 12, 5)).astype(np.float32), np.ones(5, np.float32)
        static = dict(pool_size=(2, 2), strides=(2, 2), padding=((0, 0), (0, 0)))

        def work():
            return (activations.relu(x), batch_norm.batch_norm(x, one, one, epsilon=1e-3)[0],
                    pool2d.max_pool2d(x, **static)[0])

        expected, wrong = work(), []

        def repeat():
            for _ in range(30):
                wrong.extend(not np.array_equal(a, b) for a, b in zip(work(), expected))

        threads = [threading.Thread(target=repeat) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(len(wrong), sum(wrong))
    """)
    assert output == "360 0"


FORK = """
    import os
    import threading
    import numpy as np
    import tinynet
    from tinynet.kernels import activations, threads
    tinynet.set_num_threads(3)
    x = np.linspace(-1, 1, 100_000, dtype=np.float32)
    right = lambda: np.array_equal(activations.relu(x), np.maximum(x, 0))
    if {before}:
        right()
    stop = []

    def launch():
        while not stop:
            right()

    others = [threading.Thread(target=launch, daemon=True) for _ in range({others})]
    [other.start() for other in others]
    said = []
    for _ in range({times}):
        reader, writer = os.pipe()
        if os.fork() == 0:
            answer = [right(), threads.ready]
            if os.fork() == 0:
                os._exit(not right())
            os.write(writer, repr((*answer, os.wait()[1])).encode())
            os._exit(0)
        os.close(writer)
        said.append(os.read(reader, 1000).decode())
        os.close(reader)
        os.wait()
    stop.append(True)
    [other.join() for other in others]
    print(right(), *sorted(set(said)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(
    "when",
    [{"before": False}, {"before": True}, {"before": True, "others": 2, "times": 40}],
    ids=["before", "after", "while"],
)
def test_a_child_of_a_fork_has_threads_of_its_own(when):
    """Forked before the first launch, after it, and while other threads launch; and forked again."""
    assert run(FORK.format(**{"others": 0, "times": 2, **when})) == "True (True, True, 0)"


BITS = """
    import hashlib
    import numpy as np
    from tinynet.kernels import activations, batch_norm, dropout, common, pool2d, reduce, softmax
    rng = np.random.default_rng(0)
    x, g = (common.to_batch_last(rng.standard_normal((33, 13, 11, 7)).astype(np.float32)) for _ in range(2))
    gamma = rng.standard_normal(7).astype(np.float32)
    static = dict(pool_size=(3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
    _, mean, var = first = batch_norm.batch_norm(x, gamma, gamma, epsilon=1e-3)
    y, index = pool2d.max_pool2d(x, **static)
    loss, p = softmax.softmax_crossentropy(x.reshape(33, -1), np.arange(33), clip=True)
    results = [
        *first, y, index, loss, p,
        *batch_norm.batch_norm_grad(g, x, gamma, mean, var, epsilon=1e-3),
        pool2d.max_pool2d_grad(y, index, input_size=(13, 11), **static),
        pool2d.average_pool2d(x, **static),
        pool2d.average_pool2d_grad(y, input_size=(13, 11), **static),
        softmax.softmax_crossentropy_grad(loss, p, np.arange(33), clip=True),
        *dropout.dropout(x, np.arange(3, dtype=np.uint32), rate=0.3),
        *(np.asarray(reduce.sum(x, axis=axis)) for axis in (None, 0, (0, 1, 2), (0, 2, 3))),
        activations.gelu(x, approximate=True),
    ]
    print(hashlib.sha256(b"".join(result.tobytes() for result in results)).hexdigest())
"""


def test_same_bits_at_any_number_of_threads():
    assert len({run(BITS, TINYNET_NUM_THREADS=str(count)) for count in (1, 2, 5, 8)}) == 1


@common.parallel
def threads_used(data, count):
    for i in common.prange(data.size):
        if i == 0:
            count[0] = work_sharing.pieces()


def test_small_arrays_stay_on_one_thread(monkeypatch):
    monkeypatch.setattr(common, "MAX_ELEMENTS_ALONE", 100)
    count, before = np.zeros(1, np.int64), threads.get_num_threads()
    threads.set_num_threads(3)
    try:
        for size, expected in ((100, 1), (101, 6), (5, 1)):
            threads_used(np.zeros(size), count)
            assert count[0] == expected
    finally:
        threads.set_num_threads(before)


def test_nothing_is_compiled_at_import():
    output = run("""
        import tinynet.kernels
        from tinynet.kernels import activations, batch_norm, batching, dropout, pool2d, reduce, softmax
        from tinynet.kernels.activations import rectifiers
        print(len(rectifiers._relu.compiled.signatures))
    """)
    assert output == "0"


def test_compiling_is_announced_once(tmp_path):
    code = (
        "import numpy as np\n"
        "from tinynet.kernels import activations, reduce\n"
        "x = np.ones((4, 3), np.float32)\n"
        "activations.relu(x), reduce.sum(x), activations.relu(x.astype(float))"
    )
    notices = []
    for _ in ("empty cache", "full cache"):
        environment = {**os.environ, "TINYNET_CACHE_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        notices.append(done.stderr)
    assert notices[0].count("compiling kernels") == 1
    assert not notices[1]
