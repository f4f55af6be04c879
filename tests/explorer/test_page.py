"""The page as a file: its numbers are those that were recorded; nothing runs in it but its own script."""

import base64
import gzip
import html.parser
import json
import re

import numpy as np
import pytest

import tinynet
from tinynet import explorer
from tinynet.explorer.packing import pack, unpack
from tinynet.explorer.page import BLOCK, DRAWING, SCRIPTS, WEB, in_script, scripts_of_page

from explorer.nets import HOSTILE, IMAGES, LABELS, convolutional


@pytest.fixture(autouse=True)
def seeded():
    tinynet.utils.set_random_seed(0)


def page(tmp_path, name="step.html", model=None, **settings):
    return tinynet.explore(model or convolutional(), IMAGES, LABELS, tmp_path / name, **settings)


class Elements(html.parser.HTMLParser):
    """All elements of a page with their attributes, and the text of its scripts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.scripts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.found and self.found[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def test_it_holds_what_the_archive_holds(tmp_path):
    index, q = explorer.load(page(tmp_path))
    tinynet.utils.set_random_seed(0)
    plain, exact = explorer.load(page(tmp_path, "step.npz"))
    assert list(q) == list(exact)
    for name, array in exact.items():
        assert array.dtype == q[name].dtype, name
        assert array.tobytes() == q[name].tobytes(), name
    for quantity in index["quantities"]:
        del quantity["block"]
    assert index == plain


def test_the_same_seed_gives_the_same_page(tmp_path):
    first = page(tmp_path, "a.html").read_bytes()
    tinynet.utils.set_random_seed(0)
    assert page(tmp_path, "b.html").read_bytes() == first


def unpacked(block):
    return gzip.decompress(base64.b64decode(block))


def test_names_are_text_whatever_they_hold(tmp_path):
    path = page(tmp_path, model=convolutional(name=HOSTILE))
    elements = Elements(path.read_text(encoding="utf-8"))
    assert [tag for tag, _ in elements.found].count("script") == 3
    assert "img" not in [tag for tag, _ in elements.found]
    assert json.loads(unpacked(elements.scripts[0]))["title"] == HOSTILE
    assert json.loads(unpacked(in_script({HOSTILE: HOSTILE}))) == {HOSTILE: HOSTILE}
    assert not set("<>&\u2028") & set(in_script(HOSTILE))


def test_nothing_is_loaded(tmp_path):
    elements = Elements(page(tmp_path).read_text(encoding="utf-8"))
    for tag, attributes in elements.found:
        assert not {"src", "href", "action", "data", "srcset"} & set(attributes), tag
    policy = next(
        a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy.partition("script-src")[2]
    for script in WEB.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"https?:|fetch\(|XMLHttp|import\(|innerHTML|document\.write|eval\(", text), (
            script
        )


def test_links_to_the_editor_only_where_it_is_opened_at_once(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    index, _ = explorer.load(page(tmp_path))
    assert "folders" not in index  # where tinynet is installed is nobody's business
    path = page(tmp_path, open=True)
    assert opened == [path.resolve().as_uri()]
    assert explorer.load(path)[0]["folders"]["tinynet"].endswith("/tinynet")


def test_what_does_not_fit_is_rounded_and_then_left_out(tmp_path):
    exact_page = page(tmp_path)
    _, exact = explorer.load(exact_page)
    size = exact_page.stat().st_size
    arrays = len(dict(BLOCK.findall(exact_page.read_text(encoding="utf-8")))["arrays"])
    kinds = []
    for number, part in enumerate((0.8, 0.5, 0.1)):
        tinynet.utils.set_random_seed(0)
        most = (size - (1 - part) * arrays) / 1e6
        path = page(tmp_path, f"{number}.html", max_megabytes=most)
        assert path.stat().st_size <= most * 1e6
        index, q = explorer.load(path)
        blocks = [quantity["block"] for quantity in index["quantities"]]
        rounded, gone = sum(b is not None and "lo" in b for b in blocks), blocks.count(None)
        said = f"{rounded} arrays are rounded to 256 steps and {gone} left out, of {len(blocks)}."
        assert index["notes"][-1].endswith(said)
        kinds.append((sum(b is None for b in blocks), sum(b is not None and "lo" in b for b in blocks)))
        for name, array in q.items():
            block = blocks[int(name[1:])]
            if "lo" in block:
                assert np.abs(array - exact[name]).max() <= (block["hi"] - block["lo"]) / 500
            else:
                assert array.tobytes() == exact[name].tobytes()
    (none, some), _, (gone, _) = kinds
    assert none == 0
    assert some > 0
    assert gone > 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8", "uint16", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 3, 4)])
def test_arrays_of_all_kinds_come_back(dtype, shape):
    rng = np.random.default_rng(1)
    array = (100 * rng.normal(size=shape)).astype(dtype)
    text, blocks = pack([array, None, array], 1 << 20)
    assert blocks[0] == blocks[2]  # what is the same lies there once
    assert blocks[1] is None
    first, nothing, _ = unpack(text, blocks, [shape, (), shape])
    assert nothing is None
    assert (first.dtype, first.shape, first.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_what_an_update_changed_comes_back_bit_by_bit():
    rng = np.random.default_rng(2)
    old = rng.normal(size=3000).astype("float32")
    new = (old * (1 + 1e-3 * rng.normal(size=3000))).astype("float32")
    new[:6] = [np.nan, -np.inf, 0.0, -0.0, -old[4], np.finfo("float32").tiny / 2]
    text, blocks = pack([old, new], 1 << 20, {1: 0})
    assert blocks[1]["from"] == 0
    assert len(text) < len(pack([old, new], 1 << 20)[0])
    assert [array.tobytes() for array in unpack(text, blocks, [(3000,)] * 2)] == [
        old.tobytes(),
        new.tobytes(),
    ]


def test_numbers_that_are_not_finite_are_not_rounded():
    array = np.array([np.nan, np.inf, 1.0] * 1000, np.float32)
    _, blocks = pack([array, np.random.default_rng(0).normal(size=4000)], 8000)
    assert blocks[0] is None or "lo" not in blocks[0]
    assert blocks[1] is None or "lo" in blocks[1]


def test_the_scripts_stay_small():
    assert len(scripts_of_page([name for name in SCRIPTS if name != "run"]).encode()) <= 64_000
    drawn = [*SCRIPTS, *DRAWING]  # computes the forward pass too, also that of an image that is drawn
    assert len(scripts_of_page(drawn).encode()) <= 73_500
    for path in WEB.iterdir():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 260, path


def test_all_scripts_are_in_the_page_and_only_comments_are_left_out():
    assert {path.stem for path in WEB.glob("*.js")} == {*SCRIPTS, *DRAWING}

    def code(text):
        lines = re.sub(r"/\*\*.*?\*/", "", text, flags=re.DOTALL).splitlines()
        return "".join("".join(line.split()) for line in lines if not line.strip().startswith("//"))

    assert code(scripts_of_page([*DRAWING, *SCRIPTS])) == "".join(
        code((WEB / f"{name}.js").read_text(encoding="utf-8")) for name in (*DRAWING, *SCRIPTS)
    )


def test_a_limit_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="max_megabytes must be above 0 and finite, got 0"):
        page(tmp_path, max_megabytes=0)
