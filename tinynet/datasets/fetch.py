"""Where a data set's files come from: TINYNET_DATA, the user's cache, or a mirror;
nothing unchecked is ever used.

`fetch` looks for a file in the folders below, in this order,
and otherwise downloads it into the last of them:

    $TINYNET_DATA/<data set>/     $TINYNET_DATA/     <user cache>/tinynet/<data set>/

Every file is compared with its SHA-256. A download is written beside its place and renamed there once its
hash is right, so an interrupted one leaves nothing behind.
"""

import contextlib
import hashlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT_VARIABLE = "TINYNET_DATA"
CONNECT_SECONDS = 3.0  # a machine without network should learn so quickly
READ_SECONDS = 20.0
ROUNDS = 2  # how often the list of mirrors is gone through
CHUNK_BYTES = 1 << 16


class DatasetUnavailable(OSError):  # noqa: N818 - the name says what is wrong
    """The files are not on this machine and could not be downloaded.

    >>> try:
    ...     datasets.mnist.load_data("no/such/folder/mnist.npz")
    ... except datasets.DatasetUnavailable:
    ...     print("not there")
    not there
    """


class DatasetCorrupted(OSError):  # noqa: N818
    """A file is there, but its content is not what the data set consists of.

    >>> np.savez("mnist.npz", x_train=np.zeros(3))
    >>> try:
    ...     datasets.mnist.load_data("mnist.npz")
    ... except datasets.DatasetCorrupted:
    ...     print("not MNIST")
    not MNIST
    """


@dataclass(frozen=True)
class Source:
    """A data set's files: the folder's name, `files` (file name -> SHA-256), and base URLs tried in order."""

    name: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]


def folders(name: str) -> Iterator[Path]:
    """The folders that may hold the files of data set `name`, in order of preference."""
    if text := os.environ.get(ENVIRONMENT_VARIABLE):
        try:
            root = Path(text).expanduser()
        except RuntimeError:
            raise ValueError(
                f"{ENVIRONMENT_VARIABLE}={text}: nothing says where that home folder is"
            ) from None
        yield root / name
        yield root
    with contextlib.suppress(DatasetUnavailable):
        yield cache_folder(name)


def cache_folder(name: str) -> Path:
    """Where downloads of data set `name` are kept; raises DatasetUnavailable
    where the user has no folder for such.
    """
    import pooch

    base = os.environ.get("XDG_CACHE_HOME", "") if sys.platform.startswith("linux") else ""
    try:
        if base.startswith("~"):  # what the shell did not replace; pooch takes it for no folder
            return Path(base).expanduser() / "tinynet" / name
        return Path(pooch.os_cache("tinynet")).expanduser() / name
    except RuntimeError:
        raise DatasetUnavailable(
            f"{name}: there is no home folder to keep files in; "
            f"set {ENVIRONMENT_VARIABLE} to the folder that holds them"
        ) from None


def locate(source: Source, filename: str) -> Path | None:
    """The first file of this name in the data set's folders, or None. Its content is not looked at."""
    return next((folder / filename for folder in folders(source.name) if (folder / filename).is_file()), None)


def fetch(source: Source, filename: str) -> Path:
    """The path of a file whose SHA-256 is right: found on this machine, or downloaded.

    Raises DatasetCorrupted for a file that is there but altered, DatasetUnavailable when it cannot be had.
    """
    path = locate(source, filename)
    if path is None:
        return download(source, filename)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != source.files[filename]:
        raise corrupted(path, f"its SHA-256 is {found}, expected {source.files[filename]} for {source.name}")
    return path


def corrupted(path: Path, problem: str) -> DatasetCorrupted:
    """The error for a file that must not be used: what is wrong with it, and what to do."""
    return DatasetCorrupted(
        f"{path}: {problem}. The file is truncated, altered or belongs to another data set. "
        "Delete it and load again "
        f"to download a fresh copy, or set {ENVIRONMENT_VARIABLE} to a folder that holds the original."
    )


def download(source: Source, filename: str) -> Path:
    """Download a file into the user's cache from the first mirror that has the right one."""
    import pooch

    folder = cache_folder(source.name)
    urls = [mirror.rstrip("/") + "/" + filename for mirror in source.mirrors]
    failures = _unreachable(urls)
    reachable = [url for url in urls if url not in failures]
    # An archive must arrive as it is stored: a server that offers to gzip it again would change the hash.
    downloader = pooch.HTTPDownloader(
        progressbar=True,
        chunk_size=CHUNK_BYTES,
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        headers={"Accept-Encoding": "identity"},
    )
    for attempt in range(ROUNDS if reachable else 0):
        time.sleep(attempt)
        for url in reachable:
            try:
                known_hash = f"sha256:{source.files[filename]}"
                return Path(
                    pooch.retrieve(url, known_hash, fname=filename, path=folder, downloader=downloader)
                )
            except (OSError, ValueError) as error:
                # no connection, HTTP status, cut short, disk; wrong SHA-256
                failures[url] = _reason(error)
    raise DatasetUnavailable(_unavailable_message(source, filename, failures))


def _unreachable(urls: list[str]) -> dict[str, str]:
    """The URLs whose server does not answer within CONNECT_SECONDS, each with the reason.

    All servers are asked at once and in daemon threads, because looking up a host's name has no time limit of
    its own and can take half a minute on a machine without network.
    """
    import requests

    failures = dict.fromkeys(urls, f"no answer within {CONNECT_SECONDS:.0f} s")

    def ask(url: str) -> None:
        try:
            requests.head(url, timeout=CONNECT_SECONDS)
            del failures[url]
        except requests.RequestException as error:
            failures[url] = _reason(error)

    threads = [threading.Thread(target=ask, args=(url,), daemon=True) for url in urls]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + CONNECT_SECONDS + 0.5
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(failures)


def _reason(error: Exception) -> str:
    """A failed download in a few words; the texts of the network library run to several lines."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    if isinstance(error, ValueError) and "hash" in str(error):
        return "the downloaded file has the wrong SHA-256"
    if type(error).__module__.startswith("requests"):
        return f"connection failed or cut short ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"


def _unavailable_message(source: Source, filename: str, failures: Mapping[str, str]) -> str:
    looked = "\n".join(f"  {folder}" for folder in folders(source.name))
    tried = "\n".join(f"  {url}: {reason}" for url, reason in failures.items())
    return (
        f"{source.name}: {filename} is not on this machine and could not be "
        f"downloaded.\nLooked in\n{looked}\n"
        f"Tried\n{tried}\nWithout network, "
        f"copy {', '.join(source.files)} into a folder <data>/{source.name}/ "
        f"and set {ENVIRONMENT_VARIABLE}=<data>."
    )
