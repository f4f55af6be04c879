"""Every metric is counted in replayed steps as by the tape: the same values, epoch by epoch."""

import numpy as np
import pytest

from tinynet import layers, losses, metrics
from tinynet.models import Sequential
from tinynet.utils import set_random_seed, to_categorical

RNG = np.random.default_rng(6)
X = RNG.normal(size=(70, 6)).astype(np.float32)
LABELS = RNG.integers(0, 4, 70)
ONE_HOT = to_categorical(LABELS, 4)
REAL = RNG.normal(size=(70, 4)).astype(np.float32)
WEIGHTS = RNG.uniform(1, 4, 70)

# Of predictions that are probabilities; what each is made with
OF_CLASSES = {
    "Accuracy": {}, "AUC": {}, "BinaryAccuracy": {}, "BinaryCrossentropy": {}, "BinaryIoU": {},
    "CategoricalAccuracy": {}, "CategoricalCrossentropy": {}, "CategoricalHinge": {},
    "ConfusionMatrix": {"num_classes": 4}, "F1Score": {}, "FBetaScore": {"beta": 2.0}, "FalseNegatives": {},
    "FalsePositives": {}, "Hinge": {}, "KLDivergence": {},
    "OneHotIoU": {"num_classes": 4, "target_class_ids": [1]},
    "OneHotMeanIoU": {"num_classes": 4}, "Poisson": {}, "Precision": {"top_k": 2},
    "PrecisionAtRecall": {"recall": 0.5},
    "Recall": {"thresholds": [0.2, 0.4]}, "RecallAtPrecision": {"precision": 0.1},
    "SensitivityAtSpecificity": {"specificity": 0.5}, "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "SquaredHinge": {}, "TopKCategoricalAccuracy": {"k": 2}, "TrueNegatives": {}, "TruePositives": {},
}  # fmt: skip
OF_LABELS = {
    "AccuracyByShape": {}, "IoU": {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False},
    "MeanIoU": {"num_classes": 4, "sparse_y_pred": False}, "SparseCategoricalAccuracy": {},
    "SparseCategoricalCrossentropy": {}, "SparseTopKCategoricalAccuracy": {"k": 2},
}  # fmt: skip
OF_NUMBERS = {
    "CosineSimilarity": {}, "LogCoshError": {}, "MeanAbsoluteError": {}, "MeanAbsolutePercentageError": {},
    "MeanMetricWrapper": {"fn": metrics.huber}, "MeanSquaredError": {}, "MeanSquaredLogarithmicError": {},
    "R2Score": {}, "RootMeanSquaredError": {},
}  # fmt: skip
CASES = {
    **{name: (made, ONE_HOT, "categorical_crossentropy") for name, made in OF_CLASSES.items()},
    **{name: (made, LABELS, "sparse_categorical_crossentropy") for name, made in OF_LABELS.items()},
    **{name: (made, REAL, "mse") for name, made in OF_NUMBERS.items()},
}
# what these take is no pair of targets and predictions
OTHERS = {"Metric", "Mean", "Sum", "MetricList", "Variable"}


def run(name, eagerly, weighted):
    made, y, loss = CASES[name]
    set_random_seed(5)
    head = [] if loss == "mse" else [layers.Softmax()]
    model = Sequential([layers.Input((6,)), layers.Dense(8), layers.Dense(4), *head])
    metric = getattr(metrics, name)(**made, name="found")
    chosen = {"weighted_metrics": [metric]} if weighted else {"metrics": [metric]}
    model.compile("sgd", losses.get(loss), run_eagerly=eagerly, **chosen)
    weights = WEIGHTS if weighted else None
    history = model.fit(X, y, batch_size=16, epochs=3, verbose=0, sample_weight=weights).history
    found = [*history.get("found", []), np.array(metric.result())]
    for _ in range(3):
        model.evaluate(X, y, batch_size=16, verbose=0, sample_weight=weights)
        found.append(np.array(metric.result()))
    return model, found


def compare(name, weighted):
    model, found = run(name, False, weighted)
    eager, expected = run(name, True, weighted)
    assert not eager.replay.programs
    assert len(model.replay.programs) == 4, model.replay.why()  # training, evaluation, and their last batches
    assert np.any(found[-1]) or name == "Accuracy"  # of probabilities, which hit no target exactly
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_same_values(name):
    compare(name, False)


@pytest.mark.filterwarnings("ignore:found counts in integers")
@pytest.mark.parametrize("name", sorted(set(CASES) - {"BinaryIoU"}))  # which takes a weight for every number
def test_the_same_weighted_values(name):
    compare(name, True)


def test_no_metric_is_missing():
    kinds = {name for name in metrics.__all__ if isinstance(getattr(metrics, name), type)}
    assert kinds - OTHERS == set(CASES)
