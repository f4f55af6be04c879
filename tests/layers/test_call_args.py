"""How layers of one's own may be called: every signature of call, in every place that a layer can be.

What each call gives follows from its Python; what `build` is told was compared with Keras 3.15, whose sizes
of the batch are None here.
"""

import collections
import json

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, layers, ops, saving

A, B = (np.random.default_rng(seed).normal(size=(4, 3)).astype("float32") for seed in (1, 2))
Pair = collections.namedtuple("Pair", "first second")


class Noting(layers.Layer):
    """Notes what build is told."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.told = None

    def scaled(self, x):
        return x * self.factor

    def make(self):
        self.factor = self.add_weight(shape=(1,), initializer="ones", name="factor")


def registered(cls):
    return saving.register_keras_serializable("calling")(cls)


@registered
class Two(Noting):
    def build(self, a_shape, b_shape):
        self.told = a_shape, b_shape
        self.make()

    def call(self, a, b):
        return self.scaled(a - 2 * b)


@registered
class ByName(Noting):
    def build(self, *, b_shape, a_shape):
        self.told = a_shape, b_shape
        self.make()

    def call(self, *, a, b):
        return self.scaled(a - 2 * b)


@registered
class Optional(Noting):
    def build(self, a_shape, b_shape=None):
        self.told = a_shape, b_shape
        self.make()

    def call(self, a, b=None, scale=1.0):
        return self.scaled(a if b is None else a - 2 * b) * scale


@registered
class Mixed(Noting):
    def build(self, input_shape):
        self.told = input_shape
        self.make()

    def call(self, x, *others, training=False, **named):
        for other in others:
            x = x - 2 * other
        for name in sorted(named):
            x = x - 2 * named[name]
        return self.scaled(x)


@registered
class Shapeless(Noting):
    def build(self):
        self.told = ()
        self.make()

    def call(self, x, mask=None):
        return self.scaled(x if mask is None else ops.where(mask, x, 0.0))


@registered
class Structure(Noting):
    def build(self, input_shape):
        self.told = input_shape
        self.make()

    def call(self, given):
        a, b = (given[key] for key in (("a", "b") if isinstance(given, dict) else (0, 1)))
        return self.scaled(a - 2 * b)


S = (None, 3)
# layer, how it is called, what build is told, what comes
CALLS = {
    "positions": (Two, lambda f, a, b: f(a, b), (S, S), A - 2 * B),
    "one by name": (Two, lambda f, a, b: f(a, b=b), (S, S), A - 2 * B),
    "names": (Two, lambda f, a, b: f(a=a, b=b), (S, S), A - 2 * B),
    "names in another order": (Two, lambda f, a, b: f(b=b, a=a), (S, S), A - 2 * B),
    "names alone": (ByName, lambda f, a, b: f(a=a, b=b), (S, S), A - 2 * B),
    "names alone, turned": (ByName, lambda f, a, b: f(b=b, a=a), (S, S), A - 2 * B),
    "without what is optional": (Optional, lambda f, a, b: f(a), (S, None), A),
    "with what is optional": (Optional, lambda f, a, b: f(a, b), (S, S), A - 2 * B),
    "None": (Optional, lambda f, a, b: f(a, None), (S, None), A),
    "None by name": (Optional, lambda f, a, b: f(a, b=None, scale=3.0), (S, None), 3 * A),
    "a number": (Optional, lambda f, a, b: f(a, b, scale=2.0), (S, S), 2 * A - 4 * B),
    "a number by position": (Optional, lambda f, a, b: f(a, b, 2.0), (S, S), 2 * A - 4 * B),
    "all by name": (Optional, lambda f, a, b: f(scale=2.0, b=b, a=a), (S, S), 2 * A - 4 * B),
    "several": (Mixed, lambda f, a, b: f(a, b, b), S, A - 4 * B),
    "several and named": (Mixed, lambda f, a, b: f(a, b, c=b, d=b), S, A - 6 * B),
    "first by name": (Mixed, lambda f, a, b: f(x=a, c=b), S, A - 2 * B),
    "Keras's name of the first": (Shapeless, lambda f, a, b: f(inputs=a), (), A),
    "a mask": (Shapeless, lambda f, a, b: f(a, mask=a > b), (), np.where(A > B, A, 0)),
    "a list": (Structure, lambda f, a, b: f([a, b]), [S, S], A - 2 * B),
    "a tuple": (Structure, lambda f, a, b: f((a, b)), (S, S), A - 2 * B),
    "a dictionary": (Structure, lambda f, a, b: f({"b": b, "a": a}), {"a": S, "b": S}, A - 2 * B),
    "a named tuple": (Structure, lambda f, a, b: f(Pair(a, b)), Pair(S, S), A - 2 * B),
    "a structure by name": (
        Structure,
        lambda f, a, b: f(given={"b": b, "a": a}),
        {"a": S, "b": S},
        A - 2 * B,
    ),
}
EAGERLY = {
    "arrays": lambda make, call: call(make(), A, B),
    "Tensors": lambda make, call: call(make(), tinynet.Tensor(A), tinynet.Tensor(B)),
    "float64": lambda make, call: call(make(), A.astype("float64"), B.astype("float64")),
    "twice": lambda make, call: [call(layer, A, B) for layer in [make()] for _ in range(2)][1],
    "within another layer": lambda make, call: Within(make(), call)([A, B]),
}


class Within(layers.Layer):
    def __init__(self, layer, called):
        super().__init__()
        self.layer, self.called = layer, called

    def call(self, given):
        return self.called(self.layer, *given)


@pytest.mark.parametrize("how", EAGERLY)
@pytest.mark.parametrize("name", CALLS)
def test_a_call(name, how):
    make, call, told, expected = CALLS[name]
    layer = make()
    y = EAGERLY[how](lambda: layer, call)
    assert layer.told == told
    assert type(layer.told) is type(told)
    assert layer.built
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)


IN_MODELS = [name for name in CALLS if name != "a mask"]  # comparisons of symbolic tensors are left out


def graph(name):
    make, call, told, expected = CALLS[name]
    layer = make(name="mine")
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    y = call(layer, a, b)
    assert layer.told == told
    assert y.shape == (None, 3)
    inputs = (
        [a] if "without" in name or name in ("None", "None by name", "Keras's name of the first") else [a, b]
    )
    return Model(inputs, layers.Activation("linear")(y)), [A, B][: len(inputs)], expected


@pytest.mark.parametrize("name", IN_MODELS)
def test_a_call_in_a_graph(name, tmp_path):
    """Called, fitted, copied, described and saved."""
    model, data, expected = graph(name)

    def gives(other, what):
        np.testing.assert_allclose(
            other.predict(data, verbose=0),
            expected * float(model.weights[0].numpy()[0]),
            1e-5,
            1e-6,
            err_msg=what,
        )

    gives(model, "as made")
    model.compile("sgd", "mse")
    model.fit(data, expected * 2, batch_size=2, epochs=3, verbose=0)
    assert float(model.weights[0].numpy()[0]) > 1
    gives(model, "fitted")
    model.save(tmp_path / "model.tinynet")
    for what, other in {
        "loaded": saving.load_model(tmp_path / "model.tinynet"),
        "copied": tinynet.models.clone_model(model),
        "described": Model.from_config(model.get_config()),
        "as text": tinynet.models.model_from_json(model.to_json()),
    }.items():
        other.set_weights(model.get_weights())
        if "named tuple" not in name or what != "as text":
            gives(other, what)


@pytest.mark.parametrize("nested", [lambda a, b: [a, b], lambda a, b: (a, b), lambda a, b: {"a": a, "b": b}])
def test_a_structure_at_the_start_of_a_sequential(nested, tmp_path):
    """Keras 3.15: built, without an input_shape, and trained."""
    layer = Structure(name="mine")
    model = Sequential([layer, layers.Dense(2, name="last")])
    data = nested(A, B)
    assert model(data).shape == (4, 2)
    assert model.built
    assert not hasattr(model, "input_shape")
    assert layer.told == nested(S, S)
    model.compile("sgd", "mse")
    model.fit(data, np.ones((4, 2)), batch_size=2, epochs=3, verbose=0)
    expected = model.predict(data, verbose=0)
    np.testing.assert_allclose(model(data).numpy(), expected, rtol=1e-6)
    other = Sequential.from_config(json.loads(json.dumps(model.get_config())))
    other.build(nested(S, S))
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(other.predict(data, verbose=0), expected)
    model.save(tmp_path / "net.tinynet")
    np.testing.assert_array_equal(
        saving.load_model(tmp_path / "net.tinynet").predict(data, verbose=0), expected
    )


# The mode


class Mode(layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = Plain()

    def call(self, x, training=True, scale=1.0):
        self.seen = training
        return self.inner(x) * scale


class Plain(layers.Layer):
    def call(self, x, training=None):
        self.seen = training
        return x


@pytest.mark.parametrize(
    ("call", "mode", "scale"),
    [
        (lambda f: f(A), True, 1),  # the default of call, and so for layers within (Keras 3.15)
        (lambda f: f(A, training=False), False, 1),
        (lambda f: f(A, False), False, 1),
        (lambda f: f(A, False, 2.0), False, 2),
        (lambda f: f(A, None, scale=2.0), True, 2),
        (lambda f: f(x=A, training=False), False, 1),
        (lambda f: f(A, training=1), True, 1),
    ],
)
def test_the_mode_may_be_said_in_every_way(call, mode, scale):
    layer = Mode()
    np.testing.assert_allclose(call(layer).numpy(), A * scale)
    assert (layer.seen, layer.inner.seen) == (mode, mode)


def test_the_mode_of_the_call_around_comes_before_the_default():
    class Around(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Mode()

        def call(self, x):
            return self.inner(x)

    layer = Around()
    layer(A, training=False)
    assert (layer.inner.seen, layer.inner.inner.seen) == (False, False)
    layer(A)
    assert (layer.inner.seen, layer.inner.inner.seen) == (True, True)


def test_the_mode_is_said_once():
    with pytest.raises(TypeError, match="training is given twice"):
        Mode()(A, False, training=True)


# What arguments become


def test_what_arguments_become():
    """The first is cast to the layer's dtype, floats among the others too;
    what is no array stays what it is.
    """
    seen = {}

    class Sees(layers.Layer):
        def call(self, x, *others, **named):
            seen.update(named, x=x, others=others)
            return x

    integers, many = np.arange(4), {"m": B.astype("float64"), "n": [np.arange(2), None]}
    Sees()(
        A.astype("float64"),
        integers,
        3,
        many=many,
        text="word",
        numbers=[1, 2],
        flag=np.ones(2, bool),
        none=None,
    )
    assert seen["x"].dtype == np.float32
    assert (seen["others"][0].dtype, seen["others"][1]) == (integers.dtype, 3)
    assert seen["many"]["m"].dtype == np.float32
    assert seen["many"]["n"][0].dtype.kind == "i"
    assert seen["many"]["n"][1] is None
    assert (seen["text"], seen["numbers"], seen["none"], seen["flag"].dtype) == (
        "word",
        [1, 2],
        None,
        np.dtype(bool),
    )
    assert all(isinstance(one, tinynet.Tensor) for one in (seen["x"], seen["others"][0], seen["flag"]))


def test_inputs_that_are_missing():
    """None among several, or in place of the first, is for the layer to understand (Keras 3.15)."""

    class Either(layers.Layer):
        def call(self, a=None, b=None):
            return b if a is None else a

    np.testing.assert_array_equal(Either()(b=A).numpy(), A)
    np.testing.assert_array_equal(Either()(None, A).numpy(), A)
    assert Either()(b=layers.Input((3,))).shape == (None, 3)

    class Parts(layers.Layer):
        def call(self, parts):
            return sum(part for part in parts if part is not None)

    np.testing.assert_array_equal(Parts()([None, A, B]).numpy(), A + B)
    with pytest.raises(ValueError, match=r"expects one input, got None"):
        layers.Dense(2)(None)


def test_mistakes():
    class Wrong(layers.Layer):
        def build(self, input_shape, other):
            self.built = True

        def call(self, x, y=None):
            return x

    with pytest.raises(
        ValueError, match=r"wrong.*build asks for other, which no argument .* build\(self, x_shape, y_shape\)"
    ):
        Wrong()(A, B)
    layer = Two()
    with pytest.raises(ValueError, match="build asks for b_shape, which no argument of this call is"):
        layer(A)
    layer(A, B)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'b'"):
        layer(A)
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
        Two()(A, B, c=B)


# Shapes that are said


def test_shapes_of_several_arguments():
    class Product(layers.Layer):
        def call(self, a, b):
            raise AssertionError("the shapes are said")

        def compute_output_shape(self, a_shape, b_shape):
            return (*a_shape[:-1], b_shape[-1])

    a, b = layers.Input((3, 4)), layers.Input((4, 5))
    assert Product()(a, b).shape == (None, 3, 5)
    assert Product()(b=b, a=a).shape == (None, 3, 5)


def test_a_specification():
    class Says(layers.Layer):
        def call(self, x):
            raise AssertionError("the specification is said")

        def compute_output_spec(self, x):
            return {"y": tinynet.KerasTensor((x.shape[0], 7), "int32")}

    y = Says()(layers.Input((3,)))
    assert (y["y"].shape, y["y"].dtype) == ((None, 7), np.int32)
    spec = layers.Dense(3).compute_output_spec(tinynet.KerasTensor((None, 2)))
    assert (spec.shape, spec.dtype) == ((None, 3), np.float32)


@pytest.mark.parametrize(
    ("function", "shape", "expected"),
    [
        (lambda x: ops.transpose(x), (None, 3), (3, None)),
        (lambda x: ops.sum(x, axis=0), (None, 3), (3,)),
        (lambda x: ops.sum(x), (None, 3), ()),
        (lambda x: ops.reshape(x, (-1, 2)), (None, 4), (None, 2)),
        (lambda x: ops.reshape(x, (-1, 2)), (5, 4), (10, 2)),
        (lambda x: x[:1], (None, 3), (1, 3)),
        (lambda x: ops.concatenate([x, x], axis=1), (None, None, 3), (None, None, 3)),
        (lambda x: ops.matmul(x, ops.swapaxes(x, 1, 2)), (7, None, 3), (7, None, None)),
    ],
)
def test_shapes_that_are_found(function, shape, expected):
    """Also of what does not keep the batch where it is."""

    class Runs(layers.Layer):
        def call(self, x):
            return function(x)

    assert Runs()(layers.Input(batch_shape=shape)).shape == expected
    assert Runs().compute_output_shape(shape) == expected


def test_an_error_on_the_way_is_the_users():
    """Called on a symbolic tensor that no layer made, too."""

    class Fails(layers.Layer):
        def call(self, x):
            raise ValueError("mine")

    for x in (tinynet.KerasTensor((None, 3)), layers.Input((3,)), A):
        with pytest.raises(ValueError, match="mine"):
            Fails()(x)
    assert layers.Dense(2)(tinynet.KerasTensor((None, 3))).shape == (None, 2)


# What build and shapes are told


class Order(Noting):
    """The first argument of the signature is the input, in whatever order they are given."""

    def build(self, input_shape):
        self.told = input_shape
        self.make()

    def call(self, *, a, b):
        return self.scaled(a[:, :2] - b)


def test_the_first_argument_is_the_signatures():
    for given in ({"a": A, "b": B[:, :2]}, {"b": B[:, :2], "a": A}):
        layer = Order()
        np.testing.assert_allclose(layer(**given).numpy(), A[:, :2] - B[:, :2])
        assert layer.told == (None, 3)


def test_lists_of_tuples():
    class Pairs(Noting):
        def build(self, input_shape):
            self.told = input_shape

        def call(self, pairs):
            return sum(a - 2 * b for a, b in pairs)

    layer = Pairs()
    np.testing.assert_allclose(layer([(A, B), (B, A)]).numpy(), -A - B, rtol=1e-5)
    assert layer.told == [(S, S), (S, S)]
    a, b = layers.Input((3,)), layers.Input((3,))
    model = Model([a, b], layer([(a, b), (b, a)]))
    np.testing.assert_allclose(model.predict([A, B], verbose=0), -A - B, rtol=1e-5)


def test_a_layer_shared_between_structures():
    class Total(Noting):
        def build(self, input_shape):
            self.make()

        def call(self, given):
            return self.scaled(sum(given.values() if isinstance(given, dict) else given))

    layer = Total()
    a, b = layers.Input((3,)), layers.Input((3,))
    model = Model([a, b], layer([a, b]) - layer({"p": a, "q": b, "r": b}))
    np.testing.assert_allclose(model.predict([A, B], verbose=0), -B, rtol=1e-4, atol=1e-6)
    assert len(model.weights) == 1


def test_outputs_in_a_structure_and_arrays_among_arguments():
    class Several(layers.Layer):
        def call(self, x, offset, scale=1.0):
            return {"a": [x + offset, x * scale], "b": Pair(x, (x,))}

    x = layers.Input((3,))
    y = Several()(x, B[:1], scale=3)
    assert [one.shape for one in (y["a"][0], y["a"][1], y["b"].first, y["b"].second[0])] == [S] * 4
    found = Model(x, y).predict(A, verbose=0)
    np.testing.assert_allclose(found["a"][0], A + B[:1], rtol=1e-6)
    np.testing.assert_allclose(found["a"][1], 3 * A, rtol=1e-6)
    np.testing.assert_array_equal(found["b"].second[0], A)


class Slim(layers.Layer):
    """Its build does not call that of its base, which Keras does not ask for."""

    def build(self, input_shape):
        shape = input_shape["x"] if isinstance(input_shape, dict) else input_shape
        self.factor = self.add_weight(shape=shape[-1:], initializer="ones", name="factor")

    def call(self, given):
        return (given["x"] if isinstance(given, dict) else given) * self.factor


class Slimmer(Slim):
    def build(self, input_shape):
        super().build(input_shape)


class Composed(layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner, self.dense = Slim(), layers.Dense(2)

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.dense.build(self.inner.compute_output_shape(input_shape))

    def call(self, x):
        return self.dense(self.inner(x))


class SlimModel(Model):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=input_shape[-1:], initializer="ones", name="factor")

    def call(self, x):
        return x * self.factor


@pytest.mark.parametrize(
    ("make", "shape", "data", "count"),
    [
        (Slim, (None, 3), A, 1),
        (Slim, {"x": (None, 3)}, {"x": A}, 1),
        (Slimmer, (None, 3), A, 1),
        (Composed, (None, 3), A, 3),
        (SlimModel, (None, 3), A, 1),
    ],
)
def test_a_layer_built_by_hand_is_built(make, shape, data, count):
    """Once: its weights stay what they are at the first call (Keras 3.15)."""
    layer = make()
    layer.build(shape)
    assert layer.built
    weights = layer.weights
    assert len(weights) == count
    layer(data)
    assert [id(one) for one in layer.weights] == [id(one) for one in weights]
