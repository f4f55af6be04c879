"""What is said while kernels are compiled."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest

from tinynet.kernels import common, compile_progress

BEGINNING = "tinynet: compiling kernels for this machine, once; this takes up to a minute\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Closed(io.StringIO):
    def isatty(self):
        raise ValueError("I/O operation on closed file")


@pytest.fixture
def clock(monkeypatch):
    times = iter(range(100, 1000, 4))
    monkeypatch.setattr(compile_progress.time, "monotonic", lambda: next(times))
    for name in ("compiled", "_under_way", "_length"):
        monkeypatch.setattr(compile_progress, name, 0)


def compile_kernels(stream, monkeypatch, count):
    monkeypatch.setattr("sys.stderr", stream)
    for number in range(count):
        with compile_progress.compiling(f"file{number}.py"), compile_progress.compiling("called.py"):
            pass
    return stream.getvalue()


def test_a_terminal_shows_the_kernel_that_is_compiled_and_is_clean_afterwards(clock, monkeypatch):
    text = compile_kernels(Terminal(), monkeypatch, 3)
    second = "tinynet: compiling kernel 2, after 4 s: file1.py"
    third = "tinynet: compiling kernel 3, after 8 s: file2.py"
    erased = "\r" + " " * len(second) + "\r"
    assert text == f"{BEGINNING}\r{second}{erased}\r{third}{erased}"


def test_a_file_gets_a_line_now_and_then(clock, monkeypatch):
    text = compile_kernels(io.StringIO(), monkeypatch, 7)  # 4 s each
    assert text == (
        f"{BEGINNING}tinynet: compiling kernel 4, after 12 s: file3.py\ntinynet: "
        "compiling kernel 7, after 24 s: file6.py\n"
    )


@pytest.mark.parametrize("stream", [None, Closed()])
def test_nobody_to_tell_is_no_error(clock, monkeypatch, stream):
    monkeypatch.setattr("sys.stderr", stream)
    if stream is not None:
        stream.close()
    for _ in range(2):
        with compile_progress.compiling("file.py"):
            pass
    assert compile_progress.compiled == 2


def test_loops_of_tinynet_are_announced_and_others_are_not(clock, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))

    @common.serial
    def twice(x):
        return 2 * x

    assert twice(3) == 6
    assert compile_progress.compiled == 0  # the function stands in this file
    twice.py_func.__module__ = "tinynet.kernels.pool2d.windows"
    assert twice(np.float32(3)) == 6
    assert compile_progress.compiled == 1
    assert compile_progress._under_way == 0


def test_both_kinds_of_kernels_are_counted_and_only_when_they_are_compiled(tmp_path):
    code = (
        "import numpy as np\n"
        "from tinynet.kernels import activations, dense, compile_progress\n"
        "x = np.ones((64, 32), np.float32)\n"
        "activations.relu(x)\n"
        "loops = compile_progress.compiled\n"
        "dense.dense(x, np.ones((32, 16), np.float32), np.ones(16, np.float32))\n"
        "print(loops, compile_progress.compiled)"
    )
    found = []
    for _ in ("empty cache", "full cache"):
        environment = {**os.environ, "TINYNET_CACHE_DIR": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        found.append([int(word) for word in done.stdout.split()])
        assert done.stderr.startswith("tinynet: compiling kernels") == (found[0] is found[-1])
    assert 0 < found[0][0] < found[0][1]
    assert found[1] == [0, 0]


def follow(stream, monkeypatch, total):
    monkeypatch.setattr("sys.stderr", stream)
    with compile_progress.ahead() as show:
        for done in range(total + 1):
            show(done, total)
    return stream.getvalue()


def test_kernels_that_others_compile_are_counted_on_a_terminal(clock, monkeypatch):
    text = follow(Terminal(), monkeypatch, 2)
    lines = [
        "tinynet: compiling 1 of 2 kernels, after 4 s",
        "tinynet: compiling 2 of 2 kernels, after 8 s",
        "tinynet: compiling 2 of 2 kernels, after 12 s",
    ]
    erased = "\r" + " " * len(lines[-1]) + "\r"
    assert text == BEGINNING + "".join(f"\r{line}" for line in lines) + erased
    assert compile_progress.compiled == 2


def test_kernels_that_others_compile_get_a_line_now_and_then(clock, monkeypatch):
    assert follow(io.StringIO(), monkeypatch, 6) == (
        f"{BEGINNING}tinynet: compiling 4 of 6 kernels, after 16 s\n"
        "tinynet: compiling 6 of 6 kernels, after 28 s\n"
    )
    assert follow(io.StringIO(), monkeypatch, 0) == "", "there was nothing to do"
