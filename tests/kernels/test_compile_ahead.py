"""Kernels that other processes compile before they are needed."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from tinynet.kernels import cache, cache_folder, common, compile_ahead, compile_progress, launches
from tinynet.kernels.emit import VectorFunction, address, call_kernel, objects, vectors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")


@pytest.fixture(autouse=True)
def two_threads(tmp_path, monkeypatch):
    """An empty cache, two threads, and none of the pool's loops, which take seconds."""
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_state", {"pruned": False, "warned": False})
    monkeypatch.setattr(compile_ahead.threads, "count", 2)
    monkeypatch.setattr(compile_ahead.thread_pool, "loops", list)
    monkeypatch.setattr(compile_ahead, "_tried", False)


def loop(number):
    """A compiled loop that was never compiled before: x[0] = number."""

    @common.serial
    def set_first(x):
        x[0] = number

    return set_first


def vector_code(number):
    """A vector function that fills memory with a number."""
    k = VectorFunction(vectors(np.float32), "target")
    k.store(k.constant(number), k.pointer("%target"))
    return k


@common.serial
def call(function, x):
    call_kernel(function, (np.int64(x.ctypes.data),))


def files(folder):
    return sorted(path.name for path in (folder / "kernels").iterdir() if path.name != cache.TAG)


def said_by(step):
    """(how many kernels were compiled, the warnings)"""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        count = compile_ahead.compile_ahead(step)
    return count, [str(warning.message) for warning in caught]


def no_child_is_left():
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_what_a_step_launches_is_compiled_elsewhere_and_found_here(tmp_path, monkeypatch):
    loops, x, full = [loop(1.0), loop(2.0)], np.full(2, 7.0), np.zeros(16, np.float32)
    lanes = vectors(np.float32).lanes

    def step():
        for one in loops:
            launches.launch(one, x)
        launches.launch(call, address(vector_code(5.0)), full)
        launches.launch(np.add, x, 1.0, x)  # no loop: it runs, in the process that compiles

    assert said_by(step) == (4, [])
    assert [name.rpartition(".")[2] for name in files(tmp_path)].count("nbc") == 3
    assert [name.rpartition(".")[2] for name in files(tmp_path)].count("o") == 1
    assert x.tolist() == [7.0, 7.0]
    no_child_is_left()
    monkeypatch.setattr(compile_progress, "_begin", lambda name: pytest.fail(f"{name} is compiled again"))
    step()
    assert x.tolist() == [3.0, 8.0]
    assert full.tolist() == [5.0] * lanes + [0.0] * (16 - lanes)
    assert said_by(step) == (0, []), "nothing is missing now"


def test_a_killed_process_is_named_and_the_others_go_on(tmp_path, monkeypatch):
    compile = objects.machine_code

    def killed(digest, text):
        if text == vector_code(3.0).text("FUNCTION"):
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)  # the other one gets its turn
        return compile(digest, text)

    monkeypatch.setattr(objects, "machine_code", killed)

    def step():
        return [address(vector_code(float(number))) for number in (1, 2, 3, 4, 5)]

    count, said = said_by(step)
    assert count == 4
    assert said == [
        "1 of 5 kernels were not compiled ahead (a process was ended by SIGKILL); "
        "they are compiled when they are first used"
    ]
    assert len(files(tmp_path)) == 4
    no_child_is_left()
    monkeypatch.undo()
    assert all(step()), "the one that is missing is compiled here"


@pytest.mark.parametrize("place", ["write_new", "rename"])
def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path, monkeypatch, place):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    assert cache.writable()
    monkeypatch.setattr(cache_folder.Folder, place, full)
    count, (said,) = said_by(lambda: address(vector_code(6.0)))
    assert count == 0
    assert said.startswith(f"1 of 1 kernels were not compiled ahead ({tmp_path}/kernels cannot be written);")
    assert files(tmp_path) == []
    assert not cache.failed(), "this process has not tried to write"


def test_processes_that_hang_are_ended(monkeypatch):
    monkeypatch.setattr(compile_ahead, "PATIENCE", 0.5)
    monkeypatch.setattr(objects, "machine_code", lambda *arguments: time.sleep(600))
    count, (said,) = said_by(lambda: [address(vector_code(number)) for number in (7.0, 8.0)])
    assert count == 0
    assert said.startswith("2 of 2 kernels were not compiled ahead (they do not go on);")
    no_child_is_left()


def test_an_interrupt_ends_the_processes(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(objects, "machine_code", lambda *arguments: time.sleep(600))
    monkeypatch.setattr(compile_ahead, "_follow", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile_ahead.compile_ahead(lambda: address(vector_code(9.0)))
    no_child_is_left()


def test_what_a_step_raises_is_left_to_the_step_itself(tmp_path):
    def step():
        address(vector_code(10.0))
        raise ValueError("the labels do not fit")

    assert said_by(step) == (1, [])
    assert len(files(tmp_path)) == 1


def test_a_kernel_that_cannot_be_compiled_is_left_to_its_first_use(tmp_path):
    @common.serial
    def wrong(x):
        x.there_is_no_such_method()

    def step():
        launches.launch(wrong, np.zeros(1))
        address(vector_code(11.0))

    count, (said,) = said_by(step)
    assert count == 1
    assert said.startswith("1 of 2 kernels were not compiled ahead (a process failed);")


def test_the_process_that_trains_is_not_changed(capfd, monkeypatch):
    monkeypatch.setattr(compile_progress, "compiled", 0)
    state = np.random.get_state()[1].copy()
    seen = []

    def step():
        seen.append(1)
        np.random.random(10)
        print("the layer's Python runs")
        sys.stderr.write("and complains")
        address(vector_code(12.0))

    assert compile_ahead.compile_ahead(step) == 1
    assert seen == []
    assert np.array_equal(np.random.get_state()[1], state)
    assert objects.instead.get() is None
    out, err = capfd.readouterr()
    assert out == ""
    assert "complains" not in err
    assert "compiling 1 of 1 kernels" in err or "compiling kernels for this machine" in err


@pytest.mark.parametrize("error", [BlockingIOError(errno.EAGAIN, "too many"), RuntimeError("no forks here")])
def test_where_no_process_can_be_started_the_training_goes_on(monkeypatch, error):
    def refused():
        raise error

    before = set(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "fork", refused)
    count, (said,) = said_by(lambda: address(vector_code(14.0)))
    assert count == 0
    assert said == f"kernels were not compiled ahead ({error}); they are compiled when they are first used"
    assert set(os.listdir("/proc/self/fd")) == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()


def test_what_waits_in_the_buffer_of_a_file_is_written_once(tmp_path, monkeypatch):
    with open(tmp_path / "log.txt", "w") as log:
        monkeypatch.setattr(sys, "stdout", log)
        log.write("before the training\n")
        assert compile_ahead.compile_ahead(lambda: address(vector_code(15.0))) == 1
    assert (tmp_path / "log.txt").read_text() == "before the training\n"


def test_the_time_is_that_since_the_first_kernel(capsys, monkeypatch):
    """Of those that others compiled, too."""
    monkeypatch.setattr(compile_progress, "compiled", 0)
    monkeypatch.setattr(compile_progress, "SELDOM", 0)
    with compile_progress.ahead() as show:
        show(0, 1)
        show(1, 1)
    with compile_progress.compiling("another"):
        pass
    *_, first, last = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"tinynet: compiling kernel 2, after [01] s: another", last)
    assert first.startswith("tinynet: compiling 1 of 1 kernels")


def test_when_it_is_wanted(monkeypatch):
    missing = [(loop(13.0), (np.float64,))]
    monkeypatch.setattr(compile_ahead.loops, "is_kept", lambda *one: False)
    assert not compile_ahead.wanted(), "everything is there: the list is empty"
    monkeypatch.setattr(compile_ahead.thread_pool, "loops", lambda: missing)
    assert not compile_ahead.wanted(), "once in a process"
    with compile_ahead.each_time():
        assert compile_ahead.wanted()
        monkeypatch.setattr(compile_ahead.threads, "count", 1)
        assert not compile_ahead.wanted()
    monkeypatch.setattr(compile_ahead.threads, "count", 2)
    monkeypatch.setattr(compile_ahead, "_tried", False)
    assert compile_ahead.wanted()


def test_a_cache_that_cannot_be_written_is_not_filled(tmp_path, monkeypatch):
    (tmp_path / "kernels").write_text("a file where the folder should be")
    with compile_ahead.each_time():
        assert not compile_ahead.wanted()
        monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path / "another"))
        assert compile_ahead.wanted()
        monkeypatch.setattr(cache.os, "access", lambda *arguments: False)
        assert not compile_ahead.wanted()


PROGRAM = """
import hashlib, sys
import numpy as np, tinynet
from tinynet import layers
from tinynet.kernels import compile_progress

here, begin = [], compile_progress._begin
compile_progress._begin = lambda name: (here.append(name), begin(name))
tinynet.utils.set_random_seed(1)
x = np.random.default_rng(0).random((40, 6), np.float32)
y = np.arange(40) % 3
model = tinynet.Sequential([layers.Input((6,)), layers.Dense(3)])
model.compile(tinynet.optimizers.SGD(0.1), "mse")
history = model.fit(x, np.eye(3, dtype=np.float32)[y], batch_size=16, epochs=4, verbose=0)
weights = b"".join(w.tobytes() for w in model.get_weights())
print(hashlib.sha256(weights + repr(history.history).encode()).hexdigest(), len(here))
"""


def start(folder, threads):
    environment = {**os.environ, "TINYNET_CACHE_DIR": str(folder), "TINYNET_NUM_THREADS": str(threads)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_training_has_the_same_bits_compiled_ahead_alone_and_not_at_all(tmp_path):
    """Two processes with one empty cache at once; one that finds it full; one that compiles by itself."""
    ahead = [start(tmp_path / "shared", 2) for _ in range(2)]
    said = [process.communicate() for process in ahead]
    full = start(tmp_path / "shared", 2).communicate()
    alone = start(tmp_path / "alone", 1).communicate()
    bits = {out.split()[0] for out, _ in [*said, full, alone]}
    assert len(bits) == 1
    assert [out.split()[1] for out, _ in [*said, full]] == ["0"] * 3, said
    assert int(alone[0].split()[1]) > 0
    for _, err in said:
        assert re.match("tinynet: compiling kernels for this machine, once", err)
    assert full[1] == ""
    assert not [name for name in files(tmp_path / "shared") if name.endswith(".tmp")]
