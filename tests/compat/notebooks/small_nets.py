# ruff: noqa
# fmt: off
"""Keras 2.2: kernels written as in Keras 1 and 2 side by side, and a schedule of the learning rate."""

from tinynet.compat import keras2; keras2.install()

# what the notebook's first cells, which it does not show, imported
import numpy as np
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Convolution2D, MaxPooling2D, BatchNormalization, Dropout, Flatten
from keras.utils import np_utils

(X_train, y_train), (X_test, y_test) = mnist.load_data()
X_train = X_train.reshape(X_train.shape[0], 28, 28,1)                           
X_test = X_test.reshape(X_test.shape[0], 28, 28,1)
X_train = X_train.astype('float32')                                            
X_test = X_test.astype('float32') 
X_train /= 255
X_test /= 255
Y_train = np_utils.to_categorical(y_train, 10)                                  
Y_test = np_utils.to_categorical(y_test, 10)

counts = []

# 1
from keras.layers import Activation
model = Sequential()
model.add(Convolution2D(16, 3, 3, activation='relu', input_shape=(28,28,1)))    #26
model.add(Convolution2D(32, 3, 3, activation='relu'))                           #24
model.add(Convolution2D(10, 1, 1, activation='relu'))                           #24
model.add(MaxPooling2D(pool_size=(2, 2)))                                       #12

model.add(Convolution2D(16, 3, 3, activation='relu'))                           #10
model.add(Convolution2D(32, 3, 3, activation='relu'))                           #8
model.add(Convolution2D(32, 3, 3, activation='relu'))                           #6
model.add(Convolution2D(64, 3, 3, activation='relu'))                           #4
model.add(Convolution2D(10, 4))
model.add(Flatten())
model.add(Activation('softmax'))

model.summary()
model.compile(loss='categorical_crossentropy',optimizer='sgd',metrics=['accuracy'])
counts.append(model.count_params())
model.fit(X_train, Y_train, batch_size=64, epochs=1, verbose=1, validation_data=(X_test, Y_test))

# 2
model = Sequential()
model.add(Convolution2D(8, (3, 3), activation='relu', input_shape=(28,28,1)))    #26
model.add(Convolution2D(16, (3, 3), activation='relu'))                           #24
model.add(Convolution2D(10, (1, 1), activation='relu'))                           #24

model.add(MaxPooling2D(pool_size=(2, 2)))                                       #12

model.add(Convolution2D(8, (3, 3), activation='relu'))                           #10
model.add(Convolution2D(16, (3, 3), activation='relu'))                           #8
model.add(Convolution2D(16, (3, 3), activation='relu'))                           #6
model.add(Convolution2D(16, (3, 3), activation='relu') )                          #4
model.add(Convolution2D(10, 4))        
model.add(Flatten())
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy',optimizer='sgd',metrics=['accuracy'])
counts.append(model.count_params())

# 3
model = Sequential()

model.add(Convolution2D(12, 3, 3, activation='relu', input_shape=(28,28,1)))    #26
model.add(BatchNormalization())
model.add(Dropout(0.1))

model.add(Convolution2D(20, 3, 3, activation='relu'))                           #24
model.add(BatchNormalization())
model.add(Dropout(0.1))

model.add(Convolution2D(10, 1, 1, activation='relu'))                           #24
model.add(MaxPooling2D(pool_size=(2, 2)))                                       #12

for _ in range(4):
    model.add(Convolution2D(16, 3, 3, activation='relu'))                       #10, 8, 6, 4
    model.add(BatchNormalization())
    model.add(Dropout(0.1))

model.add(Convolution2D(10, 4))
model.add(Flatten())
model.add(Activation('softmax'))
counts.append(model.count_params())

from keras.optimizers import Adam
from keras.callbacks import LearningRateScheduler
def scheduler(epoch, lr):
  return round(0.003 * 1/(1 + 0.319 * epoch), 10)

model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=0.003), metrics=['accuracy'])

history = model.fit(X_train, Y_train, batch_size=128, epochs=2, verbose=1, validation_data=(X_test, Y_test), callbacks=[LearningRateScheduler(scheduler, verbose=1)])
