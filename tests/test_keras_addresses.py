"""`import tinynet as keras`: what scripts find under Keras's names."""

import importlib

import numpy as np
import pytest

import tinynet as keras

ADDRESSES = """
Input Model Sequential Layer Loss Metric Optimizer Initializer Regularizer KerasTensor activations.relu
activations.get backend.floatx backend.epsilon backend.image_data_format backend.set_floatx callbacks.Callback
callbacks.EarlyStopping callbacks.ModelCheckpoint callbacks.ReduceLROnPlateau callbacks.CSVLogger
callbacks.TensorBoard callbacks.TerminateOnNaN callbacks.LambdaCallback callbacks.BackupAndRestore
callbacks.History callbacks.LearningRateScheduler callbacks.SwapEMAWeights config.set_floatx config.epsilon
config.set_image_data_format constraints.MaxNorm constraints.max_norm constraints.NonNeg constraints.UnitNorm
constraints.MinMaxNorm datasets.mnist.load_data datasets.fashion_mnist.load_data datasets.cifar10.load_data
initializers.HeNormal initializers.GlorotUniform initializers.Orthogonal initializers.Identity
initializers.get layers.Dense layers.Conv2D layers.Conv1D layers.DepthwiseConv2D layers.SeparableConv2D
layers.Conv2DTranspose layers.MaxPooling1D layers.AveragePooling1D layers.Cropping2D layers.UpSampling2D
layers.Permute layers.RepeatVector layers.LayerNormalization layers.GroupNormalization layers.SpatialDropout2D
layers.AlphaDropout layers.GaussianNoise layers.GaussianDropout layers.RReLU layers.Normalization
layers.Rescaling layers.Embedding layers.Add layers.Subtract layers.Multiply layers.Average layers.Maximum
layers.Minimum layers.Concatenate layers.add layers.concatenate layers.BatchNormalization
layers.ActivityRegularization layers.RandomRotation layers.RandomZoom layers.RandomTranslation
layers.RandomFlip layers.RandomShear layers.UnitNormalization losses.Huber losses.huber losses.KLDivergence
losses.CosineSimilarity losses.Hinge losses.Poisson losses.LogCosh losses.get metrics.AUC metrics.Precision
metrics.Recall metrics.F1Score metrics.TopKCategoricalAccuracy metrics.MeanIoU metrics.Mean models.Model
models.Sequential models.load_model models.clone_model models.model_from_json models.save_model
ops.concatenate ops.one_hot ops.mean optimizers.Adam optimizers.Lion optimizers.Adadelta
optimizers.schedules.CosineDecay optimizers.schedules.PolynomialDecay optimizers.schedules.ExponentialDecay
preprocessing.image.ImageDataGenerator regularizers.L2 regularizers.l2 regularizers.l1_l2 saving.load_model
saving.register_keras_serializable saving.custom_object_scope utils.to_categorical utils.set_random_seed
utils.plot_model utils.normalize utils.clear_session utils.PyDataset utils.register_keras_serializable
random.normal random.SeedGenerator backend.clear_session
""".split()  # noqa: SIM905 - a list to read


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_there(address):
    found = keras
    for part in address.split("."):
        found = getattr(found, part)
    assert callable(found)


def test_rooms_can_be_imported_by_name():
    for room in (
        "layers",
        "models",
        "optimizers",
        "callbacks",
        "saving",
        "debug",
        "compat",
        "preprocessing.image",
    ):
        found = keras
        for part in room.split("."):
            found = getattr(found, part)
        assert importlib.import_module(f"tinynet.{room}") is found


def test_a_dataset_of_ones_own():
    class Halves(keras.utils.PyDataset):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.epochs = 0

        def __len__(self):
            return 2

        def __getitem__(self, index):
            return np.full((4, 3), index, np.float32), np.zeros((4, 1), np.float32)

        def on_epoch_end(self):
            self.epochs += 1

    data = Halves(workers=2)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, epochs=3, verbose=0)
    assert data.epochs == 3
    assert model.optimizer.iterations == 6
    with pytest.raises(TypeError, match="must define __len__"):
        keras.utils.PyDataset().num_batches
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        keras.utils.nothing
