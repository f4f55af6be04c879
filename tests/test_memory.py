"""tinynet.memory: bytes of a model's parts, of its data and of the process."""

import numpy as np
import pytest

import tinynet
from tinynet import layers, memory


def trained():
    x, y = np.zeros((12, 4), np.float32), np.zeros((12, 3), np.float32)
    model = tinynet.Sequential([tinynet.Input((4,)), layers.Dense(3)])
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=2, verbose=0)
    return model, x, y


def test_usage_adds_up():
    model, x, y = trained()
    found = memory.usage(model, x, y, None, x)
    assert found["parameters"] == 15 * 4
    assert found["optimizer"] >= 2 * 15 * 4, "two slots for each parameter"
    assert (
        found["steps"]
        == sum(block.nbytes for program in model.replay.programs for block in program.blocks)
        > 0
    )
    assert found["data"] == x.nbytes + y.nbytes, "each array once"


def test_what_has_no_bytes_is_refused():
    with pytest.raises(TypeError, match="expected a model first, got ndarray"):
        memory.usage(np.zeros(3))
    with pytest.raises(TypeError, match="arrays or Tensors, got list"):
        memory.usage(None, [1, 2])


def test_the_process():
    found = memory.process()
    if found:
        before = found["peak"]
        block = np.ones(1 << 26, np.uint8)
        assert memory.process()["peak"] >= before
        assert block.sum() == 1 << 26
        assert 1 << 24 < before < 1 << 36


def test_summary_prints_a_table():
    model, x, y = trained()
    lines = []
    memory.summary(model, x, y, print_fn=lines.append)
    assert [line.split("  ")[0] for line in lines[:4]] == [
        "parameters", "optimizer", f"repeated steps ({len(model.replay.programs)})", "data",
    ]  # fmt: skip
    assert all(line.endswith("MiB") for line in lines)
    memory.summary(print_fn=lines.append)
