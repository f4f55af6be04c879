"""The modules of an era, `keras.layers.convolutional` and the like, and how they take the place of Keras."""

import sys
from types import ModuleType
from typing import Any

from tinynet import activations, datasets, initializers, losses, metrics, missing_names
from tinynet.backend import config
from tinynet.compat.activations import get as get_activation
from tinynet.compat.activations import hard_sigmoid
from tinynet.compat.backend import GONE, backend_names
from tinynet.compat.callbacks import callback_names
from tinynet.compat.classes import Merge, layer_names, merge
from tinynet.compat.image import image_names
from tinynet.compat.models import model_names
from tinynet.compat.optimizers import optimizer_names
from tinynet.compat.penalties import CONSTRAINTS, KERAS1_REGULARIZERS, REGULARIZERS
from tinynet.compat.utils import NP_UTILS, UTILS, to_categorical
from tinynet.compat.warn import old
from tinynet.plotting import plot_model

LAYERS = "keras.layers"
TODAY = {  # {address then: address today}
    **{f"keras.layers.{room}": LAYERS for room in (
        "advanced_activations", "convolutional", "core", "embeddings", "merge", "noise", "normalization",
        "pooling", "experimental", "experimental.preprocessing",
    )},
    "keras.callbacks.callbacks": "keras.callbacks",
    "keras.engine": "keras.layers, keras.models",
    "keras.engine.topology": LAYERS,
    "keras.engine.training": "keras.models",
    "keras.objectives": "keras.losses",
    "keras.preprocessing": "keras.layers: RandomRotation and the like",
    "keras.utils.np_utils": "keras.utils",
    "keras.utils.vis_utils": "keras.utils",
    "keras.utils.visualize_util": "keras.utils",
}  # fmt: skip
# packages: said where their modules are used
WHOLE = {"keras.engine", "keras.layers.experimental", "keras.preprocessing"}


def names_of(room: ModuleType) -> dict[str, Any]:
    """The public names of a module of tinynet."""
    found = {name: getattr(room, name) for name in missing_names.public(room.__name__)}
    return {name: value for name, value in found.items() if not isinstance(value, ModuleType)}


DATASETS = ("mnist", "cifar10", "fashion_mnist")


def addresses(era: int) -> dict[str, dict[str, Any]]:
    """{address: {name: what it has}} of every module that Keras 1 or 2 had and tinynet has."""
    layers, optimizers = layer_names(era), optimizer_names(era)
    models, callbacks, image = model_names(era, optimizers), callback_names(), image_names(era)
    backend = backend_names(era)
    if era == 1:
        layers.update(merge=merge, Merge=Merge)
    root = {name: (layers | models)[name] for name in ("Input", "Model", "Sequential")} if era == 2 else {}
    topology = {
        name: layers[name] for name in ("Input", "InputLayer", "Layer", "merge", "Merge") if name in layers
    }
    named: dict[str, Any] = {
        "keras": root,
        "keras.activations": {**names_of(activations), "hard_sigmoid": hard_sigmoid, "get": get_activation},
        "keras.backend": backend,
        "keras.callbacks": callbacks,
        "keras.callbacks.callbacks": callbacks,
        "keras.constraints": CONSTRAINTS,
        "keras.datasets": {},
        **{f"keras.datasets.{room}": names_of(getattr(datasets, room)) for room in DATASETS},
        "keras.engine": {**topology, "Model": models["Model"]},
        "keras.engine.topology": topology,
        "keras.engine.training": {"Model": models["Model"]},
        "keras.layers": layers,
        "keras.losses": names_of(losses),
        "keras.metrics": names_of(metrics),
        "keras.models": {**models, "Input": layers["Input"]},
        "keras.objectives": names_of(losses),
        "keras.optimizers": optimizers,
        "keras.preprocessing": {},
        "keras.preprocessing.image": image,
        "keras.regularizers": KERAS1_REGULARIZERS if era == 1 else REGULARIZERS,
        "keras.utils": {
            **UTILS,
            "plot_model": plot_model,
            **({"to_categorical": to_categorical} if era == 2 else {}),
        },
        "keras.utils.np_utils": NP_UTILS,
        "keras.utils.vis_utils": {"plot_model": plot_model},
        "keras.utils.visualize_util": {"plot": plot_model},
        "keras.initializers" if era == 2 else "keras.initializations": names_of(initializers),
    }
    rooms = [name for name, today in TODAY.items() if today == LAYERS and name not in named]
    if era == 1:  # `merge` was a function
        rooms = [name for name in rooms if "merge" not in name and "experimental" not in name]
    return named | dict.fromkeys(rooms, layers)


def make(era: int, root: ModuleType) -> dict[str, ModuleType]:
    """{address: module} of an era; `root` is the module keras itself. They are importable below its name."""
    found: dict[str, ModuleType] = {"keras": root}
    named = addresses(era)
    names = named.pop("keras")
    vars(root).update(names)
    for address in sorted(named):
        parent, _, name = address.rpartition(".")
        own = root.__name__ + address.removeprefix("keras")
        found[address] = sys.modules[own] = module = _module(era, address, own, named[address])
        setattr(found[parent], name, module)
    within = {address.partition(".")[2] for address in named if address.count(".") == 1}
    vars(root)["__dir__"] = lambda: sorted({*names, *within, "__version__", "install", "uninstall"})
    return found


def _module(era: int, address: str, own: str, names: dict[str, Any]) -> ModuleType:
    """A module that gives `names`, with a warning where today another one has them."""
    module = ModuleType(own, f"What Keras {era} had as {address}.")
    vars(module)["__all__"] = sorted(names)
    vars(module)["__path__"] = []  # a package: modules below it are found in sys.modules

    def get(name: str) -> Any:
        if name not in names:
            hint = f"; today it is {GONE[name]}" if address == "keras.backend" and name in GONE else ""
            raise AttributeError(f"{address}.{name} of Keras {era} is not part of tinynet{hint}")
        if address in TODAY and address not in WHOLE:
            old(f"{address}.{name}", f"{TODAY[address]}.{name}")
        return names[name]

    vars(module)["__getattr__"] = get
    vars(module)["__dir__"] = lambda: sorted(
        {*names, *(name for name in vars(module) if not name.startswith("_"))}
    )
    return module


installed: dict[str, ModuleType] = {}  # what stands in sys.modules for Keras


def install(modules: dict[str, ModuleType], dim_ordering: str | None) -> None:
    """Lets `import keras` and `from keras... import ...` find `modules`.

    dim_ordering   'th' or 'tf', what keras.json said about images; None: as it is

    Raises ImportError if Keras itself is imported already.
    """
    for address, module in list(sys.modules.items()):
        known = installed.get(address) is module
        if (address == "keras" or address.startswith("keras.")) and module is not None and not known:
            raise ImportError(
                "Keras itself is imported in this process already; "
                "call install() before anything imports it, or write "
                "`import tinynet.compat.keras2 as keras` in its place"
            )
    if dim_ordering not in (None, "th", "tf"):
        raise ValueError(f"install: dim_ordering must be 'th' or 'tf', got {dim_ordering!r}")
    uninstall()
    installed.update(modules)
    sys.modules.update(modules)
    if dim_ordering is not None:
        config.set_image_data_format({"th": "channels_first", "tf": "channels_last"}[dim_ordering])


def uninstall() -> None:
    """Takes the modules out again: `import keras` finds Keras, if it is there."""
    for address in installed:
        sys.modules.pop(address, None)
    installed.clear()
