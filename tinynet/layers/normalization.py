"""Normalization: data with mean 0 and variance 1, by statistics that are measured beforehand."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Unpack

import numpy as np

from tinynet import ops
from tinynet.autograd import Tensor
from tinynet.autograd.tensor import as_raw
from tinynet.backend import allocations, device
from tinynet.layers.base import Elementwise, Shape
from tinynet.layers.static_types import LayerArguments
from tinynet.registry import describe

SMALLEST = 1e-7  # a standard deviation below this counts as this


class Normalization(Elementwise):
    """y = (x - mean) / max(sqrt(variance), 1e-7); with `invert`, y = mean + x max(sqrt(variance), 1e-7).

    axis             each place along it, or along several axes, has statistics of its own;
                     None: the same for all
    mean, variance   numbers, or arrays with the sizes of the axes. Left out, `adapt(data)` measures them

    `adapt` is called before training; until then mean 0 and variance 1 are used. The weights are mean,
    variance and, as in Keras's files, a count that is 0.

    >>> layer = Normalization()
    >>> layer.adapt(np.array([[0.0], [2.0]]))
    >>> layer(np.array([[0.0], [3.0]])).numpy().ravel()
    array([-1.,  2.], dtype=float32)
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        axes = (axis,) if hasattr(axis, "__index__") else axis
        if axis is None:
            axes = ()
        if not isinstance(axes, list | tuple) or not all(hasattr(a, "__index__") for a in axes):
            raise TypeError(f"{self}: axis must be an integer, several, or None, got {axis!r}")
        self.axis, self.invert = tuple(int(a) for a in axes), bool(invert)
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{self}: mean and variance are given together or not at all, got {mean!r} and {variance!r}"
            )
        self.input_mean, self.input_variance = mean, variance
        if variance is not None and np.any(np.less(variance, 0)):
            raise ValueError(f"{self}: variance must not be negative, got {variance!r}")
        if mean is not None and (np.shape(mean) != np.shape(variance) or np.ndim(mean) > len(self.axis)):
            raise ValueError(
                f"{self}: mean and variance must be numbers, "
                f"or arrays of one shape with an axis for each of {self.axis}, "
                f"got shapes {np.shape(mean)} and {np.shape(variance)}"
            )

    def build(self, input_shape: Shape) -> None:
        rank = len(input_shape)
        kept = tuple(sorted({a % rank for a in self.axis if -rank <= a < rank}))
        if len(kept) != len(self.axis):
            raise ValueError(
                f"{self}: axis {self.axis} must name different axes of an input of shape {tuple(input_shape)}"
            )
        sizes: Any = tuple(input_shape[a] for a in kept)
        if None in sizes:
            raise ValueError(
                f"{self}: the sizes of axes {kept} must be known, got an input of shape {tuple(input_shape)}"
            )
        self.adapt_mean: Any
        self.adapt_variance: Any
        if self.input_mean is None:
            self.adapt_mean = self.add_weight("mean", sizes, "zeros", trainable=False)
            self.adapt_variance = self.add_weight("variance", sizes, "ones", trainable=False)
            self.count = self.add_weight("count", (), "zeros", trainable=False, dtype="int32")
        else:
            if any(
                n not in (1, m) for n, m in zip(np.shape(self.input_mean)[::-1], sizes[::-1], strict=False)
            ):
                shape = np.shape(self.input_mean)
                raise ValueError(
                    f"{self}: mean and variance have shape {shape}, "
                    f"axes {kept} of the input have sizes {sizes}"
                )
            allocations.array((2, *sizes))
            given = (np.asarray(value, self.dtype) for value in (self.input_mean, self.input_variance))
            self.adapt_mean, self.adapt_variance = (
                Tensor(device.to_device(np.array(np.broadcast_to(value, sizes)))) for value in given
            )
        self._input_rank = rank
        self._input_sizes = dict(zip(kept, sizes, strict=True))
        super().build(input_shape)

    def adapt(self, data: Any) -> None:
        """Measures mean and (biased) variance of `data`: an array,
        or an iterable of batches (or of (x, y) pairs).

        Raises ValueError if mean and variance were given, if there is no batch,
        or for a shape that does not fit.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"{self}: mean and variance were given, so that there is nothing to adapt; leave them out"
            )
        count, mean, variance = 0, np.zeros(()), np.zeros(())
        for batch in filter(np.size, self._batches(data)):
            if not self.built:
                self.build(batch.shape)
            self._check_input(batch.shape)
            reduced = tuple(a for a in range(batch.ndim) if a not in self._input_sizes)
            here = math.prod(batch.shape[a] for a in reduced)
            centre, spread = batch.mean(reduced, np.float64), batch.var(reduced, np.float64)
            # T. F. Chan, G. H. Golub, R. J. LeVeque, "Algorithms for computing the sample variance",
            # 1983, equation 2.1
            share = here / (count + here)
            variance = (1 - share) * variance + share * spread + share * (1 - share) * (centre - mean) ** 2
            mean = mean + share * (centre - mean)
            count += here
        if not count:
            raise ValueError(
                f"{self}: adapt found no data; give it an array, or an iterable of batches that is not empty"
            )
        self.adapt_mean.assign(mean.astype(self.dtype))
        self.adapt_variance.assign(variance.astype(self.dtype))

    def _batches(self, data: Any) -> Iterator[np.ndarray]:
        if hasattr(data, "shape"):
            data = [data]
        elif not hasattr(data, "__iter__") and not hasattr(data, "__getitem__"):
            raise TypeError(
                f"{self}: adapt takes an array or an iterable of batches, got {type(data).__name__}"
            )
        for batch in data:
            batch = batch[0] if isinstance(batch, tuple | list) and batch else batch
            if not hasattr(batch, "shape"):
                raise TypeError(
                    f"{self}: adapt takes batches that are arrays, got one of type {type(batch).__name__}"
                )
            raw = as_raw(batch)
            yield np.asarray(raw.get() if hasattr(raw, "get") else raw)

    def call(self, x: Any) -> Any:
        shape = self._broadcast_shape()
        mean = ops.reshape(self.adapt_mean, shape)
        deviation = ops.reshape(ops.maximum(ops.sqrt(self.adapt_variance), SMALLEST), shape)
        return mean + x * deviation if self.invert else (x - mean) / deviation

    def _broadcast_shape(self) -> tuple[int, ...]:
        """The shape in which statistics meet the input: their sizes along the axes, 1 elsewhere."""
        assert self._input_rank is not None
        return tuple(self._input_sizes.get(axis, 1) for axis in range(self._input_rank))

    mean = property(
        lambda self: self._in_place_of(self.adapt_mean), doc="The mean, with an axis for each of the input."
    )
    variance = property(lambda self: self._in_place_of(self.adapt_variance), doc="The variance, likewise.")

    def _in_place_of(self, statistic: Any) -> Tensor:
        return Tensor(as_raw(statistic).reshape(self._broadcast_shape()))

    def get_config(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **{name: describe(value) for name, value in given.items()}}
