"""The explorer: one step of training with every number of it, and the code that computed each.

    tinynet.explore(model, x, y, "step.html")

running.py runs the step on a copy of the model, tape.py walks back from a Tensor; recorder.py looks on and
makes a Recording (recording.py), of which index.py makes the index, page.py a page that needs no network, and
archive.py a file of arrays. web/ is what runs in the page.
"""

import os
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinynet import console, missing_names
from tinynet.autograd import Tensor
from tinynet.explorer.archive import load, write_npz
from tinynet.explorer.page import write_html
from tinynet.explorer.running import run_model
from tinynet.explorer.tape import run_tape
from tinynet.explorer.written import Written
from tinynet.models import Model

__all__ = ["explore", "load"]

missing_names.namespace(__name__)


def explore(
    model: Model | Tensor,
    x: Any = None,
    y: Any = None,
    path: str | os.PathLike[str] = "step.html",
    *,
    images: int | Sequence[int] = 4,
    max_megabytes: float = 8,
    open: bool = False,
) -> Path:
    """Records one step, forward, backward and update, and writes a page of it: all numbers, and their code.

    model    a compiled model: a training step on x and y. Without y a forward pass in inference mode; a model
             that is not compiled: the gradient of the sum of its outputs. Or a Tensor: the walk back from it
    images   how many images of x make the batch: those with the highest losses among the first 2,048; or a
             list of their places
    path     .html: one page for any browser, without a network;  .npz: arrays. `explorer.load` reads both
    max_megabytes   of the page: where exact numbers do not fit, the largest arrays are rounded to 256 steps,
             or left out, and the page says so
    open     show the page in the browser; names of files on it then lead to the editor (vscode)

    The step runs on a copy: the model, its optimizer and its random state keep every bit. Prints and returns
    the path, which a notebook shows as the page. Raises ValueError for other endings of `path`, for places
    that x does not have and for a y that is shorter than x, TypeError for a model that cannot be copied and
    for arguments of other types.

    >>> path = tinynet.explore(model, x, y, "step.html")
    step.html: training step on 4 of 8 images...
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"explore: path must be the name of a file, got {path!r}")
    path = Written(path)
    if path.suffix not in (".html", ".npz"):
        raise ValueError(f"explore: path must end in .html or .npz, got {os.fspath(path)!r}")
    if isinstance(max_megabytes, bool) or not isinstance(max_megabytes, int | float | np.number):
        raise TypeError(f"explore: max_megabytes must be a number, got {max_megabytes!r}")
    if not 0 < max_megabytes < np.inf:
        raise ValueError(f"explore: max_megabytes must be above 0 and finite, got {max_megabytes!r}")
    if isinstance(model, Tensor):
        recording = run_tape(model)
    elif not isinstance(model, Model):
        raise TypeError(f"explore: expected a model or a Tensor, got {model!r}")
    elif x is None:
        raise ValueError(f"explore: x is missing: {model} is explored on some images")
    else:
        recording = run_model(model, x, y, images)
    if path.suffix == ".npz":
        write_npz(recording, path)
    else:
        write_html(recording, path, max_megabytes, links=open)
    of = f" on {recording.batch} of {recording.given} images" if recording.batch else ""
    size = path.stat().st_size
    more = f", more than the {max_megabytes:g} asked for"
    missed = more if path.suffix == ".html" and size > max_megabytes * 1e6 else ""
    done = f"{recording.kind}{of}, {len(recording.operations)} operations"
    console.say(f"{path}: {done}, {size / 1e6:.2f} MB{missed}")
    if open:
        webbrowser.open(path.resolve().as_uri())
    return path
