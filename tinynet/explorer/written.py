"""Written: the file that `explore` wrote. A notebook shows a page in itself, without a network."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

HEIGHT = 820  # pixels

if TYPE_CHECKING:
    _Path = Path
else:
    _Path = type(Path())  # before Python 3.12 Path itself has no subclasses but this one


class Written(_Path):
    """A Path to a file of `explore`."""

    def _repr_html_(self) -> str | None:
        """The page in a frame of its own, from which nothing leads to the notebook; None for arrays."""
        if self.suffix != ".html":
            return None
        page = html.escape(self.read_text(encoding="utf-8"))
        name = html.escape(self.name)  # what the page's Python calls the file
        style = f"width:100%;height:{HEIGHT}px;border:1px solid #ccc"
        return f'<iframe name="{name}" sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'
