"""Choosing an implementation: by array type, by name, per context."""

import contextvars
import threading

import numpy as np
import pytest

from tinynet import kernels
from tinynet.kernels import common

import strict_array


@pytest.fixture
def double(monkeypatch):
    """A kernel with three implementations that say which one ran, in a family of its own."""
    monkeypatch.setattr(common, "_families", {})

    @common.operation("plain", family="doubles")
    def double(x, *, times=1):
        """Doubles."""
        return "plain", times

    @double.implementation("fast")
    def _(x, *, times=1):
        return "fast", times

    @double.implementation("slow", default=False)
    def _(x, *, times=1):
        return "slow", times

    @common.operation("plain", family="doubles")
    def halve(x):
        return "plain"

    double.halve = halve
    return double


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_floats_get_the_fastest(double, dtype):
    assert double(np.ones(2, dtype), times=3) == ("fast", 3)


@pytest.mark.parametrize("x", [np.ones(2, int), np.ones(2, np.float16), 1.0, strict_array.asarray([1.0])])
def test_everything_else_gets_the_reference(double, x):
    assert double(x)[0] == "plain"
    with common.use("doubles", "slow"):
        assert double(x)[0] == "plain"


@pytest.fixture
def on_gpu():
    """What looks like an array of CuPy, by all that the choice of an implementation goes by."""
    kind = type("ndarray", (), {"__module__": "cupy"})

    def make(dtype):
        array = kind()
        array.dtype = np.dtype(dtype)
        return array

    return make


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cupy_floats_get_cuda_where_there_is_one(double, on_gpu, dtype):
    x = on_gpu(dtype)
    assert double(x)[0] == "plain"
    double.implementation("cuda")(lambda x: ("cuda", 1))
    assert double(x)[0] == "cuda"
    assert double(np.ones(2, dtype))[0] == "fast"  # which it leaves as it is
    assert double.halve(x) == "plain"
    assert double(on_gpu(np.float16))[0] == double(on_gpu(np.int64))[0] == "plain"


def test_what_is_asked_for_holds_for_arrays_that_it_runs_on(double, on_gpu):
    double.implementation("cuda")(lambda x: ("cuda", 1))
    for name, there in {"cuda": "cuda", "fast": "plain", "plain": "plain"}.items():
        with common.use("doubles", name):
            assert double(on_gpu(np.float32))[0] == there
            assert double(np.ones(2))[0] == name
    with common.use("doubles", "cuda"):
        assert double.halve(on_gpu(np.float32)) == "plain"


def test_an_operation_may_be_declared_apart(monkeypatch):
    """Its reference is registered like the others, in any order,
    and is the first of the names to choose from.
    """
    monkeypatch.setattr(common, "_families", {})

    @common.declared("plain")
    def triple(x):
        """Triples."""

    assert (triple.__name__, triple.__doc__) == ("triple", "Triples.")
    triple.implementation("fast")(lambda x: "fast")
    triple.implementation("plain")(lambda x: "plain")
    assert triple(np.ones(2)) == "fast"
    assert triple(np.ones(2, int)) == "plain"
    assert common.families() == {"triple": ("plain", "fast")}


def test_every_operation_has_its_reference():
    for member in (member for members in common._families.values() for member in members):
        assert member.reference in member.implementations, member


def test_use_chooses_and_restores(double):
    x = np.ones(2)
    with common.use("doubles", "slow"):
        assert double(x)[0] == "slow"
        with common.use("doubles", "plain"):
            assert double(x)[0] == "plain"
        assert double(x)[0] == "slow"
    with pytest.raises(KeyError), common.use("doubles", "slow"):
        raise KeyError
    assert double(x)[0] == "fast"


def test_members_without_the_variant_run_their_reference(double):
    with common.use("doubles", "slow"):
        assert double.halve(np.ones(2)) == "plain"


def test_choice_belongs_to_the_context(double):
    """Neither another thread nor another task sees it."""
    seen = []
    with common.use("doubles", "slow"):
        thread = threading.Thread(target=lambda: seen.append(double(np.ones(2))[0]))
        thread.start()
        thread.join()
        copied = contextvars.copy_context()
    seen.append(double(np.ones(2))[0])
    seen.append(copied.run(double, np.ones(2))[0])
    assert seen == ["fast", "fast", "slow"]


def test_unknown_names_list_the_known(double):
    with pytest.raises(ValueError, match=r"'triples'.*doubles"), common.use("triples", "plain"):
        pass
    with pytest.raises(ValueError, match=r"'cuda'.*plain, fast, slow"), common.use("doubles", "cuda"):
        pass


def test_direct_access(double):
    assert double["slow"](1) == ("slow", 1)
    assert list(double.implementations) == ["plain", "fast", "slow"]
    assert "plain, fast, slow" in repr(double)
    assert double.__doc__ == "Doubles."
    assert common.families() == {"doubles": ("plain", "fast", "slow")}


def test_families_of_the_package():
    families = kernels.families()
    assert set(families) >= {
        "activations", "average_pool2d", "batch_norm", "conv2d", "dropout", "max_pool2d", "optimizers",
        "softmax", "sum"
    }  # fmt: skip
    assert set(families["max_pool2d"]) == {"numpy", "numba", "naive", "cuda"}
    assert {"im2col", "naive"} <= set(families["conv2d"])
