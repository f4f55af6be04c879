"""Arguments in files are of the type that the class takes: a number is no truth, a text no number."""

import pytest

from tinynet.saving import FileError, load_model

from file_costs import after, layer, native


def load(path, **config):
    path.write_bytes(native(after([None, 3], layer("Dense", **{"units": 2, "use_bias": False, **config}))))
    return load_model(path)


@pytest.mark.parametrize(("argument", "values"), [
    ("use_bias", [7, 2, -1, "true", 1.5, None, [True], {}]),
    ("units", [True, "2", 2.0, None, [2], -1, 0, {"a": 2}]),
    ("name", [5, True, ["a"], {}]), ("trainable", [3, "yes", [1]]),
    ("dtype", [32, "float128", ["float32"], True]),
    ("activation", [5, ["relu"], True, "Dense", {"class_name": "Adam", "config": {}}]),
    ("kernel_initializer", [0, True, []]),
])  # fmt: skip
def test_values_of_other_types_are_refused(argument, values, tmp_path):
    for value in values:
        with pytest.raises(FileError, match=r"net\.tinynet"):
            load(tmp_path / "net.tinynet", **{argument: value})


@pytest.mark.parametrize("value", [True, False, 0, 1])
def test_zero_and_one_stand_for_false_and_true(value, tmp_path):
    path = tmp_path / "net.tinynet"
    if value:  # the file holds no bias
        with pytest.raises(FileError, match=r"bias|larger than"):
            load(path, use_bias=value)
    else:
        with pytest.raises(FileError, match=r"kernel|larger than"):
            load(path, use_bias=value)
