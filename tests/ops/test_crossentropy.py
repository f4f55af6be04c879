"""Cross-entropies: Keras's formulas, and the fused kernel against softmax and loss one after the other."""

import numpy as np
import pytest

from tinynet import Tensor, config, grad, gradcheck, gradgradcheck, no_grad, ops
from tinynet.ops.softmaxes import normalised_exponential

RNG = np.random.default_rng(3)
LOGITS = RNG.standard_normal((5, 4)) * 2
LABELS = np.array([1, 0, 3, 3, 2])
SOFT = RNG.dirichlet(np.ones(4), 5)
# The last two rows are so sure that probabilities of the others, or of the right class, are clipped.
EXTREME = np.vstack([LOGITS, [[40.0, 0.0, 0.0, 1.0], [0.0, -30.0, 20.0, -1.0]]])
EXTREME_LABELS = np.array([1, 0, 3, 3, 2, 1, 2])


def by_hand(p, t):
    q = np.clip(p / p.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -(t * np.log(q)).sum(-1)


def losses(target):
    return ops.sparse_categorical_crossentropy if target.ndim == 1 else ops.categorical_crossentropy


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "target",
    [EXTREME_LABELS, np.eye(4)[EXTREME_LABELS], np.vstack([SOFT, SOFT[:2]])],
    ids=["labels", "one-hot", "soft"],
)
def test_fused_equals_unfused(dtype, target):
    """Values and gradients, the renormalisation and the zero gradient under the clip included."""
    u = RNG.standard_normal(7).astype(dtype)
    results = []
    for softmax in (ops.softmax, lambda z: normalised_exponential(z, axis=-1)):
        z = Tensor(EXTREME.astype(dtype), requires_grad=True)
        loss = losses(target)(target, softmax(z))
        results.append((loss._node.primitive.name, loss.numpy(), grad([loss], z, [u]).numpy()))
    (fused, *one), (unfused, *other) = results
    assert (fused, unfused) == ("softmax_crossentropy", "crossentropy")
    for a, b in zip(one, other, strict=True):
        coarse = dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-5 if coarse else 1e-10, atol=1e-6 if coarse else 1e-12)


def test_values_by_hand():
    p = np.exp(EXTREME) / np.exp(EXTREME).sum(-1, keepdims=True)
    expected = by_hand(p, np.eye(4)[EXTREME_LABELS])
    for loss in (
        ops.sparse_categorical_crossentropy(EXTREME_LABELS, ops.softmax(Tensor(EXTREME))),
        ops.sparse_categorical_crossentropy(EXTREME_LABELS[:, None], Tensor(p)),
        ops.categorical_crossentropy(Tensor(np.eye(4)[EXTREME_LABELS]), Tensor(p)),
    ):
        np.testing.assert_allclose(loss.numpy(), expected)
    np.testing.assert_allclose(expected[5], -np.log(1e-7))


def test_no_gradient_where_the_clip_is_active():
    z = Tensor(EXTREME, requires_grad=True)
    g = grad(ops.sparse_categorical_crossentropy(EXTREME_LABELS, ops.softmax(z)).sum(), z).numpy()
    assert not g[5].any()
    assert g[:5].all()


def test_from_logits():
    z = Tensor(EXTREME, requires_grad=True)
    loss = ops.sparse_categorical_crossentropy(EXTREME_LABELS, z, from_logits=True)
    shifted = EXTREME - EXTREME.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    np.testing.assert_allclose(loss.numpy(), -log_p[np.arange(7), EXTREME_LABELS], atol=1e-12)
    np.testing.assert_allclose(
        grad(loss.sum(), z).numpy(), np.exp(log_p) - np.eye(4)[EXTREME_LABELS], atol=1e-12
    )


@pytest.mark.parametrize("from_logits", [True, False])
@pytest.mark.parametrize("target", [LABELS, np.eye(4)[LABELS], SOFT], ids=["labels", "one-hot", "soft"])
def test_derivatives(target, from_logits):
    def f(z):
        return losses(target)(target, z if from_logits else ops.softmax(z), from_logits=from_logits)

    assert gradcheck(f, LOGITS, kernels={"softmax": "all"})
    assert gradgradcheck(f, LOGITS, kernels={"softmax": "all"})


@pytest.mark.parametrize("target", [LABELS, SOFT], ids=["labels", "soft"])
def test_derivatives_by_probabilities_that_do_not_sum_to_one(target):
    p = RNG.uniform(0.2, 1.0, (5, 4))
    assert gradcheck(lambda p: losses(target)(target, p), p, kernels={"softmax": "all"})
    assert gradgradcheck(lambda p: losses(target)(target, p), p)


def test_more_than_two_axes():
    z = RNG.standard_normal((2, 3, 4))
    t = RNG.integers(0, 4, (2, 3))
    flat = ops.sparse_categorical_crossentropy(t.ravel(), Tensor(z.reshape(6, 4)), from_logits=True)
    np.testing.assert_allclose(
        ops.sparse_categorical_crossentropy(t, Tensor(z), from_logits=True).numpy(),
        flat.numpy().reshape(2, 3),
    )
    assert gradcheck(lambda z: ops.categorical_crossentropy(np.eye(4)[t], ops.softmax(z)), z)


@pytest.mark.parametrize("change", ["output", "logits"])
def test_a_softmax_changed_since_is_not_fused(change):
    z = Tensor(LOGITS.copy())
    p = ops.softmax(z)
    before = p.numpy()
    with no_grad():
        if change == "output":
            p *= 0.5
        else:
            z += 1000.0 * np.arange(4)
    expected = by_hand(p.numpy(), np.eye(4)[LABELS])
    np.testing.assert_allclose(ops.sparse_categorical_crossentropy(LABELS, p).numpy(), expected)
    np.testing.assert_allclose(by_hand(before, np.eye(4)[LABELS]), expected)  # renormalised in either case


def test_softmax_along_another_axis_is_not_fused():
    z = Tensor(LOGITS, requires_grad=True)
    loss = ops.categorical_crossentropy(SOFT, ops.softmax(z, axis=0))
    assert loss._node.primitive.name == "crossentropy"


def test_binary_crossentropy():
    t = np.array([[0.0, 1.0], [1.0, 0.3]])
    z = np.array([[-1.0, 2.0], [0.5, 3.0]])
    p = 1 / (1 + np.exp(-z))
    # element by element, as Keras's function; the loss takes the mean
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(ops.binary_crossentropy(t, Tensor(p)).numpy(), expected)
    np.testing.assert_allclose(ops.binary_crossentropy(t, Tensor(z), from_logits=True).numpy(), expected)
    assert gradcheck(lambda p: ops.binary_crossentropy(t, p), p)
    assert gradgradcheck(lambda z: ops.binary_crossentropy(t, z, from_logits=True), z)
    sure = Tensor(np.array([[0.0, 1.0]]), requires_grad=True)
    loss = ops.binary_crossentropy(np.array([[1.0, 0.0]]), sure)
    np.testing.assert_allclose(loss.numpy(), np.full((1, 2), -np.log(1e-7)), rtol=1e-6)
    assert not grad(loss.sum(), sure).numpy().any()


@pytest.mark.parametrize("fused", [True, False])
def test_epsilon_of_the_configuration_is_the_clip(fused):
    before = config.epsilon()
    config.set_epsilon(1e-3)
    try:
        wrong = Tensor(np.array([[-50.0, 50.0]]), requires_grad=True)
        p = ops.softmax(wrong) if fused else Tensor(np.array([[0.0, 1.0]]))
        loss = ops.sparse_categorical_crossentropy(np.array([0]), p)
        assert loss.item() == pytest.approx(-np.log(1e-3))
    finally:
        config.set_epsilon(before)
