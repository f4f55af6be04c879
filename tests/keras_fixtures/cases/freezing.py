"""What is trained and what is not: frozen layers and models, frozen batch normalisation, fine-tuning."""

from keras_fixtures.cases.nets import fitted
from keras_fixtures.harness import case, cases

FROZEN = {"first": [0], "middle": [1], "last": [2], "two": [0, 2]}


def net(k):
    L = k.layers
    layers = [
        L.Dense(8, activation="tanh", kernel_regularizer="l2"),
        L.Dense(5, activation="relu", kernel_regularizer="l2"),
    ]
    return k.Sequential([k.Input((6,)), *layers, L.Dense(2)])


def compiled(k, model, optimizer=None):
    model.compile(optimizer or k.optimizers.SGD(0.1, momentum=0.5), "mse")
    return model


@cases(FROZEN)
def frozen(k, run, which):
    """Penalties of frozen layers are not added."""
    model = net(k)
    for i in which:
        model.layers[i].trainable = False
    compiled(k, model)
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2)), count=len(model.trainable_weights))


@cases(
    {
        "sgd": lambda o: o.SGD(0.1, weight_decay=0.2),
        "adam": lambda o: o.Adam(0.02, epsilon=1e-2, weight_decay=0.2),
    }
)
def frozen_and_decayed(k, run, make):
    """Weight decay leaves frozen weights alone."""
    model = net(k)
    model.layers[1].trainable = False
    compiled(k, model, make(k.optimizers))
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2)))


@case
def made_frozen(k, run):
    """`trainable=False` as an argument of the layer."""
    L = k.layers
    model = k.Sequential(
        [k.Input((6,)), L.Dense(8, activation="tanh", trainable=False), L.BatchNormalization(), L.Dense(2)]
    )
    compiled(k, model)
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2)))


@case
def thawed(k, run):
    """Head first, then everything with a smaller rate, compiled again."""
    model = net(k)
    x, y = run.x(28, 6), run.x(28, 2)
    for layer in model.layers[:-1]:
        layer.trainable = False
    compiled(k, model)
    run.start(model)
    first = fitted(model, x, y)
    for layer in model.layers:
        layer.trainable = True
    compiled(k, model, k.optimizers.SGD(0.02))
    return run.end(model, x, {"first": first, "second": fitted(model, x, y)})


@case
def frozen_between_fits(k, run):
    model = net(k)
    x, y = run.x(28, 6), run.x(28, 2)
    compiled(k, model)
    run.start(model)
    first = fitted(model, x, y, epochs=2)
    model.layers[0].trainable = False
    compiled(k, model)
    return run.end(model, x, {"first": first, "second": fitted(model, x, y, epochs=2)})


@cases({"frozen": False, "trained": True})
def batch_normalization(k, run, trainable):
    """A frozen one normalises by its moving statistics, in training too, and does not move them."""
    L = k.layers
    norm = L.BatchNormalization(momentum=0.6)
    model = k.Sequential([k.Input((6,)), L.Dense(8), norm, L.Activation("relu"), L.Dense(2)])
    norm.trainable = trainable
    compiled(k, model)
    run.start(model)
    x = run.x(28, 6)
    return run.end(model, x, fitted(model, x, run.x(28, 2), validation_split=0.25))


@case
def batch_normalization_of_images(k, run):
    """Frozen, between convolutions that are trained."""
    L = k.layers
    norm = L.BatchNormalization(trainable=False)
    layers = [L.Conv2D(4, 3), norm, L.Activation("relu"), L.Flatten(), L.Dense(2)]
    model = compiled(k, k.Sequential([k.Input((6, 6, 2)), *layers]), k.optimizers.SGD(0.02))
    run.start(model)
    x = run.x(10, 6, 6, 2)
    return run.end(model, x, fitted(model, x, run.x(10, 2), batch_size=4))


def features(k):
    L = k.layers
    inputs = k.Input((6, 6, 2))
    x = L.Conv2D(3, 3, activation="relu")(inputs)
    x = L.BatchNormalization(momentum=0.6)(x)
    return k.Model(inputs, L.GlobalAveragePooling2D()(x))


# A base that is trained and called with training=False is left out: Keras's guide promises inference mode,
# its Functional overrules it in fit.
@cases({"frozen": {}, "in_inference_mode": {"training": False}})
def transfer(k, run, settings):
    """A frozen model as a layer below a new head."""
    base = features(k)
    base.trainable = False
    inputs = k.Input((6, 6, 2))
    model = compiled(k, k.Model(inputs, k.layers.Dense(2)(base(inputs, **settings))))
    run.start(model)
    x = (1 + len(settings)) * run.x(10, 6, 6, 2)
    return run.end(model, x, fitted(model, x, run.x(10, 2), batch_size=4))


@case
def fine_tuned(k, run):
    """The base is thawed, but for its batch normalisation."""
    base = features(k)
    base.trainable = False
    inputs = k.Input((6, 6, 2))
    model = k.Model(inputs, k.layers.Dense(2)(base(inputs, training=False)))
    compiled(k, model)
    run.start(model)
    x, y = run.x(10, 6, 6, 2), run.x(10, 2)
    first = fitted(model, x, y, batch_size=4)
    for layer in base.layers:
        layer.trainable = not isinstance(layer, k.layers.BatchNormalization)
    compiled(k, model, k.optimizers.SGD(0.03))
    return run.end(model, x, {"first": first, "second": fitted(model, x, y, batch_size=4)})


@case
def adversary(k, run):
    """Two models share layers; each trains its own part of them."""
    L = k.layers
    judge = k.Sequential([k.Input((4,)), L.Dense(6, activation="tanh"), L.Dense(1, activation="sigmoid")])
    judge.compile(k.optimizers.SGD(0.2), "binary_crossentropy")
    maker = k.Sequential([k.Input((3,)), L.Dense(4)])
    judge.trainable = False
    both = k.Sequential([k.Input((3,)), maker, judge])
    both.compile(k.optimizers.SGD(0.2), "binary_crossentropy")
    run.start(both)
    losses = []
    for _ in range(3):
        noise, real = run.x(8, 3), run.x(8, 4) + 1
        losses.append(float(both.train_on_batch(noise, real[:, :1] * 0 + 1)))
    return run.end(both, run.x(6, 3), losses=losses, judge=judge)
