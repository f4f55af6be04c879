"""Mini-batches: the right samples, cast, in batch-last memory, in one conversion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynet.kernels import common
from tinynet.kernels.batching import gather

from kernel_cases import arrange, batches, orders


@given(
    batches,
    st.sampled_from([(), (3,), (4, 5, 2)]),
    st.sampled_from([np.uint8, np.int64, np.float32, np.float64]),
    st.sampled_from([None, np.float32, np.float64]),
    orders,
)
def test_picks_and_casts(n, shape, dtype, wanted, order):
    rng = np.random.default_rng(0)
    data = arrange(rng.integers(0, 256, (50, *shape)).astype(dtype), order)
    index = rng.integers(-50, 50, n)
    batch = gather(data, index, wanted)
    np.testing.assert_array_equal(batch, data[index].astype(wanted or dtype))
    assert batch.dtype == (wanted or dtype)
    assert common.batch_last(batch).flags.c_contiguous
    assert not np.shares_memory(batch, data)


def test_converts_once(monkeypatch):
    calls = []
    convert = common.to_batch_last
    monkeypatch.setattr(common, "to_batch_last", lambda *args: calls.append(args) or convert(*args))
    common.batch_last(gather(np.zeros((9, 4, 4, 1), np.uint8), np.arange(7), np.float32))
    assert len(calls) == 1


def test_lists_are_indices():
    assert gather(np.arange(5.0), [4, 0]).tolist() == [4, 0]


def test_index_out_of_range():
    with pytest.raises(IndexError):
        gather(np.zeros((3, 2)), np.array([3]))
