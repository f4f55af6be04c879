"""Training on a GPU: the same seeds and numbers as on the CPU, models that move, data that are resident.

The stand-in for CuPy takes its place: these are no GPU tests. Kernels written in CUDA run through the shim.
"""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, optimizers
from tinynet.backend import device, gpu
from tinynet.data import ArrayBatches
from tinynet.data.columns import Inputs, Labels
from tinynet.kernels.common import is_batch_last
from tinynet.kernels.devices import device_of
from tinynet.models import Sequential, steps
from tinynet.models.means import Means
from tinynet.saving import load_model
from tinynet.utils import set_random_seed

import cupy_stand_in
from cupy_stand_in import machine
from models.nets import small_data, small_net


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(devices=2, checked=False) as module:
        yield module
        tinynet.set_device("cpu")


def compiled(seed=11, optimizer="adam"):
    set_random_seed(seed)
    model = small_net()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def copies():
    return machine.counts["to host"] + machine.counts["to device"]


def test_training_goes_as_on_the_cpu():
    histories, starts = {}, {}
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        model, (x, y) = compiled(), small_data(64)
        starts[place] = model.get_weights()
        validation = x[:20], y[:20]
        histories[place] = model.fit(
            x, y, batch_size=16, epochs=3, verbose=0, validation_data=validation
        ).history
        assert {device_of(w.data) for w in model.weights} == {place}
        assert {device_of(v.data) for v in model.optimizer.variables[2:]} == {place}
    for here, there in zip(starts["cpu"], starts["gpu"], strict=True):
        assert here.tobytes() == there.tobytes()
    for name, values in histories["cpu"].items():
        np.testing.assert_allclose(histories["gpu"][name], values, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop", "lion", "nadam"])
def test_a_step_copies_nothing_and_waits_for_nothing(optimizer):
    """An epoch of three times as many steps has as many copies: data, order, and the means at its end."""
    tinynet.set_device("gpu")
    counted = []
    for samples in (48, 48, 144):
        model, (x, y) = compiled(optimizer=optimizer), small_data(samples)
        before = machine.counts["waits"]
        model.fit(x, y, batch_size=16, verbose=0)
        counted.append(machine.counts["waits"] - before)
    assert counted[1] == counted[2]


def test_a_whole_step_can_be_captured(cupy):
    """Forward, loss, backward, update, averages of the weights, running means: a graph of it, launched three
    times, does what three more steps do. (An optimizer whose numbers are constant, and no masks: a graph of
    somebody else's making holds the numbers of its making.)
    """
    rng, found = np.random.default_rng(0), {}
    x, y = rng.normal(size=(16, 4)).astype(np.float32), np.arange(16) % 4
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        set_random_seed(4)
        rows = layers.Reshape((2, 2)), layers.Dense(3, activation="relu"), layers.Flatten()  # samples of rows
        model = Sequential(
            [layers.Input((4,)), layers.BatchNormalization(), layers.PReLU(), *rows, layers.Softmax()]
        )
        optimizer = optimizers.SGD(0.1, momentum=0.9, clipnorm=1.0, weight_decay=0.01, use_ema=True)
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
        means, step = Means(model), steps.training_step(model)
        batch = device.to_device(x), device.to_device(y), None
        for _ in range(5 if place == "cpu" else 2):
            steps.run_step(model, means, step, *batch)
        if place == "gpu":
            stream = cupy.cuda.get_current_stream()
            stream.begin_capture()
            try:
                steps.run_step(model, means, step, *batch)
            finally:
                graph = stream.end_capture()
            for _ in range(3):
                graph.launch()
        found[place] = [*model.get_weights(), *model.optimizer.get_weights()[2:], *means.results().values()]
    for here, there in zip(found["cpu"], found["gpu"], strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-4, atol=1e-6)


# Data


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_batches_are_those_of_the_cpu_and_lie_batch_last(shuffle, dtype):
    rng, epochs = np.random.default_rng(0), {}
    x = rng.integers(0, 200, (23, 3, 4, 2)).astype(dtype)
    y, weight = rng.integers(0, 5, 23), rng.random(23)
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        set_random_seed(5)
        batches = ArrayBatches(x, y, weight, batch_size=6, shuffle=shuffle)
        before = machine.counts["to device"]
        epochs[place] = [batch for _ in range(2) for batch in batches.epoch()]
        copied = machine.counts["to device"] - before
    assert copied == 2  # the order of each epoch
    for here, there in zip(epochs["cpu"], epochs["gpu"], strict=True):
        for a, b in zip(here, there, strict=True):
            assert device_of(b) == "gpu"
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(b.get(), a)
        assert is_batch_last(there[0])
        assert there[0].transpose(1, 2, 3, 0).flags.c_contiguous


def test_data_that_are_too_large_stay_on_the_host():
    x, y = np.arange(4000.0).reshape(100, 5, 8), np.arange(100)
    with cupy_stand_in.installed(memory=40_000):
        tinynet.set_device("gpu")
        assert device_of(Labels(y, np.int64).data) == "gpu"
        assert type(Inputs(x, np.float32).data) is np.ndarray
        (first, labels, _), *_ = ArrayBatches(x, y, batch_size=7).epoch()
        assert (device_of(first), device_of(labels), first.dtype) == ("gpu", "gpu", np.float32)
        np.testing.assert_array_equal(first.get(), x[:7])
        assert first.transpose(1, 2, 0).flags.c_contiguous  # sent as it lies


# Models that move

SETTINGS = [
    lambda: optimizers.Adam(0.01, amsgrad=True),
    lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0),
    lambda: optimizers.AdamW(0.01, weight_decay=0.02, use_ema=True, ema_momentum=0.9),
    lambda: optimizers.RMSprop(0.01, centered=True, gradient_accumulation_steps=2),
    lambda: optimizers.Nadam(0.01, global_clipnorm=0.5, loss_scale_factor=8.0),
]


@pytest.mark.parametrize("make", SETTINGS)
@pytest.mark.parametrize("way", [("gpu", "cpu", "gpu:1"), ("cpu", "gpu", "cpu"), ("gpu:1", "gpu", "gpu")])
def test_a_model_moves_in_the_middle_of_training(make, way):
    """As if it had stayed: weights, slots, averages, gradients collected so far, masks, running means."""
    x, y = small_data(16)
    results = []
    for places in (("cpu",) * 3, way):
        tinynet.set_device(places[0])
        model = compiled(optimizer=make())
        for place in places:
            assert model.to_device(place) is model
            tinynet.set_device(place)
            losses = [model.train_on_batch(x, y)[0] for _ in range(3)]
            kept = [*model.weights, *model.optimizer.variables[2:]]
            assert {device_of(v.data) for v in kept if v.ndim} == {place}
        results.append((losses, model.get_weights(), model.optimizer.get_weights()))
    (losses, weights, slots), (losses_there, weights_there, slots_there) = results
    np.testing.assert_allclose(losses_there, losses, rtol=2e-3)
    for a, b in zip([*weights, *slots], [*weights_there, *slots_there], strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-2, atol=2e-4)


def test_running_means_go_on_where_they_were():
    x, y = small_data(32)
    model = compiled()
    mean = tinynet.metrics.Mean()
    mean.update_state([1.0, 3.0])
    holder = Sequential([layers.Dense(1)])
    holder.mean = mean
    holder(np.ones((1, 2)))
    holder.to_device("gpu:1")
    tinynet.set_device("gpu:1")
    assert device_of(mean.total.data) == "gpu:1"
    mean.update_state(device.to_device(np.array([5.0], np.float32)))
    assert mean.result() == 3.0
    model.to_device("gpu:1")
    model.fit(x, y, batch_size=16, verbose=0)
    assert {device_of(v.data) for m in model.metrics for v in m.variables} <= {"cpu", "gpu:1"}


def test_whoever_holds_a_parameter_finds_it_moved():
    model = compiled()
    held, before = model.weights, model.get_weights()
    model.to_device("gpu")
    assert all(a is b for a, b in zip(held, model.weights, strict=True))
    assert {device_of(w.data) for w in held} == {"gpu"}
    for here, there in zip(before, model.get_weights(), strict=True):
        assert here.tobytes() == there.tobytes()


def test_steps_that_were_replayed_are_captured_anew():
    x, y = small_data(16)
    model = compiled()
    for _ in range(5):
        model.train_on_batch(x, y)
    assert model.replay.why().startswith("replayed")
    model.to_device("gpu").to_device("cpu")
    expected = compiled()
    for _ in range(10):
        expected.train_on_batch(x, y)
    for _ in range(5):
        model.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()


def test_data_on_another_device_than_the_model_is_an_error_that_says_what_to_do():
    model, (x, y) = compiled(), small_data(16)
    model.to_device("gpu:1")
    with pytest.raises(ValueError, match=r"two devices, cpu and gpu:1\..*tinynet\.to_device"):
        model.train_on_batch(x, y)
    tinynet.set_device("gpu")
    with pytest.raises(ValueError, match=r"two devices, gpu and gpu:1\."):
        model.predict(x, verbose=0)
    with tinynet.device("gpu:1"):
        assert model.predict(x, verbose=0).shape == (16, 4)


# Files


@pytest.mark.parametrize(("here", "there"), [("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "gpu:1")])
def test_a_model_is_saved_on_one_device_and_loaded_on_another(tmp_path, here, there):
    x, y = small_data(32)
    tinynet.set_device(here)
    model = compiled()
    model.fit(x, y, batch_size=16, verbose=0)
    model.save(tmp_path / "net.tinynet")
    model.save_weights(tmp_path / "weights.safetensors")
    tinynet.set_device(there)
    again = load_model(tmp_path / "net.tinynet")
    assert {device_of(w.data) for w in again.weights} == {there}
    assert {device_of(v.data) for v in again.optimizer.variables[2:]} == {there}
    other = compiled(seed=12)
    other.load_weights(tmp_path / "weights.safetensors")
    for one in (again, other):
        assert {device_of(w.data) for w in one.weights} == {there}
        for a, b in zip(model.get_weights(), one.get_weights(), strict=True):
            assert a.tobytes() == b.tobytes()
    for a, b in zip(model.optimizer.get_weights(), again.optimizer.get_weights(), strict=True):
        assert a.tobytes() == b.tobytes()
    set_random_seed(1)
    again.fit(x, y, batch_size=16, verbose=0)  # masks and moments go on
    tinynet.set_device(here)
    set_random_seed(1)
    model.fit(x, y, batch_size=16, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-5)


def test_the_file_is_the_same_wherever_the_model_is(tmp_path):
    contents = []
    for place in ("cpu", "gpu"):
        tinynet.set_device(place)
        tinynet.backend.clear_session()  # so that layers are called alike
        compiled().save(tmp_path / f"{place}.tinynet")
        contents.append((tmp_path / f"{place}.tinynet").read_bytes())
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("here", "there"), [("cpu", "gpu"), ("gpu", "cpu")])
def test_a_training_is_resumed_on_another_device(tmp_path, here, there):
    x, y = small_data(64)

    def fit(place, epochs):
        tinynet.set_device(place)
        model = compiled()
        backup = callbacks.BackupAndRestore(tmp_path / f"backup {here}", delete_checkpoint=False)
        model.fit(x, y, batch_size=16, epochs=epochs, verbose=0, callbacks=[backup])
        return model

    fit(here, 2)
    resumed = fit(there, 3)
    tinynet.set_device(here)
    whole = compiled()
    whole.fit(x, y, batch_size=16, epochs=3, verbose=0)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-5)


# Threads


def test_another_threads_step_comes_after_this_ones(monkeypatch):
    tinynet.set_device("gpu")
    model, (x, y) = compiled(), small_data(16)
    model.train_on_batch(x, y)
    mine, seen = gpu.stream(), SimpleNamespace(stream=None, prediction=None)

    def predict():
        seen.prediction = model.predict(x, verbose=0)
        seen.stream = gpu.stream()

    thread = threading.Thread(target=predict)
    thread.start()
    thread.join()
    assert seen.stream is not mine
    assert mine in seen.stream.waits_for
    assert seen.stream not in mine.waits_for
    np.testing.assert_array_equal(model.predict(x, verbose=0), seen.prediction)
    assert seen.stream in mine.waits_for
