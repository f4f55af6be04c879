"""CIFAR-10 from batches and archives of a few images, with everything that may be wrong with them."""

import gzip
import hashlib
import io
import tarfile

import numpy as np
import pytest

from tinynet.backend import config
from tinynet.datasets import DatasetCorrupted, DatasetUnavailable, cifar10, fetch

IMAGES = 4  # a batch


@pytest.fixture
def batches(monkeypatch):
    """The six batch files with IMAGES images each, as bytes by name."""
    monkeypatch.setattr(cifar10, "BATCH_IMAGES", IMAGES)
    rng = np.random.default_rng(2)
    records = rng.integers(0, 256, (6, IMAGES, 3073), dtype=np.uint8)
    records[..., 0] %= 10
    return {name: batch.tobytes() for name, batch in zip(cifar10.BATCHES, records, strict=True)}


@pytest.fixture
def data(tmp_path, monkeypatch, cache):
    folder = tmp_path / "data" / "cifar10"
    folder.mkdir(parents=True)
    monkeypatch.setenv(fetch.ENVIRONMENT_VARIABLE, str(tmp_path / "data"))
    return folder


def unpack(folder, batches):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in batches.items():
        (folder / name).write_bytes(content)


def archive_of(members):
    """A tar.gz of (TarInfo or name, content) pairs."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def official(batches):
    """The members of the official archive: a folder, and more files than the batches."""
    folder = tarfile.TarInfo("cifar-10-batches-bin")
    folder.type = tarfile.DIRTYPE
    files = [(f"cifar-10-batches-bin/{name}", content) for name, content in batches.items()]
    return [(folder, b""), ("cifar-10-batches-bin/readme.html", b"text"), *reversed(files)]


def trust(monkeypatch, content):
    """Let the content pass as the official archive."""
    files = {cifar10.ARCHIVE: hashlib.sha256(content).hexdigest()}
    monkeypatch.setattr(cifar10, "SOURCE", fetch.Source("cifar10", files, cifar10.SOURCE.mirrors))


def check(batches):
    """load_data against the format's description: record k of a batch is a label and the planes red,
    green, blue.
    """
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert (x_train.shape, y_train.shape) == ((5 * IMAGES, 32, 32, 3), (5 * IMAGES, 1))
    assert (x_test.shape, y_test.shape) == ((IMAGES, 32, 32, 3), (IMAGES, 1))
    assert x_train.dtype == y_train.dtype == np.uint8
    assert x_train.flags.c_contiguous
    assert x_train.flags.writeable
    third = batches["data_batch_3.bin"]
    assert y_train[2 * IMAGES + 1, 0] == third[3073]
    assert x_train[2 * IMAGES + 1, 5, 7, 2] == third[3073 + 1 + 2 * 1024 + 5 * 32 + 7]
    assert x_test[0, 31, 31, 0] == batches["test_batch.bin"][1 + 31 * 32 + 31]


@pytest.mark.parametrize("place", ["cifar-10-batches-bin", "."])
def test_unpacked_batches(data, batches, place):
    assert not cifar10.available()
    unpack(data / place, batches)
    assert cifar10.available()
    check(batches)


def test_batches_directly_in_the_named_folder(data, batches):
    unpack(data.parent, batches)
    check(batches)


def test_the_archive_is_read_without_unpacking(data, batches, monkeypatch):
    content = archive_of(official(batches))
    (data / cifar10.ARCHIVE).write_bytes(content)
    trust(monkeypatch, content)
    assert cifar10.available()
    check(batches)
    assert [path.name for path in data.iterdir()] == [cifar10.ARCHIVE]


def test_the_archive_is_downloaded(cache, server, batches, monkeypatch):
    content = archive_of(official(batches))
    files = {cifar10.ARCHIVE: hashlib.sha256(content).hexdigest()}
    monkeypatch.setattr(cifar10, "SOURCE", fetch.Source("cifar10", files, (server.url,)))
    server.responses[f"/{cifar10.ARCHIVE}"] = [{"body": content}]
    check(batches)
    check(batches)
    assert len(server.requests) == 1


def test_channels_first(data, batches):
    unpack(data, batches)
    last = cifar10.load_data()[0][0]
    config.set_image_data_format("channels_first")
    try:
        first = cifar10.load_data()[0][0]
    finally:
        config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)


def test_an_archive_with_another_hash_is_refused(data, batches):
    (data / cifar10.ARCHIVE).write_bytes(archive_of(official(batches)))
    with pytest.raises(DatasetCorrupted, match=f"{cifar10.ARCHIVE}: its SHA-256 is"):
        cifar10.load_data()


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


@pytest.mark.parametrize(
    "member",
    [
        ("../data_batch_1.bin", b"x"),
        ("cifar-10-batches-bin/../../evil", b"x"),
        ("/etc/evil", b"x"),
        special("cifar-10-batches-bin/data_batch_1.bin", tarfile.SYMTYPE, "/etc/passwd"),
        special("cifar-10-batches-bin/link", tarfile.LNKTYPE, "data_batch_1.bin"),
        special("cifar-10-batches-bin/device", tarfile.CHRTYPE),
    ],
    ids=["parent", "hidden parent", "absolute", "symbolic link", "hard link", "device"],
)
def test_members_that_leave_the_archive_are_refused(data, batches, monkeypatch, tmp_path, member):
    content = archive_of([member, *official(batches)])
    (data / cifar10.ARCHIVE).write_bytes(content)
    trust(monkeypatch, content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatasetCorrupted, match="is a link or leaves the archive"):
        cifar10.load_data()
    assert sorted(tmp_path.rglob("*")) == before


def test_an_archive_without_all_batches_or_cut_short_is_refused(data, batches, monkeypatch):
    content = archive_of(official({name: batches[name] for name in cifar10.BATCHES[1:]}))
    (data / cifar10.ARCHIVE).write_bytes(content)
    trust(monkeypatch, content)
    with pytest.raises(DatasetCorrupted, match=r"it lacks data_batch_1\.bin"):
        cifar10.load_data()
    whole = archive_of(official(batches))
    for cut in (whole[: len(whole) // 2], whole[:10], b"plain text"):
        (data / cifar10.ARCHIVE).write_bytes(cut)
        trust(monkeypatch, cut)
        with pytest.raises(DatasetCorrupted, match=cifar10.ARCHIVE):
            cifar10.load_data()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda content: content[:-1], r"holds 12,291 of the expected 12,292 bytes"),
        (lambda content: content + b"\0", r"holds more than the expected"),
        (lambda content: b"\x0a" + content[1:], r"holds the label 10, expected 0 to 9"),
    ],
    ids=["short", "long", "label"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_wrong_batch_is_refused(data, batches, monkeypatch, change, text, packed):
    batches["data_batch_4.bin"] = change(batches["data_batch_4.bin"])
    if packed:
        content = archive_of(official(batches))
        (data / cifar10.ARCHIVE).write_bytes(content)
        trust(monkeypatch, content)
    else:
        unpack(data, batches)
    with pytest.raises(DatasetCorrupted, match=f"data_batch_4.bin {text}"):
        cifar10.load_data()


def test_a_missing_batch_is_named(data, batches):
    unpack(data, batches)
    (data / "test_batch.bin").unlink()
    with pytest.raises(DatasetCorrupted, match=r"test_batch\.bin is missing"):
        cifar10.load_data()


def test_without_files_the_error_says_which_to_provide(data, monkeypatch):
    source = fetch.Source("cifar10", cifar10.SOURCE.files, ("http://127.0.0.1:9",))
    monkeypatch.setattr(cifar10, "SOURCE", source)
    with pytest.raises(DatasetUnavailable, match=f"copy {cifar10.ARCHIVE} into a folder"):
        cifar10.load_data()


def test_the_official_sizes():
    assert cifar10.BATCH_IMAGES * (1 + cifar10.PIXELS) == 30_730_000
    assert len(cifar10.BATCHES) == 6
    assert len(cifar10.CLASSES) == 10


def test_no_archive_ends_in_anything_else(batches, tmp_path):
    rng, whole = np.random.default_rng(4), archive_of(official(batches))
    plain = gzip.decompress(whole)
    path = tmp_path / "a.tar.gz"
    for i in range(400):
        content = bytearray(plain if i % 2 else whole)
        for at in rng.integers(0, min(len(content), 3000) if i % 3 else len(content), 4):
            content[at] = rng.integers(256)
        path.write_bytes(gzip.compress(bytes(content), 1) if i % 2 else bytes(content))
        try:
            for _ in cifar10._members(path):
                pass
        except DatasetCorrupted:
            pass
