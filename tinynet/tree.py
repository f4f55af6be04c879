"""Structures: one value, or lists, tuples and dictionaries of values,
as models with several inputs or outputs have them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tinynet import missing_names

missing_names.namespace(__name__)


STRUCTURES = (list, tuple, dict)


def is_nested(value: Any) -> bool:
    """Whether `value` is a list, tuple or dictionary with Tensors, arrays or further such in it,
    rather than one of numbers.

    >>> tree.is_nested([np.ones(2), np.ones(3)]), tree.is_nested([np.ones(2), [0]]), tree.is_nested([1, 2])
    (True, True, False)
    """
    if isinstance(value, dict):
        return True
    parts = [item for item in value if item is not None] if isinstance(value, (list, tuple)) else []
    return any(getattr(item, "ndim", 0) or is_nested(item) for item in parts)


def leaves(value: Any) -> Iterator[Any]:
    """The values in the structure `value`, in order; dictionaries in the order of their sorted keys.

    >>> list(tree.leaves({"b": [2, 3], "a": 1}))
    [1, 2, 3]
    """
    if isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """The structure `value` with function(one) for every value in it.

    >>> tree.mapped(lambda one: 2 * one, {"a": 1, "b": [2, 3]})
    {'a': 2, 'b': [4, 6]}
    """
    if isinstance(value, dict):
        return {key: mapped(function, value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return like(value, [mapped(function, item) for item in value])
    return function(value)


def like(value: Any, items: list[Any]) -> Any:
    """The list `items` as `value` is: a list, a tuple, or a named one.

    >>> tree.like((1, 2), [3, 4])
    (3, 4)
    """
    return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)


def is_shape(value: Any) -> bool:
    """Whether `value` is one shape, (None, 28, 28, 1), rather than a structure of them.

    >>> tree.is_shape((None, 28, 28, 1)), tree.is_shape([(None, 4), (None, 3)])
    (True, False)
    """
    return isinstance(value, (list, tuple)) and all(
        size is None or isinstance(size, (int, np.integer)) for size in value
    )


def mapped_shapes(function: Callable[[Any], Any], shapes: Any) -> Any:
    """The structure `shapes` with function(shape) for every shape in it.

    >>> tree.mapped_shapes(len, [(None, 4), (None, 28, 28, 1)])
    [2, 4]
    """
    if is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {key: mapped_shapes(function, shapes[key]) for key in sorted(shapes)}
    return None if shapes is None else like(shapes, [mapped_shapes(function, shape) for shape in shapes])


def shape_leaves(shapes: Any) -> Iterator[Any]:
    """The shapes in the structure `shapes`, in order.

    >>> list(tree.shape_leaves([(None, 4), (None, 3)]))
    [(None, 4), (None, 3)]
    """
    if is_shape(shapes):
        yield tuple(shapes)
    elif shapes is not None:
        for shape in [shapes[key] for key in sorted(shapes)] if isinstance(shapes, dict) else shapes:
            yield from shape_leaves(shape)
