"""Replay has a room of its own: hardly any file outside of it speaks of it."""

import doctest
import re
from pathlib import Path

import numpy as np

import tinynet
import tinynet.replay

ROOT = Path(__file__).parent.parent.parent
WORDS = re.compile(r"replay|captur|recorder|recording", re.IGNORECASE)
IMPORTS = re.compile(r"^from tinynet\.replay.*$", re.MULTILINE)  # of its files, from each other
OF_THE_EXPLORER = re.compile(r"record(?:er|ing)s?", re.IGNORECASE)  # its word for a step that it shows
OF_CUPY = re.compile(r"\.is_capturing\(\)")  # what a stream is asked
OUTSIDE = {
    "tinynet/__init__.py",  # the public name
    "tinynet/models/compiled.py",  # model.replay
    "tinynet/models/steps.py",  # where a step of fit is replayed
}


def test_what_replay_is_stands_in_one_room():
    files = [path for folder in ("tinynet", "kernels") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = {
        path.relative_to(ROOT).as_posix(): OF_CUPY.sub("", path.read_text(encoding="utf-8")) for path in files
    }
    for name in texts:
        if name.startswith("tinynet/explorer/"):
            texts[name] = OF_THE_EXPLORER.sub("", texts[name])
    speak = {
        name
        for name, text in texts.items()
        if WORDS.search(IMPORTS.sub("", text) if "replay/" in name else text)
    }
    assert {name for name in speak if not name.startswith("tinynet/replay/")} <= OUTSIDE
    assert len(speak) <= 9, sorted(speak)


def test_the_page_of_the_room_names_all_its_files():
    room = ROOT / "tinynet" / "replay"
    page = (room / "__init__.py").read_text(encoding="utf-8")
    for path in room.glob("*.py"):
        assert path.name == "__init__.py" or f" {path.name} " in page, path.name


def test_the_example_on_the_page_of_the_room_gives_what_it_says():
    names = {"np": np, "ops": tinynet.ops, "tinynet": tinynet}
    example = doctest.DocTestParser().get_doctest(tinynet.replay.__doc__ or "", names, "replay", None, None)
    assert len(example.examples) == 3
    said: list[str] = []
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)
