"""A training loop of one's own, whose step runs as fast as that of `fit`: python examples/own_loop.py"""

import numpy as np

import tinynet
from tinynet import layers

tinynet.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = tinynet.datasets.digits.load_data()  # 8x8 digits, embedded
x_train, x_test = (x[..., None].astype(np.float32) / 16 for x in (x_train, x_test))

model = tinynet.Sequential([
    layers.Input((8, 8, 1)), layers.Conv2D(16, 3, padding="same", activation="relu"),
    layers.BatchNormalization(),
    layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.3), layers.Dense(10, activation="softmax"),
])  # fmt: skip
optimizer, loss_of = tinynet.optimizers.Adam(0.003), tinynet.losses.SparseCategoricalCrossentropy()
mean, accuracy = tinynet.metrics.Mean(), tinynet.metrics.SparseCategoricalAccuracy()


@tinynet.replayed  # three calls run this Python; from then on its kernels are repeated, with the same bits
def step(x, y):
    y_pred = model(x, training=True)
    loss = loss_of(y, y_pred)
    optimizer.apply(tinynet.grad(loss, model.trainable_weights), model.trainable_weights)
    mean.update_state(loss)
    accuracy.update_state(y, y_pred)
    return loss


for epoch in range(10):
    order = np.random.default_rng(epoch).permutation(len(x_train))
    for first in range(0, len(order), 32):
        step(x_train[order[first : first + 32]], y_train[order[first : first + 32]])
    print(f"epoch {epoch + 1}: loss {mean.result():.4f}, accuracy {accuracy.result():.4f}")
    mean.reset_state()
    accuracy.reset_state()

print(
    f"test accuracy {(model.predict(x_test, verbose=0).argmax(axis=1) == y_test).mean():.4f}; "
    f"the step is {step.why()}"
)
