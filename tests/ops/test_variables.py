import numpy as np
import pytest

from tinynet import Parameter, layers


def test_parameters_have_what_keras_variables_have():
    p = Parameter(np.array([1.0, 2.0]), name="counter/n")
    version = p.version
    assert p.assign_add([1.0, 1.0]) is p
    np.testing.assert_array_equal(p.numpy(), [2, 3])
    np.testing.assert_array_equal(p.assign_sub(2.0).numpy(), [0, 1])
    assert p.version > version, "the tape sees the change"
    assert p.value is p
    assert p.path == "counter/n"
    with pytest.raises(ValueError, match="counter/n has shape"):
        p.assign_add(np.ones(3))


def test_a_layer_that_counts():
    class Counter(layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

        def call(self, x):
            self.count.assign_add(1)
            return x

    layer = Counter()
    for _ in range(3):
        layer(np.ones((2, 2)))
    assert layer.count.numpy() == 3
