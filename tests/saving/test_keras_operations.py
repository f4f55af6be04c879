"""Operations between symbolic tensors, as Keras describes them: read as they are, or refused."""

import pytest

from tinynet.saving import FileError
from tinynet.saving.keras.operations import from_keras

X = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["x", 0, 0]},
}


def described(*args, kind="Add", **kwargs):
    operation = {
        "module": "keras.src.ops.numpy",
        "class_name": kind,
        "config": {"name": "it"},
        "registered_name": kind,
    }
    return from_keras({**operation, "name": "it"}, [{"args": list(args), "kwargs": kwargs}], "the model")


@pytest.mark.parametrize(
    ("args", "constant", "left"), [((X, X), None, None), ((X, 2.0), 2.0, False), ((2, X), 2, True)]
)
def test_two_operands(args, constant, left):
    config = described(*args)["config"]
    assert (config["operator"], config.get("constant"), config.get("left")) == ("add", constant, left)


def test_one_operand():
    found = described(X, kind="Negative")
    assert found["config"]["operator"] == "negative"
    assert found["inbound_nodes"] == [{"args": [X], "kwargs": {}}]


@pytest.mark.parametrize(
    "args", [(), (X, X, X), (X, X, 2.0), (1, 2), (X, "y"), (X, True), (X, None), (X, [X])]
)
def test_other_operands_are_refused(args):
    with pytest.raises(FileError, match="the model: the operation Add is called with"):
        described(*args)


@pytest.mark.parametrize("nodes", [
    None, [], [{}], [{"args": [X, X]}] * 2, ["x"], [{"args": {}}], [{"args": [X], "kwargs": {"a": 1}}],
])  # fmt: skip
def test_other_calls_are_refused(nodes):
    with pytest.raises(FileError, match="the model: the operation Add is "):
        from_keras({"class_name": "Add", "config": {"name": "it"}, "name": "it"}, nodes, "the model")
