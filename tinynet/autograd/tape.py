"""The tape: what an operation leaves behind so that its derivative can be taken later.

Each operation on a tracked Tensor is recorded as a Node, which points to where its inputs came from:

    >>> x, y = (Tensor([value], requires_grad=True, name=name) for value, name in ((2.0, "x"), (3.0, "y")))
    >>> z = x * y + x
    >>> add, multiply = z._node, z._node.edges[0][0]
    >>> show(add)   # show, in the tests, prints a node
    add        edges: output 0 of multiply, leaf x     saved: None, None
    >>> show(multiply)
    multiply   edges: leaf x, leaf y                   saved: [2.], [3.]

The rule of add needs no values, and none is kept; the two of multiply need each the other's. z knows its
place, output 0 of the node add. z.backward() begins there, with the gradient 1, and goes along the edges
(backward.py):

    at         gradient   its rules give   which arrive at
    add        1          1 and 1          multiply, x
    multiply   1          1 * 3 and 1 * 2  x, y

    >>> z.backward()
    >>> x.grad.numpy(), y.grad.numpy()   # dz/dx = y + 1, dz/dy = x
    (array([4.], dtype=float32), array([2.], dtype=float32))

add was recorded last, so the walk takes it first. When it takes multiply, every node that used multiply's
output has sent its gradient. A node never points to the Tensor of its output, which points to the node: that
would be a cycle. If a rule asks for y, its array is kept. So memory is freed while backward walks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any

_grad_enabled: ContextVar[bool] = ContextVar("tinynet_grad_enabled", default=True)
_order = count()
# whether operations on tracked Tensors are recorded in this thread or task
is_grad_enabled = _grad_enabled.get


@contextmanager
def set_grad_enabled(enabled: bool) -> Iterator[None]:
    """Context manager and decorator that says whether operations are recorded: `enabled`."""
    token = _grad_enabled.set(enabled)
    try:
        yield
    finally:
        _grad_enabled.reset(token)


def no_grad() -> Any:
    """Context manager and decorator within which nothing is recorded: inference, parameter updates."""
    return set_grad_enabled(False)


class Node:
    """One recorded call of a primitive.

    primitive, static   what was called, and the keyword arguments: the settings
    order     a number that grows from node to node;  output_count  how many outputs there are
    edges     for every input: None for a constant, a leaf Tensor, or (node, which of its outputs)
    shapes    for every input: its shape, to which its gradient is reduced;  dtypes  likewise
    saved     for every input: its array if a rule asked for it, else None
    outputs   the arrays that the forward returned, if a rule asked for y, else None
    uses      how many inputs of later nodes came from here
    sources   (in the walk back) for every input: the primitive that computed it, if its gradient comes from
              this node alone, else None
    versions  {place: (version counter, its count when saved)} of what is saved, where the place is i for
              input i and ~i for output i; a counter is a list of one number, the changes made in place to a
              piece of memory, and is shared by the Tensors that view it
    """

    __slots__ = (
        "dtypes",
        "edges",
        "order",
        "output_count",
        "outputs",
        "primitive",
        "saved",
        "shapes",
        "sources",
        "static",
        "uses",
        "versions",
    )
    shapes: list[tuple[int, ...]]
    dtypes: list[Any]
    output_count: int
    sources: list[Any]

    def __init__(self, primitive: Any, edges: list[Any], saved: list[Any], static: dict[str, Any]) -> None:
        self.order = next(_order)  # later nodes never feed earlier ones: sorting by it is a topological order
        self.primitive, self.edges, self.saved, self.static = primitive, edges, saved, static
        self.versions: dict[int, tuple[list[int], int]] = {}
        self.outputs: Any = None
        self.uses = 0

    def check(self) -> None:
        """Raises RuntimeError if the graph was freed, or if a saved value was changed since."""
        name, advice = self.primitive.name, "or compute the forward again"
        if self.saved is None:
            raise RuntimeError(
                f"an earlier backward freed the graph of {name!r}; pass retain_graph=True to it, {advice}"
            )
        for place, (version, then) in self.versions.items():
            if version[0] != then:
                value = self.primitive.inputs[place] if place >= 0 else "y"
                raise RuntimeError(
                    f"{name!r} saved {value!r} for its derivative, and an optimizer, assign, "
                    "set_weights or an in-place "
                    f"operator has changed it since; run backward before the change, {advice}"
                )

    def free(self) -> None:
        """Drops all that was kept."""
        self.saved, self.outputs, self.versions, self.edges = None, None, {}, []  # type: ignore[assignment]
