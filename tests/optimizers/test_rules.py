"""Every update rule against numbers from elsewhere: published vectors,
Keras's golden values, Keras's own trajectories.

The vectors and golden values are those of Keras's test files (Apache-2.0, the Keras authors); the
trajectories were made by fixtures/make_optimizers.py.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tinynet import kernels, losses, ops, optimizers
from tinynet.autograd import Parameter, gradients
from tinynet.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop
from tinynet.schedules import ExponentialDecay

import strict_array

FIXTURE = json.loads((Path(__file__).parents[1] / "fixtures" / "optimizers.json").read_text(encoding="utf-8"))
IMPLEMENTATIONS = pytest.mark.parametrize("implementation", ["numpy", "numba"])

# w after steps 1-4 from w = 1 with g = 0.1, -0.2, 0.3, 0.05, in double precision
VECTORS = [
    (SGD(0.01), [0.9990000000, 1.0010000000, 0.9980000000, 0.9975000000]),
    (SGD(0.01, momentum=0.9), [0.9990000000, 1.0001000000, 0.9980900000, 0.9957810000]),
    (SGD(0.01, momentum=0.9, nesterov=True), [0.9981000000, 1.0010900000, 0.9962810000, 0.9937029000]),
    (Adagrad(), [0.9996984888, 1.0002148864, 0.9996025141, 0.9995009795]),
    (RMSprop(), [0.9968378804, 0.9996949941, 0.9971043650, 0.9966538798]),
    (RMSprop(momentum=0.9), [0.9968378804, 0.9968490865, 0.9942685429, 0.9914955684]),
    (RMSprop(centered=True), [0.9966668518, 0.9995599085, 0.9969293505, 0.9964687890]),
    (RMSprop(momentum=0.9, centered=True), [0.9966668518, 0.9965600751, 0.9938334181, 0.9909188653]),
    (Adam(), [0.9990000316, 0.9993661300, 0.9990228918, 0.9986671869]),
    # this row and the next: Keras 3.15's
    (Adam(beta_2=0.5), [0.9990000014, 0.9993342566, 0.9990417273, 0.9986624226]),
    (Adam(beta_2=0.5, amsgrad=True), [0.9990000014, 0.9993342566, 0.9990417273, 0.9987676230]),
    (Adamax(), [0.9990000010, 0.9992894745, 0.9990422421, 0.9988182128]),
    (Nadam(), [0.9989372133, 0.9998188784, 0.9989871558, 0.9987840821]),
    (AdamW(), [0.9989960316, 0.9993581340, 0.9990108984, 0.9986511975]),
    (Adadelta(), [0.9999985859, 1.0000003837, 0.9999982194, 0.9999977527]),
    (Lion(), [0.999, 1.0, 0.999, 0.998]),  # signs of 0.01, -0.0191, 0.029091, 0.00680009
]

# after the first gradient, 0.01 everywhere, and four of 0.1, 0.2, ... 1.0:
# the first and the last of ten elements
GOLDEN = [
    (SGD(nesterov=True), [0.9999, 0.9989, 0.9979, 0.9969, 0.9959], [0.9999, 0.9899, 0.9799, 0.9699, 0.9599]),
    (
        Adagrad(0.2, initial_accumulator_value=0.3, epsilon=1e-6),
        [0.9963, 0.9604, 0.9251, 0.8903, 0.856],
        [0.9963, 0.8209, 0.6891, 0.579, 0.4825],
    ),
    (
        RMSprop(centered=True),
        [0.9967, 0.9933, 0.9908, 0.9885, 0.9864],
        [0.9967, 0.9933, 0.9908, 0.9885, 0.9864],
    ),
    # Keras has this row under amsgrad=True; with these gradients v only grows,
    # so that it says the same of plain Adam.
    (Adam(), [0.999, 0.9982, 0.9974, 0.9965, 0.9955], [0.999, 0.9982, 0.9974, 0.9965, 0.9955]),
    (
        Adamax(0.2, 0.85, 0.95, 1e-6),
        [0.8, 0.6827, 0.5333, 0.368, 0.1933],
        [0.8, 0.691, 0.5466, 0.3848, 0.2126],
    ),
    (
        AdamW(1.0, weight_decay=0.5, epsilon=2.0),
        [0.4998, 0.2486, 0.1223, 0.0586, 0.0263],
        [0.4998, 0.2382, 0.1003, 0.0258, -0.0159],
    ),
    (
        Nadam(0.5, 0.5, 0.67, 1e-5),
        [0.4281, -0.1738, -0.7115, -1.2335, -1.7492],
        [0.4281, -0.1717, -0.7084, -1.2299, -1.7454],
    ),
]

# one step at learning rate 0.5 from [1, 2, 3, 4] with gradients [1, 6, 7, 2]
SINGLE = [
    (SGD(0.5), [0.5, -1.0, -0.5, 3.0]),
    (Adagrad(0.5), [0.5233, 1.5007, 2.5005, 3.5061]),
    (RMSprop(0.5), [-0.5811, 0.4189, 1.4189, 2.4189]),
    (Adam(0.5), [0.5, 1.5, 2.5, 3.5]),
    (Adamax(0.5), [0.5, 1.5, 2.5, 3.5]),
    (Nadam(0.5), [0.4686, 1.4686, 2.4686, 3.4686]),
    (AdamW(0.5), [0.498, 1.496, 2.494, 3.492]),
]


def fresh(optimizer):
    return type(optimizer).from_config(optimizer.get_config())


def label(value):
    return type(value).__name__ if isinstance(value, optimizers.Optimizer) else None


def run(optimizer, w, gradients):
    """Values of one variable after each gradient."""
    variable, values = Parameter(np.array(w), name="w"), []
    for g in gradients:
        optimizer.apply([np.array(g)], [variable])
        values.append(variable.numpy())
    return np.array(values)


@IMPLEMENTATIONS
@pytest.mark.parametrize(("optimizer", "expected"), VECTORS, ids=label)
def test_published_vector(optimizer, expected, implementation):
    with kernels.use("optimizers", implementation):
        values = run(fresh(optimizer), [1.0], [[0.1], [-0.2], [0.3], [0.05]])
    np.testing.assert_allclose(values[:, 0], expected, rtol=0, atol=1e-9)


@IMPLEMENTATIONS
@pytest.mark.parametrize(("optimizer", "first", "last"), GOLDEN, ids=label)
def test_golden_values(optimizer, first, last, implementation):
    gradients = [np.full(10, 0.01, "float32")] + [np.arange(0.1, 1.05, 0.1, dtype="float32")] * 4
    with kernels.use("optimizers", implementation):
        values = run(fresh(optimizer), np.ones(10, "float32"), gradients)
    np.testing.assert_allclose(values[:, 0], first, atol=5e-4)
    np.testing.assert_allclose(values[:, -1], last, atol=5e-4)


@IMPLEMENTATIONS
@pytest.mark.parametrize(("optimizer", "expected"), SINGLE, ids=label)
def test_single_step(optimizer, expected, implementation):
    with kernels.use("optimizers", implementation):
        values = run(fresh(optimizer), [1.0, 2.0, 3.0, 4.0], [[1.0, 6.0, 7.0, 2.0]])
    np.testing.assert_allclose(values[0], expected, atol=1e-4)


@IMPLEMENTATIONS
def test_amsgrad_keeps_the_largest_second_moment(implementation):
    with kernels.use("optimizers", implementation):
        values = run(Adam(amsgrad=True, epsilon=0.0), [0.0], [[1.0], [0.01], [0.01]])[:, 0]
        plain = run(Adam(epsilon=0.0), [0.0], [[1.0], [0.01], [0.01]])[:, 0]
    # v = 0.001 after the first step and smaller afterwards, so its root divides every step; m = 0.1,
    # 0.091, 0.0829
    m = [0.1, 0.9 * 0.1 + 0.001, 0.81 * 0.1 + 0.9 * 0.001 + 0.001]
    steps = [0.001 * math.sqrt((1 - 0.999**t) / 0.001) / (1 - 0.9**t) * m[t - 1] for t in (1, 2, 3)]
    np.testing.assert_allclose(values, -np.cumsum(steps), rtol=1e-12)
    assert plain[2] < values[2] - 1e-7


@IMPLEMENTATIONS
def test_lion_does_not_move_where_nothing_pulls(implementation):
    with kernels.use("optimizers", implementation), np.errstate(invalid="ignore"):
        values = run(Lion(0.5), [1.0, 2.0, 3.0, 4.0], [[0.0, -0.0, 1e-300, np.nan]])[0]
    np.testing.assert_array_equal(values, [1.0, 2.0, 2.5, np.nan])


def test_nadams_momentum_product():
    optimizer = Nadam(beta_1=0.9)
    run(optimizer, [1.0], [[0.1], [0.1]])
    expected = 0.9 * (1 - 0.5 * 0.96) * 0.9 * (1 - 0.5 * 0.96**2)
    np.testing.assert_allclose(optimizer.variables[-1].item(), expected, rtol=1e-15)


@IMPLEMENTATIONS
@pytest.mark.parametrize(
    "case", FIXTURE["cases"], ids=lambda case: f"{case['class_name']}-{len(str(case['config']))}"
)
def test_trajectory_of_keras(case, implementation):
    optimizer = optimizers.get({"class_name": case["class_name"], "config": case["config"]})
    variables = [Parameter(np.array(w, "float32"), name=f"w{i}") for i, w in enumerate(FIXTURE["start"])]
    with kernels.use("optimizers", implementation):
        for step, (given, expected) in enumerate(zip(FIXTURE["gradients"], case["weights"], strict=True)):
            optimizer.apply([np.array(g, "float32") for g in given], variables)
            for variable, value in zip(variables, expected, strict=True):
                assert variable.dtype == np.float32
                np.testing.assert_allclose(
                    variable.numpy(), value, rtol=1e-5, atol=1e-5, err_msg=f"step {step}"
                )
    assert [list(variable.shape) for variable in optimizer.variables] == case["state_shapes"]


@pytest.mark.parametrize(
    "case", FIXTURE["cases"], ids=lambda case: f"{case['class_name']}-{len(str(case['config']))}"
)
def test_arrays_of_another_module(case):
    optimizer = optimizers.get({"class_name": case["class_name"], "config": case["config"]})
    variables = [Parameter(strict_array.asarray(np.array(w, "float32")), name="w") for w in FIXTURE["start"]]
    for step in FIXTURE["gradients"]:
        optimizer.apply([strict_array.asarray(np.array(g, "float32")) for g in step], variables)
    for variable, value in zip(variables, case["weights"][-1], strict=True):
        assert variable.dtype == np.float32
        np.testing.assert_allclose(variable.data.get(), value, rtol=1e-5, atol=1e-5)
    restored = optimizers.get({"class_name": case["class_name"], "config": case["config"]})
    restored.build(variables)
    restored.set_weights(optimizer.get_weights())
    for ours, theirs in zip(restored.get_weights(), optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_training_a_linear_layer_with_a_schedule():
    """Keras's end-to-end test: mean loss of each epoch, four batches of four, without shuffling."""
    data = np.arange(32, dtype="float32").reshape(16, 2)
    w, b = Parameter(np.ones((2, 2), "float32"), name="kernel"), Parameter(np.ones(2, "float32"), name="bias")
    optimizer, loss = Adam(ExponentialDecay(0.05, decay_steps=1, decay_rate=0.9)), losses.MeanSquaredError()
    history = []
    for _ in range(3):
        values = []
        for batch in data.reshape(4, 4, 2):
            value = loss(batch, ops.linear(batch, w, b))
            values.append(value.item())
            optimizer.apply(gradients(value, [w, b]), [w, b])
        history.append(np.mean(values))
    np.testing.assert_allclose(history, [230.79457, 128.30319, 79.33649], rtol=5e-5)
