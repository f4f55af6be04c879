"""An axis that is not there is refused; it used to wrap around silently."""

import numpy as np
import pytest

from tinynet import ops
from tinynet.losses import CategoricalCrossentropy

X = np.random.default_rng(0).normal(size=(2, 3, 4))


@pytest.mark.parametrize(
    "call",
    [
        lambda axis: ops.softmax(X, axis),
        lambda axis: ops.moveaxis(X, axis, 0),
        lambda axis: ops.moveaxis(X, 0, axis),
        lambda axis: ops.swapaxes(X, 0, axis),
        lambda axis: ops.split(X, 1, axis),
        lambda axis: ops.squeeze(X, axis),
        lambda axis: CategoricalCrossentropy(axis=axis)(X, X),
    ],
)
@pytest.mark.parametrize("axis", [3, -4])
def test_an_axis_out_of_range_is_refused(call, axis):
    with pytest.raises(
        ValueError, match=rf"axis\d? {axis} is out of range for an array of shape \(2, 3, 4\)"
    ):
        call(axis)


def test_softmax_over_several_axes():
    y = ops.softmax(X, (1, 2))
    np.testing.assert_allclose(y, np.exp(X) / np.exp(X).sum((1, 2), keepdims=True), rtol=1e-12)
