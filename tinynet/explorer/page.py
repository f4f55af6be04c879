"""The page: one HTML file with the index, the arrays, and what shows them (web/), that needs no network.

What is not ours, names of layers above all, is text in JSON in which no `<` is left; the scripts put text
into the page as text. The page's own policy lets nothing be loaded, and no other script run than this one.
"""

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinynet.explorer.health import health_of
from tinynet.explorer.index import index_of
from tinynet.explorer.packing import Block, pack, unpack
from tinynet.explorer.recording import Recording
from tinynet.explorer.sources import KERNELS, ROOT
from tinynet.utils import atomic_write

WEB = Path(__file__).parent / "web"
# In this order: a file uses those before it.
SCRIPTS = (
    "data", "dom", "state", "colours", "maps", "field", "graph", "values", "formula", "check",
    "check_forward", "check_backward", "run", "code", "cost", "transport", "main",
)  # fmt: skip
DRAWING = ("draw",)  # where `predict` can be computed for an image that is drawn
MEGABYTE = 1_000_000
BLOCK = re.compile(r'<script type="[a-z/-]+" id="(index|arrays)">(.*?)</script>', re.DOTALL)


def write_html(recording: Recording, path: Path, max_megabytes: float, links: bool = False) -> None:
    """Writes the page. `links`: file names lead to the editor, which tells where tinynet is installed."""
    text = page_of(recording, max_megabytes, links)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def page_of(recording: Recording, max_megabytes: float, links: bool = False) -> str:
    """The text of the page; the same recording gives the same one."""
    index = index_of(recording)
    if links:
        index["folders"] = {"tinynet": ROOT.as_posix(), "kernels": KERNELS.as_posix()}
    scripts = '\n"use strict";\n' + scripts_of_page([*(DRAWING if recording.drawn else ()), *SCRIPTS])
    health, blocks_text = health_of(recording), 60 * len(recording.quantities)  # they are not known yet
    around = (
        len(in_script(index))
        + len(scripts)
        + len(_text("page.css") + _text("page.html"))
        + len(health.encode())
        + blocks_text
    )
    most = int(max_megabytes * MEGABYTE) - around
    arrays, blocks = pack([q.array for q in recording.quantities], most, _changed_by_updates(recording))
    for quantity, block in zip(index["quantities"], blocks, strict=True):
        quantity["block"] = block
    digest = base64.b64encode(hashlib.sha256(scripts.encode()).digest()).decode("ascii")
    if note := _what_is_missing(recording, blocks, max_megabytes):
        index["notes"] = [*index["notes"], note]
    parts = {
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        "title": html.escape(recording.title or "A step"), "styles": _text("page.css"),
        "index": in_script(index), "arrays": arrays, "scripts": scripts, "health": health,
    }  # fmt: skip
    return re.sub(
        r"@(policy|title|styles|health|index|arrays|scripts)\b", lambda m: parts[m[1]], _text("page.html")
    )


def _changed_by_updates(recording: Recording) -> dict[int, int]:
    """{weight or slot after the update: the same before}"""
    found = {}
    for operation in recording.operations:
        if operation.phase == "update":
            given = [number for name, number, _ in operation.inputs if name != "g"]
            found.update(
                {new: old for new, old in zip(operation.outputs, given, strict=True) if old is not None}
            )
    return found


def _what_is_missing(recording: Recording, blocks: list[Block | None], max_megabytes: float) -> str:
    """A sentence, if not all numbers are in the page as they were."""
    kept = [block for block, q in zip(blocks, recording.quantities, strict=True) if q.array is not None]
    rounded = sum(block is not None and "lo" in block for block in kept)
    if not rounded and None not in kept:
        return ""
    said = f"{rounded} arrays are rounded to 256 steps and {kept.count(None)} left out"
    return f"For a page of {max_megabytes:g} MB, {said}, of {len(kept)}."


def in_script(value: Any) -> str:
    """JSON as base64 of gzip: a quarter of its size, and nothing in it can end a script element."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("ascii"), mtime=0)).decode("ascii")


def read_html(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """(index, arrays) of a page, as `load` returns them."""
    found = dict(BLOCK.findall(path.read_text(encoding="utf-8")))
    if set(found) != {"index", "arrays"}:
        raise ValueError(f"{str(path)!r} was not written by tinynet.explore: it has no index")
    index = json.loads(gzip.decompress(base64.b64decode(found["index"])))
    quantities = index["quantities"]
    arrays = unpack(
        found["arrays"], [q["block"] for q in quantities], [tuple(q["shape"]) for q in quantities]
    )
    return index, {f"q{i}": array for i, array in enumerate(arrays) if array is not None}


def scripts_of_page(names: Sequence[str]) -> str:
    """Scripts, without comments that fill lines, indents, and line ends behind a comma or bracket: nobody
    reads them there.
    """
    text = "\n".join(_text(f"{name}.js") for name in names)
    text = re.sub(r"^ */\*\*.*?\*/ *\n|^ *//[^\n]*\n", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^ +|\n(?=\n)|(?<=[{(\[,;])\n", "", text, flags=re.MULTILINE)


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")
