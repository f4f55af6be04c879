"""LiveCurves: the curves of a run while it trains, in a notebook or in a file."""

import io
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tinynet.callbacks import schema
from tinynet.callbacks.callback import Callback, Logs

FILE = "live_curves.png"
SCREEN_DPI = 80


class LiveCurves(Callback):
    """Draws loss, metrics and learning rate, training and validation, after every epoch.

    In a notebook the picture is redrawn in place. With `path`, and elsewhere to live_curves.png in the
    current folder, it is written to a file (.png, .pdf, .svg), whole or not at all, so that a viewer that
    reloads never sees half a picture. `every` is the least number of seconds between two pictures; the last
    one is always drawn. `title` stands above it. Not a part of Keras.

    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[LiveCurves("curves.png")])
    >>> open("curves.png", "rb").read(4)[1:]
    b'PNG'
    """

    _state_kinds: ClassVar = {"curves": schema.by_name(schema.several(schema.point))}

    def __init__(
        self, path: str | os.PathLike[str] | None = None, every: float = 0.0, title: str | None = None
    ) -> None:
        self.path = None if path is None else os.fspath(path)
        self.every = every
        self.title = title
        self.curves: dict[str, list[Any]] = {}
        self._display: Any = None  # what shows the picture in a notebook

    def training_state(self) -> dict[str, Any]:
        return {"curves": self.curves}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        self.curves = dict(state["curves"])

    def on_train_begin(self, logs: Logs = None) -> None:
        self.curves = {}
        self._display = None
        self._path = os.path.abspath(self.path or FILE)  # wherever the process goes
        self._drawn = -float("inf")
        self._due = False

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            self.curves.setdefault(name, []).append((epoch, float(value)))
        self._due = bool(self.curves)
        if self._due and time.monotonic() - self._drawn >= self.every:
            self._draw()

    def on_train_end(self, logs: Logs = None) -> None:
        if self._due:
            self._draw()

    def _draw(self) -> None:
        from tinynet.plotting import live, save

        self._due = False
        figure = live.live_curves(self.curves, (self.params or {}).get("epochs"), self.title)
        shell = _notebook()
        if shell:
            self._show(figure)
        if self.path is not None or not shell:
            save(figure, self._path)
        self._drawn = time.monotonic()  # after drawing, which takes longer than a small epoch

    def _show(self, figure: Any) -> None:
        """As a PNG, which a notebook shows whatever it knows of matplotlib."""
        from IPython.display import Image, display

        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=SCREEN_DPI)
        if self._display is None:
            self._display = display(Image(png.getvalue()), display_id=True)
        else:
            self._display.update(Image(png.getvalue()))


def _notebook() -> bool:
    """Whether this runs in a notebook's kernel; IPython is looked for and not imported."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and hasattr(get_ipython(), "kernel")
