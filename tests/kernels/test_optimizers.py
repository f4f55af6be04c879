"""The compiled optimizer updates agree with the NumPy references in every memory order,
and repeat their own bits.
"""

import inspect
import itertools
import os
import subprocess
import sys
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optimizers.cases import CASES

import tinynet
from tinynet.kernels import common, optimizers
from tinynet.kernels.optimizers import sweep
from tinynet.kernels.optimizers.sweep import BLOCK


def rules():
    """(rule, which slots it gets, its numbers) of every case of the table of optimizers."""
    for case in CASES:
        optimizer, w = case.make(), tinynet.Parameter(np.ones(2), name="w")
        optimizer.build([w])
        optimizer._begin_update()
        slots = [slot is not None for slot in optimizer._kernel_arrays(w)]
        if optimizer._update_kernel is not None:
            yield str(case), (optimizer._update_kernel, slots, optimizer._kernel_scalars(0.1))


RULES = dict(rules())
ON_GPU = [name for name, (rule, *_) in RULES.items() if "cuda" in rule.implementations]
ORDERS = ("C", "F", "middle first", "gaps")


def ordered(array, order):
    """The same values in another memory order."""
    if order == "gaps":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    if order == "middle first" and array.ndim == 3:
        return np.ascontiguousarray(array.transpose(1, 2, 0)).transpose(2, 0, 1)
    return np.array(array, order="F" if order == "F" else "C")


def copy(array):
    return None if array is None else array.copy()


def state(rng, shape, dtype, slots):
    """A variable, a gradient and slots, second moments larger than squared first moments,
    as they always are.
    """
    arrays = [rng.standard_normal(shape), rng.standard_normal(shape)]
    arrays += [rng.uniform(0.1, 0.3, shape) if slot else None for slot in slots]
    return [a if a is None else np.asarray(a, dtype) for a in arrays]


@pytest.mark.parametrize(
    ("rule", "implementation"), [(r, "numba") for r in RULES] + [(r, "cuda") for r in ON_GPU]
)
@given(
    shape=st.sampled_from([(), (1,), (7,), (33, 2), (3, 4, 5), (2, 3, 1, 16)]),
    orders=st.tuples(*[st.sampled_from(ORDERS)] * 5),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 1000),
)
def test_compiled_agrees_with_reference(rule, implementation, shape, orders, dtype, seed):
    operation, slots, scalars = RULES[rule]
    arrays = state(np.random.default_rng(seed), shape, dtype, slots)
    if shape:
        arrays = [a if a is None else ordered(a, order) for a, order in zip(arrays, orders, strict=False)]
    expected = [copy(a) for a in arrays]
    before = arrays[1].copy()
    operation["numpy"](*expected, **scalars)
    operation[implementation](*arrays, **scalars)
    np.testing.assert_array_equal(arrays[1], before)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for ours, theirs in zip(arrays, expected, strict=True):
        if theirs is not None:
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rule", RULES)
def test_bits_do_not_depend_on_threads_or_blocks(rule, monkeypatch):
    monkeypatch.setattr(common, "MAX_ELEMENTS_ALONE", 4 * BLOCK)
    operation, slots, scalars = RULES[rule]
    arrays = state(np.random.default_rng(1), (4 * BLOCK + 1237,), "float32", slots)
    threads = tinynet.get_num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            tinynet.set_num_threads(count)
            results.append([copy(a) for a in arrays])
            operation["numba"](*results[-1], **scalars)
    finally:
        tinynet.set_num_threads(threads)
    pieces = [copy(a) for a in arrays]
    for part in np.array_split(np.arange(arrays[0].size), 7):  # small: the loop that is not shared
        operation["numba"](*[a if a is None else a[part[0] : part[-1] + 1] for a in pieces], **scalars)
    for other in [*results[1:], pieces]:
        for a, b in zip(results[0], other, strict=True):
            if a is not None:
                np.testing.assert_array_equal(a, b)


def test_gradient_of_another_dtype_is_rounded_to_the_variables():
    w, g = np.ones(5, "float32"), np.full(5, 0.1)
    optimizers.sgd(w, g, learning_rate=1.0)
    assert w.dtype == np.float32
    np.testing.assert_array_equal(w, np.float32(1) - np.float32(0.1))


def test_decay_keeps_the_digits_of_a_small_rate():
    w = np.full(3, 2.0, "float32")
    optimizers.decay(w, rate=1e-6)
    np.testing.assert_allclose(2.0 - w.astype("float64"), 2e-6, rtol=0.1)


@pytest.mark.gpu
@pytest.mark.parametrize("rule", ON_GPU)
def test_one_launch_of_cuda_updates_all_variables(rule):
    operation, slots, scalars = RULES[rule]
    sizes, rng = (5, 1, 0, 2 * BLOCK + 100, 300), np.random.default_rng(0)
    arrays = [state(rng, (size,), "float32", slots) for size in sizes]
    alone = [[copy(a) for a in one] for one in arrays]
    optimizers.cuda.update(
        operation, [(w, *made) for w, _, *made in arrays], [a[1] for a in arrays], **scalars
    )
    for one, other in zip(arrays, alone, strict=True):
        operation["cuda"](*other, **scalars)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("implementation", ["numpy", "numba", "cuda"])
def test_first_adam_step_has_the_size_of_the_learning_rate(implementation):
    w, g = np.array([1.0, 2.0]), np.array([1e-3, -50.0])
    alpha = 0.5 * np.sqrt(1 - 0.999) / (1 - 0.9)
    slots = np.zeros(2), np.zeros(2)
    optimizers.adam[implementation](w, g, *slots, alpha=alpha, beta_1=0.9, beta_2=0.999, epsilon=0.0)
    np.testing.assert_allclose(w, [0.5, 2.5], rtol=1e-12)


@pytest.mark.parametrize("sizes", [[0], [1], [5000, 3, 0, 9000], [4096, 4096], [17] * 1000])
def test_rows_cover_every_variable_once_in_shares_of_equal_size(sizes):
    rows, shares = sweep._cut(sizes)
    for segment, size in enumerate(sizes):
        mine = rows[rows[:, 0] == segment]
        covered = [i for _, start, count in mine for i in range(start, start + count)]
        assert covered == list(range(size))
    assert shares[0] == 0
    assert shares[-1] == len(rows)
    totals = [rows[a:b, 2].sum() for a, b in itertools.pairwise(shares)]
    assert all(sweep.BLOCK <= total < sweep.BLOCK + sweep.VECTOR for total in totals[:-1])
    assert totals[-1] < sweep.BLOCK + sweep.VECTOR


@pytest.mark.parametrize("pointer_of", [sweep._read_pointer, sweep._ask_pointer])
def test_addresses_are_those_of_the_array_interface(monkeypatch, pointer_of):
    monkeypatch.setattr(sweep, "_pointer_of", pointer_of)
    held = [np.zeros(5), np.zeros((3, 4), "float32")[1:], np.asfortranarray(np.ones((2, 3)))]
    assert sweep._addresses([*held, None]) == [*(x.__array_interface__["data"][0] for x in held), 0]


def test_a_pointer_that_lies_elsewhere_is_not_read(monkeypatch):
    assert sweep._pointer_lies_behind_head()
    monkeypatch.setattr(sweep, "_HEAD", object.__basicsize__ + 8)
    assert not sweep._pointer_lies_behind_head()
    monkeypatch.undo()
    monkeypatch.setattr(sweep.sys, "implementation", types.SimpleNamespace(name="another"))
    assert not sweep._pointer_lies_behind_head()


TRAINS = """
import sys, warnings
import numpy as np
import tinynet
from tinynet.kernels import loops
compiled = []
save = loops._Kept.save_overload
def note(self, sig, data):
    compiled.append(self.dispatcher.py_func.__qualname__)
    return save(self, sig, data)
loops._Kept.save_overload = note
warnings.simplefilter("error")
w = [tinynet.Parameter(np.ones(n, "float32")) for n in (3, 5000)]
for name in ("SGD", "Adam", "Lion"):
    optimizer = getattr(tinynet.optimizers, name)(0.1, clipvalue=0.5, weight_decay=0.1, use_ema=True)
    for _ in range(2):
        optimizer.apply([np.ones(3, "float32"), np.ones(5000, "float32")], w)
print(*compiled)
"""


def test_another_process_finds_the_loops_that_were_made(tmp_path):
    """The sweeps are made by one function: each has a name on disk of its own, and none is compiled anew."""
    environment = {**os.environ, "TINYNET_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", TRAINS], env=environment, capture_output=True, text=True, check=True
        )
        for _ in range(2)
    )
    made = {"_sgd_sweep", "_adam_sweep", "_lion_sweep", "_decay_sweep", "_average_sweep", "_cut_off_sweep"}
    assert made <= set(first.stdout.split())
    assert second.stdout.split() == []


def test_a_rule_has_three_slots_at_most():
    def update(w, g, a, b, c, d, numbers):
        w[0] = g[0]

    with pytest.raises(TypeError, match=r"update: .* \(w, g, c\), with up to 3 slots before c"):
        optimizers.sweep.swept(optimizers.sgd)(update)


@pytest.mark.parametrize("rule", optimizers.rules, ids=lambda rule: rule.__name__)
def test_a_rule_and_its_loop_take_the_same_slots(rule):
    parameters = inspect.signature(rule.__wrapped__).parameters.values()
    arrays = [one for one in parameters if one.kind is not one.KEYWORD_ONLY]
    assert len(inspect.signature(optimizers.rules[rule].update.py_func).parameters) == len(arrays) + 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("scale", "steps", "add"), [(1, 1, True), (4.0, 3, True), (3.0, 1, False)])
def test_collected_gradients(dtype, scale, steps, add):
    sizes = (5, 1, BLOCK + 3, 0)
    rng = np.random.default_rng(1)
    totals, gradients = ([rng.normal(size=n).astype(dtype) for n in sizes] for _ in range(2))
    expected = [total.copy() for total in totals]
    segments = optimizers.Segments([(total,) for total in totals])
    segments.launch(optimizers.collect_sweep, segments.table(gradients), np.array((scale, steps, add), dtype))
    for total, before, g in zip(totals, expected, gradients, strict=True):
        optimizers.collect(before, g, scale=scale, steps=steps, add=add)
        np.testing.assert_allclose(total, before, rtol=1e-6 if dtype == "float32" else 1e-14)
    segments.launch(optimizers.clear_sweep, segments.table(), np.zeros(1, dtype))
    assert not any(total.any() for total in totals)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_averages(dtype, overwrite):
    rng = np.random.default_rng(3)
    pairs = [(rng.normal(size=n).astype(dtype), rng.normal(size=n).astype(dtype)) for n in (7, BLOCK + 1, 0)]
    expected = [0.75 * mean + 0.25 * w for mean, w in pairs]
    weights = [w.copy() for _, w in pairs]
    segments = optimizers.Segments(pairs)
    segments.launch(optimizers.average_sweep, segments.table(), np.array((0.75, 0.25, overwrite), dtype))
    for (mean, w), value, weight in zip(pairs, expected, weights, strict=True):
        np.testing.assert_allclose(mean, value, rtol=1e-6)
        np.testing.assert_array_equal(w, mean if overwrite else weight)
