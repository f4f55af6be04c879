"""Operations and their derivatives on CuPy arrays: the tables of tests/ops, on a GPU. They need one.

The function that is checked begins with a copy to the GPU and ends with one back, both with a derivative: so
all that lies between, forward and backward, is computed there.
"""

import numpy as np
import pytest

import tinynet
from tinynet import Tensor, gradcheck, gradgradcheck, ops
from tinynet.backend import device

from ops.calls import CALLS, arrays
from ops.cases import CASES

BY_HAND = {"to_device", "convert_to_numpy"}  # their results lie where they say


def sent(value):
    """A setting, with the arrays in it on the GPU: an index, say."""
    if isinstance(value, list | tuple):
        return type(value)(map(sent, value))
    return device.to_device(value) if isinstance(value, np.ndarray) else value


def there(case):
    """The case with its computation on the GPU."""

    static = {name: sent(value) for name, value in case.static.items()}

    def run(*tensors):
        found = case.primitive(*[ops.to_device(x, "gpu") for x in tensors], **static)
        found = found if isinstance(found, list | tuple) else (found,)
        return tuple(ops.to_device(y, "cpu") for y in found)

    return run


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_first_derivative(case):
    assert gradcheck(there(case), case.inputs)


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("case", [case for case in CASES if case.smooth], ids=lambda case: case.name)
def test_second_derivative(case):
    assert gradgradcheck(there(case), case.inputs)


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize("name", [name for name in CALLS if name not in BY_HAND])
def test_an_operation_computes_what_it_computes_on_the_cpu(name):
    function, _ = CALLS[name]
    given = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays(name)]
    with tinynet.device("cpu"):
        expected = function(ops, *given)
    found = function(ops, *[device.to_device(a) for a in given])
    several = isinstance(expected, list | tuple)
    for one, other in zip(found if several else [found], expected if several else [expected], strict=True):
        if not hasattr(other, "dtype"):
            assert one == other
            continue
        one, other = (y.data if isinstance(y, Tensor) else y for y in (one, other))
        assert one.dtype == other.dtype
        np.testing.assert_allclose(device.to_host(one), other, rtol=1e-5, atol=1e-6)
