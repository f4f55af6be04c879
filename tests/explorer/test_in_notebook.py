"""A notebook shows the page in a frame: it comes up, and asks the network for nothing."""

import html.parser
from pathlib import Path

import pytest

import tinynet
from tinynet import explorer

from explorer.browser import opened_browser
from explorer.nets import IMAGES, LABELS, convolutional

NAME = 'it\'s "a<b".html'


@pytest.fixture
def written(tmp_path):
    tinynet.utils.set_random_seed(0)
    return tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path / NAME)


class Frame(html.parser.HTMLParser):
    """The attributes of the elements."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_path_is_a_path_that_shows_the_page(written, tmp_path):
    assert isinstance(written, Path)
    assert written == tmp_path / NAME
    ((tag, attributes),) = Frame(written._repr_html_()).found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == written.read_text(encoding="utf-8")
    arrays = tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path / "step.npz")
    assert arrays._repr_html_() is None


def test_the_page_runs_in_the_frame(written, tmp_path):
    outside = tmp_path / "notebook.html"
    outside.write_text(f"<!doctype html><title>n</title>{written._repr_html_()}", encoding="utf-8")
    said, requests = [], []
    with opened_browser() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(outside.as_uri())
        frame = page.frames[1]
        frame.wait_for_selector("html[data-compared=true]", timeout=20_000)
        assert frame.locator("#badge").inner_text().startswith("JS = tinynet ✓")
        index, _ = explorer.load(written)
        frame.evaluate("(q) => checkNumber({q, at: [0, 1, 2, 3]})", index["operations"][0]["outputs"][0])
        assert frame.locator("#check .verdict").inner_text().endswith("✓")
        code = frame.evaluate("() => pythonOf({code: () => ['0']}, '0')")
    line = next(line for line in code.splitlines() if "load(" in line)
    assert eval(line.partition("load(")[2].rstrip(")")) == NAME
    assert said == []
    assert [url for url in requests if not url.startswith(("file:", "about:"))] == []
