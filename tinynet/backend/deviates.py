"""Random numbers in the dtype that is asked for, drawn in double precision a piece at a time.

The numbers are those of one draw in double precision, rounded, without its memory: a generator's numbers come
one after another, however many are asked for at once.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

PIECE = 1 << 16  # numbers drawn at a time


def normal(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: Any, mean: float, stddev: float
) -> np.ndarray:
    """N(mean, stddev^2)."""
    return filled(shape, dtype, lambda n: generator.normal(mean, stddev, n))


def uniform(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: Any, low: float, high: float
) -> np.ndarray:
    """U[low, high): what would be rounded up to `high` is the number of this dtype below it."""
    last = np.asarray(high, dtype)
    if last.dtype.kind == "f" and low < high <= last:
        last = np.nextafter(last, last.dtype.type(-np.inf))
    return filled(
        shape,
        dtype,
        lambda n: np.minimum(generator.uniform(low, high, n), float(last) if low < high else high),
    )


def truncated_normal(
    generator: np.random.Generator, shape: tuple[int, ...], dtype: Any, mean: float, stddev: float
) -> np.ndarray:
    """N(mean, stddev^2) restricted to mean +- 2 stddev: what falls outside is drawn again,
    until nothing is left.
    """
    values = np.empty(shape, dtype)
    flat, places = values.reshape(-1), None  # None: all of them
    while places is None or places.size:
        outside = []
        for start in range(0, flat.size if places is None else places.size, PIECE):
            here = (
                np.arange(start, min(start + PIECE, flat.size))
                if places is None
                else places[start : start + PIECE]
            )
            z = generator.standard_normal(here.size)
            flat[here] = mean + stddev * z
            outside.append(here[np.abs(z) > 2])
        places = np.concatenate([np.empty(0, np.intp), *outside])
    return values


def filled(shape: tuple[int, ...], dtype: Any, draw: Callable[[int], np.ndarray]) -> np.ndarray:
    """An array of what `draw(n)` gives, in C order."""
    values = np.empty(shape, dtype)
    flat = values.reshape(-1)
    for start in range(0, flat.size, PIECE):
        flat[start : start + PIECE] = draw(min(PIECE, flat.size - start))
    return values
