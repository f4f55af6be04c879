"""Uniform random numbers: layers/rrelu.py -> here -> kernels/uniform.py. They are constants on the tape."""

from typing import Any

from tinynet.autograd import Tensor
from tinynet.autograd.tensor import as_raw
from tinynet.backend import device
from tinynet.backend.number_format import to_float
from tinynet.kernels.uniform import uniform
from tinynet.ops.methods import Value


def uniform_like(x: Value, words: Any) -> Value:
    """Numbers in [0, 1), of the shape and dtype of x (N, ...): a function of `words` and the place.

    words   (3,) uint32: two words of a key and the number of the call

    >>> ops.uniform_like(np.zeros((2, 3)), np.array([1, 2, 0], np.uint32)).shape
    (2, 3)
    """
    array = to_float(as_raw(x))
    u = uniform(array, device.words_beside(words, array))
    return Tensor(u) if isinstance(x, Tensor) else u
