"""What modules show: `dir()` lists what is public, and every module can be reached by its name."""

import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import tinynet


def public_modules() -> dict[str, ModuleType]:
    """{name by which it is reached: module} of all that `dir()` leads to from tinynet,
    but for what keras1 and keras2 hold.
    """
    found, waiting = {"tinynet": tinynet}, ["tinynet"]
    while waiting:
        name = waiting.pop()
        for attribute in dir(found[name]):
            value = getattr(found[name], attribute)
            new = isinstance(value, ModuleType) and value not in found.values()
            if new and not name.startswith("tinynet.compat."):
                found[f"{name}.{attribute}"] = value
                waiting.append(f"{name}.{attribute}")
    return found


PUBLIC = public_modules()
ROOMS = (
    "layers models ops optimizers optimizers.schedules datasets.mnist preprocessing.image "
    "backend.random kernels.conv2d"
)


def test_public_modules_are_found():
    assert {f"tinynet.{room}" for room in ROOMS.split()} | {"tinynet.compat.keras2", "tinynet.utils"} < set(
        PUBLIC
    )
    assert 50 < len(PUBLIC) < 80  # no module of another package, and no internal one, leads on to more


@pytest.mark.parametrize("name", PUBLIC)
def test_dir_is_what_is_public(name):
    module = PUBLIC[name]
    names = dir(module)
    assert names == sorted(set(names))
    assert set(getattr(module, "__all__", [])) <= set(names)
    assert [other for other in names if other.startswith("_")] == (
        ["__version__"] if "__version__" in names else []
    )
    for other in names:
        value = getattr(module, other)
        assert not isinstance(value, ModuleType) or value.__name__.startswith(("tinynet", "keras")), other
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__module__.partition(".")[0] == "tinynet", (
                f"{name}.{other} comes from {value.__module__}"
            )

def test_no_module_is_hidden_by_what_is_in_it():
    """`import tinynet.ops.shapes` and then `tinynet.ops.shapes` give the module."""
    hidden, packages = [], [tinynet]
    for package in packages:
        for info in pkgutil.iter_modules(package.__path__):
            if info.name != "__main__":
                module = importlib.import_module(f"{package.__name__}.{info.name}")
                packages += [module] if info.ispkg else []
                if getattr(package, info.name) is not module:
                    hidden.append(module.__name__)
    assert hidden == []
    assert len(packages) > 20
