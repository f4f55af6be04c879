"""A Sequential that begins with a model takes that model's input;
shapes and counts are Keras 3.15's, or counted.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, layers, saving


def functional():
    x = layers.Input((8, 8, 3))
    return Model(x, layers.Conv2D(4, 3, name="conv")(x), name="base")


def sequential():
    return Sequential([layers.Input((8, 8, 3)), layers.Conv2D(4, 3, name="conv")], name="base")


def built():
    model = Sequential([layers.Conv2D(4, 3, name="conv")], name="base")
    model.build((None, 8, 8, 3))
    return model


def called():
    model = Sequential([layers.Conv2D(4, 3, name="conv")], name="base")
    model(np.zeros((5, 8, 8, 3)))
    return model


def frozen():
    model = functional()
    model.trainable = False
    return model


@saving.register_keras_serializable("first")
class Wrapping(Model):
    """Its __init__ ends in super().__init__(inputs, outputs)."""

    def __init__(self, name="base"):
        x = layers.Input((8, 8, 3))
        super().__init__(x, layers.Conv2D(4, 3, name="conv")(x), name=name)


FIRST = {
    "functional": functional,
    "sequential": sequential,
    "built": built,
    "called": called,
    "frozen": frozen,
    "own": Wrapping,
    "in a sequential": lambda: Sequential([functional()], name="around"),
    "twice": lambda: Sequential([Sequential([built()], name="around")], name="outermost"),
    "with more": lambda: Sequential([functional(), layers.ReLU()], name="around"),
}
COUNT = 3 * 3 * 3 * 4 + 4 + 6 * 6 * 4 * 2 + 2


def rest():
    return [layers.Flatten(), layers.Dense(2, name="last")]


def added(first):
    model = Sequential()
    for layer in [first, *rest()]:
        model.add(layer)
    return model


MADE = {
    "in a list": lambda first: Sequential([first, *rest()]),
    "added": added,
    "after an Input": lambda first: Sequential([layers.Input((8, 8, 3)), first, *rest()]),
    "from its configuration": lambda first: Sequential.from_config(Sequential([first, *rest()]).get_config()),
    "cloned": lambda first: tinynet.models.clone_model(Sequential([first, *rest()])),
    "from JSON": lambda first: tinynet.models.model_from_json(Sequential([first, *rest()]).to_json()),
}


@pytest.mark.parametrize("how", MADE)
@pytest.mark.parametrize("name", FIRST)
def test_it_is_built(name, how, capsys):
    first = FIRST[name]()
    model = MADE[how](first)
    assert model.built
    assert (model.input_shape, model.output_shape) == ((None, 8, 8, 3), (None, 2))
    assert model.count_params() == COUNT
    shapes = [weight.shape for weight in model.trainable_weights]
    assert shapes == [(3, 3, 3, 4), (4,), (144, 2), (2,)][2 if name == "frozen" else 0 :]
    assert [layer.output.shape for layer in model.layers] == [(None, 6, 6, 4), (None, 144), (None, 2)]
    model.summary()
    text = capsys.readouterr().out
    assert f"{COUNT}" in text
    assert "?" not in text
    assert "unbuilt" not in text
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    expected = model.layers[0](x).numpy().reshape(2, -1) @ model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("suffix", ["tinynet", "keras"])
@pytest.mark.parametrize("name", FIRST)
def test_files(name, suffix, tmp_path):
    model = Sequential([FIRST[name](), *rest()])
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    model.save(tmp_path / f"net.{suffix}")
    other = saving.load_model(tmp_path / f"net.{suffix}")
    assert (other.built, other.output_shape, other.count_params()) == (True, (None, 2), COUNT)
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))


def test_the_input_is_the_models():
    """Its dtype and size of the batch, and sizes that are not known."""
    x = layers.Input((5,), dtype="int32")
    model = Sequential([Model(x, layers.Embedding(7, 4)(x)), layers.Flatten(), layers.Dense(2)])
    assert (model.inputs[0].dtype, model.output_shape, model.count_params()) == (np.int32, (None, 2), 70)
    x = layers.Input(batch_shape=(5, 3))
    assert Sequential([Model(x, layers.Dense(4)(x)), layers.Dense(2)]).output_shape == (5, 2)
    x = layers.Input((None, None, 3))
    model = Sequential([Model(x, layers.Conv2D(4, 3)(x)), layers.GlobalMaxPooling2D(), layers.Dense(2)])
    assert (model.input_shape, model.output_shape, model.count_params()) == (
        (None, None, None, 3),
        (None, 2),
        122,
    )


def test_the_layers_may_change_and_be_shared():
    base = functional()
    model, other = (
        Sequential([base, *rest()]),
        Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(3)]),
    )
    assert (other.output_shape, other.count_params()) == ((None, 3), 112 + 15)
    model.pop()
    model.add(layers.Dense(5))
    assert (model.output_shape, model.count_params()) == ((None, 5), 112 + 144 * 5 + 5)
    assert other.trainable_weights[0] is model.trainable_weights[0]
    seen = Model(base.inputs, [base.get_layer("conv").output, base.output])
    assert [one.shape for one in seen.outputs] == [(None, 6, 6, 4)] * 2
    assert Model(model.inputs, layers.Dense(7)(model.layers[1].output)).output_shape == (None, 7)


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"base.*expects inputs of shape \(None, 8, 8, 3\)"):
        Sequential([layers.Input((9, 9, 4)), functional()])
    with pytest.raises(ValueError, match=r"expects inputs of shape \(None, 8, 8, 3\)"):
        Sequential([functional(), layers.Flatten()]).build((None, 4))


def test_first_models_that_say_no_shape():
    """Unbuilt until the first batch; so are those of several inputs, which get them in their structure."""
    model = Sequential([Sequential([layers.Dense(4)]), layers.Dense(2)])
    assert not model.built
    model(np.zeros((4, 3)))
    assert (model.built, model.output_shape, model.count_params()) == (True, (None, 2), 26)

    A, B = np.full((4, 3), 1.0), np.full((4, 3), 2.0)
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    total = layers.Dense(2, kernel_initializer="ones")
    for inputs, data in [
        ([a, b], [A, B]),
        ({"p": a, "q": b}, {"p": A, "q": B}),
        ([a], [A]),
        ([a], A),
        ({"p": a}, {"p": A}),
    ]:
        y = layers.Add()([a, b]) if len(inputs) == 2 else layers.Activation("linear")(a)
        model = Sequential([Model(inputs, y), total])
        expected = np.full((4, 2), 9.0 if len(inputs) == 2 else 3.0)
        np.testing.assert_array_equal(model(data).numpy(), expected)
        np.testing.assert_array_equal(model.predict(data, verbose=0), expected)
        assert model.built
