"""Recording launches: the program does the same to other numbers, on memory that is used again."""

import contextvars
import functools
import gc
import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from tinynet.kernels import activations, common, conv2d, launches
from tinynet.replay.capture import Capture

N = 16


def batch(seed):
    return np.random.default_rng(seed).normal(size=(5, N)).astype(np.float32).T


def test_a_program_repeats_the_launches_on_other_numbers():
    x = common.to_batch_last(batch(0))
    with Capture() as capture:
        y = activations.elu(x, alpha=1.0)
        dx = activations.elu_grad(x, y, alpha=1.0)
    assert len(capture.program) == 2
    for seed in (1, 2):
        x[...] = batch(seed)
        capture.program.run()
        y_expected = np.where(x > 0, x, np.expm1(x))
        np.testing.assert_allclose(y, y_expected, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(dx, np.where(x > 0, x, x * (y_expected + 1)), rtol=1e-5, atol=1e-6)


def test_loops_that_are_compiled_already_are_called_by_their_machine_code():
    x = np.ones(100, np.float32)
    activations.relu(x)
    with Capture() as capture:
        activations.relu(x)
    called = [function for function, _ in capture.program.calls()]
    assert called
    assert not any(isinstance(function, Dispatcher) for function in called)


def test_ufuncs_and_python_functions_are_launches_too():
    x, total, count = common.to_batch_last(batch(0)), np.zeros((N, 5), np.float32), [0]

    def advance(array):
        count[0] += 1
        array += count[0]

    with Capture() as capture:
        common.launch(np.add, total, x, total)
        common.launch(advance, total)
    capture.program.run()
    np.testing.assert_allclose(total, 2 * x + 3, rtol=1e-6)


def test_what_died_while_recording_is_used_again_and_nothing_else():
    x = common.to_batch_last(batch(0))
    with Capture() as capture:
        first = activations.relu(x)
        second = activations.relu(first)
        del first
        gc.collect()
        third = activations.relu(second)  # where the first was
        fourth = activations.relu(third)
    assert len(capture.program.blocks) == 3
    assert not any(np.may_share_memory(a, b) for a, b in ((second, third), (second, fourth), (third, fourth)))
    held = [array.copy() for array in (second, third, fourth)]
    capture.program.run()
    for array, copy in zip((second, third, fourth), held, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_an_array_known_by_its_address_stays_alive():
    with Capture() as capture:
        temporary = np.full(1 << 20, 7.0)
        common.address(temporary)
        own = common.aligned((4,), np.float32)
        common.address(own)
    kept = capture.program.addressed
    assert kept[0] is temporary
    assert np.shares_memory(kept[1], capture.program.blocks[0])


def test_other_steps_and_threads_are_not_listened_to():
    x = common.to_batch_last(batch(0))
    with Capture() as outer:
        with Capture() as inner:
            activations.relu(x)
        activations.relu(x)
    activations.relu(x)
    assert (len(outer.program), len(inner.program)) == (1, 1)


def test_an_error_ends_the_recording():
    with pytest.raises(ZeroDivisionError), Capture() as capture:
        raise ZeroDivisionError
    activations.relu(common.to_batch_last(batch(0)))
    assert len(capture.program) == 0


class Handlers:
    """The kinds of functions that Python may be told to call; what they do is in `work`."""

    def __init__(self, work):
        self.work = work

    def method(self, number, frame):
        self.work()

    __call__ = method

    def function(self):
        return lambda number, frame: self.work()

    def part(self):
        return functools.partial(functools.partial(lambda work, number, frame: work(), self.work))


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs a signal")
@pytest.mark.parametrize("kind", ["function", "part", "method", "object"])
def test_what_a_signal_handler_runs_is_not_part_of_the_step(kind):
    """Between two functions of the step, and where launches are only noted."""
    x, results = common.to_batch_last(batch(0)), []
    handlers = Handlers(lambda: results.append(activations.relu(x)))
    made = {
        "function": handlers.function(),
        "part": handlers.part(),
        "method": handlers.method,
        "object": handlers,
    }
    before = signal.signal(signal.SIGUSR1, made[kind])
    try:
        with Capture(rehearses=True) as capture:
            y = activations.relu(x)
            signal.raise_signal(signal.SIGUSR1)
            with launches.lasting:
                signal.raise_signal(signal.SIGUSR1)
                common.launch(np.multiply, x, 0, x)
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(capture.program) == 2
    assert len(capture.program.blocks) == 1
    assert len(results) == 3
    for found in (y, *results):
        np.testing.assert_array_equal(found, np.maximum(batch(0), 0))
    assert not any(np.may_share_memory(found, capture.program.blocks[0]) for found in results)


def test_a_thread_that_inherits_the_context_is_not_heard():
    x, context = common.to_batch_last(batch(0)), None
    with Capture() as capture:
        context = contextvars.copy_context()
        other = threading.Thread(target=lambda: context.run(activations.relu, x))
        other.start()
        other.join()
    assert len(capture.program) == 0


def record_after(seconds):
    """Records for a minute, and is sent a signal before."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with Capture():
            for _ in range(30):
                common.aligned((8,), np.float32)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that sends signals")
def test_no_interrupt_is_lost_and_none_leaves_a_recorder_behind(monkeypatch):
    """Arrays die at every moment of a recording; an exception in what runs then would be swallowed."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    swallowed, moments = [], random.Random(0)
    monkeypatch.setattr(sys, "unraisablehook", swallowed.append)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(200):
            with pytest.raises(KeyboardInterrupt):
                record_after(moments.uniform(1e-4, 3e-3))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not swallowed
    assert launches.listener() is None
    activations.relu(common.to_batch_last(batch(0)))
    assert launches.listening.get() is None


@pytest.mark.parametrize("rehearses", [False, True])
def test_what_a_launched_function_launches_is_part_of_it(rehearses):
    """It is noted once, with the function, and memory that it takes is not the program's."""

    def twice(x, total):
        doubled = common.aligned(x.shape, x.dtype)
        common.launch(np.add, x, x, doubled)
        common.launch(np.add, total, doubled, total)

    x, total = np.ones(4), np.zeros(4)
    with Capture(rehearses=rehearses) as capture, launches.lasting:
        common.launch(twice, x, total)
    assert len(capture.program) == 1
    assert capture.program.bytes == 0
    np.testing.assert_array_equal(total, 0 if rehearses else 2)
    x[...] = 5
    capture.program.run()
    np.testing.assert_array_equal(total, 10 if rehearses else 12)


def test_a_function_in_numpy_as_one_launch():
    """It is repeated on other numbers; its results are new arrays in the memory order that it gave them."""
    x, keep = np.arange(6.0).reshape(2, 3), np.ones(2)

    def transposed(x, keep, factor):
        return (x * factor).T, x.sum(), keep

    strides = transposed(x, keep, 2)[0].strides
    with Capture() as capture:
        product, total, kept = launches.as_one_launch(transposed, (x, keep, 2))
    assert len(capture.program) == 1
    assert product.strides == strides
    assert not np.shares_memory(kept, keep)
    x[...] = [[1, 0, 0], [0, 0, 5]]
    keep[...] = 7
    capture.program.run()
    np.testing.assert_array_equal(product, [[2, 0], [0, 0], [0, 10]])
    np.testing.assert_array_equal(total, 6)
    np.testing.assert_array_equal(kept, [7, 7])


def test_a_function_that_returns_no_arrays_is_called_as_it_is():
    with Capture() as capture:
        assert launches.as_one_launch(lambda x: "words", (np.ones(2),)) == "words"
        assert launches.as_one_launch(lambda pair: pair[0], ((np.ones(2), 1),)).tolist() == [1, 1]
    assert len(capture.program) == 0


def test_a_chosen_implementation_is_repeated_with_the_choices_that_it_was_captured_with(monkeypatch):
    """Also where the choice was made within the step, and nobody makes it when the launches are repeated."""
    chosen = []
    right = conv2d.conv2d["im2col"]
    monkeypatch.setitem(
        conv2d.conv2d.implementations,
        "im2col",
        lambda *a, **k: (chosen.append(dict(common.choices())), right(*a, **k))[1],
    )
    x, w = np.ones((1, 3, 3, 1), np.float32), np.ones((2, 2, 1, 1), np.float32)
    with Capture() as capture, common.use("gemm", "blas"), common.use("conv2d", "im2col"):
        y = conv2d.conv2d(x, w, strides=(1, 1), padding=((0, 0), (0, 0)), dilation=(1, 1), groups=1)
    assert len(capture.program) == 1
    x[...] = 2
    capture.program.run()
    assert chosen[-1] == {"gemm": "blas", "conv2d": "im2col"}
    np.testing.assert_array_equal(y, np.full((1, 2, 2, 1), 8))
