"""Training on a GPU: as on the CPU, recorded as eagerly, in memory that does not grow. They need a GPU."""

import numpy as np
import pytest

import tinynet
from tinynet import layers, optimizers
from tinynet.kernels import dropout
from tinynet.models import Sequential
from tinynet.utils import set_random_seed

from models.nets import small_data, small_net


def compiled(optimizer="adam", seed=3, **options):
    set_random_seed(seed)
    model = small_net()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **options)
    return model


def is_replayed(why):
    assert why.startswith("replayed"), why


def digits(samples):
    (x, y), _ = tinynet.datasets.digits.load_data()
    return (x[:samples, ..., None] / 16).astype(np.float32), y[:samples]


def digit_net():
    """Every kind of layer of the project's nets, on images of 8x8."""
    set_random_seed(8)
    model = Sequential([
        layers.Input((8, 8, 1)),
        layers.Conv2D(7, 3, padding="same", activation="relu"), layers.Conv2D(14, 3, activation="relu"),
        layers.MaxPooling2D(), layers.BatchNormalization(), layers.Dropout(0.1),
        layers.Flatten(), layers.Dense(32, activation="sigmoid"), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    return model


@pytest.mark.usefixtures("cupy")
def test_200_steps_go_as_on_the_cpu(few):
    """The losses of the first steps agree to rounding. From then on differences grow, as between any two
    orders of the same sums; the nets still learn alike.
    """
    steps, losses, weights = few(200, 4), {}, {}
    x, y = digits(32 * 40)
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        model = digit_net()
        weights[place] = model.get_weights()
        losses[place] = [
            float(model.train_on_batch(x[i : i + 32], y[i : i + 32]))
            for i in [32 * (step % 40) for step in range(steps)]
        ]
    assert [w.tobytes() for w in weights["cpu"]] == [w.tobytes() for w in weights["gpu"]]
    np.testing.assert_allclose(losses["gpu"][:10], losses["cpu"][:10], rtol=1e-4)
    np.testing.assert_allclose(losses["gpu"], losses["cpu"], rtol=0.1)
    assert np.mean(losses["gpu"][-10:]) == pytest.approx(np.mean(losses["cpu"][-10:]), rel=0.02)


def test_masks_of_dropout_have_the_bits_that_they_have_on_the_cpu(cupy):
    x, words = np.ones((77, 5, 5, 9), np.float32), np.array([1, 2, 3], np.uint32)
    for rate in (0.1, 0.5):
        expected = dropout.dropout(x, words, rate=rate)
        found = dropout.dropout(cupy.asarray(x), cupy.asarray(words), rate=rate)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one.get(), other)


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "nadam", "lion"])
def test_recorded_steps_have_the_bits_of_eager_ones(optimizer, few):
    samples = few(16 * 40 + 5, 16 * 4 + 5)  # the last batch is smaller
    (x, y), results = small_data(samples), []
    for eagerly in (False, True):
        model = compiled(optimizer, run_eagerly=eagerly)
        history = model.fit(
            x, y, batch_size=16, epochs=2, verbose=0, validation_data=(x[:40], y[:40])
        ).history
        predicted = model.predict(x[:33], verbose=0)
        arrays = [*model.get_weights(), *model.optimizer.get_weights(), predicted]
        results.append((history, [a.tobytes() for a in arrays]))
        if not eagerly:
            is_replayed(model.replay.why())
    assert results[0] == results[1]


@pytest.mark.usefixtures("cupy")
def test_a_loop_of_ones_own_that_is_recorded_has_the_bits_of_the_eager_one(few):
    (x, y), results = small_data(16 * few(40, 5)), []
    for recorded in (True, False):
        model = compiled()

        def step(images, labels, model=model):
            loss = model.compute_loss(y=labels, y_pred=model(images, training=True))
            weights = model.trainable_weights
            model.optimizer.apply(tinynet.grad(loss, weights), weights)
            return loss

        run = tinynet.replayed(step) if recorded else step
        batches = [
            [tinynet.to_device(a, "gpu") for a in (x[i : i + 16].astype(np.float32), y[i : i + 16])]
            for i in range(0, len(x), 16)
        ]
        losses = [float(run(*batch)) for batch in batches]
        results.append((losses, [w.tobytes() for w in model.get_weights()]))
        if recorded:
            is_replayed(run.why())
    assert results[0] == results[1]


def test_10000_steps_take_no_more_memory_than_the_first_ones(cupy, few):
    x, y = small_data(32 * few(100, 1))
    model, pool, used = compiled(), cupy.get_default_memory_pool(), []

    class Watch(tinynet.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            used.append((pool.used_bytes(), pool.total_bytes()))

    model.fit(x, y, batch_size=32, epochs=few(100, 8), verbose=0, callbacks=[Watch()])
    settled = used[few(2, 5) :]  # the first steps are recorded, and their results live a little longer
    assert settled == settled[:1] * len(settled)


def test_too_little_memory_is_an_error_that_says_what_to_reduce(cupy):
    x, y = small_data(2048)
    model = compiled()
    model.fit(x[:64], y[:64], verbose=0)
    pool = cupy.get_default_memory_pool()
    pool.free_all_blocks()
    before = pool.get_limit()
    pool.set_limit(size=pool.used_bytes() + (1 << 20))
    try:
        with pytest.raises(MemoryError, match=r"no room on gpu: .* batch_size=2048"):
            model.fit(x, y, batch_size=2048, verbose=0)
    finally:
        pool.set_limit(size=before)
    model.fit(x, y, batch_size=256, verbose=0)
