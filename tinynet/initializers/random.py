"""Initializers that draw numbers: fixed ranges, and variances scaled to the fans of a layer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import registry
from tinynet.backend import config, deviates, device
from tinynet.initializers.base import RandomInitializer
from tinynet.initializers.fans import compute_fans
from tinynet.ops.settings import integers, number
from tinynet.random import SeedGenerator

# Standard deviation of a normal variable of variance 1 cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


class _Independent(RandomInitializer):
    """Those whose numbers do not depend on one another:
    they are drawn as the variable's dtype, a piece at a time.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = integers(type(self).__name__, "shape", shape, least=0)
        return device.to_device(self._draw_values(shape, dtype or config.floatx()))

    def _draw_values(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        """The value, as a NumPy array of this dtype."""
        raise NotImplementedError


class RandomNormal(_Independent):
    """N(mean, stddev^2); `seed` is as in RandomInitializer.

    >>> RandomNormal(seed=0)((2, 3)).shape
    (2, 3)
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        number("RandomNormal", "mean", mean)
        number("RandomNormal", "stddev", stddev, 0)
        self.mean, self.stddev = mean, stddev

    def _draw_values(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        return deviates.normal(self.generator(), shape, dtype, self.mean, self.stddev)


class RandomUniform(_Independent):
    """U[minval, maxval); `seed` is as in RandomInitializer.

    >>> w = RandomUniform(0.0, 1.0, seed=0)((100,))
    >>> bool((w >= 0).all() and (w < 1).all())
    True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        number("RandomUniform", "maxval", maxval, number("RandomUniform", "minval", minval))
        self.minval, self.maxval = minval, maxval

    def _draw_values(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        return deviates.uniform(self.generator(), shape, dtype, self.minval, self.maxval)


class TruncatedNormal(_Independent):
    """N(mean, stddev^2) restricted to mean +- 2 stddev: what falls outside is drawn again.

    `stddev` is the parameter before the cut; the values themselves have the standard deviation 0.8796 stddev.
    `seed` is as in RandomInitializer.

    >>> w = TruncatedNormal(stddev=0.5, seed=0)((1000,))
    >>> bool(abs(w).max() <= 1.0)
    True
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None
    ) -> None:
        super().__init__(seed)
        number("TruncatedNormal", "mean", mean)
        number("TruncatedNormal", "stddev", stddev, 0)
        self.mean, self.stddev = mean, stddev

    def _draw_values(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        return deviates.truncated_normal(self.generator(), shape, dtype, self.mean, self.stddev)


class VarianceScaling(_Independent):
    """Mean 0 and variance s = scale / max(1, n), with n = fan_in, fan_out or their mean ("fan_avg").

    mode          which n;  seed  as in RandomInitializer.
                  Raises ValueError for another mode or distribution, or scale <= 0
    distribution  "truncated_normal" (also "normal"): cut at two standard deviations and widened,
                  so that the values
    keep variance s;  "untruncated_normal": N(0, s);  "uniform": U(-sqrt(3 s), sqrt(3 s)).
    input_axes, output_axes  which axes the fans are products of, for kernels of another order than Keras's.

    >>> w = VarianceScaling(3.0, distribution="uniform", seed=0)((9, 2))  # s = 1 / 3, n = fan_in = 9
    >>> bool(abs(w).max() <= 1)
    True
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        distribution = str(distribution).lower()
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if number("VarianceScaling", "scale", scale) <= 0:
            raise ValueError(f"VarianceScaling: scale must be positive, got {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(f"VarianceScaling: mode must be 'fan_in', 'fan_out' or 'fan_avg', got {mode!r}")
        if distribution not in ("truncated_normal", "untruncated_normal", "uniform"):
            raise ValueError(
                "VarianceScaling: distribution must be 'truncated_normal', "
                f"'untruncated_normal' or 'uniform', got {distribution!r}"
            )
        super().__init__(seed)
        self.scale, self.mode, self.distribution = scale, mode, distribution
        self.input_axes, self.output_axes = input_axes, output_axes

    def _draw_values(self, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return deviates.uniform(self.generator(), shape, dtype, -limit, limit)
        if self.distribution == "untruncated_normal":
            return deviates.normal(self.generator(), shape, dtype, 0.0, math.sqrt(variance))
        return deviates.truncated_normal(
            self.generator(), shape, dtype, 0.0, math.sqrt(variance) / _TRUNCATED_STDDEV
        )


class _Named(VarianceScaling):
    """A variance scaling with a name."""

    settings: tuple[float, str, str]  # scale, mode, distribution

    def __init__(
        self,
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self.settings, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        return {
            "seed": registry.describe(self.seed),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class GlorotUniform(_Named):
    """U(-l, l), l = sqrt(6 / (fan_in + fan_out)): Glorot & Bengio (2010), equation 16.
    Keras's default for kernels.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> w = GlorotUniform(seed=0)((2, 4))  # l = 1
    >>> bool(abs(w).max() <= 1)
    True
    """

    settings = 1.0, "fan_avg", "uniform"


class GlorotNormal(_Named):
    """Truncated normal of variance 2 / (fan_in + fan_out): Glorot & Bengio (2010), equation 12.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> round(float(GlorotNormal(seed=0)((50, 50)).std()), 2)  # sqrt(2 / 100)
    0.14
    """

    settings = 1.0, "fan_avg", "truncated_normal"


class HeUniform(_Named):
    """U(-l, l), l = sqrt(6 / fan_in): the variance of He et al. (2015), equation 10,
    for layers that feed a relu.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> w = HeUniform(seed=0)((6, 4))  # l = 1
    >>> bool(abs(w).max() <= 1)
    True
    """

    settings = 2.0, "fan_in", "uniform"


class HeNormal(_Named):
    """Truncated normal of variance 2 / fan_in: He et al. (2015), equation 10.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> round(float(HeNormal(seed=0)((50, 100)).std()), 2)  # sqrt(2 / 50)
    0.2
    """

    settings = 2.0, "fan_in", "truncated_normal"


class LecunUniform(_Named):
    """U(-l, l), l = sqrt(3 / fan_in): LeCun et al., "Efficient BackProp" (1998), equation 16.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> w = LecunUniform(seed=0)((3, 4))  # l = 1
    >>> bool(abs(w).max() <= 1)
    True
    """

    settings = 1.0, "fan_in", "uniform"


class LecunNormal(_Named):
    """Truncated normal of variance 1 / fan_in: LeCun et al., "Efficient BackProp" (1998), equation 16.

    seed   as in RandomInitializer;  input_axes, output_axes   as in VarianceScaling

    >>> round(float(LecunNormal(seed=0)((100, 50)).std()), 2)  # sqrt(1 / 100)
    0.1
    """

    settings = 1.0, "fan_in", "truncated_normal"


class Orthogonal(RandomInitializer):
    """gain times a matrix (prod(shape[:-1]), shape[-1]) with orthonormal rows or columns,
    whichever are fewer.

    Q of the QR decomposition of a normal matrix, each column times the sign of R's diagonal, which makes the
    distribution uniform: Saxe et al. (2014); Mezzadri (2007), section 5.

    `seed` is as in RandomInitializer. Raises ValueError for a shape of fewer than two axes.

    >>> w = Orthogonal(seed=0)((3, 2))
    >>> (w.T @ w).round(4) + 0.0
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        number("Orthogonal", "gain", gain)
        self.gain = gain

    def _draw_values(self, shape: tuple[int, ...]) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal needs a shape with at least two axes, got {shape}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(self.generator().standard_normal((max(rows, columns), min(rows, columns))))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q.T if rows < columns else q).reshape(shape)
