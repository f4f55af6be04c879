"""Models that tinynet saves for Keras to read.

    python tests/saving/for_keras.py FOLDER     then tests/fixtures/check_keras_reads.py

Per case an archive <case>.keras, a <case>.weights.h5, and <case>.npz with inputs x0, ..., outputs y0, ... of
`predict` and, of compiled models, targets t0, ... and the loss and weights after one more epoch on them, in
batches of 4, unshuffled.
"""

import sys
from pathlib import Path

import numpy as np

import tinynet
from tinynet import layers

SAMPLES = 12


@tinynet.saving.register_keras_serializable("tests")
def tripled(x):
    return x * 3


def conv_net():
    model = tinynet.Sequential([
        layers.Input((6, 6, 2)), layers.Rescaling(0.5, -0.25),
        layers.Conv2D(3, 3, padding="same", activation="relu",
                      kernel_regularizer=tinynet.regularizers.L1L2(1e-4, 1e-3)),
        layers.BatchNormalization(momentum=0.8), layers.MaxPooling2D(), layers.Flatten(),
        layers.Dropout(0.0, seed=5),
        layers.Dense(3, activation="softmax", kernel_constraint=tinynet.constraints.MaxNorm(1.5)),
    ])  # fmt: skip
    schedule = tinynet.schedules.ExponentialDecay(0.02, 5, 0.5)
    model.compile(tinynet.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, [(6, 6, 2)], [lambda rng: rng.integers(0, 3, SAMPLES)]


def branches():
    image, vector = layers.Input((5, 4, 2), name="image"), layers.Input((7,), name="vector")
    shared = layers.Dense(5, activation="tanh")
    inner = tinynet.Sequential([layers.Input((40,)), layers.Dense(5)], name="inner")
    a = layers.Conv2D(2, 3, padding="same")(image)
    b = layers.DepthwiseConv2D(3, padding="same")(a)
    flat = layers.Flatten()(layers.Add()([a, b]))
    joined = layers.Concatenate()(
        [inner(flat), shared(vector), layers.Multiply()([shared(vector), inner(flat)])]
    )
    outputs = {
        "first": layers.Dense(2, name="first")(joined),
        "second": layers.Dense(1, "sigmoid", name="second")(joined),
    }
    model = tinynet.Model([image, vector], outputs, name="branches")
    model.compile(
        tinynet.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        loss={"first": "mse", "second": tinynet.losses.BinaryCrossentropy(label_smoothing=0.1)},
        loss_weights={"first": 1.0, "second": 0.5},
        metrics={"first": ["mae"], "second": ["accuracy"]},
    )
    targets = [lambda rng: rng.normal(size=(SAMPLES, 2)), lambda rng: rng.integers(0, 2, (SAMPLES, 1))]
    return model, [(5, 4, 2), (7,)], targets


def zoo():
    normalization = layers.Normalization(axis=-1)
    normalization.adapt(np.random.default_rng(1).normal(3, 2, (50, 8, 8, 3)))
    parts = [
        layers.Input((8, 8, 3)), normalization, layers.ZeroPadding2D(((1, 0), (0, 2))),
        layers.Cropping2D(((0, 1), (1, 0))),
        layers.SeparableConv2D(4, 3, depth_multiplier=2, activation="silu"), layers.LayerNormalization(),
        layers.Conv2DTranspose(4, 3, strides=2, padding="same"), layers.GroupNormalization(2),
        layers.LeakyReLU(0.2),
        layers.PReLU(shared_axes=[1, 2]), layers.UpSampling2D(2), layers.AveragePooling2D(3, 2, "same"),
        layers.SpatialDropout2D(0.2), layers.GaussianNoise(0.1), layers.ELU(0.7), layers.Permute((3, 1, 2)),
        layers.Reshape((4, -1)), layers.Conv1D(5, 3, padding="causal", dilation_rate=2),
        layers.MaxPooling1D(2),
        layers.ZeroPadding1D(2), layers.Cropping1D((1, 1)), layers.UpSampling1D(2),
        layers.AveragePooling1D(2),
        layers.SpatialDropout1D(0.1), layers.Activation("hard_sigmoid"), layers.ReLU(max_value=0.9),
        layers.UnitNormalization(), layers.RMSNormalization(), layers.Lambda(tripled),
        layers.GlobalAveragePooling1D(),
        layers.AlphaDropout(0.1), layers.GaussianDropout(0.1), layers.ActivityRegularization(l2=0.1),
        layers.Dense(4, kernel_initializer="he_normal",
                     bias_initializer=tinynet.initializers.RandomNormal(stddev=0.1)),
        layers.RepeatVector(3), layers.GlobalMaxPooling1D(), layers.Identity(), layers.Softmax(),
    ]  # fmt: skip
    return tinynet.Sequential(parts, name="zoo"), [(8, 8, 3)], []


def images():
    """Channels first, augmentation, and what is left of merging."""
    x = layers.Input((4, 6, 6))
    y = layers.Conv2D(4, 3, padding="same", data_format="channels_first")(x)
    y = layers.RandomFlip(seed=3, data_format="channels_first")(y)
    y = layers.RandomRotation(0.1, data_format="channels_first")(y)
    parts = [layer()([x, y]) for layer in (layers.Subtract, layers.Average, layers.Maximum, layers.Minimum)]
    pooled = [layers.GlobalMaxPooling2D(data_format="channels_first")(part) for part in parts]
    pooled += [
        layers.GlobalAveragePooling2D(data_format="channels_first", keepdims=False)(part) for part in parts
    ]
    last = layers.Dot(1)([layers.Concatenate()(pooled[:4]), layers.Concatenate()(pooled[4:])])
    return tinynet.Model(x, last, name="images"), [(4, 6, 6)], []


def plain(optimizer):
    model = tinynet.Sequential([layers.Input((4,)), layers.Dense(3, activation="elu"), layers.Dense(1)])
    model.compile(optimizer, tinynet.losses.LogCosh())
    return model, [(4,)], [lambda rng: rng.normal(size=(SAMPLES, 1))]


CASES = {
    "conv_net": conv_net,
    "branches": branches,
    "zoo": zoo,
    "images": images,
    "sgd": lambda: plain(tinynet.optimizers.SGD(0.05, momentum=0.9, nesterov=True, global_clipnorm=0.5)),
    "nadam": lambda: plain(tinynet.optimizers.Nadam(0.02, use_ema=True, ema_momentum=0.9)),
    "adamw": lambda: plain(tinynet.optimizers.AdamW(0.02, amsgrad=True, gradient_accumulation_steps=2)),
    "adadelta": lambda: plain(tinynet.optimizers.Adadelta(0.5)),
    "lion": lambda: plain(tinynet.optimizers.Lion(0.01, weight_decay=0.01)),
    "adagrad": lambda: plain(tinynet.optimizers.Adagrad(tinynet.schedules.CosineDecay(0.1, 20, alpha=0.1))),
    "adamax": lambda: plain(tinynet.optimizers.Adamax(0.02, clipvalue=0.5)),
}


def write(folder: Path) -> None:
    for number, (name, make) in enumerate(CASES.items()):
        tinynet.utils.set_random_seed(number)
        rng = np.random.default_rng(number)
        model, shapes, targets = make()
        before = [
            w if w.dtype.kind == "i" else w + 0.1 * np.abs(rng.normal(size=w.shape))
            for w in model.get_weights()
        ]
        model.set_weights(before)
        x = [rng.normal(size=(SAMPLES, *shape)).astype(np.float32) for shape in shapes]
        t = [np.asarray(target(rng), np.float32) for target in targets]
        given = x if len(x) > 1 else x[0]
        wanted = dict(zip(model.output_names, t, strict=True)) if len(t) > 1 else [*t, None][0]
        if t:
            model.fit(given, wanted, batch_size=4, epochs=2, shuffle=False, verbose=0)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        outputs = model.predict(given, verbose=0)
        outputs = [outputs[key] for key in sorted(outputs)] if isinstance(outputs, dict) else [outputs]
        found = {f"x{i}": a for i, a in enumerate(x)} | {f"y{i}": a for i, a in enumerate(outputs)}
        found |= {f"before{i}": w for i, w in enumerate(model.get_weights())}
        if t:
            found |= {f"t{i}": a for i, a in enumerate(t)}
            found["loss"] = model.fit(
                given, wanted, batch_size=4, epochs=1, shuffle=False, verbose=0
            ).history["loss"]
            found |= {f"w{i}": w for i, w in enumerate(model.get_weights())}
        np.savez_compressed(folder / f"{name}.npz", **found)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    write(Path(sys.argv[1]))
