"""Layers: shapes, parameters, and a call of an operation; the mathematics is in `ops`."""

from tinynet.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from tinynet.layers.base import Layer
from tinynet.layers.batch_normalization import BatchNormalization
from tinynet.layers.conv2d import Conv2D
from tinynet.layers.dense import Dense
from tinynet.layers.dropout import Dropout
from tinynet.layers.function import Lambda
from tinynet.layers.input import Input, InputLayer
from tinynet.layers.padding import ZeroPadding2D
from tinynet.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from tinynet.layers.rescaling import Rescaling
from tinynet.layers.reshaping import Flatten, Reshape

# Keras's second names.
Convolution2D = Conv2D
MaxPool2D = MaxPooling2D
AvgPool2D = AveragePooling2D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool2D = GlobalMaxPooling2D

__all__ = [
    "ELU", "Activation", "AveragePooling2D", "AvgPool2D", "BatchNormalization", "Conv2D", "Convolution2D", "Dense",
    "Dropout", "Flatten", "GlobalAveragePooling2D", "GlobalAvgPool2D", "GlobalMaxPool2D", "GlobalMaxPooling2D", "Input",
    "InputLayer", "Lambda", "Layer", "LeakyReLU", "MaxPool2D", "MaxPooling2D", "PReLU", "ReLU", "Rescaling",
    "Reshape", "Softmax", "ZeroPadding2D",
]  # fmt: skip
