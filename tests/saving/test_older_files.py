"""Files of earlier formats mean what they meant when they were written."""

import math
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet.saving import older_formats

FILE = Path(__file__).parent.parent / "fixtures" / "format_1.tinynet"  # make_format_1.py wrote it
X = np.array([[[-2.0, -1.0, 0.0, 0.5], [1.0, 1.5, 2.0, 3.0]]], np.float32)
MEANT = {
    "add": X + 1, "subtract": X - 1, "multiply": X * 3, "divide": X / 4, "power": X**2,
    "maximum": np.maximum(X, 0),
    "minimum": np.minimum(X, 0), "logaddexp": np.logaddexp(X, 0.5), "equal": X == 1, "not_equal": X != 1,
    "greater": X > 1,
    "greater_equal": X >= 1, "less": X < 1, "less_equal": X <= 1,
    "swapaxes": X.swapaxes(1, 2),
    # exact: the approximation is 1.5e-4 off at -1
    "gelu": X * (1 + np.vectorize(math.erf)(X / math.sqrt(2))) / 2,
    "pad": np.pad(X, [(0, 0), (1, 2), (0, 0)], constant_values=7),
}  # fmt: skip


def test_lambdas_of_the_first_format():
    found = tinynet.models.load_model(FILE)(X)
    for (name, meant), y in zip(MEANT.items(), found, strict=True):
        np.testing.assert_allclose(np.asarray(y), meant, rtol=1e-6, atol=1e-6, err_msg=name)


def test_they_are_written_in_todays_format(tmp_path):
    tinynet.models.load_model(FILE).save(tmp_path / "new.tinynet")
    again = tinynet.models.load_model(tmp_path / "new.tinynet")
    for one, other in zip(again(X), tinynet.models.load_model(FILE)(X), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_lambdas_anywhere_in_a_description():
    inner = {"class_name": "Lambda", "config": {"function": {"function": "multiply"}, "arguments": {"b": 2}}}
    model = {"config": {"layers": [[{"class_name": "Dense", "config": {"activation": inner}}]]}}
    older_formats.from_format_1(model)
    assert inner["config"]["arguments"] == {"x2": 2}


@pytest.mark.parametrize("entry", [
    {"class_name": "Lambda"}, {"class_name": "Lambda", "config": [1]},
    {"class_name": "Lambda", "config": {"function": 3}},
    {"class_name": "Lambda", "config": {"function": "multiply", "arguments": ["b"]}},
    {"class_name": ["Lambda"]}, None, 3,
    {"class_name": "Lambda", "config": {"function": "mine", "arguments": {"b": 2}}},
    {"class_name": "Dense", "config": {"function": "multiply", "arguments": {"b": 2}}},
])  # fmt: skip
def test_whatever_else_stays_as_it_is(entry):
    before = repr(entry)
    older_formats.from_format_1(entry)
    assert repr(entry) == before
