"""Metrics: objects fed by hand, and what `fit` and `evaluate` report,
with `metrics` and `weighted_metrics`.
"""

import numpy as np

from keras_fixtures.cases.nets import fitted, regressor
from keras_fixtures.harness import case, cases

# name: (kind of targets and predictions, metric)
METRICS = {
    "accuracy": ("equal", lambda m: m.Accuracy()),
    "binary_accuracy": ("binary", lambda m: m.BinaryAccuracy()),
    "binary_accuracy_threshold": ("binary", lambda m: m.BinaryAccuracy(threshold=0.3)),
    "categorical_accuracy": ("onehot", lambda m: m.CategoricalAccuracy()),
    "sparse_accuracy": ("sparse", lambda m: m.SparseCategoricalAccuracy()),
    "top_2": ("onehot", lambda m: m.TopKCategoricalAccuracy(k=2)),
    "sparse_top_2": ("sparse", lambda m: m.SparseTopKCategoricalAccuracy(k=2)),
    "precision": ("binary", lambda m: m.Precision()),
    "precision_thresholds": ("binary", lambda m: m.Precision(thresholds=[0.2, 0.5, 0.8])),
    "precision_top_k": ("onehot", lambda m: m.Precision(top_k=2, class_id=1)),
    "precision_class": ("onehot", lambda m: m.Precision(class_id=1, thresholds=0.3)),
    "recall": ("binary", lambda m: m.Recall()),
    "recall_thresholds": ("binary", lambda m: m.Recall(thresholds=[0.2, 0.5, 0.8])),
    "recall_top_k": ("onehot", lambda m: m.Recall(top_k=2, class_id=0)),
    "recall_class": ("onehot", lambda m: m.Recall(class_id=2, thresholds=0.3)),
    "true_positives": ("binary", lambda m: m.TruePositives()),
    "false_positives": ("binary", lambda m: m.FalsePositives(thresholds=0.4)),
    "true_negatives": ("binary", lambda m: m.TrueNegatives(thresholds=[0.1, 0.6])),
    "false_negatives": ("binary", lambda m: m.FalseNegatives()),
    "auc": ("binary", lambda m: m.AUC()),
    "auc_few": ("binary", lambda m: m.AUC(num_thresholds=5)),
    "auc_minoring": ("binary", lambda m: m.AUC(num_thresholds=7, summation_method="minoring")),
    "auc_majoring": ("binary", lambda m: m.AUC(num_thresholds=7, summation_method="majoring")),
    "auc_pr": ("binary", lambda m: m.AUC(curve="PR")),
    "auc_pr_few": ("binary", lambda m: m.AUC(num_thresholds=6, curve="PR", summation_method="minoring")),
    "auc_thresholds": ("binary", lambda m: m.AUC(thresholds=[0.7, 0.9])),
    "auc_logits": ("logits", lambda m: m.AUC(from_logits=True)),
    "auc_labels": ("binary", lambda m: m.AUC(multi_label=True, num_labels=3)),
    "auc_label_weights": (
        "binary",
        lambda m: m.AUC(multi_label=True, num_labels=3, label_weights=[0.2, 1.0, 3.0]),
    ),
    "sensitivity": ("binary", lambda m: m.SensitivityAtSpecificity(0.6)),
    "specificity": ("binary", lambda m: m.SpecificityAtSensitivity(0.6)),
    "precision_at_recall": ("binary", lambda m: m.PrecisionAtRecall(0.7)),
    "recall_at_precision": ("binary", lambda m: m.RecallAtPrecision(0.55)),
    "f1": ("onehot", lambda m: m.F1Score()),
    "f1_macro": ("binary", lambda m: m.F1Score(average="macro", threshold=0.4)),
    "f1_micro": ("binary", lambda m: m.F1Score(average="micro", threshold=0.7)),
    "f1_weighted": ("onehot", lambda m: m.F1Score(average="weighted")),
    "f_beta": ("binary", lambda m: m.FBetaScore(beta=2.0, threshold=0.6)),
    "mse": ("values", lambda m: m.MeanSquaredError()),
    "mae": ("values", lambda m: m.MeanAbsoluteError()),
    "rmse": ("values", lambda m: m.RootMeanSquaredError()),
    "mape": ("positive", lambda m: m.MeanAbsolutePercentageError()),
    "msle": ("positive", lambda m: m.MeanSquaredLogarithmicError()),
    "cosine": ("values", lambda m: m.CosineSimilarity()),
    "log_cosh": ("values", lambda m: m.LogCoshError()),
    "r2": ("values", lambda m: m.R2Score()),
    "r2_whole": ("values", lambda m: m.R2Score(class_aggregation="variance_weighted_average")),
    "kld": ("positive", lambda m: m.KLDivergence()),
    "poisson": ("positive", lambda m: m.Poisson()),
    "binary_crossentropy": ("binary", lambda m: m.BinaryCrossentropy(label_smoothing=0.1)),
    "categorical_crossentropy": ("onehot", lambda m: m.CategoricalCrossentropy()),
    "sparse_crossentropy": ("sparse", lambda m: m.SparseCategoricalCrossentropy()),
    "sparse_crossentropy_logits": (
        "sparse logits",
        lambda m: m.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "hinge": ("signs", lambda m: m.Hinge()),
    "squared_hinge": ("signs", lambda m: m.SquaredHinge()),
    "categorical_hinge": ("onehot", lambda m: m.CategoricalHinge()),
    "binary_iou": ("one output", lambda m: m.BinaryIoU(target_class_ids=[0, 1], threshold=0.4)),
    "iou": ("classes", lambda m: m.IoU(num_classes=3, target_class_ids=[0, 2])),
    "mean_iou": ("classes", lambda m: m.MeanIoU(num_classes=3)),
    "onehot_iou": ("onehot", lambda m: m.OneHotIoU(num_classes=3, target_class_ids=[1])),
    "onehot_mean_iou": ("onehot", lambda m: m.OneHotMeanIoU(num_classes=3)),
    "wrapper": ("values", lambda m: m.MeanMetricWrapper(lambda y, p: (y - p) ** 4, name="fourth")),
}
# name: (activation, kind, metrics, loss)
REPORTS = {
    "binary": (
        "sigmoid",
        "binary",
        ["accuracy", "acc", "binary_accuracy", "mse", "precision", "Recall"],
        "bce",
    ),
    "binary_counts": ("sigmoid", "binary", ["bce", "AUC", "TruePositives", "false_negatives"], "mse"),
    "onehot": (
        "softmax",
        "onehot",
        ["accuracy", "CategoricalAccuracy", "auc", "categorical_crossentropy"],
        "mse",
    ),
    "sparse": (
        "softmax",
        "sparse",
        ["accuracy", "sparse_categorical_accuracy"],
        "sparse_categorical_crossentropy",
    ),
    "regression": (
        None,
        "values",
        ["mse", "MAE", "cosine_similarity", "RootMeanSquaredError", "R2Score"],
        "mse",
    ),
    "positive": ("softplus", "positive", ["mape", "msle", "poisson", "kl_divergence"], "mae"),
    "signs": ("tanh", "signs", ["hinge", "squared_hinge", "log_cosh_error"], "mse"),
    "repeated": (None, "values", ["mse", "mse", "mean_squared_error"], "mae"),
}


def pairs(run, kind, n=30):
    """Targets and predictions of a kind, (n, 3) or (n,)."""
    if kind in ("binary", "logits"):
        p = run.x(n, 3) if kind == "logits" else run.uniform(n, 3)
        return run.labels(n, 3, classes=2), p
    if kind == "equal":
        return run.labels(n), run.labels(n).astype(np.float32)
    if kind == "classes":
        return run.labels(n), run.labels(n)
    if kind in ("onehot", "sparse"):
        p = run.uniform(n, 3, low=0.05)
        return (run.onehot(n) if kind == "onehot" else 2 - run.labels(n)), p / p.sum(1, keepdims=True)
    if kind == "sparse logits":
        return run.labels(n), run.x(n, 3, scale=2.0)
    if kind == "one output":
        return run.labels(n, classes=2), run.uniform(n)
    if kind == "signs":
        return 2.0 * run.labels(n, 3, classes=2) - 1, run.x(n, 3)
    if kind == "positive":
        return run.uniform(n, 3, low=0.2), run.uniform(n, 3, low=0.2)
    return run.x(n, 3), run.x(n, 3)


@cases(METRICS)
def by_hand(k, run, option):
    """After one batch, after two, and after a reset with sample weights."""
    kind, make = option
    y, p = pairs(run, kind)
    metric = make(k.metrics)
    found = []
    for part in (slice(0, 11), slice(11, 30)):
        metric.update_state(y[part], p[part])
        found.append(k.ops.convert_to_numpy(metric.result()))
    metric.reset_state()
    whole = "io_u" in metric.name  # counts in whole numbers
    weights = run.labels(30, classes=4) if whole else run.uniform(30, high=3.0)
    metric.update_state(y, p, sample_weight=weights)
    found.append(k.ops.convert_to_numpy(metric.result()))
    return {"results": found}


@cases({"mean": lambda m: m.Mean(), "sum": lambda m: m.Sum()})
def of_values(k, run, make):
    metric = make(k.metrics)
    found = [float(metric.result())]
    for weights in (None, run.uniform(7), 0.5):
        metric.update_state(run.x(7), sample_weight=weights)
        found.append(float(metric.result()))
    return {"results": found}


@cases(REPORTS)
def reported(k, run, option):
    """Metrics by their names."""
    activation, kind, names, loss = option
    y, _ = pairs(run, kind, 28)
    x = run.x(28, 6)
    model = regressor(k, activation=activation)
    model.compile(k.optimizers.SGD(0.2), loss, metrics=names)
    run.start(model)
    history = fitted(model, x, y, validation_data=(x[:11], y[:11]))
    return run.end(model, x, history, evaluated=model.evaluate(x, y, verbose=0, return_dict=True))


@cases({"weights": False, "classes": True})
def weighted_metrics(k, run, by_class):
    """`metrics` ignore the weights, `weighted_metrics` use them."""
    x, y = run.x(28, 6), run.labels(28)
    model = regressor(k, activation="softmax")
    model.compile(
        k.optimizers.SGD(0.2),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        weighted_metrics=["accuracy", k.metrics.SparseCategoricalCrossentropy(name="entropy")],
    )
    run.start(model)
    weights = run.uniform(28, high=3.0)
    settings = {"class_weight": {0: 0.3, 1: 2.5, 2: 1.2}} if by_class else {"sample_weight": weights}
    history = fitted(model, x, y, validation_data=(x, y, weights), **settings)
    return run.end(
        model, x, history, evaluated=model.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    )


@case
def a_function(k, run):
    def close(y, p):
        return k.ops.cast(k.ops.abs(y - p) < 0.8, "float32")

    x, y = run.x(28, 6), run.x(28, 3)
    model = regressor(k)
    model.compile(k.optimizers.SGD(0.1), "mse", metrics=[close])
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@case
def a_subclass(k, run):
    class Largest(k.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_variable(shape=(), initializer="zeros", name="largest")

        def update_state(self, y_true, y_pred, sample_weight=None):
            error = k.ops.max(k.ops.abs(k.ops.convert_to_tensor(y_true, "float32") - y_pred))
            self.largest.assign(k.ops.maximum(self.largest, error))

        def result(self):
            return self.largest + 0.0

        def reset_state(self):
            self.largest.assign(0.0)

    x, y = run.x(28, 6), run.x(28, 3)
    model = regressor(k)
    model.compile(k.optimizers.SGD(0.1), "mse", metrics=[Largest()])
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@case
def scores_of_objects(k, run):
    """F1 and top-k with arguments, in fit."""
    x, y = run.x(28, 6), run.onehot(28)
    model = regressor(k, activation="softmax")
    m = k.metrics
    metrics = [
        m.F1Score(average="macro", name="f1"),
        m.TopKCategoricalAccuracy(2, name="top"),
        m.Recall(top_k=1),
    ]
    model.compile(k.optimizers.SGD(0.2), "categorical_crossentropy", metrics=metrics)
    run.start(model)
    return run.end(model, x, fitted(model, x, y, validation_split=0.25))
