"""Functional models: graphs of layers, run, trained, described, copied."""

import copy
import json
import pickle
import weakref

import numpy as np
import pytest

import tinynet
from tinynet import Model, layers, models, ops
from tinynet.models import Functional, Sequential, clone_model, model_from_json

RNG = np.random.default_rng(4)
A, B = RNG.normal(size=(24, 5)).astype(np.float32), RNG.normal(size=(24, 3)).astype(np.float32)


def two_by_two():
    """Two inputs, two outputs, a shared layer and a residual connection."""
    a, b = layers.Input((5,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(4, activation="tanh", name="shared")
    h, g = shared(layers.Dense(6, name="left")(a)), shared(layers.Dense(6, name="right")(b))
    u = layers.Add(name="add")([layers.Dense(4, name="u")(h), h])
    return Model([a, b], [u, layers.Dense(1, name="v")(h * g)], name="net")


def by_hand(model, a, b):
    w = {layer.name: layer.get_weights() for layer in model.layers}

    def dense(name, x):
        return x @ w[name][0] + w[name][1]

    h, g = np.tanh(dense("shared", dense("left", a))), np.tanh(dense("shared", dense("right", b)))
    return dense("u", h) + h, dense("v", h * g)


def test_a_graph_computes_what_it_says():
    model = two_by_two()
    assert type(model) is Functional
    u, v = model.predict([A, B], verbose=0)
    for found, expected in zip((u, v), by_hand(model, A, B), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert model.count_params() == (30 + 6) + (18 + 6) + (24 + 4) + (16 + 4) + (4 + 1), (
        "the shared layer counts once"
    )
    assert model.input_shape == [(None, 5), (None, 3)]
    assert model.output_shape == [(None, 4), (None, 1)]
    assert model.output_names == ["add", "v"]


def test_inputs_may_be_lists_or_dictionaries_by_name():
    model = two_by_two()
    expected = model.predict([A, B], verbose=0)
    for x in ({"a": A, "b": B}, {"b": B, "a": A}, (A, B)):
        for found, other in zip(model.predict(x, verbose=0), expected, strict=True):
            np.testing.assert_array_equal(found, other)
    with pytest.raises(ValueError, match=r"has the inputs \['a', 'b'\]; \['b'\] are missing"):
        model.predict({"a": A, "c": B}, verbose=0)
    with pytest.raises(ValueError, match="has 2 inputs"):
        model.predict(A, verbose=0)
    with pytest.raises(
        ValueError, match=r"input 'b' expects inputs of shape \(None, 3\), as its Input says, got \(24, 5\)"
    ):
        model.predict([A, A], verbose=0)


def test_layers_come_in_kerass_order():
    # Recorded from Keras 3.15 for this graph: the longest way to an output first,
    # then as met from the outputs.
    a = layers.Input((4,), name="a")
    early = layers.Dense(3, name="early")(a)
    short = layers.Dense(2, name="short")(a)
    late = layers.Dense(2, name="late")(early)
    model = Model(a, [short, late])
    assert [layer.name for layer in model.layers] == ["a", "early", "short", "late"]


def test_losses_by_output_and_their_weights():
    model = two_by_two()
    target = {"add": np.ones((24, 4)), "v": np.zeros((24, 1))}
    model.compile(
        "sgd", {"add": "mse", "v": "mae"}, loss_weights={"add": 2.0, "v": 0.5}, metrics={"v": ["mse"]}
    )
    found = model.evaluate([A, B], target, verbose=0, return_dict=True)
    u, v = by_hand(model, A, B)
    assert list(found) == ["add_loss", "loss", "v_loss", "v_mse"], "in alphabetical order, as in Keras"
    assert found["add_loss"] == pytest.approx(((u - 1) ** 2).mean(), rel=1e-5)
    assert found["v_loss"] == pytest.approx(abs(v).mean(), rel=1e-5)
    assert found["loss"] == pytest.approx(2 * found["add_loss"] + 0.5 * found["v_loss"], rel=1e-6)
    assert found["v_mse"] == pytest.approx((v**2).mean(), rel=1e-5)
    as_list = model.evaluate([A, B], list(target.values()), verbose=0)
    np.testing.assert_allclose(as_list, [found[name] for name in ("loss", "add_loss", "v_loss", "v_mse")])


def test_an_output_without_a_loss_is_not_trained():
    model = two_by_two()
    model.compile("sgd", [None, "mse"])
    before = model.get_layer("u").get_weights()
    with pytest.warns(UserWarning, match="no gradient"):
        model.fit([A, B], np.zeros((24, 1)), verbose=0)
    np.testing.assert_array_equal(before[0], model.get_layer("u").get_weights()[0])


def trained(eagerly):
    tinynet.utils.set_random_seed(3)
    model = two_by_two()
    model.compile("adam", ["mse", "mse"], metrics=[["mae"], None], run_eagerly=eagerly)
    y = [np.ones((24, 4), np.float32), np.zeros((24, 1), np.float32)]
    weight = [np.linspace(0, 1, 24).astype(np.float32), np.ones(24, np.float32)]
    history = model.fit([A, B], y, sample_weight=weight, batch_size=8, epochs=4, verbose=0)
    return model, history.history, model.get_weights()


def test_steps_of_several_inputs_are_replayed_with_the_same_bits():
    model, history, weights = trained(False)
    eager, eager_history, eager_weights = trained(True)
    assert model.replay.programs
    assert not eager.replay.programs
    assert history == eager_history
    for a, b in zip(weights, eager_weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_nested_model_and_a_layer_in_the_middle():
    inner = Sequential(
        [layers.Input((5,)), layers.Dense(3), layers.Dense(3, activation="relu")], name="inner"
    )
    x = layers.Input((5,))
    model = Model(x, layers.Dense(2)(inner(x)))
    assert len(model.weights) == 6
    middle = Model(inner.inputs, inner.layers[0].output)
    w, b = inner.layers[0].get_weights()
    np.testing.assert_allclose(middle.predict(A, verbose=0), A @ w + b, rtol=1e-5, atol=1e-6)
    assert model.get_layer("inner") is inner


def test_unknown_sizes_are_found_layer_by_layer():
    x = layers.Input((None, None, 2))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(x))
    assert y.shape == (None, 3)
    assert Model(x, y).predict(np.zeros((2, 7, 9, 2)), verbose=0).shape == (2, 3)


class Doubled(layers.Layer):
    def call(self, x, training=False):
        return (x * 2, x + 1) if training else (x * 3, x - 1)


def test_a_layer_of_ones_own_with_two_outputs():
    x = layers.Input((3,))
    twice, more = Doubled()(x)
    assert twice.shape == more.shape == (None, 3)
    model = Model(x, [twice, more])
    found = model(np.ones((2, 3)), training=True)
    np.testing.assert_array_equal(found[0].numpy(), np.full((2, 3), 2))
    np.testing.assert_array_equal(model.predict(np.ones((2, 3)), verbose=0)[1], np.zeros((2, 3)))


def test_descriptions_and_copies_compute_the_same():
    model = two_by_two()
    model.compile("adam", ["mse", "mae"])
    clone = clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert not set(clone.weights) & set(model.weights)
    others = [
        clone,
        model_from_json(model.to_json()),
        type(model).from_config(json.loads(json.dumps(model.get_config()))),
    ]
    for other in others:
        assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
        other.set_weights(model.get_weights())
    others += [copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    expected = model.predict([A, B], verbose=0)
    for other in others:
        for found, one in zip(other.predict([A, B], verbose=0), expected, strict=True):
            np.testing.assert_array_equal(found, one)


def test_a_copy_of_a_deep_model_needs_no_deep_stack():
    x = y = layers.Input((2,))
    for i in range(400):
        y = layers.Dense(2, name=f"dense{i}")(y)
    model = Model(x, y)
    other = pickle.loads(pickle.dumps(model))
    assert len(other.weights) == 800
    assert other.outputs[0].shape == (None, 2)


def test_clones_may_share_and_start_from_other_inputs():
    model = Sequential([layers.Input((5,)), layers.Dense(3), layers.Dense(2)])
    shared = clone_model(model, clone_function=lambda layer: layer)
    assert shared.layers[0] is model.layers[0]
    x = layers.Input((5,), name="other")
    assert clone_model(two_by_two(), input_tensors=[x, layers.Input((3,), name="b")]).input_names == [
        "other",
        "b",
    ]


def test_mistakes_are_named():
    x = layers.Input((5,), name="x")
    y = layers.Dense(3, name="y")(x)
    with pytest.raises(ValueError, match="an Input that is not among the model's inputs"):
        Model(layers.Input((5,)), y)
    with pytest.raises(ValueError, match="must be symbolic tensors"):
        Model(x, np.zeros(3))
    with pytest.raises(ValueError, match="belongs to several layers"):
        Model(x, layers.Dense(3, name="y")(y))
    message = (
        r"<Conv2D 'c'> expects an input of 4 axes.*got shape \(None, 3\).*x \(None, 5\) -> y \(None, 3\)"
    )
    with pytest.raises(ValueError, match=message):
        layers.Conv2D(3, 3, name="c")(y)
    with pytest.raises(TypeError, match="has no numbers"):
        np.tanh(y)
    with pytest.raises(TypeError, match="has no numbers"):
        bool(y)
    with pytest.raises(TypeError, match=r"wrap the operation in a layer"):
        ops.tanh(y)
    with pytest.raises(ValueError, match=r"expects one input, got 2 of them"):
        layers.Dense(2)([x, y])
    with pytest.raises(ValueError, match="was not called on an Input yet"):
        layers.Dense(2).output
    with pytest.raises(ValueError, match="which are not among the outputs"):
        two_by_two().compile("sgd", {"add": "mse", "w": "mse"})


def test_operators_make_layers():
    x = layers.Input((5,))
    model = Model(x, -(2 * x - 1) / 4 + abs(x) ** 2)
    np.testing.assert_allclose(model.predict(A, verbose=0), -(2 * A - 1) / 4 + abs(A) ** 2, rtol=1e-5)
    again = models.model_from_json(model.to_json())
    np.testing.assert_array_equal(again.predict(A, verbose=0), model.predict(A, verbose=0))


def test_outputs_of_layers_as_inputs():
    # As in Keras 3.15: they become Inputs, and the layer that gave them is no part of the model.
    x = layers.Input((5,))
    h = layers.Dense(4, name="h")(x)
    model = Model(h, layers.Dense(2, name="o")(layers.Dense(3, name="m")(h)))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense", "Dense"]
    assert len(model.weights) == 4
    data = RNG.normal(size=(6, 4)).astype(np.float32)
    expected = model.predict(data, verbose=0)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(data, verbose=0), expected)
    assert clone_model(model).input_shape == (None, 4)
    np.testing.assert_array_equal(Model(model.inputs, model.outputs).predict(data, verbose=0), expected)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict(data, verbose=0), expected)


def test_an_input_as_an_output_and_an_output_twice():
    x = layers.Input((3,), name="x")
    y = layers.Dense(3, name="y")(x)
    model = Model(x, [x, y, y])
    assert model.output_names == ["x", "y", "y_1"]
    model.compile("sgd", ["mse", "mse", "mae"])
    data = RNG.normal(size=(64, 3)).astype(np.float32)
    model.fit(data, [data] * 3, batch_size=8, epochs=2, verbose=0)
    assert model.replay.programs
    found = model.evaluate(data, [data] * 3, verbose=0, return_dict=True)
    assert found["x_loss"] == 0
    w, b = model.get_weights()
    assert found["y_loss"] == pytest.approx(((data @ w + b - data) ** 2).mean(), rel=1e-5)
    assert found["y_1_loss"] == pytest.approx(abs(data @ w + b - data).mean(), rel=1e-5)
    with pytest.raises(ValueError, match="stands twice among the model's inputs"):
        Model([x, x], y)


def test_a_list_of_one_output_is_that_output():
    x = layers.Input((5,))
    model = Model([x], [layers.Dense(2)(x)])
    assert model.predict(A, verbose=0).shape == (24, 2)
    assert (
        model(layers.Input((5,))).shape
        == model.output_shape
        == model.compute_output_shape((None, 5))
        == (None, 2)
    )
    again = model_from_json(model.to_json())
    assert again.predict(A, verbose=0).shape == (24, 2)


def test_outputs_in_a_dictionary_within_a_dictionary():
    x = layers.Input((5,))
    body = {
        "p": layers.Dense(2, name="a")(x),
        "q": [layers.Dense(2, name="b")(x), layers.Dense(2, name="c")(x)],
    }
    model = Model(x, body)
    model.compile("sgd", "mse")
    y = np.ones((24, 2), np.float32)
    history = model.fit(A, {"p": y, "q": [y, y]}, verbose=0).history
    assert list(history) == ["loss", "p_loss", "q/b_loss", "q/c_loss"], "Keras's names"
    assert [array.shape for array in model.predict(A, verbose=0)["q"]] == [(24, 2), (24, 2)]


def test_a_model_is_called_on_symbols_by_name():
    a, b = layers.Input((5,), name="a"), layers.Input((3,), name="b")
    model = Model([b, a], layers.Concatenate()([b, a]))
    assert model({"a": layers.Input((5,)), "b": layers.Input((3,))}).shape == (None, 8)
    u, v = layers.Input((5,)), layers.Input((3,))
    around = Model([u, v], model({"a": u, "b": v}))
    np.testing.assert_array_equal(around.predict([A, B], verbose=0), np.concatenate([B, A], axis=1))


def test_numbers_keep_their_precision_in_float64():
    x = layers.Input((5,), dtype="float64")
    model = Model(x, layers.Dense(2, dtype="float64")(x))
    data = RNG.normal(size=(6, 5))
    w, b = model.get_weights()
    np.testing.assert_allclose(model.predict(data, verbose=0), data @ w + b, rtol=1e-13)


def test_the_batch_size_of_an_input_does_not_bind():
    x = layers.Input((5,), batch_size=4)
    assert Model(x, layers.Dense(2)(x)).predict(A, verbose=0).shape == (24, 2)  # as in Keras


class Sum(layers.Layer):
    def call(self, a, b):
        return a + b


def test_arrays_and_numpy_numbers_beside_symbols():
    x = layers.Input((5,))
    offset = np.arange(5, dtype=np.float32)
    model = Model(x, Sum()(np.float32(2) * x + offset * x, offset))
    np.testing.assert_allclose(model.predict(A, verbose=0), offset + 2 * A + offset * A, rtol=1e-6, atol=1e-6)


class Scaled(layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return x * self.factor


def test_clones_keep_names_and_objects_of_ones_own():
    class OwnLoss(tinynet.losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.square(y_true - y_pred), axis=-1)

    class OwnOptimizer(tinynet.optimizers.SGD):
        pass

    x = layers.Input((5,))
    model = Model(x, Scaled(2.0)(layers.Dense(1, activation=layers.LeakyReLU(0.3))(x)))
    model.compile(OwnOptimizer(0.5), OwnLoss(), metrics=[tinynet.metrics.MeanSquaredError(name="own"), "mae"])
    clone = clone_model(model)
    assert clone.output_names == model.output_names
    assert type(clone.optimizer) is OwnOptimizer
    assert clone.optimizer is not model.optimizer
    assert clone.metrics[1] is not model.metrics[1]
    clone.set_weights(model.get_weights())
    y = np.ones((24, 1))
    assert clone.evaluate(A, y, verbose=0) == model.evaluate(A, y, verbose=0)


def test_a_layer_as_an_activation_is_described():
    dense = layers.Dense(3, activation=layers.LeakyReLU(0.3))
    again = layers.Dense.from_config(json.loads(json.dumps(dense.get_config())))
    assert again.activation.negative_slope == 0.3
    dense.build((None, 5))
    again.build((None, 5))
    again.set_weights(dense.get_weights())
    np.testing.assert_array_equal(again(A).numpy(), dense(A).numpy())


def test_mistakes_about_targets_and_weights():
    model = two_by_two()
    model.compile("sgd", "mse", metrics={"add": ["mae"]})
    y = {"add": np.ones((24, 4)), "v": np.zeros((24, 1))}
    with pytest.raises(ValueError, match=r"sample_weight names \['w'\]"):
        model.fit([A, B], y, sample_weight={"w": np.ones(24)}, verbose=0)
    with pytest.raises(ValueError, match="class_weight is for models with one output"):
        model.fit([A, B], y, class_weight={0: 2.0}, verbose=0)
    with pytest.raises(ValueError, match=r"y has no targets for the outputs \['v'\]"):
        model.fit([A, B], {"add": y["add"]}, verbose=0)
    with pytest.raises(ValueError, match=r"y has targets for 3 of them"):
        model.fit([A, B], [y["v"]] * 3, verbose=0)
    model.compile("sgd", [None, "mse"], metrics={"add": ["mae"]})
    with pytest.raises(ValueError, match="'mae' compares predictions with targets: its output has none in y"):
        model.fit([A, B], y["v"], verbose=0)


def test_validation_data_with_inputs_in_a_tuple():
    model = two_by_two()
    model.compile("sgd", "mse")
    y = (np.ones((24, 4)), np.zeros((24, 1)))
    history = model.fit((A, B), y, validation_data=((A, B), y), epochs=2, verbose=0).history
    assert history["val_loss"][-1] == model.evaluate([A, B], list(y), verbose=0)[0]


def test_batches_of_dictionaries():
    model = two_by_two()
    model.compile("sgd", "mse")
    y = {"v": np.zeros((24, 1)), "add": np.ones((24, 4))}
    expected = model.evaluate([A, B], [y["add"], y["v"]], verbose=0)
    batches = iter([({"b": B, "a": A}, y), ({"b": B, "a": A}, y)])
    assert model.evaluate(batches, steps=2, verbose=0) == pytest.approx(expected)


NESTED = {"a": "mse", "o": {"b": "mae", "c": "mse"}}
STRUCTURES = [  # as in Keras 3.15: (outputs, loss, names reported)
    (lambda a, b, c: {"a": a, "b": b}, {"a": ["mse"], "b": "mae"}, ["a_loss", "b_loss"]),
    (lambda a, b, c: {"a": a, "b": b}, {"a": "mse"}, []),
    (lambda a, b, c: [a, b], (["mse"], ["mae"]), ["a_loss", "b_loss"]),
    (lambda a, b, c: [a, [b, c]], ["mse", ["mae", "mse"]], ["a_loss", "b_loss", "c_loss"]),
    (lambda a, b, c: {"a": a, "o": {"b": b, "c": c}}, NESTED, ["a_loss", "o/b_loss", "o/c_loss"]),
    (lambda a, b, c: {"a": a, "o": {"b": b, "c": c}}, "mse", ["a_loss", "o/b_loss", "o/c_loss"]),
    (
        lambda a, b, c: {"a": a, "o": {"b": b, "c": c}},
        {"a": "mse", "o": {"b": None, "c": "mse"}},
        ["a_loss", "o/c_loss"],
    ),
    (
        lambda a, b, c: {"a": a, "o": {"b": b, "c": c}},
        {"a": "mse", "o": ["mae", "mse"]},
        ["a_loss", "o/b_loss", "o/c_loss"],
    ),
    (
        lambda a, b, c: {"a": a, "o": [b, c]},
        {"a": "mse", "o": ["mae", "mse"]},
        ["a_loss", "o/b_loss", "o/c_loss"],
    ),
    (lambda a, b, c: {"a": a, "o": {"b": b, "c": c}}, {"a": "mse", "o/c": "mse"}, ["a_loss", "o/c_loss"]),
]


@pytest.mark.parametrize(("outputs", "loss", "names"), STRUCTURES, ids=range(len(STRUCTURES)))
def test_losses_in_the_structure_of_the_outputs(outputs, loss, names):
    x = layers.Input((3,))
    tensors = {name: layers.Dense(units, name=name)(x) for name, units in (("a", 2), ("b", 1), ("c", 1))}
    model = Model(x, outputs(*tensors.values()))
    model.compile("sgd", loss)
    data = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    targets = {"a": np.zeros((8, 2)), "b": np.ones((8, 1)), "c": np.full((8, 1), 2.0)}
    found = model.evaluate(data, outputs(*targets.values()), verbose=0, return_dict=True)
    assert sorted(found) == sorted([*names, "loss"])
    made = {layer.name: layer(data).numpy() for layer in model.layers[1:]}
    by_name = {"mse": lambda e: np.mean(np.square(e)), "mae": lambda e: np.mean(np.abs(e))}
    flat = {"a": "mse", "b": "mae", "c": "mse"} if loss != "mse" else dict.fromkeys("abc", "mse")
    chosen = [name.removesuffix("_loss")[-1] for name in names] or ["a"]
    expected = {name: by_name[flat[name]](made[name] - targets[name]) for name in chosen}
    assert found["loss"] == pytest.approx(sum(expected.values()), rel=1e-5)
    for name in names:
        assert found[name] == pytest.approx(expected[name.removesuffix("_loss")[-1]], rel=1e-5)
    model.fit(data, outputs(*targets.values()), epochs=2, verbose=0)


def test_structures_that_do_not_fit_the_outputs():
    x = layers.Input((3,))
    model = Model(x, {"a": layers.Dense(1)(x), "o": {"b": layers.Dense(1)(x)}})
    for loss, message in (
        ({"a": "mse", "z": "mse", "y": "mse"}, "names .'y', 'z'., which are not among"),
        ({"a": "mse", "b": "mse"}, "names .'b'., which are not among"),
        ({"a": "mse", "o": {"z": "mse"}}, "names .'z'., which are not among"),
        (["mse", "mse", "mse"], "has 3 entries, the model has 2"),
        ({"a": ["mse", "mae"], "o/b": "mse"}, "takes one entry for each output"),
    ):
        with pytest.raises(ValueError, match=message):
            model.compile("sgd", loss)


def test_a_subclass_may_give_a_structure():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(2)

        def call(self, x):
            return {"a": self.one(x), "o": {"b": self.two(x)}}

    model = Own()
    model.compile("sgd", {"a": "mse", "o": {"b": "mae"}})
    x = np.ones((4, 3), np.float32)
    history = model.fit(x, {"a": np.zeros((4, 1)), "o": {"b": np.zeros((4, 2))}}, verbose=0).history
    assert sorted(history) == ["a_loss", "loss", "o/b_loss"]


@pytest.mark.parametrize("first", ["float64", "float32"])
def test_a_model_of_two_dtypes_takes_the_wider(first):
    second = "float32" if first == "float64" else "float64"
    x = layers.Input((1,), dtype=first)
    model = Model(
        x, layers.Dense(1, dtype=second)(layers.Dense(1, dtype=first, kernel_initializer="ones")(x))
    )
    assert model.dtype == np.float64
    seen = []
    model.layers[1].call = lambda x, call=model.layers[1].call: (seen.append(x.numpy()), call(x))[1]
    model.predict(np.full((2, 1), 1 + 1e-12), verbose=0)
    assert (seen[-1] == (1 + 1e-12 if first == "float64" else 1)).all()


def test_values_are_let_go_once_nobody_needs_them():
    """The peak of a chain of 20 layers is that of a few arrays, not of 20;
    what an output or a later layer needs stays.
    """
    images = np.zeros((4, 256, 256, 4), np.float32)  # 1 MiB an image
    alive = []

    class Noted(layers.Layer):
        def call(self, x):
            y = x + 1.0
            alive.append(weakref.ref(y.data))
            return y

    def held():
        return [number for number, array in enumerate(alive) if array() is not None]

    class Asking(layers.Layer):
        def call(self, x):
            seen.append(held())
            return x * 1.0

    seen = []
    x = layers.Input((256, 256, 4))
    y = first = Noted()(x)
    for _ in range(6):
        y = Asking()(Noted()(y))
    model = Model(x, [layers.Add()([y, first]), layers.Flatten()(x)])
    seen.clear()
    alive.clear()
    with tinynet.no_grad():
        outputs = model(images)
    for number, still in enumerate(seen):
        assert still == [0, number + 1], "the first is added at the end, and the one before is needed now"
    assert held() == []
    np.testing.assert_array_equal(outputs[0].numpy(), images + 7.0 + 1.0)


def test_clones_take_symbolic_tensors_one_for_each_input():
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    model = tinynet.Model([a, b], layers.Add()([a, b]))
    new = [layers.Input((3,)), layers.Input((3,))]
    assert clone_model(model, input_tensors=new).inputs == new
    for wrong in ([new[0], np.ones((2, 3))], [new[0]], [*new, layers.Input((3,))], new[0], np.ones((2, 3))):
        with pytest.raises(ValueError, match="input_tensors must be 2 symbolic tensors"):
            clone_model(model, input_tensors=wrong)


def test_a_list_of_tensors_may_grow_after_it_was_an_argument():
    """As in a densely connected net; what was in the list at the call is what the call is of."""
    x = layers.Input((3,))
    xs = [x, layers.Rescaling(2.0)(x)]
    xs.append(layers.Concatenate()(xs))
    xs.append(layers.Concatenate()(xs))
    y = Model(x, xs[-1]).predict(np.ones((1, 3), "float32"), verbose=0)
    np.testing.assert_array_equal(y, [[*[1] * 3, *[2] * 3, *[1] * 3, *[2] * 3]])
