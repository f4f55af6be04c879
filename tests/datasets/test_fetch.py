"""Where files come from: the order of the folders, downloads from a server of our own,
and what is refused.
"""

import hashlib
import socket
import sys
import threading
import time

import pytest
import requests

from tinynet import datasets
from tinynet.datasets import fetch

CONTENT = bytes(range(256)) * 700  # more than one chunk
NAME = "things.bin"


def source(*mirrors, content=CONTENT):
    return fetch.Source("things", {NAME: hashlib.sha256(content).hexdigest()}, mirrors)


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder that TINYNET_DATA names."""
    folder = tmp_path / "data"
    (folder / "things").mkdir(parents=True)
    monkeypatch.setenv(fetch.ENVIRONMENT_VARIABLE, str(folder))
    return folder


# -- looking


def test_the_named_folder_comes_first_then_the_cache(cache, data):
    places = [data / "things" / NAME, data / NAME, cache / "things" / NAME]
    for place in reversed(places):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(CONTENT)
        assert fetch.fetch(source(), NAME) == place
    assert [folder / NAME for folder in fetch.folders("things")] == places


def test_nothing_is_found_where_nothing_is(cache, data):
    assert fetch.locate(source(), NAME) is None


@pytest.mark.parametrize(
    "content", [CONTENT[:-1], b"", b"x" + CONTENT[1:]], ids=["truncated", "empty", "altered"]
)
def test_a_wrong_file_is_refused_with_its_path_and_what_to_do(cache, data, content):
    path = data / "things" / NAME
    path.write_bytes(content)
    with pytest.raises(datasets.DatasetCorrupted) as error:
        fetch.fetch(source("http://127.0.0.1:9"), NAME)
    assert str(path) in str(error.value)
    assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert "Delete it" in str(error.value)
    assert "TINYNET_DATA" in str(error.value)


def test_the_cache_is_the_users(monkeypatch):
    assert fetch.cache_folder("mnist").parts[-2:] == ("tinynet", "mnist")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="XDG_CACHE_HOME is Linux's")
@pytest.mark.parametrize(
    ("base", "expected"), [("/x", "/x"), ("~/x", "HOME/x"), ("~", "HOME"), ("", "HOME/.cache")]
)
def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path, base, expected):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", base)
    monkeypatch.setenv("TINYNET_DATA", "~/data")
    home = str(tmp_path)
    assert [str(folder) for folder in fetch.folders("mnist")] == [
        f"{home}/data/mnist", f"{home}/data", expected.replace("HOME", home) + "/tinynet/mnist",
    ]  # fmt: skip


def test_a_home_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("TINYNET_DATA", "~no-such-user-at-all/data")
    with pytest.raises(ValueError, match=r"TINYNET_DATA=~no-such-user-at-all/data: nothing says where"):
        datasets.available("mnist")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="XDG_CACHE_HOME is Linux's")
def test_without_a_home_files_are_found_where_the_variable_says(monkeypatch, data):
    monkeypatch.setenv("XDG_CACHE_HOME", "~no-such-user-at-all")
    (data / NAME).write_bytes(CONTENT)
    assert fetch.fetch(source(), NAME) == data / NAME
    (data / NAME).unlink()
    assert fetch.locate(source(), NAME) is None
    with pytest.raises(
        datasets.DatasetUnavailable, match="no home folder to keep files in; set TINYNET_DATA"
    ):
        fetch.fetch(source("http://127.0.0.1:9"), NAME)


# -- downloading


def test_a_download_lands_in_the_cache_and_is_not_repeated(cache, server):
    server.responses[f"/a/{NAME}"] = [{"body": CONTENT}]
    path = fetch.fetch(source(f"{server.url}/a/"), NAME)
    assert path == cache / "things" / NAME
    assert path.read_bytes() == CONTENT
    assert fetch.fetch(source(f"{server.url}/a"), NAME) == path
    assert server.requests == [f"/a/{NAME}"]
    assert files_below(cache) == [path]


def test_a_download_is_asked_for_as_it_is_stored(cache, server):
    """A server that compresses whatever it may would give another hash."""
    server.responses[f"/{NAME}"] = [{"body": CONTENT}]
    assert fetch.fetch(source(server.url), NAME).read_bytes() == CONTENT
    assert [headers["Accept-Encoding"] for headers in server.headers] == ["identity"]


def test_names_that_are_never_found_do_not_hold_a_download_up(cache, server, monkeypatch):
    """A machine without network can take half a minute to say that a host is unknown;
    the others are asked meanwhile.
    """
    monkeypatch.setattr(fetch, "CONNECT_SECONDS", 0.3)
    asked, real = [], requests.head

    def head(url, **settings):
        asked.append((url, settings["timeout"]))
        if "slow" in url:
            threading.Event().wait(5)
        return real(url, **settings)

    monkeypatch.setattr(requests, "head", head)
    server.responses[f"/{NAME}"] = [{"body": CONTENT}]
    started = time.monotonic()
    path = fetch.fetch(source("http://slow.invalid", server.url, "http://slower.slow.invalid"), NAME)
    assert time.monotonic() - started < 3
    assert path.read_bytes() == CONTENT
    assert sorted(asked) == sorted(
        (f"{url}/{NAME}", 0.3) for url in ("http://slow.invalid", server.url, "http://slower.slow.invalid")
    )
    path.unlink()
    with pytest.raises(datasets.DatasetUnavailable, match="no answer within 0 s"):
        fetch.fetch(source("http://slow.invalid"), NAME)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "bad",
    [{"status": 404}, {"status": 503}, {"body": CONTENT, "cut": 1000}, {"body": b"another file"}],
    ids=["404", "503", "cut short", "wrong hash"],
)
def test_the_second_mirror_helps_out(cache, server, bad):
    server.responses = {f"/a/{NAME}": [bad], f"/b/{NAME}": [{"body": CONTENT}]}
    path = fetch.fetch(source(f"{server.url}/a", f"{server.url}/b"), NAME)
    assert path.read_bytes() == CONTENT
    assert server.requests == [f"/a/{NAME}", f"/b/{NAME}"]
    assert files_below(cache) == [path]


@pytest.mark.parametrize(
    "bad", [{"body": CONTENT, "cut": 1000}, {"body": b"another file"}], ids=["cut", "hash"]
)
def test_a_failed_download_is_tried_again(cache, server, bad):
    server.responses[f"/a/{NAME}"] = [bad, {"body": CONTENT}]
    assert fetch.fetch(source(f"{server.url}/a"), NAME).read_bytes() == CONTENT


def test_when_every_mirror_fails_nothing_is_left_and_the_error_tells_all(cache, data, server):
    paths = [f"/{letter}/{NAME}" for letter in "abc"]
    failures = [[{"status": 404}], [{"body": CONTENT, "cut": 9}], [{"body": b"!"}]]
    server.responses = dict(zip(paths, failures, strict=True))
    with pytest.raises(datasets.DatasetUnavailable) as error:
        fetch.fetch(source(*(f"{server.url}/{letter}" for letter in "abc")), NAME)
    text = str(error.value)
    assert f"{server.url}/a/{NAME}: HTTP status 404" in text
    assert f"{server.url}/b/{NAME}: connection failed or cut short" in text
    assert f"{server.url}/c/{NAME}: the downloaded file has the wrong SHA-256" in text
    assert all(str(folder) in text for folder in (data / "things", cache / "things"))
    assert f"copy {NAME} into a folder <data>/things/ and set TINYNET_DATA=<data>" in text
    assert server.requests == paths * fetch.ROUNDS
    assert files_below(cache) == []


def test_a_cache_that_cannot_be_written_is_reported(cache, server):
    cache.write_text("a file where the folder should be")
    server.responses[f"/a/{NAME}"] = [{"body": CONTENT}]
    with pytest.raises(datasets.DatasetUnavailable, match=str(cache)):
        fetch.fetch(source(f"{server.url}/a"), NAME)


def test_without_a_server_the_error_comes_at_once(cache):
    started = time.monotonic()
    with pytest.raises(datasets.DatasetUnavailable, match="connection failed"):
        fetch.fetch(source("http://127.0.0.1:9", "http://no-such-host.invalid"), NAME)
    assert time.monotonic() - started < fetch.CONNECT_SECONDS + 2


def test_servers_that_do_not_answer_are_given_up_together(cache, monkeypatch):
    monkeypatch.setattr(fetch, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections and never says a word
        mirrors = [f"http://127.0.0.1:{silent.getsockname()[1]}/{number}" for number in range(5)]
        started = time.monotonic()
        with pytest.raises(datasets.DatasetUnavailable):
            fetch.fetch(source(*mirrors), NAME)
    assert time.monotonic() - started < 3


# -- names


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_available_asks_without_downloading(cache, monkeypatch, name):
    monkeypatch.setattr(fetch, "download", lambda *args: pytest.fail("downloads"))
    assert not datasets.available(name)


@pytest.mark.parametrize("module", [datasets.mnist, datasets.fashion_mnist])
@pytest.mark.parametrize("missing", range(4))
def test_a_data_set_is_there_when_all_its_files_are(cache, data, module, missing):
    name = module.SOURCE.name
    (data / name).mkdir(exist_ok=True)
    for i, file in enumerate(module.SOURCE.files):
        if i != missing:
            (data / name / file).write_bytes(b"")
    assert not datasets.available(name)
    (cache / name).mkdir(parents=True)
    (cache / name / list(module.SOURCE.files)[missing]).write_bytes(b"")  # wherever they are
    assert datasets.available(name)


def test_what_is_not_on_this_machine_is_not_asked_for_twice(cache, server, monkeypatch):
    """Mirrors that nobody reaches are not tried for a download; rounds begin after a pause that grows."""
    pauses = []
    monkeypatch.setattr(fetch.time, "sleep", pauses.append)
    server.responses = {f"/{NAME}": [{"status": 500}]}
    with pytest.raises(datasets.DatasetUnavailable):
        fetch.fetch(source("http://127.0.0.1:9", server.url), NAME)
    assert server.requests == [f"/{NAME}"] * fetch.ROUNDS
    assert pauses == list(range(fetch.ROUNDS))
    pauses.clear()
    with pytest.raises(datasets.DatasetUnavailable):
        fetch.fetch(source("http://127.0.0.1:9"), NAME)
    assert pauses == []


def test_the_names_of_the_classes():
    """In the order of their numbers, as their authors list them."""
    assert datasets.mnist.CLASSES == datasets.digits.CLASSES == tuple("0123456789")
    assert datasets.cifar10.CLASSES == (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    )  # fmt: skip
    assert [name.lower().split("/")[0] for name in datasets.fashion_mnist.CLASSES] == [
        "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ]  # fmt: skip


def test_digits_are_always_available_and_unknown_names_are_refused():
    assert datasets.available("digits")
    with pytest.raises(ValueError, match="there is no data set 'imagenet'"):
        datasets.available("imagenet")
