"""TensorBoard: histograms, pictures, texts and gradients, read back by TensorBoard's own reader; errors."""

import builtins
import io

import numpy as np
import pytest

import tinynet
from tinynet import callbacks, layers
from tinynet.callbacks import weight_events

from fixtures.callback_scripts import Model

pytest.importorskip("tensorboardX", reason="needs tensorboardX")
accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
)


class Weight:
    def __init__(self, name, values):
        self.name, self.values = name, np.asarray(values, np.float32)

    def numpy(self):
        return self.values


class Net(Model):
    """A model with weights, a description, and known gradients: of a batch, its mean and twice its mean."""

    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(5)
        self.weights = [
            Weight("conv/kernel", rng.normal(size=(3, 3, 1, 4))),
            Weight("dense/kernel", rng.normal(size=(7, 3))),
            Weight("dense/bias", [0.5, np.nan, -0.5]),
        ]
        self.batches = []

    def summary(self, print_fn=print):
        print_fn("Model: net\n  conv")

    def to_json(self):
        return '{"class_name": "Net"}'

    def gradients(self, x, y=None, sample_weight=None):
        self.batches.append((len(x), len(y), None if sample_weight is None else len(sample_weight)))
        return {"conv/kernel": np.full((2, 2), x.mean()), "dense/kernel": np.full(4, 2 * x.mean())}


def train(tmp_path, epochs=3, model=None, **options):
    callback, model = callbacks.TensorBoard(tmp_path, **options), model or Net()
    callback.set_params({"verbose": 0, "epochs": epochs, "steps": 2})
    callback.set_model(model)
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for batch in range(2):
            callback.on_train_batch_begin(batch)
            model.optimizer.iterations += 1
            callback.on_train_batch_end(batch, {"loss": 1.0})
        callback.on_epoch_end(epoch, {"loss": 1.0})
    callback.on_train_end()
    return model


def events(folder):
    found = accumulator.EventAccumulator(
        str(folder / "train"), size_guidance={"images": 0, "histograms": 0, "tensors": 0}
    )
    found.Reload()
    return found


def test_histograms_of_weights(tmp_path):
    model = train(tmp_path, histogram_freq=2)
    found = events(tmp_path)
    assert sorted(found.Tags()["histograms"]) == [
        "conv/kernel/histogram",
        "dense/bias/histogram",
        "dense/kernel/histogram",
    ]
    assert found.Tags()["images"] == []
    for weight in model.weights:
        values = weight.values[np.isfinite(weight.values)].astype(np.float64)
        steps = found.Histograms(f"{weight.name}/histogram")
        assert [event.step for event in steps] == [0, 2]
        histogram = steps[0].histogram_value
        assert (histogram.min, histogram.max) == (values.min(), values.max())
        assert histogram.num == values.size
        assert histogram.sum == pytest.approx(values.sum())
        assert histogram.sum_squares == pytest.approx((values**2).sum())
        edges = np.array([-np.inf, *histogram.bucket_limit])
        assert list(np.histogram(values, edges)[0]) == list(histogram.bucket)


def test_texts(tmp_path):
    train(tmp_path)
    found = events(tmp_path)
    text = {tag: found.Tensors(f"{tag}/text_summary") for tag in ("model/summary", "model/json")}
    assert all(len(written) == 1 for written in text.values())
    assert text["model/summary"][0].tensor_proto.string_val[0] == b"    Model: net\n      conv"
    assert b'"class_name": "Net"' in text["model/json"][0].tensor_proto.string_val[0]
    train(tmp_path / "none", write_graph=False)
    assert events(tmp_path / "none").Tags()["tensors"] == []


def test_a_model_without_json_is_a_warning(tmp_path):
    class Subclassed(Net):
        def to_json(self):
            raise NotImplementedError("a subclass")

    with pytest.warns(UserWarning, match="the model has no JSON to write"):
        train(tmp_path, model=Subclassed())


def test_gradients_on_a_few_samples(tmp_path):
    x = np.concatenate([np.full(32, 1.0), np.full(32, 3.0), np.full(8, 2.0)])
    model = train(tmp_path, epochs=2, histogram_freq=1, gradients_on=(x, x), write_graph=False)
    assert model.batches == [(32, 32, None), (32, 32, None), (8, 8, None)] * 2
    found = events(tmp_path)
    assert [event.step for event in found.Scalars("gradient_norm")] == [0, 1]
    # Norms of full((2, 2), m) and full(4, 2 m): 2 m and 4 m; together sqrt(20) m; m = 1, 3, 2.
    assert found.Scalars("conv/kernel/gradient_norm")[0].value == pytest.approx(4)
    assert found.Scalars("dense/kernel/gradient_norm")[0].value == pytest.approx(8)
    assert found.Scalars("gradient_norm")[0].value == pytest.approx(2 * 20**0.5)
    norms = found.Histograms("conv/kernel/gradient_norm/histogram")[0].histogram_value
    assert (norms.min, norms.max, norms.num, norms.sum) == (2, 6, 3, 12)
    elements = found.Histograms("dense/kernel/gradient/histogram")[0].histogram_value
    assert (elements.min, elements.max, elements.num) == (2, 2, 4)
    weighted = train(tmp_path / "weighted", epochs=1, histogram_freq=1, gradients_on=(x[:5], x[:5], x[:5]))
    assert weighted.batches == [(5, 5, 5)]


def test_pictures_of_weights(tmp_path):
    from PIL import Image

    model = train(tmp_path, histogram_freq=1, write_images=True)
    found = events(tmp_path)
    # a NaN cannot be shown
    assert sorted(found.Tags()["images"]) == ["conv/kernel/image", "dense/kernel/image"]
    image = found.Images("dense/kernel/image")[0]
    pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
    matrix = model.weights[1].values.T
    expected = np.round(255 * (matrix - matrix.min()) / (matrix.max() - matrix.min()))
    np.testing.assert_allclose(pixels.reshape(3, 7, -1)[..., 0], expected, atol=1)


def test_how_weights_become_pictures():
    picture = weight_events.picture_of
    assert picture(np.arange(5.0)).tolist() == [[[0], [64], [128], [191], [255]]]
    assert picture(np.zeros((4, 2))).shape == (2, 4, 1)
    kernel = np.arange(3 * 3 * 2 * 2, dtype=np.float64).reshape(3, 3, 2, 2)
    grid = picture(kernel)  # two filters of two channels: four panels in two rows
    assert grid.shape == (7, 7, 1)
    assert (grid[3] == 0).all()
    scale = 255 / 35
    for (row, column), (channel, filters) in {
        (0, 0): (0, 0),
        (0, 4): (1, 0),
        (4, 0): (0, 1),
        (4, 4): (1, 1),
    }.items():
        found = grid[row : row + 3, column : column + 3, 0]
        np.testing.assert_allclose(found, kernel[:, :, channel, filters] * scale, atol=0.51)
    colour = picture(np.random.default_rng(0).normal(size=(5, 5, 3, 4)))
    assert colour.shape == (11, 11, 3)
    assert picture(np.zeros((4, 2, 3))).shape == (3, 14, 1)  # a 1-D convolution: six panels, one pixel high
    assert picture(np.zeros((1, 2, 3, 4, 5))) is None
    assert picture(np.zeros((0, 2))) is None


def test_steps_per_second(tmp_path):
    train(tmp_path, write_steps_per_second=True, update_freq=1)
    found = events(tmp_path)
    assert len(found.Scalars("epoch_steps_per_second")) == 3
    assert len(found.Scalars("batch_steps_per_second")) == 6
    assert all(event.value > 0 for event in found.Scalars("epoch_steps_per_second"))


def test_two_runs_into_one_folder_share_no_file(tmp_path):
    train(tmp_path)
    train(tmp_path)
    assert len(list((tmp_path / "train").iterdir())) == 2


def test_values_are_asked_for_only_when_they_are_written(tmp_path):
    asked = []

    def values():
        asked.append(1)
        return {"loss": 1.0}

    both = callbacks.CallbackList([callbacks.TensorBoard(tmp_path, update_freq=3)], model=Net(), verbose=0)
    both.on_train_begin()
    for batch in range(7):
        both.on_train_batch_begin(batch)
        both.on_train_batch_end(batch, values)
    both.on_train_end()
    assert len(asked) == 2


def test_what_is_not_supported_is_refused():
    for options in ({"profile_batch": 2}, {"embeddings_freq": 1}):
        with pytest.raises(ValueError, match=f"{next(iter(options))} is not supported, leave it 0"):
            callbacks.TensorBoard("logs", **options)
    for update_freq in (0, "never", 1.5):
        with pytest.raises(ValueError, match="update_freq must be 'epoch', 'batch' or a number of batches"):
            callbacks.TensorBoard("logs", update_freq=update_freq)
    with pytest.raises(ValueError, match=r"gradients_on must be \(x, y\)"):
        callbacks.TensorBoard("logs", gradients_on=(1,))


def test_a_missing_writer_says_what_to_install(monkeypatch):
    found = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("tensorboardX"):
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r'pip install "tinynet\[tensorboard\]"'):
        callbacks.TensorBoard("logs")


def test_batches_are_counted_on_after_a_run_that_was_killed(tmp_path):
    """update_freq=2, killed after the backup of batch 3: the events stand at 2, 4, 6, 8, none twice."""

    class KilledError(Exception):
        pass

    class Kills(callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 3:
                raise KilledError

    def run(*given):
        model = tinynet.Sequential([layers.Input((2,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        board, backup = (
            callbacks.TensorBoard(tmp_path / "logs", update_freq=2),
            callbacks.BackupAndRestore(tmp_path / "b", 3),
        )
        try:
            model.fit(
                np.ones((32, 2)), np.ones((32, 1)), batch_size=4, verbose=0, callbacks=[board, *given, backup]
            )
        finally:
            board.on_train_end()

    with pytest.raises(KilledError):
        run(Kills())
    run()
    events = accumulator.EventAccumulator(str(tmp_path / "logs" / "train"))
    events.Reload()
    assert [event.step for event in events.Scalars("batch_loss")] == [2, 4, 6, 8]
