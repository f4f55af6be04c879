"""The IDX reader on files written here, and MNIST and Fashion-MNIST themselves
where they are on this machine.
"""

import gzip
import hashlib
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from tinynet.datasets import DatasetCorrupted, DatasetUnavailable, fashion_mnist, fetch, idx, mnist


def idx_bytes(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write(path, content):
    path.write_bytes(gzip.compress(content, 1))
    return path


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0)))
def test_arrays_are_read_back(tmp_path_factory, array):
    read = idx.read(write(tmp_path_factory.mktemp("idx") / "a.gz", idx_bytes(array)))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.uint8
    assert read.flags.writeable


GOOD = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (GOOD[:-1], r"holds 23 elements, expected \(2, 3, 4\)"),
        (GOOD + b"\0", "holds 25 elements"),
        (GOOD[:9], "header of 16 bytes is cut short"),
        (b"", "expected an IDX header"),
        (b"\1" + GOOD[1:], "expected an IDX header"),
        (GOOD[:2] + b"\x0d" + GOOD[3:], "expected an IDX header of uint8"),
        (b"\0\1" + GOOD[2:], "expected an IDX header"),
        (GOOD[:3], "expected an IDX header"),
        (GOOD[:15], "header of 16 bytes is cut short after 15"),
        (GOOD[:16], r"holds 0 elements, expected \(2, 3, 4\)"),
        (b"\0\0\x08\x21" + bytes(200), "says 33 dimensions, expected 32 or fewer"),
        (b"\0\0\x08\xff" + bytes(2000), "says 255 dimensions"),
    ],
)
def test_content_that_is_not_whole_is_refused(tmp_path, content, text):
    path = write(tmp_path / "a.gz", content)
    with pytest.raises(DatasetCorrupted, match=text) as error:
        idx.read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("shape", [(1,) * 32, (0,) * 32, (2,) + (1,) * 31, ()])
def test_headers_with_as_many_dimensions_as_numpy_has(tmp_path, shape):
    array = np.arange(int(np.prod(shape)), dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(idx.read(write(tmp_path / "a.gz", idx_bytes(array))), array)


def test_a_damaged_gzip_file_is_refused(tmp_path):
    whole = gzip.compress(GOOD)
    for content in (whole[:-10], whole[:20] + b"\xff\xff\xff" + whole[23:], b"plain text"):
        (tmp_path / "a.gz").write_bytes(content)
        with pytest.raises(DatasetCorrupted, match="not a whole gzip file"):
            idx.read(tmp_path / "a.gz")


@pytest.fixture
def small(tmp_path, monkeypatch, cache):
    """A data set of the same form with 6 training and 4 test images."""
    rng = np.random.default_rng(1)
    arrays = [
        rng.integers(0, 256, (6, 28, 28)),
        np.arange(6),
        rng.integers(0, 256, (4, 28, 28)),
        np.arange(4),
    ]
    folder = tmp_path / "data" / "small"
    folder.mkdir(parents=True)
    files = {}
    for name, array in zip(idx.FILES, arrays, strict=True):
        path = write(folder / name, idx_bytes(array.astype(np.uint8)))
        files[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setenv(fetch.ENVIRONMENT_VARIABLE, str(tmp_path / "data"))
    return fetch.Source("small", files, ()), arrays


def test_the_four_files_become_two_splits(small):
    source, arrays = small
    (x_train, y_train), (x_test, y_test) = idx.load_splits(source)
    for found, expected in zip((x_train, y_train, x_test, y_test), arrays, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_labels_that_do_not_fit_are_refused(small):
    source, _ = small
    path = write(fetch.locate(source, idx.FILES[1]), idx_bytes(np.arange(7, dtype=np.uint8)))
    files = {**source.files, idx.FILES[1]: hashlib.sha256(path.read_bytes()).hexdigest()}
    with pytest.raises(
        DatasetCorrupted, match=r"labels of shape \(7,\) do not fit images of shape \(6, 28, 28\)"
    ):
        idx.load_splits(fetch.Source("small", files, ()))


def test_images_without_rows_and_columns_are_refused(small):
    source, _ = small
    path = write(fetch.locate(source, idx.FILES[2]), idx_bytes(np.zeros((4, 784), np.uint8)))
    files = {**source.files, idx.FILES[2]: hashlib.sha256(path.read_bytes()).hexdigest()}
    with pytest.raises(
        DatasetCorrupted, match=r"labels of shape \(4,\) do not fit images of shape \(4, 784\)"
    ):
        idx.load_splits(fetch.Source("small", files, ()))


def test_one_changed_byte_is_noticed(small):
    source, _ = small
    path = fetch.locate(source, idx.FILES[2])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatasetCorrupted, match=idx.FILES[2]):
        idx.load_splits(source)


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_the_sources_are_complete(module):
    assert tuple(module.SOURCE.files) == idx.FILES
    assert all(len(bytes.fromhex(digest)) == 32 for digest in module.SOURCE.files.values())
    assert len(module.SOURCE.mirrors) >= 2
    assert len(module.CLASSES) == 10


@pytest.mark.skipif(not mnist.available(), reason="MNIST is not on this machine; set TINYNET_DATA")
def test_mnist_itself():
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert (x_train.shape, y_train.shape, x_train.dtype) == ((60000, 28, 28), (60000,), np.uint8)
    assert (x_test.shape, y_test.shape, y_test.dtype) == ((10000, 28, 28), (10000,), np.uint8)
    # As everybody finds them: the digits of the training and the test set,
    # the first labels, mean and deviation.
    assert np.bincount(y_train).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert x_train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert x_train.std() / 255 == pytest.approx(0.3081, abs=5e-5)


@pytest.mark.skipif(
    not fashion_mnist.available(), reason="Fashion-MNIST is not on this machine; set TINYNET_DATA"
)
def test_fashion_mnist_itself():
    (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(y_train).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
    assert x_train.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
    assert fashion_mnist.CLASSES[y_train[0]] == "ankle boot"


def archive(path, **changes):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (5, 28, 28), np.uint8), "y_train": np.arange(5, dtype=np.uint8),
        "x_test": rng.integers(0, 256, (3, 28, 28), np.uint8), "y_test": np.arange(3, dtype=np.uint8),
    }  # fmt: skip
    arrays.update(changes)
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return arrays


def test_an_archive_of_kerass_is_read_where_it_is_named(tmp_path, monkeypatch):
    arrays = archive(tmp_path / "mnist.npz")
    monkeypatch.chdir(tmp_path)
    for where in ({"path": tmp_path / "mnist.npz"}, {"path": str(tmp_path / "mnist.npz")}, {}):
        (x_train, y_train), (x_test, y_test) = mnist.load_data(**where)
        for found, name in (
            (x_train, "x_train"),
            (y_train, "y_train"),
            (x_test, "x_test"),
            (y_test, "y_test"),
        ):
            np.testing.assert_array_equal(found, arrays[name])


def test_a_path_without_a_file_is_an_error_unless_it_is_a_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mnist.idx, "load_splits", lambda source: source.name)
    assert mnist.load_data("digits.npz") == mnist.load_data() == "mnist"
    with pytest.raises(DatasetUnavailable, match=r"there is no file .*other.mnist\.npz"):
        mnist.load_data("other/mnist.npz")


@pytest.mark.parametrize(
    "changes",
    [
        {"x_test": None}, {"y_train": np.zeros(4, np.uint8)}, {"x_train": np.zeros((5, 28), np.uint8)},
        {"y_test": np.array([1, "a", None], object)},
    ],
)  # fmt: skip
def test_an_archive_of_something_else_is_refused(tmp_path, changes):
    archive(tmp_path / "other.npz", **changes)
    with pytest.raises(DatasetCorrupted, match=r"other\.npz"):
        mnist.load_data(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_bytes(b"not an archive")
    with pytest.raises(DatasetCorrupted, match=r"text\.npz"):
        mnist.load_data(tmp_path / "text.npz")


def test_no_content_ends_in_anything_else(tmp_path):
    rng = np.random.default_rng(3)
    forged = [b"\0\0\x08" + bytes([axes]) + b"\0\0\0\1" * axes + b"x" for axes in (33, 64, 65, 255)]
    forged += [
        b"\0\0\x08\2" + struct.pack(">2I", 2**32 - 1, 2**32 - 1),
        b"\0\0\x08\1\0\0\0\0",
        b"\0" * 80_000_000,
    ]
    for content in forged:
        path = write(tmp_path / "a.gz", content)
        tracemalloc.start()
        try:
            assert idx.read(path).size == 0
        except DatasetCorrupted:
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak <= 64 * 2**20 + 40 * path.stat().st_size
    for _ in range(400):
        packed = bool(rng.integers(2))
        content = bytearray(gzip.compress(GOOD) if packed else GOOD)
        for at in rng.integers(0, len(content), 3):
            content[at] = rng.integers(256)
        del content[len(content) - rng.integers(3) * rng.integers(10) :]
        path = tmp_path / "a.gz"
        path.write_bytes(bytes(content) if packed else gzip.compress(bytes(content), 1))
        with suppress(DatasetCorrupted):
            idx.read(path)
