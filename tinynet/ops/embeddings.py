"""Looking up rows of a table: layers/embedding.py -> here -> kernels/embedding.py.
Lookup and sum are each other's rules.
"""

from tinynet.autograd import array_primitive
from tinynet.backend.number_format import as_array
from tinynet.kernels import embedding as kernels
from tinynet.ops.methods import Value


@array_primitive
def look_up(table, ids, *, rows):
    """table (V, D), ids (N, ...) integers -> (N, ..., D); rows = V."""
    return kernels.embedding(table, ids)


@look_up.vjp("table")
def _(grad, ids, rows):
    return add_up(grad, ids, rows=rows)


@array_primitive
def add_up(g, ids, *, rows):
    """g (N, ..., D), ids (N, ...) -> (rows, D): each row the sum of g where its number stands in ids."""
    return kernels.embedding_grad(g, ids, rows=rows)


@add_up.vjp("g")
def _(grad, ids, rows):
    return look_up(grad, ids, rows=rows)


def embedding(table: Value, ids: Value) -> Value:
    """Row ids[n, ...] of the table (V, D) for every id -> (N, ..., D);
    raises IndexError for ids outside 0 .. V - 1.

    >>> ops.embedding([[0.0, 0.5], [1.0, 1.5]], [1, 1, 0])
    array([[1. , 1.5],
           [1. , 1.5],
           [0. , 0.5]], dtype=float32)
    """
    table, ids = as_array(table), as_array(ids)
    if table.ndim != 2 or ids.dtype.kind not in "iu" or ids.ndim < 1:
        got = f"{tuple(table.shape)} and {ids.dtype} {tuple(ids.shape)}"
        raise ValueError(f"embedding: expected a table (V, D) and integers (N, ...), got {got}")
    return look_up(table, ids, rows=table.shape[0])
