"""watch: the functions that every step goes through, replaced while somebody looks on.

    class Names(Watch):
        def around_primitive(self, call, primitive, /, *args, **settings):
            print(primitive.name, "of layer", "/".join(self.path))
            return call(primitive, *args, **settings)

    with Names():
        model.fit(x, y)

`debug.check_numerics` and what `tinynet.explore` looks on with are such classes. A method of a subclass that
is called like an entry of PLACES is given the function that it stands for, and its arguments; it calls it,
or does something else. Several may be on at a time, closed in any order: the last one opened is the
outermost. While none is on, nothing of it is left in the operations. While one is, every step runs its
Python: repeated launches go through none of these places.
"""

import threading
from collections.abc import Callable
from typing import Any, Self

from tinynet.autograd import Primitive
from tinynet.autograd.backward import Walk
from tinynet.backend import config
from tinynet.kernels.common import Operation
from tinynet.layers.base import Layer
from tinynet.optimizers import Optimizer

# {method of a Watch: where the function is that it stands around}
PLACES: dict[str, tuple[Any, str]] = {
    "around_layer": (Layer, "_run_call"),  # a call of a layer or model
    "around_primitive": (Primitive, "__call__"),  # an operation, forward
    "around_record": (Primitive, "_record"),  # what it leaves on the tape
    "around_walk": (Walk, "run"),  # a walk back, from its seeds
    "around_rule": (Primitive, "differentiate"),  # its derivative
    "around_update": (Optimizer, "apply"),  # the weights' update
    "around_kernel": (Operation, "__call__"),  # a kernel, whose implementation is chosen here
}


class Watch:
    """Base of what looks on. `path` are the names of the layers that this thread is calling, outermost first.

    Subclasses define `enters(layer, args, kwargs, training)`, told of a layer before it is called, and
    methods of PLACES, each given the function that it stands around, and what that one is called with:

        around_layer(run, layer, args, kwargs, training)
        around_primitive(call, primitive, *args, **settings)
        around_record(record, primitive, args, raw, out, static)
        around_walk(run, walk)
        around_rule(differentiate, primitive, node, grad, *values)
        around_kernel(call, kernel, *args, **settings)
        around_update(apply, optimizer, grads, trainable_variables)
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()

    @property
    def path(self) -> list[str]:
        """One list for each thread: several may be in a step at a time."""
        found = vars(self._of_thread)
        return found.setdefault("path", [])

    def open(self) -> None:
        """Begins to look on."""
        with _lock:
            if not _open:
                _plain.update({name: vars(owner)[function] for name, (owner, function) in PLACES.items()})
                _eagerly.append(config.functions_run_eagerly())
                config.run_functions_eagerly(True)
            _open.append(self)
            _put_in_place()

    def close(self) -> None:
        """Ends it; once more does nothing."""
        with _lock:
            if self in _open:
                _open.remove(self)
                _put_in_place()
                if not _open:
                    config.run_functions_eagerly(_eagerly.pop())

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def enters(self, layer: Layer, args: Any, kwargs: Any, training: bool | None) -> None:
        """Called before a layer is."""

    def around_layer(
        self, run: Callable[..., Any], layer: Layer, args: Any, kwargs: Any, training: bool | None
    ) -> Any:
        """Keeps `path`."""
        self.enters(layer, args, kwargs, training)
        self.path.append(layer.name)
        try:
            return run(layer, args, kwargs, training)
        finally:
            self.path.pop()


_lock = threading.RLock()
_open: list[Watch] = []  # in the order in which they were opened
_plain: dict[str, Callable[..., Any]] = {}  # the functions themselves, while a Watch is open
_eagerly: list[bool] = []  # the setting before the first one was opened


def _put_in_place() -> None:
    """Every function, with what the open Watches put around it; without any, the function itself."""
    for name, (owner, attribute) in PLACES.items():
        function = _plain[name]
        for watch in _open:
            if hasattr(watch, name):
                function = _around(getattr(watch, name), function)
        if vars(owner)[attribute] is not function:
            setattr(owner, attribute, function)


def _around(method: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*args: Any, **settings: Any) -> Any:
        return method(function, *args, **settings)

    return watched
