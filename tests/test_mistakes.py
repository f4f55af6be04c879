"""What beginners do wrong, and what they are told: the message says what was expected,
what came, and what to write.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import Input, Model, Sequential, Tensor, callbacks, layers, losses, metrics, ops, optimizers
from tinynet.suggestions import hint, nearest

IMAGES = np.linspace(0, 1, 32 * 8 * 8, dtype=np.float32).reshape(32, 8, 8, 1)
ROWS = IMAGES[:, 0, :, 0]
LABELS = np.arange(32) % 10


def net(*inner, loss="sparse_categorical_crossentropy", **settings):
    model = Sequential(
        [Input((8, 8, 1)), *(inner or (layers.Flatten(), layers.Dense(10, activation="softmax")))]
    )
    model.compile("adam", loss, **settings)
    return model


def fit(x, y, *inner, loss="sparse_categorical_crossentropy", **settings):
    return net(*inner, loss=loss).fit(x, y, verbose=0, **settings)


class NoReturn(layers.Layer):
    def call(self, x):
        x * 2


class NoReturnModel(Model):
    def call(self, x):
        x * 2


def compiled(model):
    model.compile("sgd", "mse")
    return model


def twice():
    layer = layers.Dense(3)
    return Sequential([layer, layer])


SEGMENTED = np.zeros((32, 8, 8), int)
x = Input((8, 8, 1))
MISTAKES = {
    # Shapes
    "Input(8, 8, 1)": (lambda: Input(8, 8, 1), r"one tuple: Input\(\(8, 8, 1\)\)"),
    "Input(8)": (lambda: Input(8), r"one tuple: Input\(\(8,\)\)"),
    "one image": (lambda: net().predict(IMAGES[0], verbose=0), (
        r"got \(8, 8, 1\); that is the shape of one "
        r"sample: x\[None"
    )),
    "no channel": (lambda: net().predict(IMAGES[0, ..., 0], verbose=0), (
        r"got \(8, 8\).*x\[None, "
        r"..., None\]"
    )),
    "channels first": (lambda: fit(IMAGES.transpose(0, 3, 1, 2), LABELS), (
        r"np.moveaxis\(x, 1, -1\) puts "
        r"them last"
    )),
    "flat images": (lambda: fit(IMAGES.reshape(32, -1), LABELS), r"x.reshape\(-1, 8, 8, 1\) fits"),
    "another size": (lambda: fit(IMAGES[:, :7], LABELS), r"got \(32, 7, 8, 1\); reshape the data"),
    "no Flatten, labels": (lambda: fit(IMAGES, LABELS, layers.Dense(10, "softmax")), (
        r"Flatten\(\) or "
        r"GlobalAveragePooling2D"
    )),
    "no Flatten, one-hot": (
        lambda: fit(IMAGES, np.eye(10)[LABELS], layers.Dense(10, "softmax"), loss="categorical_crossentropy"),
        r"Flatten\(\) or GlobalAveragePooling2D",
    ),
    "Conv2D on rows": (lambda: Sequential([Input((64,)), layers.Conv2D(8, 3)]), (
        r"<Conv2D '.*expects an input "
        r"of 4 axes"
    )),
    (
        "a window that is too "
        "large"
    ): (lambda: Sequential([Input((8, 8, 1)), layers.Conv2D(8, 9)]), "padding='same'"),
    "Reshape(4, 4)": (lambda: layers.Reshape(4, 4), r"write Reshape\(\(4, 4\)\)"),
    # Calls
    "Flatten(x)": (lambda: layers.Flatten(x), r"Flatten\(\)\(x\)"),
    "Dense(x)": (lambda: layers.Dense(x), r"Dense\(\.\.\.\)\(x\)"),
    "Dropout(array)": (lambda: layers.Dropout(IMAGES), (
        r"Dropout\(...\)\(x\); "
        r"got a tensor of shape \(32, 8, 8, 1\)"
    )),
    "MaxPooling2D(x)": (lambda: layers.MaxPooling2D(x), r"MaxPooling2D\(\)\(x\)"),
    "Sequential(a, b)": (lambda: Sequential(layers.Flatten(), layers.Dense(3)), (
        r"one list: Sequential\(\[layer, "
        r"layer\]\)"
    )),
    "Sequential(Input, b)": (lambda: Sequential(Input((8,)), layers.Dense(3)), (
        r"one list: Sequential\(\[layer, "
        r"layer\]\)"
    )),
    "a list in the list": (lambda: Sequential([[layers.Flatten()]]), "write the layers in one list"),
    "a class": (lambda: Sequential([layers.Flatten]), r"got Flatten; write Flatten\(\.\.\.\)"),
    "a string": (lambda: Sequential(["relu"]), r"write Activation\('relu'\)"),
    "a function": (lambda: Sequential([ops.relu]), r"Lambda\(function\)"),
    "an array": (lambda: Sequential([IMAGES]), r"got <array \(32, 8, 8, 1\) float32>"),
    "one layer twice": (twice, r"<Dense '.*'> is in it already.*make another one"),
    "one name twice": (lambda: Sequential([layers.ReLU(name="a"), layers.ReLU(name="a")]), (
        "a layer named 'a' "
        "already"
    )),
    "a layer for an output": (lambda: Model(x, layers.Dense(3)), (
        r"got Dense\(3\); call the layer "
        r"on a tensor"
    )),
    "an array for an input": (lambda: Model(IMAGES, IMAGES), r"got <array \(32, 8, 8, 1\) float32>"),
    "no return": (lambda: NoReturn()(ROWS), r"<NoReturn '.*'>: call\(\) returned None"),
    "no return in a model": (lambda: compiled(NoReturnModel()).fit(ROWS, ROWS, verbose=0), (
        r"call\(\) returned "
        r"None"
    )),
    "None for an array": (lambda: layers.Dense(3)(None), "got None"),
    "text for an array": (lambda: layers.Dense(3)("x"), "holds numbers, got str 'x'"),
    "NumPy on a symbol": (lambda: np.sum(x), "has no numbers"),
    # Data
    "a list of images": (lambda: fit(list(IMAGES), LABELS), r"32 inputs of a model; np.stack\(x\)"),
    "a list of images to predict": (lambda: net().predict(list(IMAGES), verbose=0), (
        r"np.stack\(x\) makes one "
        r"array"
    )),
    "x and y in one": (lambda: fit((IMAGES, LABELS), None), "x and y are two arguments"),
    "unequal lengths": (lambda: fit(IMAGES, LABELS[:-2]), "x has 32, y has 30"),
    "no y": (lambda: fit(IMAGES, None), "y is missing"),
    "text": (lambda: fit("mnist", LABELS), "must be an array.*got 'mnist'"),
    "ragged": (lambda: fit([[1, 2], [3]], [1, 2]), "differ in length.*np.stack"),
    "objects": (lambda: fit(IMAGES.astype(object), LABELS), r"dtype object.*astype\('float32'\)"),
    "names of classes": (lambda: fit(IMAGES, np.array(["cat", "dog"] * 16)), "np.unique"),
    "labels from 1": (lambda: fit(IMAGES, LABELS + 1), "got the label 10.*number the classes from 0"),
    (
        "labels for "
        "one-hot"
    ): (lambda: fit(IMAGES, LABELS, loss="categorical_crossentropy"), "sparse_categorical_crossentropy"),
    "one-hot for labels": (lambda: fit(IMAGES, np.eye(10)[LABELS]), "use categorical_crossentropy"),
    "class_weight for pixels": (
        lambda: fit(IMAGES, SEGMENTED, layers.Conv2D(2, 1, activation="softmax"),
                    class_weight={0: 1.0, 1: 2.0}),
        r"y has shape \(32, 8, 8\); give sample_weight",
    ),
    # Numbers and words
    "units as text": (lambda: layers.Dense("10"), "units must be a positive integer, got '10'"),
    "units as a float": (lambda: layers.Dense(10.0), "units must be a positive integer, got 10.0"),
    "kernel_size as text": (lambda: layers.Conv2D(8, "3"), (
        "kernel_size must be an integer or a "
        "pair.*got '3'"
    )),
    "no kernel_size": (lambda: layers.Conv2D(8), "needs the argument 'kernel_size'"),
    "epochs as text": (lambda: fit(IMAGES, LABELS, epochs="5"), "epochs must be an integer >= 0, got '5'"),
    "rate in percent": (lambda: layers.Dropout(50), "the fraction to drop, between 0 and 1, got 50"),
    "the input's size first": (lambda: layers.Dense(8, 3), (
        "activation identifier 3 of type "
        "int.*such as 'relu'"
    )),
    "a misspelt argument": (lambda: layers.Dense(3, activaton="relu"), "did you mean 'activation'"),
    "a misspelt argument of fit": (lambda: fit(IMAGES, LABELS, batchsize=3), "did you mean 'batch_size'"),
    "an argument of other layers": (lambda: layers.Dense(3, stride=2), (
        "written strides today, "
        "which is not accepted"
    )),
    "an argument that is gone": (lambda: fit(IMAGES, LABELS, workers=2), (
        r"'workers': it is gone: "
        r"batches are made"
    )),
    "nothing alike": (lambda: layers.Identity(qqq=1), "has no argument 'qqq': it has .*name"),
    "two arguments": (lambda: optimizers.SGD(lr=0.1, momentun=0.9), (
        "'lr': it is written.*; 'momentun': "
        "did you"
    )),
    "an activation's case": (lambda: layers.Dense(3, activation="ReLU"), "did you mean 'relu'"),
    "an initializer's case": (lambda: layers.Dense(3, kernel_initializer="HE_NORMAL"), (
        "did you mean "
        "'he_normal'"
    )),
    "half an initializer": (lambda: layers.Dense(3, kernel_initializer="he"), "'he_normal' or 'he_uniform'"),
    "a number for a regularizer": (lambda: layers.Dense(3, kernel_regularizer=0.01),
                                   r"'l2' or regularizers.L2\(0.01\)"),
    "a metric's half": (lambda: net(metrics=["f1"]), "did you mean 'f1_score'"),
    "a misspelt metric": (lambda: net(metrics=["acuracy"]), "did you mean 'accuracy'"),
    "a misspelt loss": (lambda: net(loss="mean_squard_error"), "did you mean 'mean_squared_error'"),
    (
        "a number for an "
        "optimizer"
    ): (lambda: net().compile(0.01, "mse"), r"optimizers.Adam\(learning_rate=0.01\)"),
    "metrics in third place": (lambda: net().compile("adam", "mse", ["accuracy"]), r"metrics=\[...\]"),
    "a callback's class": (
        lambda: fit(IMAGES, LABELS, callbacks=[callbacks.EarlyStopping]), r"write EarlyStopping\(...\)",
    ),
    "a callback's name": (lambda: fit(IMAGES, LABELS, callbacks="early_stopping"), "got 'early_stopping'"),
    (
        "a function as "
        "callback"
    ): (lambda: fit(IMAGES, LABELS, callbacks=[print]), r"LambdaCallback\(on_epoch_end=function\)"),
    "fit before compile": (lambda: Sequential([layers.Dense(3)]).fit(ROWS, ROWS), (
        r"call compile\(optimizer, "
        r"loss\)"
    )),
    "no loss": (lambda: net(loss=None).fit(IMAGES, LABELS, verbose=0), r"compile\(optimizer, loss=...\)"),
    "rows of several lengths": (lambda: Tensor([[1, 2], [3]]), "parts of different lengths"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.filterwarnings("ignore")
def test_a_mistake_is_explained(name):
    make, message = MISTAKES[name]
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        make()
    text = str(caught.value)
    assert len(text) < 330, text
    assert " object at 0x" not in text
    assert not any(isinstance(error, AttributeError | KeyError | IndexError) for error in (caught.value,))


def test_lists_of_names_are_short():
    for make in (
        lambda: layers.Dense(3, activation="foo"),
        lambda: net(metrics=["foo"]),
        lambda: net(loss="foo"),
        lambda: layers.Dense(3, kernel_initializer="foo"),
    ):
        with pytest.raises(
            ValueError, match=r"Could not interpret \w+ identifier 'foo': there are .*and \d+ more"
        ) as caught:
            make()
        assert len(str(caught.value)) < 250


def test_memory_of_objects_is_never_read():
    with pytest.raises(TypeError, match="not with Python objects"):
        ops.cast(Tensor([1.0, 2.0]), dtype=object)
    with pytest.raises(TypeError, match="holds numbers, got None"):
        Tensor(None)


# Names that are not there

TORCH = [
    (layers, "Linear", "Dense"), (layers, "Conv2d", "Conv2D"), (layers, "MaxPool2d", "MaxPool2D"),
    (layers, "BatchNorm2d", "BatchNormalization"), (layers, "ConvTranspose2d", "Conv2DTranspose"),
    (losses, "CrossEntropyLoss", "SparseCategoricalCrossentropy"), (losses, "MSELoss", "MeanSquaredError"),
    (tinynet, "nn", r"tinynet\.layers"), (tinynet, "optim", r"tinynet\.optimizers"),
    (tinynet, "tensor", r"tinynet\.Tensor"),
    (tinynet, "cuda", "set_device"), (tinynet, "manual_seed", "set_random_seed"),
    (tinynet, "Dense", r"tinynet\.layers\.Dense"),
    (tinynet, "Adam", r"tinynet\.optimizers\.Adam"), (tinynet, "zeros", r"tinynet\.ops\.zeros"),
    (tinynet, "load_model", r"tinynet\.saving\.load_model"), (tinynet, "mnist", r"tinynet\.datasets\.mnist"),
    (net(), "parameters", "trainable_weights"), (net(), "state_dict", "get_weights"),
    (net(), "cuda", "set_device"),
    (net(), "to", "set_device"), (net(), "train", "training=True"), (net(), "eval", "training=False"),
    (net(), "zero_grad", r"tinynet\.grad"), (net(), "forward", r"call\(\)"),
    (layers.Dense(3), "parameters", "weights"),
    (net(), "fitt", "'fit'"), (net(), "sumary", "'summary'"), (net(), "predict_classes", "argmax"),
    (optimizers.Adam(), "step", r"apply\(gradients"), (optimizers.Adam(), "zero_grad", r"tinynet\.grad"),
    (optimizers.Adam(), "param_groups", "learning_rate"), (Tensor([1.0]), "view", "reshape"),
    (Tensor([1.0]), "permute", "transpose"), (Tensor([1.0]), "unsqueeze", "expand_dims"),
    (Tensor([1.0]), "cuda", "set_device"),
    (Tensor([1.0]), "to", "set_device"), (Tensor([1.0]), "tolist", "numpy"),
    (Tensor([1.0]), "reshpe", "'reshape'"),
    (callbacks, "EarlyStoping", "'EarlyStopping'"), (metrics, "F1", "'F1Score'"),
    (ops, "matmull", "'matmul'"),
    (tinynet.datasets, "minst", "'mnist'"), (tinynet.datasets, "imdb", "cifar10"),
    (tinynet.utils, "to_categorial", "'to_cat"),
    (tinynet.activations, "Relu", "'relu'"), (tinynet.regularizers, "l2_", "'L?l?2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("thing", "name", "today"), TORCH, ids=lambda value: value if isinstance(value, str) else ""
)
def test_other_spellings_name_what_is_here(thing, name, today):
    assert not hasattr(thing, name)
    assert getattr(thing, name, 3) == 3
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*{today}|older spelling.*{today}"):
        getattr(thing, name)


KERAS = json.loads((Path(__file__).parent / "fixtures" / "signatures.json").read_text(encoding="utf-8"))


def missing_of_keras():
    for address in KERAS:
        room, _, name = address.rpartition(".")
        module = tinynet
        for part in room.split("."):
            module = getattr(module, part)
        # of Keras's 330 functions there are those that are needed
        if room != "ops" and not hasattr(module, name):
            yield module, name


def test_everything_of_kerass_that_is_left_out_says_so():
    found = list(missing_of_keras())
    assert len(found) > 100
    for module, name in [
        *found,
        (tinynet, "applications"),
        (tinynet, "mixed_precision"),
        (tinynet, "distribution"),
    ]:
        with pytest.raises(AttributeError, match=rf"has no attribute '{name}': \S+") as caught:
            getattr(module, name)
        assert "did you mean" not in str(caught.value)
    with pytest.raises(ImportError, match="LSTM"):
        exec("from tinynet.layers import LSTM")
    with pytest.raises(ModuleNotFoundError, match="left out on purpose"):
        exec("import tinynet.applications")


@pytest.mark.parametrize(
    "room", ["layers", "losses", "metrics", "optimizers", "callbacks", "ops", "initializers"]
)
def test_any_name_is_found_again_in_another_case_or_with_a_letter_wrong(room):
    names = dir(getattr(tinynet, room))
    plain = {name.replace("_", "").lower() for name in names}
    for name in names:
        (found,) = nearest(name.swapcase(), names)
        assert found.replace("_", "").lower() == name.replace("_", "").lower()
        if len(name) > 6:
            wrong = name[:3] + name[4:]
            assert wrong.replace("_", "").lower() in plain or name.replace("_", "").lower() in [
                found.replace("_", "").lower() for found in nearest(wrong, names)
            ]
    assert hint("", names).startswith("there are")


def test_a_name_is_never_suggested_for_itself(monkeypatch):
    assert nearest("garrote", ["garrote"]) == []
    assert nearest("garrote", ["garrote", "Garrote"]) == ["Garrote"]
    monkeypatch.setattr(tinynet.ops, "__all__", [*tinynet.ops.__all__, "garrote"])
    with pytest.raises(AttributeError, match=r"no attribute 'garrote': it is in __all__, but the module nei"):
        _ = tinynet.ops.garrote


# What dir() shows


@pytest.mark.parametrize(
    "room",
    ["", "layers", "ops", "losses", "metrics", "optimizers", "callbacks", "initializers", "schedules",
     "models", "data",
     "datasets", "plotting", "activations", "constraints", "regularizers", "random", "memory", "debug",
     "explorer",
     "saving", "utils",
     "backend", "config", "kernels", "tree", "datasets.mnist", "datasets.fashion_mnist", "datasets.cifar10",
     "datasets.digits"],
)  # fmt: skip
def test_dir_shows_what_is_public_and_nothing_else(room):
    module = tinynet
    for part in room.split(".") if room else []:
        module = getattr(module, part)
    shown = dir(module)
    assert shown
    assert len(shown) == len(set(shown))
    for name in shown:
        found = getattr(module, name)
        assert not name.startswith("_") or name == "__version__"
        origin = getattr(found, "__module__", None) or getattr(found, "__name__", "")
        assert origin.startswith("tinynet") or not callable(found), f"{name} of {origin}"
    assert not {
        "Any",
        "np",
        "missing_names",
        "registry",
        "annotations",
        "Callable",
        "importlib",
        "sys",
    } & set(shown)
