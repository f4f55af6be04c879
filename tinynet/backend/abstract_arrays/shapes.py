"""Shapes: axes counted from the front, and what an index makes of a shape."""

from typing import Any

import numpy as np


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array, a number or a list of them."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def sizes_of(values: tuple[Any, ...]) -> tuple[int, ...]:
    """f(2, 3) and f((2, 3)) alike."""
    return tuple(
        int(n) for n in (values[0] if len(values) == 1 and isinstance(values[0], tuple | list) else values)
    )


def axis_of(axis: Any, rank: int) -> int:
    """`axis` counted from the front; ValueError where there is none."""
    if not -rank <= axis < rank:
        raise ValueError(f"there is no axis {axis} among {rank}")
    return int(axis) % rank


def indexed(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of x[index]: integers, slices, None, ..., and arrays of integers, by NumPy's rules."""
    items = [np.asarray(one) if isinstance(one, list) else one for one in index]
    taken = sum(one is not None and one is not Ellipsis for one in items)
    if taken > len(shape):
        raise IndexError(f"too many indices for shape {shape}")
    if not any(one is Ellipsis for one in items):
        items.append(Ellipsis)
    at = next(i for i, one in enumerate(items) if one is Ellipsis)
    items[at : at + 1] = [slice(None)] * (len(shape) - taken)
    sizes, found, places, several = iter(shape), [], [], False
    arrays: list[tuple[int, ...]] = []
    for one in items:
        if one is None:
            found.append(1)
        elif isinstance(one, slice):
            found.append(len(range(*one.indices(next(sizes)))))
        else:
            _check_index(one, next(sizes))
            places.append(len(found))
            arrays.append(shape_of(one))
            several = several or hasattr(one, "shape")
            found.append(0)
    if not places:
        return tuple(found)
    together = places == list(range(places[0], places[-1] + 1))
    rest = [size for i, size in enumerate(found) if i not in places]
    begin = places[0] if together or not several else 0
    return (*rest[:begin], *np.broadcast_shapes(*arrays), *rest[begin:])


def _check_index(index: Any, size: int) -> None:
    """IndexError for an index beyond `size`; TypeError for one that is no integer."""
    kind = index.dtype.kind if hasattr(index, "dtype") else np.asarray(index).dtype.kind
    if kind not in "iu":
        raise TypeError("how many elements a mask chooses is not known for arrays without numbers")
    if not isinstance(index, int | np.generic | np.ndarray) or np.size(index) == 0:
        return
    if int(np.max(index)) >= size or int(np.min(index)) < -size:
        raise IndexError(f"index {index} is out of bounds for an axis of size {size}")
