"""Functional models: branches, residuals, several inputs; one output."""

from keras_fixtures.cases.nets import fitted, graph_trained
from keras_fixtures.harness import case, cases

MERGES = {
    "add": lambda L, a, b, c: L.Add()([a, b, c]),
    "subtract": lambda L, a, b, c: L.Subtract()([a, b]),
    "multiply": lambda L, a, b, c: L.Multiply()([a, b, c]),
    "average": lambda L, a, b, c: L.Average()([a, b, c]),
    "maximum": lambda L, a, b, c: L.Maximum()([a, b, c]),
    "minimum": lambda L, a, b, c: L.Minimum()([a, b]),
    "concatenate": lambda L, a, b, c: L.Concatenate()([a, b, c]),
    "add_function": lambda L, a, b, c: L.add([a, c]),
    "multiply_function": lambda L, a, b, c: L.multiply([b, c]),
    "concatenate_function": lambda L, a, b, c: L.concatenate([c, a]),
    "operators": lambda L, a, b, c: a * b + c - 0.5 * a,
}
BROADCAST = ("Add", "Multiply", "Average", "Maximum", "Minimum", "Subtract")


@cases(MERGES)
def merge(k, run, make):
    L = k.layers
    inputs = k.Input((6,))
    a, b, c = (L.Dense(8, activation=name)(inputs) for name in ("tanh", "relu", "sigmoid"))
    return graph_trained(k, run, inputs, L.Dense(2)(make(L, a, b, c)), run.x(28, 6))


@cases({name: name for name in BROADCAST})
def broadcast(k, run, name):
    """(5, 8) with (1, 8): axes of size 1 are repeated."""
    L = k.layers
    first, second = k.Input((5, 6)), k.Input((1, 4))
    merged = getattr(L, name)()([L.Dense(8)(first), L.Dense(8)(second)])
    outputs = L.Dense(2)(L.Flatten()(merged))
    return graph_trained(k, run, [first, second], outputs, [run.x(28, 5, 6), run.x(28, 1, 4)], rate=0.02)


@cases({"axis_1": 1, "axis_2": 2, "last": -1})
def concatenated_images(k, run, axis):
    L = k.layers
    inputs = k.Input((5, 5, 2))
    branches = [L.Conv2D(3, 3, padding="same", activation=name)(inputs) for name in ("relu", "tanh")]
    outputs = L.Dense(2)(L.Flatten()(L.Conv2D(2, 3)(L.Concatenate(axis=axis)(branches))))
    return graph_trained(k, run, inputs, outputs, run.x(10, 5, 5, 2), 10, batch_size=4, rate=0.01)


@case
def residual(k, run):
    L = k.layers
    inputs = k.Input((5, 5, 3))
    x = L.Conv2D(4, 3, padding="same")(inputs)
    for _ in range(2):
        shortcut = x
        x = L.BatchNormalization(momentum=0.8)(L.Conv2D(4, 3, padding="same", use_bias=False)(x))
        x = L.Activation("relu")(L.Add()([x, shortcut]))
    outputs = L.Dense(2)(L.GlobalAveragePooling2D()(x))
    return graph_trained(k, run, inputs, outputs, run.x(10, 5, 5, 3), 10, batch_size=4)


@case
def diamond(k, run):
    """One tensor used three times, once by way of a chain."""
    L = k.layers
    inputs = k.Input((6,))
    x = L.Dense(8, activation="tanh")(inputs)
    y = L.Dense(8, activation="tanh")(L.Dense(4)(x))
    return graph_trained(
        k, run, inputs, L.Dense(2)(L.Concatenate()([x, y, L.Multiply()([x, y])])), run.x(28, 6)
    )


@cases({"list": False, "dict": True})
def inputs_of_two_kinds(k, run, by_name):
    """An image and numbers."""
    L = k.layers
    image, numbers = k.Input((5, 5, 2), name="image"), k.Input((4,), name="numbers")
    seen = L.Flatten()(L.Conv2D(3, 3, activation="relu")(image))
    outputs = L.Dense(2)(L.Concatenate()([seen, L.Dense(4, activation="tanh")(numbers)]))
    x = [run.x(12, 5, 5, 2), run.x(12, 4)]
    if by_name:
        x = {"numbers": x[1], "image": 0.5 * x[0]}
    model = k.Model([image, numbers], outputs)
    model.compile(k.optimizers.SGD(0.02), "mse")
    run.start(model)
    y = run.x(12, 2)
    history = fitted(model, x, y, batch_size=5, validation_data=(x, y))
    return run.end(model, x, history, evaluated=model.evaluate(x, y, batch_size=5, verbose=0))


@case
def inputs_in_a_dict(k, run):
    """The model itself is made with a dictionary."""
    L = k.layers
    inputs = {"left": k.Input((6,), name="left"), "right": k.Input((4,), name="right")}
    outputs = L.Dense(2)(L.Concatenate()([inputs["right"], L.Dense(5, activation="tanh")(inputs["left"])]))
    return graph_trained(k, run, inputs, outputs, {"left": run.x(28, 6), "right": run.x(28, 4)})


@case
def split_of_lists(k, run):
    """validation_split and sample weights with several inputs."""
    L = k.layers
    first, second = k.Input((6,)), k.Input((4,))
    outputs = L.Dense(2)(L.Concatenate()([L.Dense(4, activation="relu")(first), second]))
    x, weights = [run.x(28, 6), run.x(28, 4)], run.uniform(28, high=2.0)
    return graph_trained(k, run, [first, second], outputs, x, validation_split=0.25, sample_weight=weights)


@case
def generator_of_lists(k, run):
    L = k.layers
    first, second = k.Input((6,)), k.Input((4,))
    model = k.Model([first, second], L.Dense(2)(L.Concatenate()([first, second])))
    model.compile(k.optimizers.SGD(0.05), "mse")
    run.start(model)
    a, b, y = run.x(24, 6), run.x(24, 4), run.x(24, 2)

    def batches():
        while True:
            for i in range(0, 24, 8):
                yield (a[i : i + 8], b[i : i + 8]), y[i : i + 8]

    return run.end(model, [a, b], model.fit(batches(), steps_per_epoch=3, epochs=3, verbose=0))


@case
def inception(k, run):
    L = k.layers
    inputs = k.Input((6, 6, 3))
    one = L.Conv2D(2, 1, activation="relu")(inputs)
    three = L.Conv2D(2, 3, padding="same", activation="relu")(L.Conv2D(2, 1)(inputs))
    pooled = L.Conv2D(2, 1)(L.MaxPooling2D(3, strides=1, padding="same")(inputs))
    outputs = L.Dense(2)(L.GlobalMaxPooling2D()(L.concatenate([one, three, pooled])))
    return graph_trained(k, run, inputs, outputs, run.x(10, 6, 6, 3), 10, batch_size=4)


@case
def u_net(k, run):
    L = k.layers
    x, y = run.x(8, 8, 8, 1), run.labels(8, 8, 8, 1, classes=2)
    inputs = k.Input((8, 8, 1))
    down = L.Conv2D(3, 3, padding="same", activation="relu")(inputs)
    low = L.Conv2D(4, 3, padding="same", activation="relu")(L.MaxPooling2D()(down))
    up = L.Concatenate()([L.UpSampling2D()(low), down])
    model = k.Model(inputs, L.Conv2D(1, 1, activation="sigmoid")(up))
    model.compile(k.optimizers.Adam(0.01, epsilon=1e-2), "binary_crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=3))


@case
def squeeze_and_excite(k, run):
    """Channels weighted by what a pooled branch says: broadcasting over the image."""
    L = k.layers
    inputs = k.Input((5, 5, 4))
    x = L.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    gate = L.Dense(4, activation="sigmoid")(L.Dense(2, activation="relu")(L.GlobalAveragePooling2D()(x)))
    x = L.Multiply()([x, L.Reshape((1, 1, 4))(gate)])
    return graph_trained(
        k, run, inputs, L.Dense(2)(L.GlobalAveragePooling2D()(x)), run.x(10, 5, 5, 4), 10, batch_size=4
    )
