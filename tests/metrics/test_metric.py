"""Metrics of one's own, their variables and state, the list of a compiled model, and lookup."""

import json
from pathlib import Path

import numpy as np
import pytest

from tinynet import layers, losses, metrics
from tinynet.metrics import Mean, MetricList
from tinynet.models import Sequential

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "losses.json").read_text(encoding="utf-8"))
CASES = [*FIXTURE["metrics"], *FIXTURE["counted"]]


class Certain(metrics.Metric):
    """A metric as one writes it for Keras."""

    def __init__(self, name="certain", **kwargs):
        super().__init__(name=name, **kwargs)
        self.count = self.add_weight(name="count", initializer="zeros")
        self.seen = self.add_variable((2,), "zeros", name="seen")
        self.inner = {"recall": metrics.Recall()}

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(np.sum(y_pred > 0.9))
        self.seen.assign_add([1, len(y_pred)])
        self.inner["recall"].update_state(y_true, y_pred)

    def result(self):
        return self.count / self.seen[1]


class TestOnesOwn:
    y_true, y_pred = np.array([1, 0, 1]), np.array([0.95, 0.2, 0.4], "float32")

    def test_in_use(self):
        metric = Certain()
        assert float(metric(self.y_true, self.y_pred)) == pytest.approx(1 / 3)
        assert [v.name for v in metric.variables][:2] == ["count", "seen"]
        assert metric.inner["recall"].result() == 0.5
        metric.count.assign_sub(1.0)
        assert float(metric.count) == 0.0
        metric.reset_state()
        assert metric.seen.numpy().tolist() == [0, 0]
        assert metric.inner["recall"].result() == 0.0

    def test_variables_have_names_of_their_own_and_keep_their_shape(self):
        metric = Certain()
        assert metric.add_variable((), name="count").name == "count_1"
        assert metric.add_weight().name == "variable"
        with pytest.raises(ValueError, match="shape"):
            metric.seen.assign(np.zeros(3))

    def test_in_fit(self):
        model = Sequential([layers.Input((3,)), layers.Dense(2, "softmax")])
        x, y = np.random.default_rng(0).normal(size=(20, 3)), np.zeros((20, 2))
        y[:, 0] = 1
        model.compile("sgd", "categorical_crossentropy", metrics=[Certain(), "Accuracy", metrics.F1Score])
        history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
        assert history.keys() == {"loss", "certain", "Accuracy", "f1_score"}
        assert all(isinstance(value, float) for value in history["certain"])
        assert history["f1_score"][0].shape == (2,)
        values = model.evaluate(x, y, verbose=0, return_dict=True)
        assert values["certain"] == pytest.approx((model.predict(x, verbose=0) > 0.9).sum() / 20)

    def test_the_constructor_of_the_base_must_run(self):
        class Forgetful(metrics.Metric):
            def __init__(self):
                self.count = self.add_weight()

        with pytest.raises(RuntimeError, match="super"):
            Forgetful()


STATEFUL = [
    lambda: Mean(),
    lambda: metrics.Sum(),
    lambda: metrics.SparseCategoricalAccuracy(),
    lambda: metrics.RootMeanSquaredError(),
    lambda: metrics.Precision(thresholds=[0.3, 0.6]),
    lambda: metrics.AUC(multi_label=True),
    lambda: metrics.F1Score(),
    lambda: metrics.R2Score(),
    lambda: metrics.MeanIoU(2),
    lambda: metrics.ConfusionMatrix(3),
    Certain,
]


@pytest.mark.parametrize("make", STATEFUL, ids=lambda make: make().name)
def test_state_is_all_that_a_metric_needs_to_go_on(make):
    rng = np.random.default_rng(3)

    def update(metric, batch):
        y_true = (
            np.eye(3)[rng.integers(0, 3, 6)]
            if not isinstance(metric, metrics.SparseCategoricalAccuracy)
            else batch
        )
        args = (batch / 4.0,) if type(metric) in (Mean, metrics.Sum) else (y_true, rng.random((6, 3)))
        metric.update_state(*((y > 0.5 for y in args) if isinstance(metric, metrics.MeanIoU) else args))

    batches = rng.integers(0, 3, (2, 6))
    whole, first, second = make(), make(), make()
    start = rng.bit_generator.state
    for metric in (whole, first):
        rng.bit_generator.state = start
        update(metric, batches[0])
    after = rng.bit_generator.state
    update(whole, batches[1])
    state = first.training_state()
    assert all(isinstance(value, float | np.ndarray) for value in state.values())
    second.restore_training_state({name: np.asarray(value) for name, value in state.items()})
    first.reset_state()
    rng.bit_generator.state = after
    update(second, batches[1])
    np.testing.assert_array_equal(np.asarray(second.result()), np.asarray(whole.result()))


class TestMetricList:
    y_true = np.array([0, 1, 1])
    y_pred = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])

    def test_names_and_values(self):
        def certainty(y_true, y_pred):
            return y_pred.max(-1)

        collection = MetricList(["acc", certainty, metrics.SparseCategoricalAccuracy(), "acc"])
        assert collection.names == ["acc", "certainty", "sparse_categorical_accuracy", "acc_1"]
        collection.update_state([self.y_true], [self.y_pred])
        values = collection.result()
        assert list(values) == collection.names
        assert values["acc"] == values["acc_1"] == pytest.approx(2 / 3)
        assert values["certainty"] == pytest.approx(0.8)
        collection.reset_state()
        assert collection.result()["acc"] == 0.0

    def test_only_weighted_metrics_see_the_weights(self):
        collection = MetricList(["accuracy"], ["sparse_categorical_accuracy"])
        collection.update_state([self.y_true], [self.y_pred], [[1.0, 3.0, 0.0]])
        assert collection.result() == {
            "accuracy": pytest.approx(2 / 3),
            "sparse_categorical_accuracy": pytest.approx(1 / 4),
        }

    def test_a_dictionary_of_results_is_reported_by_its_keys(self):
        class Two(Mean):
            def result(self):
                return {"low": 1.0, "high": self.total}

        collection = MetricList([Two(), "acc"])
        assert collection.result() == {"low": 1.0, "high": 0.0, "acc": 0.0}

    def test_wrong_arguments(self):
        assert MetricList().result() == {}
        with pytest.raises(ValueError, match=r"\['accuracy'\]"):
            MetricList("accuracy")


class TestLookup:
    def test_names_classes_instances(self):
        assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
        assert isinstance(metrics.get("categorical_accuracy"), metrics.CategoricalAccuracy)
        assert isinstance(metrics.get("BinaryAccuracy"), metrics.BinaryAccuracy)
        assert isinstance(metrics.get(metrics.Accuracy), metrics.Accuracy)
        assert metrics.get(None) is None
        with pytest.raises(ValueError, match="accuracy"):
            metrics.get("acuracy")

    def test_configuration(self):
        metric = metrics.BinaryAccuracy(name="mine", threshold=0.3)
        copy = metrics.get(json.loads(json.dumps(metrics.serialize(metric))))
        assert isinstance(copy, metrics.BinaryAccuracy)
        assert (
            copy.get_config() == metric.get_config() == {"name": "mine", "dtype": "float32", "threshold": 0.3}
        )

    @pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']}-{case['settings']}")
    def test_every_metric_is_made_again_from_its_configuration(self, case):
        metric = getattr(metrics, case["name"])(**case["settings"])
        copy = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
        assert type(copy) is type(metric)
        assert copy.get_config() == metric.get_config()

    def test_functions_and_losses_as_metrics(self):
        for fn in ("huber", "categorical_accuracy"):
            metric = metrics.MeanMetricWrapper(getattr(metrics, fn))
            copy = metrics.get(json.loads(json.dumps(metrics.serialize(metric))))
            assert copy.fn is metric.fn
        assert metrics.MeanMetricWrapper(metrics.huber)._direction == "down"
        loss = metrics.as_metric(losses.MeanSquaredError())
        assert (loss.name, loss._direction) == ("mean_squared_error", "down")
        assert loss(np.zeros((2, 3)), np.ones((2, 3))) == 1.0

    def test_names_of_keras(self):
        for name, cls in {
            "mape": "MeanAbsolutePercentageError", "MSLE": "MeanSquaredLogarithmicError", "auc": "AUC",
            "f1_score": "F1Score", "root_mean_squared_error": "RootMeanSquaredError",
            "Precision": "Precision",
            "cosine_similarity": "CosineSimilarity", "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
        }.items():  # fmt: skip
            assert type(metrics.get(name)) is getattr(metrics, cls)
        assert isinstance(metrics.as_metric("Accuracy"), metrics.AccuracyByShape)
        assert metrics.as_metric("Accuracy").name == "Accuracy"

    def test_directions(self):
        assert metrics.get("acc")._direction == "up"
        assert metrics.get("mae")._direction == "down"
        assert Mean()._direction is None
        names = (
            "auc",
            "precision",
            "recall",
            "f1_score",
            "r2_score",
            "top_k_categorical_accuracy",
            "cosine_similarity",
        )
        assert {metrics.get(name)._direction for name in names} == {"up"}
        assert metrics.get({"class_name": "mean_io_u", "config": {"num_classes": 2}})._direction == "up"
