"""to_categorical, seeds, files written whole or not at all."""

import errno
import os
import random
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinynet import utils
from tinynet.backend import random as backend_random


def test_to_categorical_of_four_labels():
    y = utils.to_categorical([0, 2, 1, 2])
    assert y.dtype == np.float64
    assert y.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, [[0.6, 0.8], [0, 0], [1, 0]]),
    ({"axis": 0}, [[3 / 5, 1], [0, 0], [4 / 5, 0]]),
    ({"order": 1}, [[3 / 7, 4 / 7], [0, 0], [1, 0]]),
    ({"order": np.inf}, [[3 / 4, 1], [0, 0], [1, 0]]),
])  # fmt: skip
def test_normalize(settings, expected):
    x = np.array([[3.0, 4.0], [0.0, 0.0], [4.0, 0.0]], "float32")
    y = utils.normalize(x, **settings)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, max_side=5), elements=st.integers(0, 9)),
    st.sampled_from([np.uint8, np.int64, np.float32]),
)
def test_to_categorical_has_one_one_where_the_label_says(x, dtype):
    y = utils.to_categorical(x.astype(dtype), 10)
    labels = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
    assert y.shape == (*labels.shape, 10)
    assert (y.sum(axis=-1) == 1).all()
    assert (y.argmax(axis=-1) == labels).all()


@pytest.mark.parametrize(("labels", "classes", "text"), [
    ([0, 3], 3, r"labels in 0\.\.2, got 3"),
    ([-1, 0], None, "got -1"),
    ([0.5], None, "whole numbers"),
    ([], None, "pass num_classes"),
])  # fmt: skip
def test_to_categorical_refuses_labels_out_of_range(labels, classes, text):
    with pytest.raises(ValueError, match=text):
        utils.to_categorical(labels, classes)


def test_no_labels_with_known_classes():
    assert utils.to_categorical([], 4).shape == (0, 4)


def test_set_random_seed_seeds_all_three():
    def draws():
        return random.random(), np.random.rand(), backend_random.next_key()

    utils.set_random_seed(7)
    first = draws()
    assert draws() != first
    utils.set_random_seed(7)
    assert draws() == first
    utils.set_random_seed(8)
    assert all(new != old for new, old in zip(draws(), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, None, True])
def test_set_random_seed_refuses_other_seeds(seed):
    with pytest.raises(ValueError, match="expected an integer in"):
        utils.set_random_seed(seed)


def test_atomic_write_replaces_the_file_at_the_end(tmp_path):
    path = tmp_path / "new" / "folder" / "figure.txt"
    with utils.atomic_write(path) as temporary:
        assert temporary.suffix == path.suffix
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with utils.atomic_write(str(path)) as temporary:
        temporary.write_text("two")
        assert path.read_text() == "one"
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


def test_atomic_write_leaves_nothing_after_an_error(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with utils.atomic_write(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_arrays_come_back_as_they_were(tmp_path):
    path = tmp_path / "weights.safetensors"
    batch_last = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)
    arrays = {"a": batch_last, "b": np.float64(2.5), "c": np.zeros((0, 3), np.int32)}
    utils.save_arrays(path, arrays, {"format": "test"})
    loaded, metadata = utils.load_arrays(path)
    assert metadata == {"format": "test"}
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert loaded[name].dtype == np.asarray(array).dtype
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].shape == np.shape(array)


def test_the_file_has_the_published_layout(tmp_path):
    # 8 bytes of header length, little-endian; a JSON header; the bytes of the arrays in C order
    path = tmp_path / "w.safetensors"
    utils.save_arrays(path, {"w": np.arange(6, dtype=np.float32).reshape(3, 2).T})
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    assert b'"shape":[2,3]' in content[8 : 8 + length]
    assert np.frombuffer(content, np.float32, offset=8 + length).tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("keep", [0, 5, 40, -1])
def test_a_truncated_file_is_refused_by_name(tmp_path, keep):
    path = tmp_path / "w.safetensors"
    utils.save_arrays(path, {"w": np.ones(10)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"w\.safetensors: not a whole safetensors file"):
        utils.load_arrays(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        utils.load_arrays(tmp_path / "absent.safetensors")


def test_atomic_write_keeps_the_permissions_of_what_it_replaces(tmp_path):
    path = tmp_path / "file.txt"
    old = os.umask(0o027)
    try:
        with utils.atomic_write(path) as temporary:
            temporary.write_text("new")
        assert path.stat().st_mode & 0o777 == 0o640  # of a new file: what the umask leaves
        for mode in (0o600, 0o644, 0o660):
            path.chmod(mode)
            with utils.atomic_write(path) as temporary:
                temporary.write_text("again")
            assert path.stat().st_mode & 0o777 == mode
    finally:
        os.umask(old)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EIO])
def test_errors_of_a_full_disk_name_the_file(tmp_path, number):
    path = tmp_path / "net.bin"
    path.write_text("old")
    with pytest.raises(OSError, match=re.escape(str(path))) as caught, utils.atomic_write(path):
        raise OSError(number, "nothing left")
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    with pytest.raises(OSError, match=re.escape(f"'{path}'")), utils.atomic_write(path) as temporary:
        (temporary / "below").write_text("")
    with pytest.raises(ValueError, match="mine"), utils.atomic_write(path):
        raise ValueError("mine")
    assert [one.name for one in tmp_path.iterdir()] == ["net.bin"]
    assert path.read_text() == "old"


def test_what_killed_runs_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    (tmp_path / ".writing-abc").mkdir()
    (tmp_path / ".writing-abc" / "net.bin").write_text("half")
    (tmp_path / "mine").mkdir()
    with utils.atomic_write(tmp_path / "net.bin") as temporary:
        temporary.write_text("whole")
        utils.remove_unfinished(tmp_path)
        assert temporary.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["mine", "net.bin"]
