"""Slots, numbers and gradients that do not fit a rule are refused before its loop runs, and change nothing:
the loop would read and write memory that is not theirs.
"""

import numpy as np
import pytest

from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.kernels.optimizers.arguments import numbers_of
from tinynet.kernels.optimizers.sweep import swept
from tinynet.optimizers import SGD, Optimizer

SHAPE = (3, 4)
ORDERS = pytest.mark.parametrize("order", ["C", "F"])  # all variables in one sweep, one after the other


class AdaDelta(Optimizer):
    """A rule with two slots and three numbers, as somebody may write it."""

    _default_rate = 0.1
    _update_kernel = kernels.adadelta
    names = ("a", "d")
    rho, epsilon = 0.9, 1e-6

    def build(self, variables):
        super().build(variables)
        self._add_slots(*self.names)


def refused(cls, words, error=TypeError, order="C", gradient=None):
    w = Parameter(np.ones(SHAPE, "float32", order), name="w0")
    optimizer = cls()
    with pytest.raises(error, match=words):
        optimizer.apply([np.ones(SHAPE, "float32") if gradient is None else gradient], [w])
    np.testing.assert_array_equal(w.numpy(), 1)


@ORDERS
@pytest.mark.parametrize("names", [(), ("a",), ("a", "d", "more")], ids=len)
def test_another_number_of_slots(names, order):
    made = rf"Short\.build \(self\._add_slots\) made for 'w0': {len(names)}" if order == "C" else "got"
    cls = type("Short", (AdaDelta,), {"names": names})
    refused(cls, rf"adadelta takes the slots a, d; {made}", order=order)


def test_slots_of_a_rule_that_takes_none():
    cls = type("Slots", (AdaDelta,), {"_update_kernel": kernels.sgd, "names": ("m",)})
    refused(cls, r"sgd takes no slots; .* 1")


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (np.zeros(3, "float32"), r"float32 \(3,\)"),
        (np.zeros((4, 3), "float32"), r"float32 \(4, 3\)"),
        (np.zeros(SHAPE), "float64"),
        (np.zeros((4, 3), "float32").T, "another order"),
        (None, "None"),
        ([0.0] * 12, "a list"),
    ],
    ids=["shorter", "transposed", "float64", "another order", "none", "a list"],
)
def test_a_slot_unlike_its_variable(slot, words):
    class Wrong(AdaDelta):
        def _kernel_arrays(self, variable):
            return [np.zeros(SHAPE, "float32"), slot]

    refused(Wrong, rf"adadelta: the slot d must be .* float32 \(3, 4\); .*'w0': .*{words}")
    if slot is None or not isinstance(slot, np.ndarray) or slot.shape != SHAPE:
        refused(Wrong, "adadelta: the slot d must be", order="F")


@ORDERS
@pytest.mark.parametrize(
    ("scalars", "words"),
    [
        ({"learning_rate": 0.1, "rho": 0.9}, "epsilon is missing"),
        ({"learning_rate": 0.1, "rho": 0.9, "eps": 1e-7}, "epsilon is missing, it has no eps"),
        ({"learning_rate": 0.1, "rho": 0.9, "epsilon": 1e-7, "beta": 0.9}, "it has no beta"),
    ],
    ids=["missing", "misnamed", "too many"],
)
@pytest.mark.parametrize("make", ["of swept", "the keywords"])
def test_other_numbers(monkeypatch, make, scalars, words, order):
    cls = type("Wrong", (AdaDelta,), {"_kernel_scalars": lambda self, learning_rate: scalars})
    if make == "the keywords":
        rule = kernels.rules[kernels.adadelta]
        plain = rule._replace(numbers=numbers_of(kernels.adadelta, None))
        monkeypatch.setitem(kernels.rules, kernels.adadelta, plain)
    refused(cls, rf"adadelta takes the numbers learning_rate, rho, epsilon: {words}", order=order)


def test_a_loop_unlike_its_reference(monkeypatch):
    monkeypatch.setattr("tinynet.kernels.optimizers.sweep.rules", {})
    with pytest.raises(TypeError, match=r"_loop: write a rule .* reference: \(w, g, a, d, c\)"):

        @swept(kernels.adadelta)
        def _loop(w, g, a, c):
            pass

    with pytest.raises(TypeError, match=r"the numbers learning_rate, rho, epsilon; .* takes epsilon, rho$"):
        swept(kernels.adadelta, lambda rho, epsilon: (rho, epsilon))


@ORDERS
@pytest.mark.parametrize("shape", [(), (3,), (4, 3), (3, 3), (1, 3, 4)], ids=str)
@pytest.mark.parametrize("cls", [AdaDelta, lambda: SGD(clipnorm=1.0, gradient_accumulation_steps=2)])
def test_a_gradient_of_another_shape(cls, shape, order):
    refused(cls, r"'w0' has shape \(3, 4\), its gradient ", ValueError, order, np.ones(shape, "float32"))


def test_a_gradient_that_is_a_number():
    refused(AdaDelta, r"'w0' has shape \(3, 4\), its gradient \(\)", ValueError, gradient=1.0)


def test_a_kernel_that_is_called_alone_compares_the_shapes_too():
    w, g = np.ones(SHAPE), np.ones((3, 3))
    with pytest.raises(TypeError, match=r"sgd: w has shape \(3, 4\), its gradient \(3, 3\)"):
        kernels.sgd["numba"](w, g, learning_rate=0.1)
    np.testing.assert_array_equal(w, 1)


@pytest.mark.parametrize("dtype", ["float16", "float64", "int64"])
def test_a_gradient_of_another_format_is_converted(dtype):
    w = Parameter(np.ones(SHAPE, "float32"), name="w0")
    SGD(0.5).apply([np.ones(SHAPE, dtype)], [w])
    np.testing.assert_array_equal(w.numpy(), np.full(SHAPE, 0.5, "float32"))
    assert w.dtype == np.float32


def test_a_complex_gradient_is_refused():
    refused(SGD, "Cannot cast", gradient=np.ones(SHAPE, complex))
