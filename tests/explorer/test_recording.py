"""What a recording holds: the numbers of a step, by hand and bit by bit; and the model keeps its own."""

import copy
import inspect
import json
import threading
from pathlib import Path

import numpy as np
import pytest

import tinynet
from benchmarks.shapes import same
from tinynet import Model, Sequential, Tensor, debug, explorer, kernels, layers, ops, optimizers
from tinynet.backend import random

from explorer.nets import IMAGES, LABELS, RNG, convolutional

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(autouse=True)
def seeded():
    tinynet.utils.set_random_seed(0)


def explored(tmp_path, *args, **settings):
    return explorer.load(tinynet.explore(*args, tmp_path / "step.npz", **settings))


def named(index, name):
    """Places of the quantities of a name."""
    return [i for i, quantity in enumerate(index["quantities"]) if quantity["name"] == name]


def operation(index, name):
    """The first operation of a name."""
    return next(op for op in index["operations"] if op["name"] == name)


def state(model):
    draws = [layer._draw_count for layer in model.layers if hasattr(layer, "_draw_count")]
    arrays = [*model.get_weights(), *[np.asarray(v.data) for v in model.optimizer.variables]]
    metrics = [np.asarray(v.data) for m in model.metrics for v in m.variables]
    numpys = np.random.get_state()[1]
    return [a.tobytes() for a in [*arrays, *metrics, numpys]], draws, random.state()


def test_the_model_keeps_every_bit(tmp_path):
    model = convolutional()
    model.fit(IMAGES, LABELS, epochs=2, batch_size=5, verbose=0)
    before, twin = state(model), copy.deepcopy(model)
    explored(tmp_path, model, IMAGES, LABELS)
    explored(tmp_path, model, IMAGES, None)
    assert state(model) == before
    for net in (model, twin):  # and goes on as if nothing had been
        net.fit(IMAGES, LABELS, batch_size=4, verbose=0, shuffle=False)
    assert [w.tobytes() for w in model.get_weights()] == [w.tobytes() for w in twin.get_weights()]


def test_a_model_that_is_not_built_stays_so(tmp_path):
    model = Sequential([layers.Dense(2, name="first"), layers.Dropout(0.5), layers.Dense(1)])
    model.compile("sgd", "mse")
    keys = random.state()
    explored(tmp_path, model, np.ones((4, 3)), np.ones((4, 1)))
    assert not model.built
    assert model.weights == []
    assert random.state() == keys


def test_it_is_the_step_that_training_makes(tmp_path):
    model = convolutional()
    chosen = [1, 4, 5, 7, 11]
    index, q = explored(tmp_path, model, IMAGES, LABELS, images=chosen)
    with debug.check_numerics():  # as there, no rules are joined: all bits are the same
        model.train_on_batch(IMAGES[chosen], LABELS[chosen])
    for variable in model.trainable_weights:
        (place,) = named(index, f"{variable.name}: new w")
        assert q[f"q{place}"].tobytes() == variable.numpy().tobytes(), variable.name


def test_joined_rules_change_nothing_but_the_last_bits(tmp_path):
    model = convolutional("sgd")
    index, q = explored(tmp_path, model, IMAGES, LABELS, images=12)
    model.train_on_batch(IMAGES, LABELS)
    for variable in model.trainable_weights:
        (place,) = named(index, f"{variable.name}: new w")
        np.testing.assert_allclose(q[f"q{place}"], variable.numpy(), rtol=1e-5, atol=1e-7)


def test_a_step_by_hand(tmp_path):
    """Two dense layers, squared error and Adam in float64, from the formulas."""
    model = Sequential(
        [layers.Input((3,)), layers.Dense(2, activation="tanh", name="a"), layers.Dense(1, name="b")]
    )
    model.compile(optimizers.Adam(0.01), "mse")
    x, t = RNG.normal(size=(5, 3)).astype("float32"), RNG.normal(size=(5, 1)).astype("float32")
    w1, b1, w2, b2 = (w.astype("float64") for w in model.get_weights())
    index, q = explored(tmp_path, model, x, t, images=5)
    h = np.tanh(x @ w1 + b1)
    p = h @ w2 + b2
    dp = 2 * (p - t) / 5
    dh = dp @ w2.T * (1 - h * h)
    gradients = {"a/kernel": x.T @ dh, "a/bias": dh.sum(0), "b/kernel": h.T @ dp, "b/bias": dp.sum(0)}
    first, second = [op for op in index["operations"] if op["name"] == "dense"]
    np.testing.assert_allclose(q[f"q{first['outputs'][0]}"], h, rtol=1e-5)
    np.testing.assert_allclose(q[f"q{second['outputs'][0]}"], p, rtol=1e-5)
    np.testing.assert_allclose(q[f"q{second['rule']['upstream'][0]}"], dp, rtol=1e-5)
    np.testing.assert_allclose(q[f"q{index['loss']}"], ((p - t) ** 2).mean(), rtol=1e-5)
    for op in index["operations"]:
        if op["phase"] == "update":
            given = {one["name"]: q[f"q{one['q']}"] for one in op["inputs"]}
            name = index["quantities"][op["inputs"][0]["q"]]["name"]
            g = gradients[name]
            np.testing.assert_allclose(given["g"], g, rtol=1e-4, atol=1e-7)
            m, v = 0.1 * g, 0.001 * g * g
            corrected = (m / 0.1) / (np.sqrt(v / 0.001) + 1e-7 / np.sqrt(0.001))
            new = [given["w"] - 0.01 * corrected, m, v]
            for number, expected in zip(op["outputs"], new, strict=True):
                np.testing.assert_allclose(q[f"q{number}"], expected, rtol=1e-4, atol=1e-7)
    assert {op["settings"]["t"] for op in index["operations"] if op["phase"] == "update"} == {1}


def test_places_refer_to_one_another(tmp_path):
    index, q = explored(tmp_path, convolutional(), IMAGES, LABELS)
    quantities, made = index["quantities"], set()
    for number, op in enumerate(index["operations"]):
        phase = "update" if op["phase"] == "update" else "forward"
        for place, out in enumerate(op["outputs"]):
            assert quantities[out]["by"] == [phase, number, place]
            made.add(out)
        for place, out in enumerate(op["rule"]["returned"] if op["rule"] else ()):
            if out is not None:
                assert quantities[out]["by"] == ["backward", number, place]
                assert quantities[out]["of"] == op["inputs"][place]["q"]
                assert quantities[out]["shape"] == quantities[op["inputs"][place]["q"]]["shape"]
                made.add(out)
    assert {i for i, quantity in enumerate(quantities) if quantity["by"]} == made
    assert all(list(q[f"q{i}"].shape) == quantity["shape"] for i, quantity in enumerate(quantities))
    assert [name for name, _ in index["order"]] == sorted(
        (name for name, _ in index["order"]), key=["forward", "backward", "update"].index
    )


def test_the_images_with_the_highest_losses(tmp_path):
    model = convolutional()
    losses = -np.log(model.predict(IMAGES, verbose=0)[np.arange(12), LABELS])
    index, q = explored(tmp_path, model, IMAGES, LABELS, images=3)
    assert index["images"] == list(np.argsort(-losses)[:3])
    np.testing.assert_allclose(index["losses"], np.sort(losses)[::-1][:3], rtol=1e-5)
    assert q["q0"].tobytes() == IMAGES[index["images"]].tobytes()


def test_numbers_of_channels_are_no_images(tmp_path):
    """Four images, and batch norm's four means: an axis of channels all the same."""
    index, _ = explored(tmp_path, convolutional(), IMAGES, LABELS, images=4)
    outputs = [index["quantities"][i] for i in operation(index, "normalise")["outputs"]]
    assert [one["shape"] for one in outputs] == [[4, 4, 4, 4], [4], [4]]
    assert [one["batch"] for one in outputs] == [True, False, False]


def test_what_operations_keep_and_why(tmp_path):
    index, _ = explored(tmp_path, convolutional(), IMAGES, LABELS)
    pool = operation(index, "max_pool")["kept"]
    assert [(kept["name"], kept["why"]) for kept in pool] == [
        ("y", "the derivative by x takes y, its own output")
    ]
    assert pool[0]["bytes"] == 4 * 4 * 4 * 4 * 4 + 4 * 4 * 4 * 4  # float32, and a byte for each winner
    conv = {kept["name"]: kept["bytes"] for kept in operation(index, "rectified_convolution")["kept"]}
    assert conv == {"x": 4 * 4 * 8 * 8 * 2, "w": 4 * 3 * 3 * 2 * 4, "y": 4 * 4 * 8 * 8 * 4}


def test_flops_and_bytes_are_those_of_the_benchmarks(tmp_path):
    conv, model = same(2, 4, 8), convolutional()
    index, _ = explored(tmp_path, model, IMAGES, LABELS)
    found = operation(index, "rectified_convolution")
    assert found["flops"] == conv.flops(4)
    assert found["bytes"] == conv.bytes(4) + 4 * 4  # and the bias
    by_name = {kernel["name"]: kernel["flops"] for kernel in found["rule"]["kernels"]}
    assert by_name["conv2d_weight_grad"] == conv.flops(4)
    assert "conv2d_input_grad" not in by_name  # of images nobody wants the gradient
    assert operation(index, "dense")["flops"] == 2 * 4 * 64 * 3
    assert operation(index, "reshape")["flops"] == 0  # a view


@pytest.mark.parametrize(("asked", "chosen"), [(None, "winograd_tiles"), ("im2col", "im2col")])
def test_which_kernel_and_why(asked, chosen, tmp_path):
    model = convolutional()
    if asked is None:
        index, _ = explored(tmp_path, model, IMAGES, LABELS)
    else:
        with kernels.use("conv2d", asked):
            index, _ = explored(tmp_path, model, IMAGES, LABELS)
    (kernel,) = operation(index, "rectified_convolution")["kernels"]
    assert kernel["chosen"] == chosen
    geometry = {"strides": (1, 1), "padding": "same", "dilation": (1, 1), "groups": 1}
    said = kernels.conv2d.explain((4, 8, 8, 2), (3, 3, 2, 4), **geometry).splitlines()[1]
    expected = (
        said.strip().removeprefix("forward").strip()
        if asked is None
        else "kernels.use('conv2d', 'im2col') asks for it"
    )
    assert kernel["why"] == expected


def test_sources_are_the_files(tmp_path):
    index, _ = explored(tmp_path, convolutional(), IMAGES, LABELS)
    assert len(index["sources"]) > 20
    for source in index["sources"]:
        lines = (ROOT / source["file"]).read_text(encoding="utf-8").splitlines()
        text = inspect.cleandoc("\n" + source["text"])
        first = source["text"].splitlines()[0]
        assert lines[source["line"] - 1].strip() == first.strip(), source["file"]
        assert text
    rule = operation(index, "max_pool")["rule"]["sources"][0]
    assert "takes_before_relu" in index["sources"][rule["source"]]["text"]
    assert index["sources"][rule["source"]]["file"] == "tinynet/ops/pool2d.py"


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    written = []
    for number in range(2):
        tinynet.utils.set_random_seed(3)
        path = tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path / str(number) / "step.npz")
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_weight_that_is_used_twice_gets_a_sum(tmp_path):
    inputs = layers.Input((3,))
    shared = layers.Dense(3, name="shared", use_bias=False)
    model = Model(inputs, layers.Dense(1, name="last")(shared(shared(inputs))))
    model.compile("sgd", "mse")
    index, q = explored(tmp_path, model, RNG.normal(size=(4, 3)), np.ones((4, 1)))
    total = next(
        x
        for x in index["quantities"]
        if x["parts"] and index["quantities"][x["of"]]["name"] == "shared/kernel"
    )
    first, second = total["parts"]
    place = index["quantities"].index(total)
    np.testing.assert_allclose(q[f"q{place}"], q[f"q{first}"] + q[f"q{second}"], rtol=1e-6)


def test_without_targets_a_forward_pass_in_inference_mode(tmp_path):
    model = convolutional()
    index, q = explored(tmp_path, model, IMAGES, None)
    assert index["kind"] == "forward only"
    assert "normalise_with" in [op["name"] for op in index["operations"]]
    assert all(op["rule"] is None and op["phase"] == "forward" for op in index["operations"])
    last = index["operations"][-1]["outputs"][0]
    np.testing.assert_array_equal(q[f"q{last}"], model.predict(IMAGES[:4], verbose=0))


def test_a_model_that_is_not_compiled_gives_the_gradient_of_its_outputs(tmp_path):
    model = Sequential([layers.Input((3,)), layers.Dense(2, name="only")])
    x = RNG.normal(size=(4, 3)).astype("float32")
    index, q = explored(tmp_path, model, x, np.ones(4))
    assert "sum of its outputs" in index["notes"][0]
    (place,) = named(index, "gradient of only/kernel")
    np.testing.assert_allclose(q[f"q{place}"], x.T @ np.ones((4, 2)), rtol=1e-5)


def test_a_tape(tmp_path):
    x, y = (Tensor([value], requires_grad=True, name=name) for value, name in ((2.0, "x"), (3.0, "y")))
    z = x * y + x
    index, q = explorer.load(tinynet.explore(z, path=tmp_path / "tape.npz"))
    assert [op["name"] for op in index["operations"]] == ["multiply", "add"]
    product, total = (op["outputs"][0] for op in index["operations"])
    assert f"q{product}" not in q  # the rule of add needs no values, and none is kept
    assert q[f"q{total}"] == 8
    gradient = next(g for g in index["quantities"] if g["parts"])
    assert [float(q[f"q{part}"][0]) for part in gradient["parts"]] == [1.0, 3.0]  # dz/dx = 1 + y
    assert x.grad is None
    z.backward()  # the tape is still there
    assert x.grad.numpy() == 4
    with pytest.raises(RuntimeError, match="freed the graph of 'add'"):
        tinynet.explore(z, path=tmp_path / "tape.npz")


def test_other_threads_are_left_out(tmp_path):
    model, stop = convolutional(), threading.Event()

    def busy():
        while not stop.is_set():
            ops.exp(Tensor([1.0], requires_grad=True))

    other = threading.Thread(target=busy)
    other.start()
    try:
        index, _ = explored(tmp_path, model, IMAGES, LABELS)
    finally:
        stop.set()
        other.join()
    assert "exp" not in [op["name"] for op in index["operations"]]


def test_a_step_of_ones_own(tmp_path):
    class Own(Model):
        def __init__(self):
            super().__init__(name="own")
            self.inner = layers.Dense(1, name="inner")

        def call(self, x):
            return self.inner(x)

        def train_step(self, data):
            x, y = data
            loss = ((self(x, training=True) - y) ** 4).mean()
            self.optimizer.apply(tinynet.grad(loss, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

    model = Own()
    model.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
    index, _ = explored(tmp_path, model, np.ones((4, 3)), np.zeros((4, 1)))
    assert [layer["path"] for layer in index["layers"]] == ["own", "own/inner"]
    assert [op["phase"] for op in index["operations"]].count("update") == 2


def test_a_seed_is_one_of_the_parts(tmp_path):
    """Of outputs h and Dense(h) the gradient begins at h too: 1, and what comes back through the layer."""
    i = layers.Input((3,))
    h = layers.Dense(4, name="h")(i)
    model = Model(i, [h, layers.Dense(3, name="last")(h)])
    index, q = explored(tmp_path, model, RNG.normal(size=(5, 3)).astype("float32"), np.ones(5), images=5)
    first, last = [op for op in index["operations"] if op["name"] == "dense"]
    place = first["rule"]["upstream"][0]
    expected = 1 + np.ones((5, 3)) @ q[f"q{last['inputs'][1]['q']}"].T
    np.testing.assert_allclose(q[f"q{place}"], expected, rtol=1e-5, atol=1e-6)
    assert len(index["quantities"][place]["parts"]) == 2
    seed = next(part for part in index["quantities"][place]["parts"] if not index["quantities"][part]["by"])
    np.testing.assert_array_equal(q[f"q{seed}"], np.ones((5, 4)))


class Custom(Model):
    """A dense layer, and a train_step that a test gives."""

    def __init__(self, step):
        super().__init__(name="custom")
        self.inner, self.step = layers.Dense(1, name="inner"), step
        self.compile(optimizers.SGD(0.1), "mse")

    def call(self, x):
        return self.inner(x)

    def train_step(self, data):
        self.step(self, *data)
        return {}

    def loss_of(self, x, y):
        return ((self(x, training=True) - y) ** 2).mean()


def updates(index, q):
    """(w, g, new w) of every update of the kernel, with their entries in the index."""
    for op in index["operations"]:
        if op["phase"] == "update" and "kernel" in index["quantities"][op["inputs"][0]["q"]]["name"]:
            places = [op["inputs"][0]["q"], op["inputs"][1]["q"], op["outputs"][0]]
            yield [q[f"q{i}"] for i in places], [index["quantities"][i] for i in places]


def test_gradients_that_train_step_changes(tmp_path):
    def step(model, x, y):
        grads = tinynet.grad(model.loss_of(x, y), model.trainable_weights)
        model.optimizer.apply([g * 0.5 for g in grads], model.trainable_weights)

    index, q = explored(tmp_path, Custom(step), np.ones((4, 3)), np.zeros((4, 1)))
    ((old, g, new), (_, entry, _)) = next(updates(index, q))
    np.testing.assert_allclose(g, np.full((3, 1), old.sum()), rtol=1e-5)  # half of 2 (Σ w - 0)
    np.testing.assert_allclose(new, old - 0.1 * g, rtol=1e-6)
    assert entry["parts"] == []
    assert entry["note"].startswith("It was changed by train_step")


def test_two_walks_do_not_mix(tmp_path):
    def step(model, x, y):
        first = tinynet.grad(model.loss_of(x, y), model.trainable_weights)
        second = tinynet.grad(model.loss_of(x, y + 1), model.trainable_weights)
        model.optimizer.apply(first, model.trainable_weights)
        model.optimizer.apply(second, model.trainable_weights)

    index, q = explored(tmp_path, Custom(step), np.ones((4, 3)), np.zeros((4, 1)))
    (one, names), (two, _) = updates(index, q)
    total = one[0].sum()
    np.testing.assert_allclose(one[1], np.full((3, 1), 2 * total), rtol=1e-5)
    np.testing.assert_allclose(two[1], np.full((3, 1), 2 * (total - 1)), rtol=1e-5)
    assert names[1]["note"] == ""


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_two_updates_in_a_step(optimizer, tmp_path):
    """The second forward and update begin with the weights and slots that the first one left."""

    def step(model, x, y):
        for _ in range(2):
            grads = tinynet.grad(model.loss_of(x, y), model.trainable_weights)
            model.optimizer.apply(grads, model.trainable_weights)

    model = Custom(step)
    model.compile(optimizer, "mse")
    index, _ = explored(tmp_path, model, np.ones((4, 3)), np.zeros((4, 1)))
    first, second = [op for op in index["operations"] if op["name"] == "dense"]
    rounds = [op for op in index["operations"] if op["phase"] == "update"]
    assert len(rounds) == 4
    for before, after in zip(rounds[:2], rounds[2:], strict=True):
        given = [one["q"] for one in after["inputs"] if one["name"] != "g"]
        assert given == before["outputs"]
    assert [one["q"] for one in second["inputs"][1:]] == [op["outputs"][0] for op in rounds[:2]]
    assert first["inputs"][1]["q"] != second["inputs"][1]["q"]


def test_a_weight_that_is_assigned_within_a_step(tmp_path):
    def step(model, x, y):
        model.loss_of(x, y)
        model.inner.kernel.assign(np.full((3, 1), 7.0))
        model.loss_of(x, y)

    index, q = explored(tmp_path, Custom(step), np.ones((4, 3)), np.zeros((4, 1)))
    second = [op for op in index["operations"] if op["name"] == "dense"][1]["inputs"][1]["q"]
    np.testing.assert_array_equal(q[f"q{second}"], np.full((3, 1), 7.0))
    assert index["quantities"][second]["note"].startswith("It was changed within the step")


def test_a_second_walk_over_the_same_operations(tmp_path):
    def step(model, x, y):
        loss = model.loss_of(x, y)
        tinynet.grad(loss, model.trainable_weights, retain_graph=True)
        tinynet.grad(loss, model.trainable_weights)

    index, _ = explored(tmp_path, Custom(step), np.ones((4, 3)), np.zeros((4, 1)))
    assert sum("second walk" in note for note in index["notes"]) == 1
    walked = [number for phase, number in index["order"] if phase == "backward"]
    assert len(walked) == len(set(walked)) > 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_that_are_not_finite(tmp_path):
    model = Sequential([layers.Input((1,)), layers.Lambda(ops.log, name="log")])
    path = tinynet.explore(model, np.zeros((2, 1)), path=tmp_path / "step.npz")
    index, q = explorer.load(path)
    out = index["operations"][0]["outputs"][0]
    assert np.isneginf(q[f"q{out}"]).all()
    assert index["quantities"][out]["stats"]["min"] == "-inf"
    json.dumps(index, allow_nan=False)


@pytest.mark.parametrize("seen", [True, False])
def test_draws_of_other_threads_are_not_rewound(seen, tmp_path):
    """A key that another thread drew while the copy ran is not handed out again."""
    drawn = []

    def step(model, x, y):
        if seen:
            other = threading.Thread(target=lambda: drawn.append(random.next_key()))
            other.start()
            other.join()
        random.next_key()

    model, before = Custom(step), random.state()
    explored(tmp_path, model, np.ones((4, 3)), np.zeros((4, 1)))
    assert random.next_key() not in drawn
    assert seen or random.state()["drawn"] == before["drawn"] + 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_losses_that_are_nan_come_first(tmp_path):
    model = Sequential([layers.Input((1,)), layers.Lambda(ops.log, name="log")])
    model.compile("sgd", "mse")
    x = np.array([[1.0], [2.0], [-1.0], [4.0]], np.float32)
    index, _ = explored(tmp_path, model, x, np.zeros((4, 1)), images=2)
    assert index["images"] == [2, 3]  # the logarithm of -1 is NaN


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"y": LABELS[:5]}, ValueError, "y must have as many samples as x, 12, and has 5"),
        ({"y": LABELS[:5], "images": [5]}, ValueError, "y must have as many samples as x, 12, and has 5"),
        ({"max_megabytes": float("inf")}, ValueError, "max_megabytes must be above 0 and finite, got inf"),
        ({"max_megabytes": "8"}, TypeError, "max_megabytes must be a number, got '8'"),
        ({"images": True}, TypeError, "images must be a number or a list of places in x, got True"),
        ({"path": None}, TypeError, "path must be the name of a file, got None"),
    ],
)
def test_errors_name_the_argument(settings, error, words, tmp_path):
    given = {"x": IMAGES, "y": LABELS, "path": tmp_path / "step.html", **settings}
    with pytest.raises(error, match=words):
        tinynet.explore(convolutional(), **given)


def test_a_page_that_is_larger_than_asked_says_so(tmp_path, capsys):
    tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path / "step.html", max_megabytes=0.01)
    assert capsys.readouterr().out.endswith("MB, more than the 0.01 asked for\n")


def test_what_it_refuses(tmp_path):
    model = convolutional()
    (tmp_path / "some.txt").write_text("words")
    with pytest.raises(ValueError, match="was not written by"):
        explorer.load(tmp_path / "some.txt")
    with pytest.raises(ValueError, match=r"places 0 \.\. 11 of x"):
        explored(tmp_path, model, IMAGES, LABELS, images=[12])
    with pytest.raises(ValueError, match="at least 1, got 0"):
        explored(tmp_path, model, IMAGES, LABELS, images=0)
    with pytest.raises(ValueError, match="x is missing"):
        tinynet.explore(model)
    with pytest.raises(TypeError, match="expected a model or a Tensor, got 3"):
        tinynet.explore(3)
    with pytest.raises(ValueError, match=r"must end in .*, got 'step.txt'"):
        tinynet.explore(model, IMAGES, LABELS, "step.txt")
    with pytest.raises(ValueError, match="there is no tape"):
        tinynet.explore(Tensor([1.0]), path=tmp_path / "step.npz")
    model.layers[0].lock = threading.Lock()
    with pytest.raises(TypeError, match=r"runs a step on a copy of the model, and .* cannot be copied"):
        explored(tmp_path, model, IMAGES, LABELS)
    np.savez(tmp_path / "other.npz", a=np.ones(1))
    with pytest.raises(ValueError, match="was not written by"):
        explorer.load(tmp_path / "other.npz")
