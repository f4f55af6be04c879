# ruff: noqa
# fmt: off
"""Keras 2.3: dense nets, transfer, optimizers, schedules, regularizers, the functional API."""

from tinynet.compat import keras2; keras2.install()

import keras
import numpy as np
from keras.layers import Dense

he_avg_init = keras.initializers.VarianceScaling(scale=2., mode='fan_avg', distribution='uniform')
Dense(10, activation='sigmoid', kernel_initializer=he_avg_init)

model = keras.models.Sequential([
    keras.layers.Dense(10, kernel_initializer='he_normal'),
    keras.layers.LeakyReLU(alpha=0.2)
])
slope = model.layers[1].negative_slope

from keras.models import Sequential
from keras.layers import Flatten, BatchNormalization

counts = []
model = Sequential([
    Flatten(input_shape=[28, 28]),
    BatchNormalization(),
    Dense(300, activation='elu', kernel_initializer='he_normal'),
    BatchNormalization(),
    Dense(100, activation='elu', kernel_initializer='he_normal'),
    BatchNormalization(),
    Dense(10, activation='softmax')
])
model.summary()
counts.append(model.count_params())

optimizer = keras.optimizers.SGD(clipvalue=1.0)
model.compile(loss='mse', optimizer=optimizer)

(X_train_full, y_train_full), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
X_train_full = X_train_full / 255.0
X_test = X_test / 255.0
X_valid, X_train = X_train_full[:40], X_train_full[40:]
y_valid, y_train = y_train_full[:40], y_train_full[40:]

def split_dataset(X, y):
    y_5_or_6 = (y == 5) | (y == 6)
    y_A = y[~y_5_or_6]
    y_A[y_A > 6] -= 2
    y_B = (y[y_5_or_6] == 6).astype(np.float32)
    return ((X[~y_5_or_6], y_A),
            (X[y_5_or_6], y_B))

(X_train_A, y_train_A), (X_train_B, y_train_B) = split_dataset(X_train, y_train)
(X_valid_A, y_valid_A), (X_valid_B, y_valid_B) = split_dataset(X_valid, y_valid)
(X_test_A, y_test_A), (X_test_B, y_test_B) = split_dataset(X_test, y_test)

model_A = keras.models.Sequential()
model_A.add(keras.layers.Flatten(input_shape=[28, 28]))
for n_hidden in (300, 100, 50, 50, 50):
    model_A.add(keras.layers.Dense(n_hidden, activation="selu"))
model_A.add(keras.layers.Dense(8, activation="softmax"))
counts.append(model_A.count_params())
model_A.compile(loss="sparse_categorical_crossentropy",
                optimizer=keras.optimizers.SGD(lr=1e-3),
                metrics=["accuracy"])
history = model_A.fit(X_train_A, y_train_A, epochs=2,
                    validation_data=(X_valid_A, y_valid_A))
model_A.save(folder + '/model_A.h5')

model_A = keras.models.load_model(folder + '/model_A.h5')
model_B_on_A = keras.models.Sequential(model_A.layers[:-1])
model_B_on_A.add(keras.layers.Dense(1, activation='sigmoid'))
counts.append(model_B_on_A.count_params())

model_A_clone = keras.models.clone_model(model_A)
model_A_clone.set_weights(model_A.get_weights())

for layer in model_B_on_A.layers[:-1]:
    layer.trainable = False
model_B_on_A.compile(loss='binary_crossentropy', optimizer='SGD', metrics=['accuracy'])
history = model_B_on_A.fit(X_train_B, y_train_B, epochs=1, 
                           validation_data=(X_valid_B, y_valid_B))
frozen = model_A.get_weights()[0]
for layer in model_B_on_A.layers[:-1]:
    layer.trainable = True
optimizer = keras.optimizers.SGD(lr=1e-4)
model_B_on_A.compile(loss='binary_crossentropy', optimizer=optimizer, metrics=['accuracy'])
history = model_B_on_A.fit(X_train_B, y_train_B, epochs=1, 
                           validation_data=(X_valid_B, y_valid_B))
trained = model_A.get_weights()[0]
scores = model_B_on_A.evaluate(X_test_B, y_test_B)

optimizer = keras.optimizers.SGD(lr=0.001, momentum=0.9)
optimizer = keras.optimizers.SGD(lr=0.001, momentum=0.9, nesterov=True)
optimizer = keras.optimizers.RMSprop(lr=0.001, rho=0.9)
optimizer = keras.optimizers.Adam(lr=0.01, beta_1=0.9, beta_2=0.999)
decaying = keras.optimizers.SGD(lr=0.01, decay=1e-4)

def piecewise_constant_fn(epoch):
    if epoch < 5:
        return 0.01
    elif epoch < 15:
        return 0.005
    else:
        return 0.001

lr_scheduler = keras.callbacks.LearningRateScheduler(piecewise_constant_fn)
lr_scheduler = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=5)
s = 20 * len(X_train) // 32
learning_rate = keras.optimizers.schedules.ExponentialDecay(0.01, s, 0.1)
optimizer = keras.optimizers.SGD(learning_rate)

from functools import partial

RegularizedDense = partial(keras.layers.Dense,
                           activation='elu',
                           kernel_initializer='he_normal',
                           kernel_regularizer=keras.regularizers.l2(0.01))

model = keras.models.Sequential([
    keras.layers.Flatten(input_shape=[28, 28]),
    RegularizedDense(300),
    RegularizedDense(100),
    RegularizedDense(10, activation='softmax', 
                     kernel_initializer='glorot_uniform')    
])
counts.append(model.count_params())

class MCDropout(keras.layers.Dropout):
    def call(self, inputs):
        return super().call(inputs, training=True)

p = 0.2
model = keras.models.Sequential([
    keras.layers.Flatten(input_shape=[28,28]),
    MCDropout(rate=p),
    keras.layers.Dense(10, activation='softmax', kernel_constraint=keras.constraints.max_norm(1.))
])
model.compile('nadam', 'sparse_categorical_crossentropy')
model.fit(X_train, y_train, epochs=1, verbose=0)
y_probas = np.stack([model.predict(X_test) for sample in range(3)])

# Exercise 8
(X_train_full, y_train_full), (X_test, y_test) = keras.datasets.cifar10.load_data()
train_full_size = X_train_full.shape[0]
val_size = int(train_full_size*0.1)

X_train, y_train = X_train_full[:-val_size], y_train_full[:-val_size]
X_val, y_val = X_train_full[-val_size:], y_train_full[-val_size:]

def build_hidden_layers(inputs, units, n_layers,
                       kernel_initializer='he_normal', activation='elu'):
    h = Dense(units, kernel_initializer=kernel_initializer, activation=activation)(inputs)
    for idx in range(1, n_layers):
        h = Dense(units, kernel_initializer=kernel_initializer, activation=activation)(h)
    return h

from keras.layers import Input, Flatten
from keras.models import Model
from keras.optimizers import Adam
from keras.callbacks import EarlyStopping

units = 100
n_layers = 20
epochs = 1
batch_size = 32
learning_rate = 3e-5

inputs = Input(shape=X_train.shape[1:])
flatten = Flatten()(inputs)
hidden = build_hidden_layers(flatten, units=units, n_layers=n_layers)
outputs = Dense(10, activation='softmax', name='output')(hidden)
model = Model(inputs=inputs, outputs=outputs)
counts.append(model.count_params())

optimizer = Adam(learning_rate=learning_rate)
model.compile(loss='sparse_categorical_crossentropy', optimizer=optimizer, metrics=['accuracy'])
history = model.fit(X_train, y_train, epochs=epochs, batch_size=batch_size,
          validation_data=(X_val, y_val),
          callbacks=[EarlyStopping(patience=5)])
scores8 = model.evaluate(X_test, y_test)

from keras.layers import Activation

def build_hidden_layers_bn(inputs, units, n_layers,
                           kernel_initializer='he_normal', activation='elu'):
    inputs = BatchNormalization()(inputs)
    h = Dense(units, kernel_initializer=kernel_initializer)(inputs)
    h = BatchNormalization()(h)
    h = Activation(activation)(h)
    for idx in range(1, n_layers):
        h = Dense(units, kernel_initializer=kernel_initializer)(h)
        h = BatchNormalization()(h)
        h = Activation(activation)(h)
    return h

inputs = Input(shape=X_train.shape[1:])
flatten = Flatten()(inputs)
hidden = build_hidden_layers_bn(flatten, units=units, n_layers=n_layers, activation='elu')
outputs = Dense(10, activation='softmax', name='output')(hidden)
model = Model(inputs=inputs, outputs=outputs)
counts.append(model.count_params())

# d), with the import that was commented out, and the standardised input that its code meant
from keras.layers.experimental.preprocessing import Normalization
inputs = Input(shape=X_train.shape[1:])
flatten = Flatten()(inputs)
std_layer = Normalization()
std_layer.adapt(X_train.reshape(len(X_train), -1))
hidden = build_hidden_layers(std_layer(flatten), units=units, n_layers=n_layers, 
                             kernel_initializer='lecun_normal', activation='selu')
outputs = Dense(10, activation='softmax', name='output')(hidden)
model = Model(inputs=inputs, outputs=outputs)
