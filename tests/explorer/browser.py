"""Chromium with a page in it, or a reason why there is none."""

import importlib.util
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

PATH = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def opened_browser():
    """A browser without a window; skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if PATH is None:
        pytest.skip("there is no Chromium on this machine (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PATH, args=["--no-sandbox"])
        yield browser
        browser.close()


def axe():
    """The text of axe-core, which looks for what keeps people from using a page; skips without it."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None:
        pytest.skip("axe-playwright-python is not installed")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


class Opened:
    """A page that is open, with what its console said and what it asked the network for."""

    def __init__(self, browser, path, width=1440, height=900, **settings):
        self.page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        self.said, self.requests = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.resolve().as_uri())
        self.page.wait_for_selector("html[data-ready=true]", timeout=20_000)

    def ask(self, script, *given):
        """What a function of JavaScript returns."""
        return self.page.evaluate(script, *given)

    def close(self):
        """Closes it; fails if the console said something or the network was asked for something."""
        self.page.close()
        assert self.said == []
        assert [url for url in self.requests if not url.startswith("file:")] == []
        assert len(self.requests) == 1
