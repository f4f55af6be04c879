"""Layers and models that are used more than once, put into one another, taken apart or copied."""

from keras_fixtures.cases.nets import fitted, graph_trained
from keras_fixtures.harness import case


@case
def shared_layer(k, run):
    """Two inputs through the same layer: its gradients add up."""
    L = k.layers
    first, second = k.Input((6,)), k.Input((6,))
    shared = L.Dense(8, activation="tanh", kernel_regularizer="l2")
    outputs = L.Dense(2)(L.Concatenate()([shared(first), shared(second)]))
    return graph_trained(k, run, [first, second], outputs, [run.x(28, 6), run.x(28, 6)])


@case
def layer_after_itself(k, run):
    L = k.layers
    inputs = k.Input((6,))
    again = L.Dense(6, activation="tanh")
    return graph_trained(k, run, inputs, L.Dense(2)(again(again(again(inputs)))), run.x(28, 6))


@case
def shared_batch_normalization(k, run):
    """Called twice in a step, it moves its statistics twice."""
    L = k.layers
    first, second = k.Input((6,)), k.Input((6,))
    norm = L.BatchNormalization(momentum=0.7)
    outputs = L.Dense(2)(L.Subtract()([norm(first), norm(second)]))
    return graph_trained(k, run, [first, second], outputs, [run.x(28, 6), 2 * run.x(28, 6) + 1])


@case
def siamese(k, run):
    """A model as a layer, used for two inputs."""
    L = k.layers
    tower = k.Sequential([k.Input((5, 5, 2)), L.Conv2D(3, 3, activation="relu"), L.Flatten(), L.Dense(4)])
    first, second = k.Input((5, 5, 2)), k.Input((5, 5, 2))
    outputs = L.Dense(2)(L.Subtract()([tower(first), tower(second)]))
    images = [run.x(10, 5, 5, 2), run.x(10, 5, 5, 2)]
    return graph_trained(k, run, [first, second], outputs, images, 10, batch_size=4)


@case
def nested(k, run):
    """A functional model in a functional model in a Sequential."""
    L = k.layers
    a = k.Input((6,))
    inner = k.Model(a, L.Add()([L.Dense(6, activation="tanh")(a), a]))
    b = k.Input((6,))
    middle = k.Model(b, L.Dense(4, activation="tanh")(inner(inner(b))))
    model = k.Sequential([k.Input((6,)), middle, L.Dense(2)])
    model.compile(k.optimizers.SGD(0.05), "mse")
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2)), inner=inner.predict(x[:3], verbose=0))


@case
def parts_of_a_model(k, run):
    """A second model on the same layers sees what the first one learned."""
    L = k.layers
    inputs = k.Input((6,))
    hidden = L.Dense(8, activation="tanh", name="hidden")(inputs)
    model = k.Model(inputs, L.Dense(2)(hidden))
    features = k.Model(inputs, hidden)
    model.compile(k.optimizers.SGD(0.1), "mse")
    run.start(model)
    x = run.x(28, 6)
    history = fitted(model, x, run.x(28, 2))
    again = k.Model(model.input, model.get_layer("hidden").output)
    return run.end(
        model, x, history, features=features.predict(x[:4], verbose=0), again=again.predict(x[:4], verbose=0)
    )


@case
def add_and_pop(k, run):
    """A Sequential whose layers are added, taken away and added again."""
    L = k.layers
    model = k.Sequential()
    for layer in (k.Input((6,)), L.Dense(8, activation="tanh"), L.Dense(5), L.Dense(4, activation="relu")):
        model.add(layer)
    model.pop()
    model.add(L.Dense(2))
    model.compile(k.optimizers.SGD(0.05), "mse")
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2)), layers=len(model.layers))


@case
def shared_by_two_models(k, run):
    """`Sequential(other.layers[:-1])` trains the layers of the other one."""
    L = k.layers
    first = k.Sequential([k.Input((6,)), L.Dense(8, activation="tanh"), L.Dense(3)])
    run.start(first)
    second = k.Sequential([k.Input((6,)), *first.layers[:-1], L.Dense(2)])
    second.layers[-1].set_weights([run.x(8, 2), run.x(2)])
    second.compile(k.optimizers.SGD(0.05), "mse")
    x = run.x(28, 6)
    return run.end(second, x, fitted(second, x, run.x(28, 2)), first=first.predict(x[:5], verbose=0))


@case
def cloned(k, run):
    """A clone has the same layers, weights of its own, and gets the same numbers from the same start."""
    L = k.layers
    inputs = k.Input((6,))
    x = L.Dense(8, activation="tanh", kernel_regularizer=k.regularizers.L2(0.05))(inputs)
    model = k.Model(inputs, L.Dense(2, kernel_constraint="non_neg")(L.Add()([x, L.Dense(8)(inputs)])))
    clone = k.models.clone_model(model)
    run.start(model)
    clone.set_weights(model.get_weights())
    clone.compile(k.optimizers.SGD(0.05), "mse")
    x = run.x(28, 6)
    return run.end(clone, x, fitted(clone, x, run.x(28, 2)), original=model.predict(x[:5], verbose=0))


@case
def from_config(k, run):
    """get_config and from_config keep everything that training depends on."""
    L = k.layers
    inputs = k.Input((6, 5, 2))
    x = L.Conv2D(3, 3, activation="relu", padding="same", kernel_regularizer="l2")(inputs)
    x = L.BatchNormalization(momentum=0.7)(x)
    x = L.Concatenate()([L.MaxPooling2D()(x), L.AveragePooling2D(2)(x)])
    model = k.Model(inputs, L.Dense(2, bias_constraint="non_neg")(L.Flatten()(x)))
    again = k.Model.from_config(model.get_config())
    again.compile(k.optimizers.SGD(0.02), "mse")
    run.start(again)
    images = run.x(10, 6, 5, 2)
    return run.end(again, images, fitted(again, images, run.x(10, 2), batch_size=4))
