"""A signal handler may run kernels, predict, evaluate and save while its own thread trains: nothing hangs, no
bit changes, neither of the weights nor of the losses and metrics that are reported."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that sends signals")

PROGRAM = """
    import hashlib, signal, sys
    import numpy as np
    import tinynet
    from tinynet import layers, ops

    def net(filters=4):
        tinynet.utils.set_random_seed(7)
        model = tinynet.Sequential([
            layers.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, activation="relu"), layers.BatchNormalization(),
            layers.MaxPooling2D(), layers.Flatten(), layers.Dense(12, activation="tanh"), layers.Dropout(0.3),
            layers.Dense(3, activation="softmax"),
        ])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(203, 8, 8, 1)).astype(np.float32), rng.integers(0, 3, 203)
    other, model, folder = net(5), net(), sys.argv[1]
    steady, some = other.predict(x[:9], verbose=0), np.linspace(-2, 2, 40_000, dtype=np.float32)
    expected = np.maximum(some, 0)
    calls, over = [], False

    def op():
        assert np.array_equal(ops.relu(tinynet.Tensor(some)).data, expected)

    def product():
        a = rng.normal(size=(70, 50))
        product = ops.matmul(tinynet.Tensor(a), tinynet.Tensor(a.T)).data
        np.testing.assert_allclose(product, np.einsum("ik,jk", a, a), rtol=1e-9)

    def gradient():
        w = tinynet.Tensor(np.linspace(0.1, 1, 300), requires_grad=True)
        with tinynet.autograd.set_grad_enabled(True):  # an evaluation may have been interrupted
            np.testing.assert_allclose(tinynet.grad(ops.sum(w**3), w).data, 3 * w.data**2, rtol=1e-12)

    def predict_other():
        assert np.array_equal(other.predict(x[:9], verbose=0), steady)

    def predict_same():
        assert np.isfinite(model.predict(x[:32], verbose=0)).all()

    def evaluate():
        assert np.isfinite(model.evaluate(x[:50], y[:50], verbose=0)).all()

    def fit_other():
        seed = tinynet.backend.random.state()
        net(2).fit(x[:20], y[:20], batch_size=10, verbose=0)
        tinynet.backend.random.set_state(seed)

    def save():
        model.save(f"{folder}/saved.tinynet")
        model.save_weights(f"{folder}/saved.weights.h5")

    def interrupted(number, frame):
        calls.append(1)
        HANDLER()
        if not over:
            signal.setitimer(signal.ITIMER_REAL, 0.003 + 0.004 * rng.random())

    HANDLER = CHOSEN
    if HANDLER is not None:
        HANDLER()  # compiled beforehand
        tinynet.utils.set_random_seed(7)
        model = net()
        signal.signal(signal.SIGALRM, interrupted)
        signal.setitimer(signal.ITIMER_REAL, 0.002)
    history = []
    for batch in (7, 16, 29, 32):  # each is recorded, compared and repeated
        fitted = model.fit(x, y, batch_size=batch, epochs=2, validation_data=(x[:40], y[:40]), verbose=0)
        history.append(fitted.history)
    over = True  # a signal may have come already, whose handler runs after the next line
    signal.setitimer(signal.ITIMER_REAL, 0)
    weights = (w.tobytes() for w in model.get_weights())
    digest = hashlib.sha256(b"".join([repr(history).encode(), *weights])).hexdigest()
    programs = len(model._replay_of_steps.programs)
    print(digest, len(calls), programs, sum(len(program) for program in model._replay_of_steps.programs))
"""
HANDLERS = ["op", "product", "gradient", "predict_other", "predict_same", "evaluate", "fit_other", "save"]


def run(handler, folder):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM.replace("CHOSEN", handler)), str(folder)],
        env={**os.environ, "TINYNET_NUM_THREADS": "2"}, capture_output=True, text=True, timeout=240,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    digest, calls, programs, launches = done.stdout.split()
    return digest, int(calls), int(programs), int(launches)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    digest, calls, programs, launches = run("None", tmp_path_factory.mktemp("undisturbed"))
    assert calls == 0
    assert programs == 5  # four sizes of batches, and the rest of two of them
    return digest, launches


@pytest.mark.parametrize("handler", HANDLERS)
def test_training_that_is_interrupted_ends_with_the_same_bits(handler, undisturbed, tmp_path):
    digest, calls, _, launches = run(handler, tmp_path)
    assert calls > 10
    assert digest == undisturbed[0]
    # the others make programs, or make them anew
    if handler in ("op", "product", "gradient", "predict_other", "save"):
        assert launches == undisturbed[1], "no program repeats what a handler did"
