"""Metrics, by Keras's names."""

from tinynet.metrics.accuracy import (
    Accuracy,
    AccuracyByShape,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from tinynet.metrics.lookup import as_metric, deserialize, get, serialize
from tinynet.metrics.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from tinynet.metrics.metric import Mean, MeanMetricWrapper, Metric
from tinynet.metrics.metric_list import MetricList

__all__ = [
    "Accuracy",
    "AccuracyByShape",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "MetricList",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "as_metric",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
]
