"""A web server on this machine that answers each path with a list of prepared responses,
and folders of our own.
"""

import gzip
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tinynet.datasets import fetch


@dataclass
class Server:
    """What is sent, by path; `requests` lists the paths of the GET requests, `headers` their headers.

    A response is a dictionary of `body`, `status` and `cut`, the bytes of the announced length that are left
    out. Of several the last one is sent again and again.
    """

    url: str = ""
    responses: dict[str, list[dict]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)

    def answer(self, path: str) -> dict:
        self.requests.append(path)
        responses = self.responses.get(path, [{"status": 404}])
        return {"body": b"", "status": 200, "cut": 0} | (
            responses.pop(0) if len(responses) > 1 else responses[0]
        )


@pytest.fixture
def server(monkeypatch):
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.end_headers()

        def do_GET(self):
            response = state.answer(self.path)
            state.headers.append(dict(self.headers))
            body = response["body"]
            self.send_response(response["status"])
            # as servers do that compress whatever is asked for
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body)
                self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - response["cut"]])

        def log_message(self, *args):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{http.server_port}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty user cache and no TINYNET_DATA."""
    monkeypatch.delenv(fetch.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(fetch, "cache_folder", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(fetch.time, "sleep", lambda seconds: None)  # before a second round
    return tmp_path / "cache"
