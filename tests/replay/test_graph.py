"""Steps on a GPU, repeated as CUDA graphs: the same bits as eager ones, and why some are not captured.

The stand-in for CuPy takes its place: these are no GPU tests. It keeps CuPy's rules for captures, graphs and
memory, and runs the CUDA kernels on the CPU. What is compared is a training that replays its steps with one
that runs all of them eagerly (`run_eagerly=True`).
"""

import gc
import re
import signal

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers, metrics, ops, optimizers, schedules
from tinynet.backend import device, gpu, gpu_memory
from tinynet.callbacks import progbar_logger
from tinynet.data import ArrayBatches, columns
from tinynet.kernels import by_value, constants
from tinynet.models import Model, Sequential
from tinynet.replay import bits, graph
from tinynet.replay.graph import Graph, GraphCapture
from tinynet.saving import load_model
from tinynet.utils import set_random_seed

import cupy_stand_in
from cuda_shim import shim
from cupy_stand_in import machine

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed(devices=2, checked=False) as module:
        tinynet.set_device("gpu")
        yield module
        tinynet.set_device("cpu")
        gc.collect()


def net():
    """Convolution, batch norm, dropout, noise, Dense: what a small net has."""
    return Sequential(
        [
            layers.Input((4, 4, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.GaussianNoise(0.1),
            layers.Dense(3, activation="softmax"),
        ]
    )


def data(samples=32):
    rng = np.random.default_rng(0)
    return rng.normal(size=(samples, 4, 4, 2)).astype(np.float32), rng.integers(0, 3, samples)


def compiled(eager, optimizer=None, make=net, **settings):
    set_random_seed(7)
    model = make()
    optimizer = optimizer or optimizers.Adam(schedules.ExponentialDecay(0.02, 5, 0.8))
    settings = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **settings}
    model.compile(optimizer, run_eagerly=eager, **settings)
    return model


def state(model):
    draws = [layer._draw_count for layer in model.layers if hasattr(layer, "_draw_count")]
    return [*model.get_weights(), *model.optimizer.get_weights(), np.array(draws)]


def assert_same_bits(found, expected):
    for a, b in zip(found, expected, strict=True):
        assert a.tobytes() == b.tobytes()


def both(train):
    """train(eager) with and without graphs: (what it returns with, without)."""
    return train(eager=False), train(eager=True)


def graphs(model):
    return [program for program in model.replay.programs if isinstance(program, Graph)]


# Training


OPTIMIZERS = {
    "adam with a schedule": lambda: optimizers.Adam(schedules.CosineDecay(0.02, 20)),
    "everything": lambda: optimizers.SGD(
        0.05, momentum=0.9, nesterov=True, weight_decay=0.01, global_clipnorm=0.5, use_ema=True,
        ema_overwrite_frequency=3,
    ),
    "collects": lambda: optimizers.RMSprop(
        0.01, clipnorm=0.3, gradient_accumulation_steps=2, loss_scale_factor=8.0
    ),
    "parts": lambda: optimizers.Nadam(0.01, clipvalue=0.1, learning_rate_multipliers={"dense": 0.5}),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_has_the_bits_of_an_eager_one(name):
    (x, y), histories = data(), []

    def train(eager):
        model = compiled(eager, OPTIMIZERS[name]())
        fitted = model.fit(x, y, batch_size=8, epochs=6, verbose=0, validation_data=(x[:8], y[:8]))
        histories.append(fitted.history)
        if not eager:
            assert model.replay.why().startswith("replayed:"), model.replay.why()
            assert sum(program.graph.count for program in graphs(model)) >= 18
        return [*state(model), model.predict(x, batch_size=8, verbose=0)]

    assert_same_bits(*both(train))
    assert histories[0] == histories[1]


def net_of_products():
    """An embedding, Dense on the rows of a sample, and Dot: no product is cuBLAS's, nothing is sorted."""
    ids = layers.Input((6,), dtype="int64")
    rows = layers.Dense(3, activation="relu")(layers.Embedding(9, 4)(ids))
    products = layers.Flatten()(layers.Dot(axes=2)([rows, rows]))
    return Model(ids, layers.Dense(3, activation="softmax")(products))


def augmenting_net():
    """Maps are drawn on the host at each step; the gradient goes back through a second warp."""
    warps = layers.RandomRotation(0.2), layers.Conv2D(2, 1), layers.RandomTranslation(0.1, 0.2)
    return Sequential([layers.Input((4, 4, 2)), *warps, layers.Flatten(), layers.Dense(3, "softmax")])


def test_images_are_augmented_anew_at_each_step():
    (x, y), histories = data(), []

    def train(eager):
        model = compiled(eager, make=augmenting_net)
        histories.append(model.fit(x, y, batch_size=8, epochs=3, verbose=0).history)
        assert eager or model.replay.why() == "replayed: 1 kind of steps", model.replay.why()
        return state(model)

    assert_same_bits(*both(train))
    assert histories[0] == histories[1]


def test_embeddings_and_products_of_rows_are_captured():
    ids, y = np.random.default_rng(0).integers(0, 9, (32, 6)), data()[1]

    def train(eager):
        model = compiled(eager, make=net_of_products)
        model.fit(ids, y, batch_size=8, epochs=4, verbose=0)
        assert eager or graphs(model), model.replay.why()
        return state(model)

    assert_same_bits(*both(train))


def test_evaluation_and_prediction_are_captured_too():
    x, y = data()
    model, eager = compiled(False), compiled(True)
    for _ in range(5):
        assert model.evaluate(x, y, batch_size=8, verbose=0) == eager.evaluate(x, y, batch_size=8, verbose=0)
        assert_same_bits([model.predict(x, batch_size=8, verbose=0)], [eager.predict(x, 8, verbose=0)])
    assert model.replay.why() == "replayed: 2 kinds of steps"
    assert [program.graph.count > 10 for program in graphs(model)] == [True, True]


def test_a_repeated_step_is_one_graph_and_one_small_launch():
    """No copies, no waiting, and of launches only the numbers of the optimizer and the batch's."""
    x, y = (device.to_device(array) for array in data(8))
    model = compiled(False)
    for _ in range(4):
        model.train_on_batch(x, y)
    assert model.replay.why().startswith("replayed")
    (graph,), before = graphs(model), dict(machine.counts)
    step = next(iter(model._replay_of_steps.steps.values()))
    launched = len(machine.launches)
    step((x, y, None))
    assert machine.launches[launched:] == ["put"]
    now = {name: count - before.get(name, 0) for name, count in machine.counts.items()}
    assert {name: count for name, count in now.items() if count} == {"put": 1, "setitem": 2}  # x and y
    assert graph.graph.count == 3  # the comparison, the fourth step, this one


def test_masks_differ_from_step_to_step_and_are_those_of_eager_steps():
    x, found = device.to_device(np.ones((4, 40), np.float32)), []

    def train(eager):
        set_random_seed(3)
        layer = layers.Dropout(0.5)
        step = tinynet.replayed(lambda x: layer(x, training=True))
        call = step.repeats if eager else step
        outputs = [call(x).numpy() for _ in range(8)]
        found.append(len({array.tobytes() for array in outputs}))
        assert eager or step.why() == "replayed"
        return outputs

    assert_same_bits(*both(train))
    assert found == [8, 8]


# What changes in between


def test_a_learning_rate_that_a_callback_sets_is_honoured():
    x, y = data()

    class Halve(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.optimizer.learning_rate = 0.5 * self.model.optimizer.learning_rate

    def train(eager):
        model = compiled(eager, optimizers.Adam(0.02))
        model.fit(x, y, batch_size=4, epochs=2, verbose=0, callbacks=[Halve()])
        assert eager or graphs(model)
        return state(model)

    assert_same_bits(*both(train))


def test_a_callback_that_evaluates_takes_turns_with_the_training():
    x, y = data()

    def train(eager):
        found = []

        class Evaluate(callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                if batch % 2:
                    found.extend(self.model.evaluate(x[:8], y[:8], batch_size=8, verbose=0))
                    found.extend(self.model.get_metrics_result().values())

        model = compiled(eager)
        history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, callbacks=[Evaluate()]).history
        assert eager or len(graphs(model)) == 2
        return [*state(model), np.array(found), *map(np.array, history.values())]

    assert_same_bits(*both(train))


def test_a_training_is_saved_and_resumed(tmp_path):
    x, y = data()

    def train(eager):
        model = compiled(eager)
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
        model.save(tmp_path / "net.tinynet")
        again = load_model(tmp_path / "net.tinynet")
        again.run_eagerly = eager
        for one in (model, again):
            set_random_seed(1)
            one.fit(x, y, batch_size=8, epochs=2, verbose=0)
            assert eager or graphs(one)
        assert_same_bits(state(model), state(again))
        return state(again)

    assert_same_bits(*both(train))


def test_a_signal_that_comes_in_the_middle_of_a_capture_waits():
    """Its handler predicts, which copies from the GPU."""
    x, y = (device.to_device(array) for array in data(8))

    class Interrupted(layers.Layer):
        def call(self, x):
            if gpu.makes_graph():
                signal.raise_signal(signal.SIGUSR1)
            return x

    def train(eager):
        set_random_seed(7)
        model = Sequential([layers.Input((4, 4, 2)), Interrupted(), layers.Flatten(), layers.Dense(3)])
        model.compile(
            "adam", tinynet.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=eager
        )
        other, found = compiled(True), []
        before = signal.signal(signal.SIGUSR1, lambda *_: found.append(other.predict(x, verbose=0)))
        handler = signal.getsignal(signal.SIGUSR1)
        try:
            for _ in range(6):
                model.train_on_batch(x, y)
            assert signal.getsignal(signal.SIGUSR1) is handler
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert_same_bits(found, [other.predict(x, verbose=0)] * (0 if eager else 1))
        assert eager or graphs(model)
        return state(model)

    assert_same_bits(*both(train))


def test_who_does_not_ask_for_the_loss_does_not_wait(monkeypatch):
    """The progress bar asks a few times a second, not at each step."""
    (x, y), waited = data(), {}
    monkeypatch.setattr(progbar_logger, "redraws", lambda stream: True)
    for seconds in (1e9, 0.0):
        monkeypatch.setattr(progbar_logger, "REDRAW_SECONDS", 0.0)
        monkeypatch.setattr(progbar_logger, "REDRAW_SECONDS_ON_GPU", seconds)
        for epochs in (2, 3):
            model = compiled(False)
            model.fit(x, y, batch_size=8, epochs=1, verbose=0)
            before = machine.counts["waits"]
            model.fit(x[: 8 * epochs], y[: 8 * epochs], batch_size=8, verbose=1)
            waited[seconds, epochs] = machine.counts["waits"] - before
    assert waited[1e9, 3] == waited[1e9, 2]
    assert waited[0.0, 3] > waited[0.0, 2]


def test_new_weights_are_used_at_once():
    x, y = data(8)

    def train(eager):
        model = compiled(eager)
        for i in range(8):
            if i == 5:
                model.set_weights([w * np.float32(0.5) for w in model.get_weights()])
            model.train_on_batch(x, y)
        return state(model)

    assert_same_bits(*both(train))


def test_another_device_throws_the_graphs_away(cupy):
    x, y = data(8)
    model = compiled(False)
    for _ in range(4):
        model.train_on_batch(x, y)
    (program,) = graphs(model)
    blocks = program.graph.blocks
    own = list(program.pool._unused)
    del program
    model.to_device("gpu:1")
    tinynet.set_device("gpu:1")
    model.train_on_batch(x, y)
    gc.collect()
    assert not graphs(model)
    assert own
    assert all(block.released for block in own)
    assert any(block.released for block in blocks)
    for _ in range(3):
        model.train_on_batch(x, y)
    assert graphs(model)
    expected = compiled(True)
    for _ in range(8):
        expected.train_on_batch(x, y)
    assert_same_bits(state(model), state(expected))


def test_memory_of_a_program_is_freed_with_it(cupy):
    x, y = (device.to_device(array) for array in data(8))
    model = compiled(False)
    for _ in range(4):
        model.train_on_batch(x, y)
    (program,) = graphs(model)
    assert program.pool.total_bytes() == program.bytes > 0
    own = list(program.pool._unused)
    del program
    model.replay.steps.clear()
    gc.collect()
    assert all(block.released for block in own)


def test_other_work_on_the_gpu_does_not_disturb_a_graph(cupy):
    """Arrays made after the capture lie elsewhere than the graph's own."""
    x, y = data(8)

    def train(eager):
        model, held = compiled(eager), []
        for _ in range(7):
            model.train_on_batch(x, y)
            held += [cupy.full((n,), np.nan, np.float32) for n in (3, 24, 96, 288, 1152)]
        assert eager or graphs(model)
        assert all(np.isnan(array.get()).all() for array in held)
        return state(model)

    assert_same_bits(*both(train))


def test_all_numbers_of_the_host_go_in_one_launch():
    """Those of the optimizer and of its averages, of 4 or 8 bytes, the words of a mask and of noise."""
    (x, y), model = data(8), compiled(False, optimizers.Adam(0.01, use_ema=True))
    for _ in range(4):
        model.train_on_batch(x, y)
    (program,), count = graphs(model), machine.counts["put"]
    for _ in range(3):
        model.train_on_batch(x, y)
    assert machine.counts["put"] == count + 3
    assert not [name for name, _ in program.graph.launches if name == "put"]


def test_more_numbers_than_a_launch_takes_go_in_several():
    dropouts = [layers.Dropout(0.1 * i, seed=i) for i in range(1, 9)] * 3  # 24 draws of three words
    step = tinynet.replayed(lambda x: [layer(x, training=True) for layer in dropouts])
    x, again = np.ones((20, 3), np.float32), [layers.Dropout(0.1 * i, seed=i) for i in range(1, 9)] * 3
    for _ in range(6):
        expected = [layer(device.to_device(x), training=True) for layer in again]
        for found, y in zip(step(device.to_device(x)), expected, strict=True):
            assert_same_bits([found.numpy()], [y.numpy()])
    assert step.why() == "replayed"


def test_a_letter_keeps_numbers_of_eight_bytes_where_they_may_lie():
    like, numbers = (
        device.to_device(np.zeros(1)),
        [np.uint32([1, 2, 3]), np.array([0.5]), np.float32([[4, 5]])],
    )
    letter = by_value.Letter(like, 8)
    rooms = [letter.room(array) for array in numbers]
    assert letter.room(numbers[1]) is None
    for _ in range(2):
        for (here, _), array in zip(rooms, numbers, strict=True):
            here[...] = array
        letter.go()
        for (_, there), array in zip(rooms, numbers, strict=True):
            assert_same_bits([there.get()], [array])
            array += 1


# Too little memory for a graph


def train_where_memory_is_short(cupy, monkeypatch, short):
    """short(number of the step) says when; returns a training beside an eager one, and why it goes on so."""
    (x, y), why = data(8), []

    def train(eager):
        model = compiled(eager)
        for step in range(6):
            with monkeypatch.context() as patched:
                if not eager:
                    short(step, patched)
                model.train_on_batch(x, y)
        why.append(model.replay.why())
        return state(model)

    assert_same_bits(*both(train))
    return why[0]


def taken(cupy):
    return type(machine).taken[0]


def test_memory_that_arrays_gave_back_is_taken_for_a_graph(cupy, monkeypatch):
    """The usual pool keeps what the steps before the capture needed."""
    pool, usual = gpu_memory.pool_of_graph(cupy), cupy.get_default_memory_pool()
    usual.free_all_blocks()
    cupy.zeros(10_000)
    assert usual.free_bytes() >= 80_000
    monkeypatch.setattr(type(machine), "memory", taken(cupy) + 1024)
    with cupy.cuda.using_allocator(pool.malloc):
        held = cupy.zeros(5_000)
    assert (pool.total_bytes(), usual.free_bytes(), held.size) == (40_448, 0, 5_000)


def test_a_pool_of_a_graph_keeps_what_the_graph_writes_to(cupy, monkeypatch):
    """CuPy's pools give free blocks back when CUDA has no more; a graph writes there later."""
    pool, x = gpu_memory.pool_of_graph(cupy), cupy.ones(4)
    stream = cupy.cuda.get_current_stream()
    with cupy.cuda.using_allocator(pool.malloc):
        stream.begin_capture()
        y = (x + 1) * 2
        with monkeypatch.context() as patched:
            patched.setattr(type(machine), "memory", taken(cupy))
            with pytest.raises(gpu_memory.OutOfMemoryError, match="no room on gpu"):
                cupy.zeros(10_000)
        graph = stream.end_capture()
    graph.launch()
    assert y.tolist() == [4] * 4


@pytest.mark.parametrize("step", [1, 2])
def test_without_room_for_a_graph_the_steps_go_on(cupy, monkeypatch, step):
    """At the capture, and where the step runs on the tape beside the graph's memory: from the same state."""

    def short(now, patched):
        if now >= 1 and step == 1:
            patched.setattr(gpu_memory, "room", lambda cupy: 0)
        if now == 2 and step == 2:
            optimizer_step, calls = optimizers.Adam.apply, []

            def apply(self, *args):
                calls.append(self)
                if len(calls) == 1:
                    optimizer_step(self, *args)
                    raise gpu_memory.OutOfMemoryError("no room")
                return optimizer_step(self, *args)

            patched.setattr(optimizers.Adam, "apply", apply)

    why = train_where_memory_is_short(cupy, monkeypatch, short)
    said = ["not replayed: a graph of it finds no room beside", "not the other: a graph of it finds no room:"]
    assert said[step - 1] in why, "the second one happens once: without the running means there is a graph"


def test_a_data_set_that_does_not_fit_is_sent_batch_by_batch(cupy, monkeypatch):
    """Its labels too: a graph is made of batches that lie on the GPU."""
    x, y = data()

    def train(eager):
        model = compiled(eager)
        with monkeypatch.context() as patched:
            patched.setattr(columns, "resident", lambda array: array)
            model.fit(x, y, batch_size=8, epochs=2, verbose=0)
        assert eager or model.replay.why() == "replayed: 1 kind of steps", model.replay.why()
        return state(model)

    assert_same_bits(*both(train))


# Planted faults: each of these mechanisms is left out, and the training shows it


def disturbed_training(cupy, eager=False):
    """Steps between which others use the GPU, and constants are forgotten: what the model holds then."""
    (x, y), held = data(64), []
    model = compiled(eager)
    for i in range(0, 64, 8):
        model.train_on_batch(x[i : i + 8], y[i : i + 8])
        constants._kept.cache_clear()
        held += [cupy.full((n,), np.nan, np.float32) for n in (3, 24, 96, 288, 1152) for _ in range(3)]
    replayed = model.replay.why().startswith("replayed")
    return state(model), replayed, all(np.isnan(array.get()).all() for array in held)


def from_the_usual_pool(monkeypatch, cupy):
    def allocate(self, size):
        memory = cupy.get_default_memory_pool().malloc(size)
        self._own.add(memory.ptr)
        return memory

    monkeypatch.setattr(GraphCapture, "_allocate", allocate)


def nothing_is_kept(monkeypatch, cupy):
    monkeypatch.setattr(GraphCapture, "_keep", lambda self, x: None)


def numbers_stay_in_the_graph(monkeypatch, cupy):
    monkeypatch.setattr(GraphCapture, "send", lambda self, numbers, like: None)


def numbers_in_the_graphs_memory(monkeypatch, cupy):
    monkeypatch.setattr(graph, "WORDS", 2)  # several letters, the later ones in blocks that were in use
    monkeypatch.setattr(GraphCapture, "_new_letter", lambda self, like, words: by_value.Letter(like, words))


def letters_stay_at_home(monkeypatch, cupy):
    monkeypatch.setattr(by_value.Letter, "go", lambda self: None)


def numbers_lie_on_each_other(monkeypatch, cupy):
    monkeypatch.setattr(graph, "words_of", lambda numbers: numbers.nbytes // 4)
    monkeypatch.setattr(by_value, "words_of", lambda numbers: numbers.nbytes // 8)


def host_launches_are_not_repeated(monkeypatch, cupy):
    monkeypatch.setattr(Graph, "run", lambda self: self.graph.launch())


def inputs_are_not_written(monkeypatch, cupy):
    monkeypatch.setattr(bits, "write", lambda into, array: None)


FAULTS = [
    from_the_usual_pool, nothing_is_kept, numbers_stay_in_the_graph, numbers_in_the_graphs_memory,
    letters_stay_at_home, numbers_lie_on_each_other, host_launches_are_not_repeated, inputs_are_not_written,
]  # fmt: skip


@pytest.mark.parametrize("fault", [None, *FAULTS], ids=lambda f: getattr(f, "__name__", "none"))
def test_no_mechanism_can_be_left_out(cupy, monkeypatch, fault):
    expected, _, undisturbed = disturbed_training(cupy, eager=True)
    assert undisturbed
    if fault is not None:
        fault(monkeypatch, cupy)
    try:
        found, replayed, undisturbed = disturbed_training(cupy)
    except Exception:
        assert fault is not None
        return
    same = all(a.tobytes() == b.tobytes() for a, b in zip(found, expected, strict=True))
    assert (same and replayed and undisturbed) == (fault is None)


# Loops and steps of one's own


class OwnStep(Sequential):
    """A training step as one writes it for Keras, which returns its loss."""

    def train_step(self, data):
        x, y = data
        loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        self.optimizer.apply(tinynet.grad(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}


def test_a_training_step_of_ones_own():
    x, y = data()

    def train(eager):
        model = compiled(eager, make=lambda: OwnStep(net().layers))
        history = model.fit(x, y, batch_size=8, epochs=5, verbose=0).history
        assert eager or graphs(model), model.replay.why()
        return [*state(model), np.array(history["loss"])]

    assert_same_bits(*both(train))


def test_a_loop_of_ones_own():
    x, y = data()

    def train(eager):
        set_random_seed(5)
        model, optimizer = net(), optimizers.Adam(schedules.ExponentialDecay(0.02, 5, 0.8))
        mean = metrics.Mean()

        @tinynet.replayed
        def step(x, y):
            loss = ops.mean(tinynet.losses.sparse_categorical_crossentropy(y, model(x, training=True)))
            grads = tinynet.grad(loss, model.trainable_weights)
            optimizer.apply(grads, model.trainable_weights)
            mean.update_state(loss)
            return loss

        call, losses = step.repeats if eager else step, []
        for _ in range(6):
            for batch, labels, _ in ArrayBatches(x, y, batch_size=8).epoch():
                losses.append(call(batch, labels))
        assert eager or step.why() == "replayed", step.why()
        model.optimizer = optimizer
        return [*state(model), *[loss.numpy() for loss in losses], np.array(float(mean.result()))]

    assert_same_bits(*both(train))


def test_results_are_the_callers_own():
    x = device.to_device(np.arange(3, dtype=np.float32))
    step = tinynet.replayed(lambda x: (ops.exp(x), x * 2))
    results = [step(x + i) for i in range(6)]
    assert step.why() == "replayed"
    for i, (a, b) in enumerate(results):
        np.testing.assert_allclose(tinynet.to_device(a, "cpu"), np.exp(np.arange(3.0) + i), rtol=1e-6)
        np.testing.assert_array_equal(tinynet.to_device(b, "cpu"), 2 * (np.arange(3) + i))


# What is not captured


def reads(x):
    return x * float(ops.sum(x))


def reads_a_tensor(x):
    return x * float(ops.sum(tinynet.Tensor(x)))


def copies(x):
    return x * tinynet.Tensor(device.to_device(np.ones(3, np.float32)))


def multiplies_with_cublas(x):
    return x @ x


def changes_its_argument(x):
    x += 1
    return x * 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (reads, r"test_graph.py:\d+ cannot be captured on a GPU: .*a copy to host"),
        (reads_a_tensor, r"test_graph.py:\d+ looks at the numbers of an array of the GPU"),
        (copies, r"test_graph.py:\d+ copies an array to the GPU"),
        (multiplies_with_cublas, r"test_graph.py:\d+ cannot be captured on a GPU: .*cuBLAS"),
        (changes_its_argument, "changes what it is given"),
    ],
)
def test_a_step_that_cannot_be_captured_runs_and_says_why(function, reason):
    step = tinynet.replayed(function)
    for i in range(5):
        array = np.full(3, i, np.float32) + np.arange(3, dtype=np.float32)
        expected = {
            reads: array * array.sum(),
            reads_a_tensor: array * array.sum(),
            copies: array,
            multiplies_with_cublas: array @ array,
            changes_its_argument: array + 1,
        }[function]
        found = step(device.to_device(array))
        np.testing.assert_allclose(tinynet.to_device(found, "cpu"), expected, rtol=1e-6)
    assert re.search(reason, step.why()), step.why()
    assert not cupy_stand_in.MODULES["cupy"].cuda.get_current_stream().is_capturing()


def test_the_default_stream_is_not_captured(cupy):
    """Nor is its allocator left behind where a capture does not begin."""
    step, x = tinynet.replayed(lambda x: x * 2), device.to_device(np.ones(3, np.float32))
    step(x)
    with cupy.cuda.Stream.null:
        found = [step(x) for _ in range(3)]
        assert "default (legacy) stream" in step.why()
        assert not machine.allocators
    assert [array.tolist() for array in found] == [[2, 2, 2]] * 3


def test_a_model_on_a_gpu_while_the_cpu_is_in_use():
    model, x = compiled(False), device.to_device(data(8)[0])
    tinynet.set_device("cpu")
    found = [model._replay_of_steps(tinynet.models.steps.predict_batch, x)[0].get() for _ in range(5)]
    assert_same_bits(found[1:], found[:-1])
    assert "on the device in use" in model.replay.why()
    step = tinynet.replayed(lambda x: model(x))
    assert_same_bits([step(x).numpy() for _ in range(4)], found[:4])
    assert "the device in use is the CPU" in step.why()


def test_an_optimizer_of_ones_own_runs_eagerly():
    class Sign(optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable.data[...] -= learning_rate * ops.sign(gradient)

    (x, y), model = data(8), compiled(False, Sign(0.01))
    for _ in range(5):
        model.train_on_batch(x, y)
    assert "updates variables on a GPU one by one" in model.replay.why()
    expected = compiled(True, Sign(0.01))
    for _ in range(5):
        expected.train_on_batch(x, y)
    assert_same_bits(state(model), state(expected))


def test_a_metric_that_reads_its_numbers_stays_outside_of_the_graph():
    x, y = data()
    settings = {"metrics": [metrics.SparseCategoricalAccuracy(), Counting()]}

    def train(eager):
        model = compiled(eager, **settings)
        history = model.fit(x, y, batch_size=8, epochs=3, verbose=0).history
        if not eager:
            assert graphs(model)
            assert "1 of 2 kinds" in model.replay.why()
        return [*state(model), *map(np.array, history.values())]

    assert_same_bits(*both(train))


class Counting(metrics.Metric):
    """Predictions of class 0, read on the host."""

    def __init__(self, name="counting", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = 0

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count += int((y_pred.argmax(axis=1) == 0).sum())

    def reset_state(self):
        self.count = 0

    def result(self):
        return float(self.count)


def test_a_metric_may_be_made_before_the_device_is_chosen():
    x, y = data()
    with tinynet.device("cpu"):
        early = metrics.SparseTopKCategoricalAccuracy(2)
    found = []
    for metric in (early, metrics.SparseTopKCategoricalAccuracy(2)):
        model = compiled(False, metrics=[metric])
        found.append(model.fit(x, y, batch_size=8, epochs=3, verbose=0).history)
        assert model.replay.why() == "replayed: 1 kind of steps"
    assert found[0] == found[1]


def test_within_a_capture_of_ones_own_steps_run_eagerly(cupy):
    x, y = (device.to_device(array) for array in data(8))
    model = compiled(False, optimizers.SGD(0.1))
    for _ in range(4):
        model.train_on_batch(x, y)
    (program,), count = graphs(model), machine.counts["put"]
    stream, launched = cupy.cuda.get_current_stream(), graphs(model)[0].graph.count
    stream.begin_capture()
    model._replay_of_steps(tinynet.models.steps.update, x, y, None)
    graph = stream.end_capture()
    assert program.graph.count == launched
    assert len(graph.launches) > 20
    assert machine.counts["put"] == count + 3  # the optimizer's numbers, words of dropout and of noise
