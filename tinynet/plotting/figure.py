"""What the pictures share: an empty figure, colours, panels for images, and saving."""

import functools
import io
import os
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet.console import is_notebook, say
from tinynet.utils import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# M. Okabe and K. Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
BLUE, VERMILION = "#0072B2", "#D55E00"
GREY = "#5F6770"
COLOURS = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
# Beside the colours, for those who print in grey: dashes and markers, one of each for every colour.
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

DPI, SCREEN_DPI = 150, 100


def new_figure(width: float, height: float, title: str | None = None) -> "Figure":
    """An empty figure of this size in inches, drawn without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _figure_class()(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    if title:
        figure.suptitle(title, fontsize=13, fontweight="bold")
    return figure


@functools.cache
def _figure_class() -> Any:
    """matplotlib's Figure, which also shows itself: as the value of a notebook's cell,
    and by `show()` without pyplot.
    """
    from matplotlib.figure import Figure

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            png = io.BytesIO()
            self.savefig(png, format="png", dpi=SCREEN_DPI, bbox_inches="tight")
            return png.getvalue()

        def show(self, warn: bool = True) -> None:
            """In a notebook below the cell; in a window where there is one;
            else in a file, whose name is printed.
            """
            if is_notebook():
                from IPython.display import display

                display(self)
                return
            import matplotlib.pyplot as plt

            plt.figure(FigureClass=lambda *args, **settings: self)  # type: ignore[arg-type]
            if self.canvas.required_interactive_framework:
                plt.show()
                return
            plt.close(self)
            with tempfile.NamedTemporaryFile(prefix="tinynet-", suffix=".png", delete=False) as file:
                file.write(self._repr_png_())
            say(f"no window can be opened here; the picture is in {file.name}")

    Picture.__module__, Picture.__qualname__ = __name__, "Picture"  # where copies and pickles look for it
    return Picture


def __getattr__(name: str) -> Any:
    if name == "Picture":
        return _figure_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write the figure to `path`, whole or not at all; the suffix says the format (.png, .pdf, .svg).

    >>> plotting.save(plotting.gallery(np.zeros((1, 8, 8))), "picture.png")
    """
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=DPI)


def message(text: str, title: str | None = None) -> "Figure":
    """A figure that says in words why there is nothing to show."""
    figure = new_figure(6, 2.4, title)
    axes = figure.subplots()
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=13, color=GREY, transform=axes.transAxes)
    return figure


def image_grid(
    count: int, columns: int, cell: tuple[float, float], title: str | None
) -> "tuple[Figure, list[Axes]]":
    """A figure with `count` panels without axes, in rows of `columns`; a cell is (width, height) inches."""
    columns = min(columns, count)
    rows = -(-count // columns)
    # Room for the title, and a width at which it fits.
    width = max(columns * cell[0], 0.105 * len(title or ""), 2.5)
    figure = new_figure(width, rows * cell[1] + (0.5 if title else 0.1), title)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.axis("off")
    return figure, panels[:count]


def show_image(axes: "Axes", image: np.ndarray, **options: Any) -> None:
    """Draw one image (H, W), (H, W, 1) or (H, W, 3): grey with the smallest value black, colour as it is."""
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim == 3 and image.dtype != np.uint8:
        low, high = image.min(), image.max()
        if low < 0 or high > 1:  # floats outside of 0..1 have no colour of their own
            image = (image - low) / ((high - low) or 1)
    if image.ndim == 2:
        options = {"cmap": "gray", **options}
    axes.imshow(image, interpolation="nearest", **options)


def class_numbers(y: Any, argument: str) -> np.ndarray:
    """Class numbers (N,) of labels (N,) or (N, 1), or of one-hot rows or probabilities (N, C)."""
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        return y.argmax(axis=1)
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
        with np.errstate(invalid="ignore"):
            whole = y.reshape(-1).astype(np.int64)
        if (wrong := whole != y.reshape(-1)).any() or (wrong := whole < 0).any():
            raise ValueError(
                f"{argument}: classes are whole numbers from 0 on, got {y.reshape(-1)[wrong][0]}; "
                "of the probabilities of one unit, y > 0.5 makes classes"
            )
        return whole
    raise ValueError(f"{argument}: expected labels (N,), (N, 1) or rows (N, C), got shape {y.shape}")
