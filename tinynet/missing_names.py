"""Names that are not here: what the errors about them say, and what `dir()` shows instead.

A name may be an address of Keras 1 or 2 that is gone (`compat` understands them), a part of Keras that is
left out on purpose, what PyTorch calls something that has another name here, or a name that is misspelt.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinynet.not_supported import ELSEWHERE, LEFT_OUT, METHODS
from tinynet.old_names import ADDRESSES
from tinynet.suggestions import nearest

Places = Callable[[], Mapping[str, Iterable[str]]]


class MissingAttributeError(AttributeError):
    """An AttributeError whose words are found when somebody reads them:
    `hasattr` asks often, and needs none.
    """

    def __init__(self, words: Callable[[], str]) -> None:
        super().__init__()
        self._words = words

    def __str__(self) -> str:
        return self._words()

    def __reduce__(self) -> Any:
        return AttributeError, (str(self),)


MissingAttributeError.__module__ = "builtins"  # in tracebacks an AttributeError like others
MissingAttributeError.__name__ = MissingAttributeError.__qualname__ = "AttributeError"


def missing(module: str, name: str, places: Places = dict) -> AttributeError:
    """The error for an attribute that a module of tinynet does not have;
    it may be in one of other `places`.
    """
    return MissingAttributeError(
        lambda: f"module {module!r} has no attribute {name!r}{_about(module, name, places)}"
    )


def _about(module: str, name: str, places: Places) -> str:
    room = module.removeprefix("tinynet").removeprefix(".")
    if f"{module}.{name}" in ADDRESSES:
        return f": this older spelling is gone, {ADDRESSES[f'{module}.{name}']}"
    for reason, names in LEFT_OUT.get(room, {}).items():
        if name in names.split():
            return f": {reason}"
    if name in ELSEWHERE.get(room, {}):
        return f": {ELSEWHERE[room][name]}"
    if found := [place for place, names in places().items() if name in names]:
        return f": it is {found[0]}.{name}"
    if name in vars(sys.modules[module]).get("__all__", ()):
        return ": it is in __all__, but the module neither imports nor defines it"
    near = [] if name.startswith("_") else nearest(name, public(module))
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def no_attribute(thing: Any, name: str, kind: str) -> AttributeError:
    """The error for an attribute that a layer, model, Tensor or optimizer does not have."""

    def words() -> str:
        what = f"{type(thing).__name__!r} object has no attribute {name!r}"
        told = METHODS[kind].get(name) or METHODS["all"].get(name)
        if told:
            return f"{what}: {told}"
        near = (
            []
            if name.startswith("_")
            else nearest(name, [other for other in dir(thing) if not other.startswith("_")])
        )
        return f"{what}; did you mean {' or '.join(map(repr, near))}?" if near else what

    return MissingAttributeError(words)


def namespace(module: str) -> None:
    """`gone.namespace(__name__)` in a module: its errors help, and `dir()` of it is what is public alone.

    To type checkers, which do not look in here, a name that is not in the module is a mistake.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807
        raise missing(module, name)

    vars(sys.modules[module]).update(__getattr__=__getattr__, __dir__=lambda: public(module))


def public(module: str) -> list[str]:
    """The names that a module means to show: its __all__, or the functions,
    classes and constants defined in it.
    """
    held = vars(sys.modules[module])
    if "__all__" in held:
        return sorted(set(held["__all__"]))
    ours = (
        name for name, value in held.items() if name.isupper() or getattr(value, "__module__", None) == module
    )
    return sorted(name for name in ours if not name.startswith("_"))


class Imports:
    """The last of the places in which Python looks for modules: it has none, but says where things went."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Raises ModuleNotFoundError for an older address; None for others."""
        address = name.removesuffix(".preprocessing")
        if address in ADDRESSES:
            raise ModuleNotFoundError(
                f"No module named {name!r}: this older address is gone, {ADDRESSES[address]}", name=name
            )
        package, _, last = name.rpartition(".")
        if package == "tinynet" and (told := _about("tinynet", last, dict)):
            raise ModuleNotFoundError(f"No module named {name!r}{told}", name=name)
