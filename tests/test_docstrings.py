"""What `help` says: every parameter of every public function, class and method by its name,
and examples that are run.

Layers have a test of their own, `tests/layers/test_docstrings.py`.
"""

import doctest
import importlib
import inspect
import re
from typing import Any

import numpy as np
import pytest

import tinynet
from tinynet import layers, signature

CAN = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

ROOMS = (
    "activations", "autograd", "backend.config", "callbacks", "constraints", "data", "datasets",
    "datasets.cifar10", "datasets.digits", "datasets.fashion_mnist", "datasets.mnist", "debug",
    "explorer", "initializers", "kernels", "losses", "memory", "metrics", "models", "ops", "optimizers",
    "plotting", "random", "regularizers", "saving", "schedules", "tree", "utils",
)  # fmt: skip


def names(module: str) -> dict[str, Any]:
    """What the examples of a module may use: np, tinynet, its rooms,
    what the module's own room has, and a model with data.
    """
    parts = module.split(".")
    own = [importlib.import_module(".".join(parts[:end])) for end in range(2, len(parts) + 1)]
    found = {name: getattr(home, name) for home in own for name in dir(home) if not name.startswith("_")}
    rooms = {room.partition(".")[0]: getattr(tinynet, room.partition(".")[0]) for room in ROOMS}
    tinynet.utils.set_random_seed(0)
    model = tinynet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.linspace(0, 1, 8, dtype="float32").reshape(8, 1)
    return {"np": np, "tinynet": tinynet, **found, **rooms, "layers": layers, "config": tinynet.config,
            "model": model, "x": x, "y": 2 * x, "__name__": "__main__"}  # fmt: skip


def public() -> dict[str, Any]:
    """{address: object} of all classes and functions of the rooms, each at its first address."""
    found: dict[int, tuple[str, Any]] = {}
    homes = [("tinynet", tinynet), *((room, importlib.import_module(f"tinynet.{room}")) for room in ROOMS)]
    for room, home in homes:
        for name in getattr(home, "__all__", None) or [
            name for name in dir(home) if not name.startswith("_")
        ]:
            thing = getattr(home, name)
            if callable(thing) and (getattr(thing, "__module__", None) or "").startswith("tinynet"):
                found.setdefault(id(thing), (f"{room}.{name}", thing))
    return dict(found.values())


PUBLIC = public()
CLASSES = {address: thing for address, thing in PUBLIC.items() if inspect.isclass(thing)}


def methods(cls: type) -> dict[str, Any]:
    """{name: function} of the public methods of a class but for those of other public classes."""
    found = {}
    for name in dir(cls):
        home = next((base for base in cls.__mro__ if name in vars(base)), object)
        own = home is cls or (home not in CLASSES.values() and home.__module__.startswith("tinynet"))
        if (
            not name.startswith("_")
            and own
            and inspect.isroutine(value := getattr(cls, name))
            and callable(value)
        ):
            found[name] = value
    return found


def said(cls: type, name: str) -> str:
    """What the docstrings of a method say, and those of its class,
    with the bases of both; "" for a method without any.
    """
    own = [inspect.getdoc(vars(base)[name]) or "" for base in cls.__mro__ if name in vars(base)]
    return "\n".join([*own, *(inspect.getdoc(base) or "" for base in cls.__mro__)]) if any(own) else ""


def parameters(function: Any) -> list[str]:
    named = inspect.signature(function).parameters.values()
    return [p.name for p in named if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]


def missing(text: str, names: list[str]) -> list[str]:
    """Those of the names that do not stand in the text as words of their own."""
    return [name for name in names if not re.search(rf"(?<![\w.]){re.escape(name)}\b", text)]


# What a base class says of the arguments that all of its kind take.
OF_ALL = {
    tinynet.Layer: {"activity_regularizer", "dtype", "name", "trainable"},
    tinynet.Metric: {"dtype", "name"},
}
# Methods without words of their own.
WORDLESS = {
    "tinynet.KerasTensor.numpy": "it raises an error that says why",
    **{
        f"tinynet.Tensor.{name}": "a lambda; `ops` has the words"
        for name in ("astype", "clip", "reshape", "transpose")
    },
}
# A function of these alone is said by its formula, which needs no example.
ARRAYS = {"x", "x1", "x2", "y_true", "y_pred"}
# Names that are there for Keras's sake, and what is said wholly in words.
WITHOUT_EXAMPLE = {
    "tinynet.Layer": "its file begins with one, and every layer has one",
    "tinynet.Tensor": "autograd has its limit of lines; `tinynet.grad` and README.md have one",
    "tinynet.Parameter": "the same; every optimizer has one",
    "tinynet.set_device": "it changes the process",
    "autograd.Primitive": "its module begins with one",
    "autograd.Joined": "what one rule hands on to another: ops/joined.py",
    "autograd.gradients": "what `tinynet.grad` is made of",
    "autograd.set_grad_enabled": "what `tinynet.no_grad` is made of",
    "backend.config.known_format": "what `check_data_format` is made of",
    "backend.config.set_epsilon": "it changes the process",
    "backend.config.set_floatx": "it changes the process",
    "backend.config.set_image_data_format": "it changes the process",
    "callbacks.MonitorCallback": "a base class: see EarlyStopping",
    "callbacks.TensorBoard": "it needs an extra",
    "metrics.FalseNegatives": "as TruePositives",
    "metrics.FalsePositives": "as TruePositives",
    "metrics.TrueNegatives": "as TruePositives",
    "random.generator_of": "what `normal` and the like are made of",
    # Formulas of one line whose settings stand in it.
    **dict.fromkeys([f"activations.{name}" for name in (
        "celu", "elu", "gelu", "hard_shrink", "leaky_relu", "log_softmax", "sparsemax", "squareplus",
        "threshold"
    )], "a formula of a line"),
}  # fmt: skip


def wants_example(thing: Any) -> bool:
    return inspect.isclass(thing) or not set(parameters(thing)) <= ARRAYS


@pytest.mark.parametrize("address", PUBLIC)
def test_every_argument_is_named(address):
    thing, text = PUBLIC[address], inspect.getdoc(PUBLIC[address]) or ""
    of_all = {
        name
        for base, some in OF_ALL.items()
        if inspect.isclass(thing) and issubclass(thing, base)
        for name in some
    }
    of_all = set() if thing in OF_ALL else of_all
    names = signature.accepted(thing) if inspect.isclass(thing) else parameters(thing)
    assert text
    assert missing(text, [name for name in names if name not in of_all]) == []


@pytest.mark.parametrize("address", CLASSES)
def test_every_argument_of_a_method_is_named(address):
    cls = CLASSES[address]
    for name, method in methods(cls).items():
        assert bool(said(cls, name)) != (f"{address}.{name}" in WORDLESS)
        first = ["x"] if issubclass(cls, tinynet.Tensor) else []  # the Tensor itself
        wanted = [one for one in parameters(method) if one not in first and said(cls, name)]
        assert missing(said(cls, name), wanted) == [], f"{address}.{name}"


@pytest.mark.parametrize("address", [address for address, thing in PUBLIC.items() if wants_example(thing)])
def test_there_is_an_example(address):
    assert (">>>" in (inspect.getdoc(PUBLIC[address]) or "")) == (address not in WITHOUT_EXAMPLE)


def examples() -> dict[str, tuple[str, str]]:
    """{address: (its module, docstring)} of what has an example, methods too."""
    found = dict(PUBLIC)
    found |= {
        f"{address}.{name}": one for address, cls in CLASSES.items() for name, one in methods(cls).items()
    }
    texts = {address: (thing.__module__, inspect.getdoc(thing) or "") for address, thing in found.items()}
    once = {text: (address, module) for address, (module, text) in reversed(texts.items()) if ">>>" in text}
    return {address: (module, text) for text, (address, module) in once.items()}


EXAMPLES = examples()


@pytest.mark.parametrize("address", EXAMPLES)
@pytest.mark.filterwarnings("ignore")
def test_the_example_runs_and_gives_what_it_says(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module, text = EXAMPLES[address]
    example = doctest.DocTestParser().get_doctest(text, names(module), address, None, None)
    out = []
    found = doctest.DocTestRunner(optionflags=CAN).run(example, out=out.append)
    assert found.failed == 0, "".join(out)


def test_exceptions_are_there():
    assert {address for address, thing in PUBLIC.items() if wants_example(thing)} >= set(WITHOUT_EXAMPLE)
    assert {f"{address}.{name}" for address, cls in CLASSES.items() for name in methods(cls)} >= set(WORDLESS)


def test_a_parameter_that_is_not_named_is_found():
    assert missing("x (N,), limited to x_min .. x_max", ["x", "x_min", "min"]) == ["min"]
