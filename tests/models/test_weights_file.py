import numpy as np
import pytest

from tinynet import layers
from tinynet.models import Sequential
from tinynet.saving.weights_file import named_weights

from models.nets import small_data, small_net


def test_round_trip(tmp_path):
    model, (x, y) = small_net(), small_data()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    model.save_weights(tmp_path / "net.safetensors")
    other = small_net()
    other.load_weights(tmp_path / "net.safetensors")
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(model.predict(x, verbose=0), other.predict(x, verbose=0))
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / "net.safetensors", overwrite=False)


def test_names_do_not_depend_on_what_was_made_before():
    names = list(named_weights(small_net()))
    assert names == list(named_weights(small_net()))
    assert names[:4] == ["conv2d/kernel", "conv2d/bias", "conv2d_1/kernel", "conv2d_1/bias"]
    assert "batch_normalization/moving_variance" in names
    nested = Sequential([layers.Input((2,)), Sequential([layers.Dense(1)]), layers.Dense(1)])
    assert list(named_weights(nested))[:2] == ["sequential/dense/kernel", "sequential/dense/bias"]


def dense_net(*units):
    return Sequential([layers.Input((3,)), *(layers.Dense(count) for count in units)])


def test_a_file_that_does_not_fit_changes_nothing(tmp_path):
    file = tmp_path / "net.safetensors"
    dense_net(4, 2).save_weights(file)
    for model, message in [
        (dense_net(4, 3), r"dense_1/kernel has shape \(4, 3\) in the model and \(4, 2\) in the file"),
        (dense_net(4), "dense_1/bias is in the file and not in the model"),
        (dense_net(4, 2, 2), "dense_2/bias is in the model"),
    ]:
        before = model.get_weights()
        with pytest.raises(ValueError, match=message):
            model.load_weights(file)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_files_are_checked(tmp_path):
    model = small_net()
    with pytest.raises(ValueError, match="safetensors"):
        model.save_weights(tmp_path / "net.h5")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "absent.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}")
    with pytest.raises(ValueError, match="bad"):
        model.load_weights(tmp_path / "bad.safetensors")
    with pytest.raises(ValueError, match="not built"):
        Sequential([layers.Dense(1)]).save_weights(tmp_path / "net.safetensors")


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "w.safetensors").mkdir()
    with pytest.raises(FileNotFoundError, match="it is a folder"):
        small_net().load_weights(tmp_path / "w.safetensors")
