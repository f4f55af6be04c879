"""InputSpec: what a layer says of its inputs, in Keras's words."""

from collections.abc import Mapping
from typing import Any

from tinynet.tree import STRUCTURES, leaves, shape_leaves


class InputSpec:
    """What an input must be: `layer.input_spec = InputSpec(ndim=3)` has every call checked.

    shape   sizes, the batch first, with None for any;  axes   {axis: size} of some of them
    ndim, min_ndim, max_ndim   numbers of axes;  allow_last_axis_squeeze   a last
                               axis of size 1 may be there or not
    name   of the input, where inputs are a dictionary;  optional   None will do
    dtype   is kept, and not checked: layers cast their inputs to their own

    >>> InputSpec(shape=(None, 28, 28))
    InputSpec(shape=(None, 28, 28), ndim=3)
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if self.shape is None else len(self.shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.name, self.optional, self.allow_last_axis_squeeze = name, optional, allow_last_axis_squeeze
        try:
            self.axes = {int(axis): size for axis, size in dict(axes or {}).items()}
        except (TypeError, ValueError):
            raise TypeError(f"InputSpec: axes must be a dictionary {{axis: size}}, got {axes!r}") from None
        most = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and most is not None and max(self.axes) >= most:
            raise ValueError(f"InputSpec: axes names the axis {max(self.axes)} of an input with {most} axes")

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as many as Keras tells of."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "InputSpec":
        """What `get_config` described in `config`."""
        return cls(**config)

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"

    def misfit(self, shape: Any) -> str | None:
        """What is wrong with an input of `shape`, or None."""
        rank, squeezes = len(shape), self.allow_last_axis_squeeze
        if self.ndim is not None and rank != self.ndim and not squeezes:
            return f"expected ndim={self.ndim}, found ndim={rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={rank}"
        for axis, size in self.axes.items():
            if not -rank <= axis < rank or (size is not None and shape[axis] not in (size, None)):
                return f"expected axis {axis} of the input to have the size {size}"
        if self.shape is not None:
            wanted, found = (_squeezed(one) if squeezes else one for one in (self.shape, tuple(shape)))
            if len(wanted) != len(found) or any(
                None not in (m, n) and m != n for m, n in zip(wanted, found, strict=True)
            ):
                return f"expected shape={self.shape}"
        return None


def check(layer: Any, shape: Any) -> None:
    """Raises ValueError if inputs of `shape` (or of such shapes) are not what
    the layer's `input_spec` was set to.
    """
    given = vars(layer).get("_own_input_spec")
    if given is None:
        return
    specs = list(leaves(given)) if isinstance(given, STRUCTURES) else [given]
    names = [spec.name for spec in specs if spec is not None]
    if isinstance(shape, dict) and len(names) == len(specs) and all(names):
        if missing := [name for name in names if name not in shape]:
            raise ValueError(
                f"{layer}: there is no input {missing[0]!r} among {list(shape)}; its input_spec names {names}"
            )
        shape = [shape[name] for name in names]
    shapes = list(shape_leaves(shape))
    if len(shapes) != len(specs):
        raise ValueError(
            f"{layer}: its input_spec is for {len(specs)} inputs, got {len(shapes)}, of shapes {shapes}"
        )
    for number, (spec, one) in enumerate(zip(specs, shapes, strict=True)):
        if spec is not None and (wrong := spec.misfit(one)) is not None:
            raise ValueError(f"{layer}: input {number} does not fit its input_spec: {wrong}, got shape {one}")


def _squeezed(shape: tuple[Any, ...]) -> tuple[Any, ...]:
    return shape[:-1] if shape and shape[-1] == 1 else shape
