"""Trial runs find output shapes; whatever they change is as it was before,
as in Keras, which traces without numbers.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Model, Sequential, layers, metrics, ops

X = np.ones((8, 3), np.float32)


class Counts(layers.Layer):
    """Changes everything that a call can change."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")
        self.moving = self.add_weight(shape=(), initializer="ones", trainable=False, name="moving")
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.mean = metrics.Mean()
        self.within = {"metrics": [metrics.Sum()]}
        self.seeds = tinynet.random.SeedGenerator(3)
        self.dropout = layers.Dropout(0.5)
        self.norm = layers.BatchNormalization()
        self.python = 0

    def call(self, x, training=False):
        self.python += 1
        self.count.assign_add(1.0)
        self.moving.assign(self.moving * 0.9)
        with tinynet.no_grad():
            self.scale += 1.0
            self.scale[...] = self.scale * 2.0
        self.mean.update_state([5.0])
        self.within["metrics"][0].update_state(3.0)
        noise = tinynet.random.normal((3,), seed=self.seeds) + tinynet.random.normal((3,))
        self.add_loss(ops.sum(x) * 0.0 + 7.0)
        return self.norm(self.dropout(x, training=True), training=True) + noise * 0.0

    def state(self):
        seeds = [int(self.seeds.state.data[1]), self.dropout._draw_count, tinynet.backend.random.state()]
        sums = [float(self.mean.result()), float(self.within["metrics"][0].result())]
        return [weight.tolist() for weight in self.get_weights()], sums, seeds, list(self.losses)


def as_made():
    layer = Counts()
    layer.norm.build((None, 3))
    return layer, layer.state()


USES = {
    "first in a Sequential": lambda layer: Sequential([layers.Input((3,)), layer]),
    "added later": lambda layer: Sequential([layers.Input((3,)), layers.Dense(3), layer]),
    "built later": lambda layer: Sequential([layer]).build((None, 3)),
    "on an Input": lambda layer: layer(layers.Input((3,))),
    "in training": lambda layer: layer(layers.Input((3,)), training=True),
    "sizes that are not known": lambda layer: layer(layers.Input((None, 3))),
    "a shape": lambda layer: layer.compute_output_shape((None, 3)),
    "within another": lambda layer: Holds(layer)(layers.Input((None, 3))),
    "within a model": lambda layer: Holds(Sequential([layers.Input((3,)), layer]))(layers.Input((3,))),
}


class Holds(layers.Layer):
    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x):
        return self.layer(x)


@pytest.mark.parametrize("use", USES)
def test_a_layer_is_as_it_was(use):
    layer, before = as_made()
    layer.norm.built = True
    drawn = before[2][2]["drawn"]
    USES[use](layer)
    after = layer.state()
    after[2][2]["drawn"] = drawn if use == "added later" else after[2][2]["drawn"]  # Dense(3) takes a key
    assert after == before
    assert layer.python > 0, "Python's own values are the user's affair"


def test_a_layer_that_fails_is_as_it_was():
    layer, before = as_made()
    layer.call = None

    class Fails(Holds):
        def call(self, x):
            type(layer).call(self.layer, x)
            raise ArithmeticError("on the way")

    with pytest.raises(ArithmeticError):
        Fails(layer)(layers.Input((None, 3)))
    assert layer.state() == before


class Lazy(layers.Layer):
    """Makes what it needs when it is called first."""

    def call(self, x):
        if not hasattr(self, "steps"):
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")
            self.inner = Counts()
            self.sum = metrics.Sum()
        self.steps.assign_add(1.0)
        self.sum.update_state(1.0)
        return self.inner(x)


def test_what_a_trial_makes_is_new():
    tinynet.utils.set_random_seed(0)
    lazy = Lazy()
    model = Sequential([layers.Input((3,)), lazy])
    assert float(lazy.steps) == 0
    assert lazy.sum.result() == 0
    assert float(lazy.inner.count) == 0
    assert float(lazy.inner.moving) == 1
    assert float(lazy.inner.scale) == 1
    assert lazy.losses == []
    assert lazy.inner.dropout._draw_count == 0
    assert lazy.inner.seeds.state.data[1] == 0
    np.testing.assert_array_equal(lazy.inner.norm.moving_variance.numpy(), 1)
    model(X)
    assert float(lazy.steps) == 1
    assert len(lazy.losses) == 1


def test_a_trial_within_a_call_leaves_the_losses_of_the_call():
    class Builds(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = Penal(), Penal()

        def call(self, x):
            y = self.first(x)
            self.second.compute_output_shape(x.shape)
            self.first.compute_output_shape(x.shape)
            return y

    class Penal(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return x

    layer = Builds()
    layer(X)
    assert [float(loss) for loss in layer.losses] == [24.0]
    layer(X * 2)
    assert [float(loss) for loss in layer.losses] == [48.0]


def test_activity_regularizers_are_silent_before_the_first_batch():
    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, activity_regularizer="l2")

        def call(self, x):
            return self.dense(x + 1.0)

    model = Sequential([layers.Input((3,)), Holder()])
    assert model.losses == []
    model(X)
    assert len(model.losses) == 1


def test_variables_that_no_attribute_leads_to():
    """Those of a closure: whatever assigns notes what was there."""
    count = metrics.Sum()
    steps = layers.Layer().add_weight(shape=(2,), initializer="ones", trainable=False)

    def function(x):
        count.update_state(1.0)
        steps.assign_sub([1.0, 2.0])
        return x

    Sequential([layers.Input((3,)), layers.Lambda(function)])
    assert count.result() == 0
    assert steps.numpy().tolist() == [1, 1]


def test_other_threads_keep_what_they_do_meanwhile():
    import threading

    weight = layers.Layer().add_weight(shape=(), initializer="zeros", trainable=False)

    def function(x):
        thread = threading.Thread(target=lambda: weight.assign_add(1.0))
        thread.start()
        thread.join()
        return x

    layers.Lambda(function)(layers.Input((3,)))
    assert float(weight) >= 1, "once for each run"


def test_a_count_of_steps_is_that_of_the_steps():
    """A layer that counts its calls has counted the batches of fit, 12 here; Keras: 12."""

    class Counting(layers.Layer):
        def __init__(self):
            super().__init__()
            self.c = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.c.assign_add(1.0)
            return x

    layer = Counting()
    inputs = layers.Input((None, 3))
    model = Model(inputs, layers.Dense(1)(layer(inputs)))
    model.compile("sgd", "mse")
    model.fit(np.ones((24, 2, 3)), np.ones((24, 2, 1)), batch_size=4, epochs=2, verbose=0)
    assert float(layer.c) == 12


@pytest.mark.parametrize("given", [None, 3.0, "word"], ids=str)
@pytest.mark.parametrize(
    "structure", [lambda x, odd: odd, lambda x, odd: {"a": x, "b": odd}, lambda x, odd: (x, [odd])]
)
def test_an_output_that_is_no_tensor_is_named(structure, given):
    class Odd(tinynet.layers.Layer):
        def call(self, x):
            return structure(x, given)

    with pytest.raises(TypeError, match=r"<Odd 'odd.*call\(\) (returned None|must return a Tensor.*gave)"):
        Odd(name="odd")(tinynet.layers.Input((3,)))
