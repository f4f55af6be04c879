# ruff: noqa
# fmt: off
"""Keras 1.2 on Theano: a convolutional net without and with batch normalisation, trained by generators."""

from tinynet.compat import keras1; keras1.install(dim_ordering='th')

import numpy as np
# what `from utils import *` of the notebook's own helpers brought
from keras.preprocessing import image
from keras.utils.np_utils import to_categorical as onehot
from keras.models import Sequential
from keras.layers import Lambda, ZeroPadding2D, Convolution2D, MaxPooling2D, Flatten, Dense, Dropout, BatchNormalization
from keras.optimizers import Adam

from keras.datasets import mnist
(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_test = np.expand_dims(X_test,1)
X_train = np.expand_dims(X_train,1)
y_train = onehot(y_train)
y_test = onehot(y_test)
mean_px = X_train.mean().astype(np.float32)
std_px = X_train.std().astype(np.float32)
def norm_input(x): return (x-mean_px)/std_px

def get_conv_model(lr=0.001):
    model = Sequential([
        Lambda(norm_input, input_shape=(1,28,28)),
        ZeroPadding2D((1, 1)),
        Convolution2D(32, 3, 3, activation='relu'),
        MaxPooling2D(),
        ZeroPadding2D((1, 1)),
        Convolution2D(64, 3, 3, activation='relu'),  
        MaxPooling2D(),
        Flatten(),
        Dense(512, activation='relu'),
        Dropout(0.5),
        Dense(10, activation='softmax')
        ])
    model.compile(Adam(lr=lr), loss='categorical_crossentropy', metrics=['accuracy'])
    return model

def get_bn_model(lr=0.001):
    model = Sequential([
        Lambda(norm_input, input_shape=(1,28,28)),
        ZeroPadding2D((1, 1)),
        Convolution2D(32, 3, 3, activation='relu'),
        BatchNormalization(axis=1),
        MaxPooling2D(),
        ZeroPadding2D((1, 1)),
        Convolution2D(64, 3, 3, activation='relu'),  
        BatchNormalization(axis=1),
        MaxPooling2D(),
        Flatten(),
        Dense(512, activation='relu'),
        BatchNormalization(),
        Dropout(0.5),
        Dense(10, activation='softmax')
        ])
    model.compile(Adam(lr=lr), loss='categorical_crossentropy', metrics=['accuracy'])
    return model

counts, histories = [], []
for conv_model in (get_conv_model(0.001), get_bn_model(0.01)):
    counts.append(conv_model.count_params())
    gen = image.ImageDataGenerator()
    batches = gen.flow(X_train, y_train, batch_size=64)
    test_batches = gen.flow(X_test, y_test, batch_size=64)
    conv_model.fit_generator(batches, batches.n, nb_epoch=1, 
                    validation_data=test_batches, nb_val_samples=test_batches.n)
    conv_model.optimizer.lr = 0.0001
    histories.append(conv_model.fit_generator(batches, batches.n, nb_epoch=1, 
                    validation_data=test_batches, nb_val_samples=test_batches.n))
bn_model = conv_model
