"""The files that one call of Conv2D and its gradient enter, from the layer to the machine code:
`python -m benchmarks chain`.

Cold: in a new process, where no question about shapes has been answered yet. The layer has its weights, and
its compiled code lies on disk, put there by the same call in another process. Only calls of Python functions
are seen: compiled loops and emitted code are what stands in the last files.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOADING = (  # compiled code
    "kernels/cache.py", "kernels/environment.py", "kernels/cache_folder.py", "kernels/loops.py",
    "kernels/linking.py", "kernels/thread_pool/__init__.py",
)  # fmt: skip


def entered(function: Callable[[], object]) -> dict[str, str]:
    """Files of tinynet that `function` enters, in the order in which it does,
    each with the function that it enters first.
    """
    found: dict[str, str] = {}

    def look(frame: object, event: str, argument: object) -> None:
        code = frame.f_code  # type: ignore[attr-defined]
        path = Path(code.co_filename).resolve()  # kernels/, which tinynet/kernels is a link to
        if event == "call" and path.is_relative_to(ROOT):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(("tinynet/", "kernels/")):
                found.setdefault(name, code.co_qualname)

    sys.setprofile(look)
    try:
        function()
    finally:
        sys.setprofile(None)
    return found


def call(watched: bool = True) -> tuple[dict[str, str], dict[str, str]]:
    """What the forward pass enters, and what the backward pass enters beside it.

    Not `watched`, it is called alone: compiling takes several times as long with somebody looking.
    """
    import numpy as np

    import tinynet
    from tinynet.autograd import gradients
    from tinynet.kernels import common

    layer = tinynet.layers.Conv2D(3, 3, padding="same", activation="relu")
    layer.build((None, 6, 6, 2))
    images = common.to_batch_last(np.ones((4, 6, 6, 2), np.float32))
    x, outputs = tinynet.Tensor(images, requires_grad=True), []
    look = entered if watched else _unwatched
    forward = look(lambda: outputs.append(layer(x)))
    y = outputs[0]
    backward = look(lambda: gradients(y, [x, layer.kernel, layer.bias], np.ones(y.shape, np.float32)))
    return forward, {name: first for name, first in backward.items() if name not in forward}


def _unwatched(function: Callable[[], object]) -> dict[str, str]:
    function()
    return {}


def text(forward: dict[str, str], backward: dict[str, str]) -> str:
    """The chain as README has it: a line for each file, with the function that is entered first."""
    files = {**forward, **backward}
    width = max(map(len, files))
    groups = {
        "forward:": [name for name in forward if name not in LOADING],
        "and backward:": [name for name in backward if name not in LOADING],
        "and to load compiled code, once in a process:": [name for name in files if name in LOADING],
    }
    lines = []
    for title, names in groups.items():
        lines += [title, *(f"  {name:{width}}  {files[name]}" for name in names)]
    return "\n".join([*lines, f"{len(files)} files"])


def chain() -> str:
    """`text`, from a new process, after another one has compiled what is called."""
    for code in ("chain.call(watched=False)", "print(chain.text(*chain.call()))"):
        command = [sys.executable, "-c", f"from benchmarks import chain; {code}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
