"""The convolution family with its options, in both data formats."""

from keras_fixtures.cases.nets import fitted, layer_trained
from keras_fixtures.harness import case, cases

FIRST = {"data_format": "channels_first"}
LAST_SHAPE, FIRST_SHAPE = (7, 6, 4), (4, 7, 6)
CONV2D = {
    "valid": lambda L, **f: L.Conv2D(3, 3, **f),
    "same": lambda L, **f: L.Conv2D(3, 3, padding="same", **f),
    "even_same": lambda L, **f: L.Conv2D(3, (2, 4), padding="same", **f),
    "strides": lambda L, **f: L.Conv2D(3, 3, 2, **f),
    "strides_same": lambda L, **f: L.Conv2D(3, 3, (2, 3), padding="same", **f),
    "dilation": lambda L, **f: L.Conv2D(3, 2, dilation_rate=(3, 2), **f),
    "dilation_same": lambda L, **f: L.Conv2D(3, 3, padding="same", dilation_rate=2, **f),
    "groups": lambda L, **f: L.Conv2D(6, 3, groups=2, **f),
    "no_bias": lambda L, **f: L.Conv2D(3, (3, 2), use_bias=False, **f),
    "activation": lambda L, **f: L.Conv2D(3, 3, activation="tanh", **f),
    "relu_same": lambda L, **f: L.Conv2D(3, 3, padding="same", activation="relu", **f),
    "one": lambda L, **f: L.Conv2D(5, 1, activation="elu", **f),
}
DEPTHWISE = {
    "valid": lambda L, **f: L.DepthwiseConv2D(3, **f),
    "same": lambda L, **f: L.DepthwiseConv2D((3, 2), padding="same", **f),
    "multiplier": lambda L, **f: L.DepthwiseConv2D(3, depth_multiplier=2, activation="tanh", **f),
    "strides": lambda L, **f: L.DepthwiseConv2D(3, 2, padding="same", **f),
    "dilation": lambda L, **f: L.DepthwiseConv2D(2, dilation_rate=2, use_bias=False, **f),
}
SEPARABLE = {
    "valid": lambda L, **f: L.SeparableConv2D(3, 3, **f),
    "same": lambda L, **f: L.SeparableConv2D(3, (2, 3), padding="same", activation="tanh", **f),
    "multiplier": lambda L, **f: L.SeparableConv2D(3, 3, depth_multiplier=2, use_bias=False, **f),
    "strides": lambda L, **f: L.SeparableConv2D(3, 3, strides=2, **f),
    "dilation": lambda L, **f: L.SeparableConv2D(3, 2, dilation_rate=2, padding="same", **f),
}
TRANSPOSED = {
    "valid": lambda L, **f: L.Conv2DTranspose(2, 3, **f),
    "same": lambda L, **f: L.Conv2DTranspose(2, 3, padding="same", activation="tanh", **f),
    "strides": lambda L, **f: L.Conv2DTranspose(2, 3, strides=2, **f),
    "strides_same": lambda L, **f: L.Conv2DTranspose(2, 3, strides=2, padding="same", **f),
    "even_same": lambda L, **f: L.Conv2DTranspose(2, (2, 4), strides=(2, 1), padding="same", **f),
    "wide_strides": lambda L, **f: L.Conv2DTranspose(2, 2, strides=3, use_bias=False, **f),
    "output_padding": lambda L, **f: L.Conv2DTranspose(2, 3, strides=3, output_padding=2, **f),
    "output_padding_same": lambda L, **f: L.Conv2DTranspose(
        2, 4, strides=3, padding="same", output_padding=2, **f
    ),
    "dilation": lambda L, **f: L.Conv2DTranspose(2, 2, dilation_rate=2, **f),
}
CONV1D = {
    "valid": lambda L, **f: L.Conv1D(3, 3, **f),
    "same": lambda L, **f: L.Conv1D(3, 4, padding="same", **f),
    "causal": lambda L, **f: L.Conv1D(3, 3, padding="causal", **f),
    "causal_dilation": lambda L, **f: L.Conv1D(
        3, 3, padding="causal", dilation_rate=2, activation="tanh", **f
    ),
    "strides": lambda L, **f: L.Conv1D(3, 3, 2, "same", **f),
    "groups": lambda L, **f: L.Conv1D(4, 3, groups=2, use_bias=False, **f),
}


def both(table):
    """Each option in both data formats."""
    return {
        name + suffix: (make, form)
        for name, make in table.items()
        for suffix, form in (("", {}), ("_first", FIRST))
    }


def trained(k, run, option):
    make, form = option
    return layer_trained(k, run, FIRST_SHAPE if form else LAST_SHAPE, make(k.layers, **form))


@cases(both(CONV2D))
def conv2d(k, run, option):
    return trained(k, run, option)


@cases(both(DEPTHWISE))
def depthwise(k, run, option):
    return trained(k, run, option)


@cases(both(SEPARABLE))
def separable(k, run, option):
    return trained(k, run, option)


@cases(both(TRANSPOSED))
def transposed(k, run, option):
    return trained(k, run, option)


@cases(CONV1D)
def conv1d(k, run, make):
    return layer_trained(k, run, (9, 4), make(k.layers))


@cases({"valid": "valid", "same": "same"})
def conv1d_first(k, run, padding):
    return layer_trained(k, run, (4, 9), k.layers.Conv1D(3, 3, padding=padding, **FIRST))


@case
def old_names(k, run):
    layers = [
        k.layers.Convolution2D(3, 3),
        k.layers.SeparableConvolution2D(2, 3),
        k.layers.Convolution2DTranspose(2, 2),
    ]
    return layer_trained(k, run, LAST_SHAPE, *layers)


@case
def vgg(k, run):
    """What these layers are for."""
    L = k.layers
    x, y = run.x(20, 12, 12, 2), run.labels(20, classes=5)
    model = k.Sequential(
        [
            k.Input((12, 12, 2)),
            L.Conv2D(4, 3, padding="same", activation="relu"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.Conv2D(6, 3, activation="relu"),
            L.BatchNormalization(momentum=0.9),
            L.AveragePooling2D(2, padding="same", strides=1),
            L.Flatten(),
            L.Dense(10, activation="sigmoid"),
            L.Dense(5, activation="softmax"),
        ]
    )
    model.compile(
        k.optimizers.Adam(0.01, epsilon=1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    run.start(model)
    return run.end(model, x, fitted(model, x, y, batch_size=7, validation_split=0.2))


@case
def autoencoder(k, run):
    L = k.layers
    x = run.uniform(10, 8, 8, 1)
    encoder = [L.Conv2D(4, 3, strides=2, padding="same", activation="selu"), L.Conv2D(2, 3, padding="same")]
    decoder = [
        L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="selu"),
        L.Conv2D(1, 3, padding="same"),
    ]
    model = k.Sequential([k.Input((8, 8, 1)), *encoder, *decoder, L.Activation("sigmoid")])
    model.compile(k.optimizers.RMSprop(0.005, epsilon=1e-3), "binary_crossentropy", metrics=["mae"])
    run.start(model)
    return run.end(model, x, fitted(model, x, x, batch_size=4))


@case
def assorted(k, run):
    """Dilated groups, shared slopes, reshaping between."""
    L = k.layers
    first = [L.Conv2D(6, 3, dilation_rate=2, groups=2, use_bias=False), L.BatchNormalization(scale=False)]
    second = [
        L.PReLU(shared_axes=[1, 2]),
        L.Conv2D(4, 1, activation="selu"),
        L.LeakyReLU(),
        L.Reshape((2, -1, 4)),
    ]
    return layer_trained(k, run, (7, 6, 4), *first, *second, L.GlobalAveragePooling2D())


@case
def assorted_first(k, run):
    L = k.layers
    first = [
        L.ZeroPadding2D(((1, 0), (0, 2)), **FIRST),
        L.Conv2D(4, (3, 2), strides=2, activation="elu", **FIRST),
    ]
    second = [
        L.BatchNormalization(axis=1),
        L.MaxPooling2D(3, strides=1, padding="same", **FIRST),
        L.Flatten(**FIRST),
    ]
    return layer_trained(k, run, FIRST_SHAPE, *first, *second)


@case
def channels_first_everywhere(k, run):
    """The global setting, which layers made under it keep."""
    L = k.layers
    k.config.set_image_data_format("channels_first")
    try:
        layers = [L.Conv2D(3, 3), L.MaxPooling2D(), L.Conv2D(2, 2, padding="same"), L.GlobalMaxPooling2D()]
        return layer_trained(k, run, FIRST_SHAPE, *layers)
    finally:
        k.config.set_image_data_format("channels_last")
