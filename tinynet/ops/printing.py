"""What a Tensor and an operation look like when they are printed:
what a reader wants to know first, in a few lines.

Tensor(shape=(32, 8, 8, 1), dtype=float32, from=relu, min=0, max=3.917, mean=0.3984,
       [0, :, :, 0] = [[0.    , 0.3127, 1.2741, ..., 0.    , 0.    , 0.    ],
                       ...
"""

from typing import Any

import numpy as np

from tinynet import markup
from tinynet.autograd import Primitive
from tinynet.backend import device
from tinynet.kernels.launches import numbers_read
from tinynet.signature import as_function

INLINE = 20  # elements that are all shown
GRID = 10  # rows and columns in a notebook


def facts(tensor: Any, values: np.ndarray) -> dict[str, str]:
    """{"shape": "(3,)", "dtype": "float32", "min": "0", ...}:
    what is known of a Tensor that has these `values`.
    """
    found = {"shape": str(tensor.shape), "dtype": str(tensor.dtype)}
    found |= {"name": repr(tensor.name)} if tensor.name else {}
    if tensor._node is not None:
        found["from"] = tensor._node.primitive.name
    elif tensor.requires_grad:
        found["requires_grad"] = "True"
    if values.dtype.kind in "iuf" and values.size > 1:
        odd = int(values.size - np.isfinite(values).sum())
        finite = values[np.isfinite(values)] if odd else values
        if finite.size:
            wide = finite.astype(np.float64, copy=False)
            found |= {
                "min": f"{finite.min():.4g}",
                "max": f"{finite.max():.4g}",
                "mean": f"{wide.mean():.4g}",
            }
        found |= {"not_finite": str(odd)} if odd else {}
    return found


def window(values: np.ndarray) -> tuple[str, np.ndarray]:
    """Two axes of `values` at most, and the index that leads there:
    of images (N, H, W, C) the first, in its first channel.
    """
    if values.ndim < 3 or values.size <= INLINE:
        return "", values
    if values.ndim == 4:
        return "[0, :, :, 0] = ", values[0, :, :, 0]
    index = (0,) * (values.ndim - 2)
    return f"[{', '.join(map(str, index))}, :, :] = ", values[index]


def as_text(tensor: Any) -> str:
    """A Tensor in at most nine lines."""
    numbers_read(tensor.data)
    values = np.asarray(device.to_host(tensor.data))
    said = ", ".join(f"{name}={value}" for name, value in facts(tensor, values).items())
    head = f"{type(tensor).__name__}({said}"
    index, part = window(values) if values.size else ("", values)
    if 0 in part.shape:
        return f"{head})"
    written = np.array2string(
        part,
        precision=4,
        threshold=INLINE,
        edgeitems=3,
        separator=", ",
        prefix=" " * (7 + len(index)),
        max_line_width=110,
    )
    together = f"{head}, {index}{written})"
    return together if "\n" not in written and len(together) <= 110 else f"{head},\n       {index}{written})"


def as_html(tensor: Any) -> str:
    """A Tensor in a notebook: a table of what is known of it, and its first numbers, larger ones darker."""
    values = np.asarray(device.to_host(tensor.data))
    known = facts(tensor, values)
    index, part = window(values) if values.size else ("", values)
    head = markup.table(list(known), [list(known.values())], type(tensor).__name__)
    if not part.size or values.dtype.kind not in "biuf":
        return head
    shown = np.atleast_2d(part if part.ndim <= 2 else part.reshape(-1, part.shape[-1]))[:GRID, :GRID]
    whole = shown.size == values.size
    extent = "" if whole else f", {shown.shape[0]} by {shown.shape[1]} of them"
    what = f"{index.removesuffix(' = ') or 'its numbers'}{extent}"
    return head + markup.paragraph(what) + markup.grid(shown.astype(float))


def _operation(self: Any) -> str:
    return as_function(self.name, self.forward)


Primitive.__repr__ = _operation  # type: ignore[method-assign]
