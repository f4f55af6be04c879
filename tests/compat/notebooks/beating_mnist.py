# ruff: noqa
# fmt: off
"""Keras 1.1 on Theano, whose settings put channels first:
ten models from softmax regression to augmented training.
"""

from tinynet.compat import keras1; keras1.install(dim_ordering='th')

import numpy as np
from keras.datasets import mnist
(x_train, y_train), (x_test, y_test) = mnist.load_data()

X = np.expand_dims(x_train, 1)
X_val = np.expand_dims(x_test, 1)

from keras.utils.np_utils import to_categorical
y = to_categorical(y_train)
y_val = to_categorical(y_test)

counts, histories = {}, {}

# Model 1
from keras.models import Sequential
from keras.layers.core import Lambda

from keras.layers import Dense, InputLayer, Flatten
from keras.optimizers import Adam

model = Sequential([
        Flatten(input_shape=(1, 28, 28)),
        Dense(10, activation='softmax')
    ])

model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
counts[1] = model.count_params()
model.fit(X, y, nb_epoch=1, validation_data=(X_val, y_val))
before = model.get_weights()
model.optimizer.lr = 0.00000001
model.fit(X, y, nb_epoch=1, validation_data=(X_val, y_val))
after = model.get_weights()

# Model 2
x_mean = np.mean(X).astype(np.float32)
x_std = np.std(X).astype(np.float32)

def normalize_input(X):
    return (X - x_mean) / x_std

model = Sequential([
        Lambda(normalize_input, input_shape=(1, 28, 28)),
        Flatten(),
        Dense(10, activation='softmax')
    ])

model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
counts[2] = model.count_params()
model.fit(X, y, nb_epoch=1, validation_data=(X_val, y_val))

# Model 3
model = Sequential([
        Lambda(normalize_input, input_shape=(1, 28, 28)),
        Flatten(),
        Dense(100, activation='sigmoid'),
        Dense(10, activation='softmax')
    ])

model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
counts[3] = model.count_params()
model.fit(X, y, nb_epoch=1, validation_data=(X_val, y_val))

# Model 4
model = Sequential([
        Lambda(normalize_input, input_shape=(1, 28, 28)),
        Flatten(),
        Dense(200, activation='relu'),
        Dense(200, activation='relu'),
        Dense(200, activation='relu'),
        Dense(10, activation='softmax')
    ])

model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
counts[4] = model.count_params()
model.fit(X, y, validation_data=(X_val, y_val), nb_epoch=1)

# Model 5
from keras.layers.convolutional import Convolution2D, MaxPooling2D

model = Sequential([
        Lambda(normalize_input, input_shape=(1, 28, 28)),
        Convolution2D(7, 3, 3, activation='relu', border_mode='same'),
        Convolution2D(7, 3, 3, activation='relu', border_mode='same'),        
        Convolution2D(7, 3, 3, activation='relu', border_mode='same'),
        Flatten(),
        Dense(10, activation='softmax')
    ])

model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
counts[5] = model.count_params()
model.fit(X, y, validation_data=(X_val, y_val), nb_epoch=1)

# Model 6
model = Sequential([
        Lambda(normalize_input, input_shape=(1, 28, 28)),
        Convolution2D(7, 3, 3, activation='relu', border_mode='same'),
        MaxPooling2D(pool_size=(2,2), strides=(2,2), dim_ordering='th'),
        Convolution2D(14, 3, 3, activation='relu', border_mode='same'),
        MaxPooling2D(pool_size=(2,2), strides=(2,2), dim_ordering='th'),
        Convolution2D(28, 3, 3, activation='relu', border_mode='same'),
        MaxPooling2D(pool_size=(2,2), strides=(2,2), dim_ordering='th'),
        Convolution2D(28, 3, 3, activation='relu', border_mode='same'),
        Flatten(),
        Dense(10, activation='softmax')
    ])

model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
counts[6] = model.count_params()
model.fit(X, y, validation_data=(X_val, y_val), nb_epoch=1)

# Models 7, 8 and 9: the same but for batch normalisation and dropout, which the notebook writes out
from keras.layers.normalization import BatchNormalization
from keras.layers.core import Dropout

def vgg(normalisation, dropout):
    model = Sequential([Lambda(normalize_input, input_shape=(1, 28, 28))])
    for filters, repeats, rate in ((7, 2, 0.1), (14, 2, 0.2), (28, 3, 0.3), (56, 3, 0.4)):
        for _ in range(repeats):
            model.add(Convolution2D(filters, 3, 3, activation='relu', border_mode='same'))
        model.add(MaxPooling2D(pool_size=(2,2), strides=(2,2), dim_ordering='th'))
        if normalisation:
            model.add(BatchNormalization(axis=1))
        if dropout:
            model.add(Dropout(rate))
    model.add(Flatten())
    model.add(Dense(100, activation='sigmoid'))
    if dropout:
        model.add(Dropout(0.5))
    model.add(Dense(10, activation='softmax'))
    model.compile(Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
    return model

for number, settings in ((7, (False, False)), (8, (True, False)), (9, (True, True))):
    model = vgg(*settings)
    counts[number] = model.count_params()
    histories[number] = model.fit(X, y, validation_data=(X_val, y_val), nb_epoch=1)

# Model 10
from keras.preprocessing.image import ImageDataGenerator
gen = ImageDataGenerator(rotation_range=10, zoom_range=0.1, shear_range=0.1, dim_ordering='th')
batch_gen = gen.flow(X, y, batch_size=128)
img, _ = next(batch_gen)
images = batch_gen.N
model.summary()
histories[10] = model.fit_generator(batch_gen, batch_gen.N,  nb_epoch=1, validation_data=(X_val, y_val))

# Model 11
model = vgg(True, True)
rates = {}
for rate in (0.0001, 0.01):
    model.optimizer.lr = rate
    model.fit(X, y, batch_size=64, nb_epoch=1, validation_data=(X_val, y_val))
    rates[rate] = float(model.optimizer.learning_rate)
model.optimizer.lr = 0.001
model.fit_generator(batch_gen, batch_gen.N, nb_epoch=1, validation_data=(X_val, y_val))

best_model = model
predictions = best_model.predict(X_val, X_val.shape[0])
labels_pred = np.argmax(predictions, axis=1)
