"""Losses and running means on CuPy's arrays: Keras's values, and nothing copied until somebody asks.

The stand-in for CuPy takes its place: these are no GPU tests. Kernels written in CUDA run through the shim.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Tensor, losses, metrics
from tinynet.backend import device
from tinynet.kernels.devices import device_of

import cupy_stand_in
from cupy_stand_in import machine

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def cupy():
    with cupy_stand_in.installed() as module:
        tinynet.set_device("gpu")
        yield module
        tinynet.set_device("cpu")


def sent(value, dtype=None):
    return None if value is None else device.to_device(np.array(value, dtype))


def case_id(case):
    return f"{case['name']}-{case['settings']}"


@pytest.mark.parametrize("case", FIXTURE["losses"], ids=case_id)
def test_a_loss_and_its_gradient_can_be_captured(case, cupy):
    loss = getattr(losses, case["name"])(**case["settings"])
    y_true, weight = sent(case["y_true"]), sent(case["sample_weight"])
    y_pred = Tensor(sent(case["y_pred"]), requires_grad=True)

    def both():
        value = loss(y_true, y_pred, sample_weight=weight)
        return value.data, tinynet.autograd.gradients(value, [y_pred], cupy.ones(value.shape))[0]

    both()
    stream = cupy.cuda.get_current_stream()
    stream.begin_capture()
    try:
        value, gradient = both()
    finally:
        graph = stream.end_capture()
    graph.launch()
    np.testing.assert_allclose(value.get(), case["value"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(gradient.get(), case["gradient"], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("labels", [[0, 1, 1], [-1, 1, 1], [0, 1, 2]])
def test_hinge_looks_at_labels_without_waiting(labels):
    predictions = np.array([0.3, -0.2, 2.0], np.float32)
    expected = losses.hinge(np.array(labels), predictions)
    y, p = sent(labels), sent(predictions)
    before = machine.counts["waits"]
    found = losses.hinge(y, p)
    assert machine.counts["waits"] == before
    np.testing.assert_allclose(found.get(), expected)


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "mean_squared_error"])
def test_targets_follow_predictions_to_the_gpu_and_never_from_it(name):
    p, y = np.full((2, 3), 1 / 3, np.float32), np.array([0, 2])
    y = y if name.startswith("sparse") else np.eye(3)[y]
    loss = getattr(losses, name)
    expected = loss(y, p)
    found = loss(y, sent(p))
    assert device_of(found) == "gpu"
    np.testing.assert_allclose(found.get(), expected, rtol=1e-6)
    with pytest.raises(
        ValueError, match="targets and predictions: its operands lie on two devices, cpu and gpu"
    ):
        loss(sent(y), p)


@pytest.mark.parametrize("case", FIXTURE["metrics"], ids=case_id)
def test_a_running_mean_waits_when_it_is_read(case):
    metric = getattr(metrics, case["name"])(**case["settings"])
    y_true, y_pred, weight = (sent(case[name]) for name in ("y_true", "y_pred", "sample_weight"))
    before = machine.counts["waits"]
    metric.update_state(y_true, y_pred, sample_weight=weight)
    assert machine.counts["waits"] == before
    assert device_of(metric.total.data) == "gpu"
    assert metric.result() == pytest.approx(case["first"], rel=1e-6)
    metric.update_state(y_true[:3], y_pred[:3])
    assert metric.result() == pytest.approx(case["second"], rel=1e-6)
    metric.reset_state()
    assert metric.result() == 0


@pytest.mark.parametrize("case", FIXTURE["counted"], ids=case_id)
def test_metrics_made_of_counts_are_counted_on_the_host(case):
    metric = getattr(metrics, case["name"])(**case["settings"])
    y_true, y_pred = (sent(FIXTURE["many"][case[name]]) for name in ("y_true", "y_pred"))
    weight = sent(None if case["sample_weight"] is None else FIXTURE["many"][case["sample_weight"]])
    metric.update_state(y_true, y_pred, sample_weight=weight)
    np.testing.assert_allclose(metric.result(), case["first"], rtol=1e-6)
    metric.update_state(y_true[:25], y_pred[:25])
    np.testing.assert_allclose(metric.result(), case["second"], rtol=1e-6)


@pytest.mark.parametrize("weight", [None, [1.0, 0.0, 2.0, 0.5]])
def test_a_mean_and_an_accuracy_are_a_launch_for_each_of_their_parts(weight):
    """Numbers by hand: of four predictions the first and the last are hits."""
    mean, accuracy = metrics.Mean(), metrics.SparseCategoricalAccuracy()
    values, labels = sent([1, 3, 5, 7], np.float32), sent([2, 0, 1, 0])
    p = sent([[0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [0.5, 0.2, 0.3], [0.4, 0.4, 0.2]], np.float32)
    weight = sent(weight, np.float32)
    waits = machine.counts["waits"]
    mean.update_state(values, weight)
    accuracy.update_state(labels, p, weight)
    assert machine.counts["waits"] == waits
    assert machine.launches[-3:] == ["take_in<float>", "hits<float>", "take_in<float>"]
    assert float(mean.result()) == (4.0 if weight is None else (1 + 10 + 3.5) / 3.5)
    assert float(accuracy.result()) == (0.5 if weight is None else 1.5 / 3.5)
    mean.update_state(sent(2.0, np.float32), 4)  # a loss, the mean over four samples
    assert float(mean.result()) == (24 / 8 if weight is None else (14.5 + 8) / 7.5)
