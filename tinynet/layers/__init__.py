"""Layers: shapes, parameters, and a call of an operation; the mathematics is in `ops`."""

from tinynet import missing_names
from tinynet.layers import operation  # noqa: F401  (gives symbolic tensors their operators)
from tinynet.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from tinynet.layers.activity_regularization import ActivityRegularization
from tinynet.layers.alpha_dropout import AlphaDropout
from tinynet.layers.augmentation import RandomFlip, RandomRotation, RandomShear, RandomTranslation, RandomZoom
from tinynet.layers.base import Layer
from tinynet.layers.batch_normalization import BatchNormalization
from tinynet.layers.conv1d import Conv1D
from tinynet.layers.conv2d import Conv2D
from tinynet.layers.conv2d_transpose import Conv2DTranspose
from tinynet.layers.dense import Dense
from tinynet.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from tinynet.layers.dropout import Dropout
from tinynet.layers.embedding import Embedding
from tinynet.layers.group_normalization import GroupNormalization
from tinynet.layers.input import Input, InputLayer
from tinynet.layers.input_spec import InputSpec
from tinynet.layers.lambda_layer import Lambda
from tinynet.layers.layer_normalization import LayerNormalization
from tinynet.layers.merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from tinynet.layers.noise import GaussianDropout, GaussianNoise
from tinynet.layers.normalization import Normalization
from tinynet.layers.padding import Cropping1D, Cropping2D, ZeroPadding1D, ZeroPadding2D
from tinynet.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from tinynet.layers.pooling1d import (
    AveragePooling1D,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    MaxPooling1D,
)
from tinynet.layers.rescaling import Rescaling
from tinynet.layers.reshaping import Flatten, Identity, Permute, RepeatVector, Reshape
from tinynet.layers.rrelu import RReLU
from tinynet.layers.spatial_dropout import SpatialDropout1D, SpatialDropout2D
from tinynet.layers.unit_normalization import RMSNormalization, UnitNormalization
from tinynet.layers.upsampling import UpSampling1D, UpSampling2D

# Keras's second names.
Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution2DTranspose = Conv2DTranspose
SeparableConvolution2D = SeparableConv2D
MaxPool1D = MaxPooling1D
AvgPool1D = AveragePooling1D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D

__all__ = [
    "ELU", "Activation", "ActivityRegularization", "Add", "AlphaDropout", "Average", "AveragePooling1D",
    "AveragePooling2D", "AvgPool1D", "AvgPool2D", "BatchNormalization", "Concatenate", "Conv1D", "Conv2D",
    "Conv2DTranspose", "Convolution1D", "Convolution2D", "Convolution2DTranspose", "Cropping1D", "Cropping2D",
    "Dense", "DepthwiseConv2D", "Dot", "Dropout", "Embedding", "Flatten", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAvgPool1D", "GlobalAvgPool2D",
    "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GroupNormalization",
    "Identity", "Input", "InputLayer", "InputSpec", "Lambda", "Layer", "LayerNormalization", "LeakyReLU",
    "MaxPool1D", "MaxPool2D", "MaxPooling1D", "MaxPooling2D", "Maximum", "Minimum", "Multiply",
    "Normalization", "PReLU", "Permute", "RMSNormalization", "RReLU", "RandomFlip", "RandomRotation",
    "RandomShear", "RandomTranslation", "RandomZoom", "ReLU", "RepeatVector", "Rescaling", "Reshape",
    "SeparableConv2D", "SeparableConvolution2D", "Softmax", "SpatialDropout1D", "SpatialDropout2D",
    "Subtract", "UnitNormalization", "UpSampling1D", "UpSampling2D", "ZeroPadding1D", "ZeroPadding2D", "add",
    "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip


missing_names.namespace(__name__)
