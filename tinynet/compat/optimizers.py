"""Optimizers with the arguments and defaults of Keras 1 and 2.

    lr, decay    learning rate lr / (1 + decay k) at update k, from 0; `optimizer.lr = x` sets lr, at any time
    clipnorm     the length of all gradients together, today's global_clipnorm
    epsilon      of RMSprop and Adagrad it stood beside the root and stands under it today, where its square
                 has the same effect on gradients much larger or much smaller than it

Nadam slows its momentum schedule down by `schedule_decay`, as it did.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinynet import optimizers, registry, schedules
from tinynet.compat.arguments import by_name
from tinynet.compat.warn import old
from tinynet.optimizers.state import Rate

# {name: (arguments by position, what they were unless given)};
# epsilon is 1e-8 in Keras 1 and 1e-7 in Keras 2.
DEFAULTS: dict[str, tuple[str, dict[str, float]]] = {
    "Adadelta": ("learning_rate rho epsilon decay", {"learning_rate": 1.0}),
    "Adagrad": ("learning_rate epsilon decay", {"learning_rate": 0.01, "initial_accumulator_value": 0.0}),
    "Adam": ("learning_rate beta_1 beta_2 epsilon decay amsgrad", {"learning_rate": 0.001}),
    "Adamax": ("learning_rate beta_1 beta_2 epsilon decay", {"learning_rate": 0.002}),
    "Nadam": ("learning_rate beta_1 beta_2 epsilon schedule_decay", {"learning_rate": 0.002}),
    "RMSprop": ("learning_rate rho epsilon decay", {"learning_rate": 0.001}),
    "SGD": ("learning_rate momentum decay nesterov", {"learning_rate": 0.01}),
}
EPSILON = {1: 1e-8, 2: 1e-7}
BESIDE_THE_ROOT = ("Adagrad", "RMSprop")


class Variable(Rate):
    """`optimizer.lr`: a number that can be set as a variable of the backend was."""

    def set_value(self, value: Any) -> None:
        """What `optimizer.lr = value` does."""
        self.assign(value)

    def get_value(self) -> float:
        """The number."""
        return float(self)


class Older:
    """What an optimizer of the era adds to today's class, which stands behind it among the bases."""

    era: int
    today: Any
    order: list[str]
    preset: dict[str, Any]
    decay = 0.0
    _rate: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        settings = {**self.preset, **self._read(args, kwargs)}
        self.decay = float(settings.pop("decay", 0.0))
        rate = settings["learning_rate"]
        if isinstance(rate, int | np.number) and not isinstance(rate, bool):
            settings["learning_rate"] = rate = float(rate)
        if self.decay:
            settings["learning_rate"] = self._decaying(rate)
        super().__init__(**settings)

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the era as today's."""
        who, order = type(self).__name__, self.order
        early = [name for value, name in zip(args, order, strict=False) if isinstance(value, bool)]
        if self.era == 2 and {"decay", "epsilon"} & set(early):  # Keras 2.3 had these two by name alone
            order = [name for name in order if name not in ("decay", "epsilon")]
        given = by_name(who, order, args, kwargs)
        if "lr" in given:
            old(f"{who}(lr=...)", f"learning_rate={given['lr']!r}")
            if "learning_rate" in given:
                raise TypeError(
                    f"{who}: lr and learning_rate are two names of one argument; give one of them"
                )
            given["learning_rate"] = given.pop("lr")
        if given.get("decay"):
            old(f"{who}(decay=...)", f"learning_rate=InverseTimeDecay(rate, 1, {given['decay']!r})")
        if "clipnorm" in given:
            old(
                f"{who}(clipnorm=...)",
                f"global_clipnorm={given['clipnorm']!r}: it is the length of all gradients together",
            )
            given["global_clipnorm"] = given.pop("clipnorm")
        if "epsilon" in given and given["epsilon"] is None:
            del given["epsilon"]
        if who in BESIDE_THE_ROOT and "epsilon" in given:
            old(
                f"{who}(epsilon={given['epsilon']!r}) beside the root",
                f"epsilon={given['epsilon'] ** 2!r} under the root",
            )
            given["epsilon"] = given["epsilon"] ** 2
        if isinstance(given.get("momentum"), int) and not isinstance(given["momentum"], bool):
            given["momentum"] = float(given["momentum"])
        return given

    def _decaying(self, rate: float) -> schedules.InverseTimeDecay:
        return schedules.InverseTimeDecay(rate, 1, self.decay)

    @property
    def learning_rate(self) -> Any:
        """The learning rate before decay; may be assigned."""
        decaying = self.decay and isinstance(self._learning_rate, schedules.InverseTimeDecay)
        return Variable(
            self._learning_rate.initial_learning_rate if decaying else self.today.learning_rate.fget(self),
            self,
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if self.decay and not callable(value):
            self._learning_rate = self._decaying(float(value))
        else:
            self.today.learning_rate.fset(self, value)

    @property
    def lr(self) -> Any:
        """The older name of `learning_rate`."""
        old("optimizer.lr", "optimizer.learning_rate")
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        old("optimizer.lr = x", "optimizer.learning_rate = x")
        self.learning_rate = value

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """The optimizer that `get_config` described, in today's words."""
        return adopted(cls.today.from_config(config, custom_objects), cls)


class OlderNadam(Older):
    """mu_t = beta_1 (1 - 0.96^(schedule_decay t) / 2)."""

    beta_1: float
    schedule_decay = 0.004

    def _read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        given = super()._read(args, kwargs)
        self.schedule_decay = float(given.pop("schedule_decay", 0.004))
        return given

    def mu(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.schedule_decay))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "schedule_decay": self.schedule_decay}  # type: ignore[misc]

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        today = {name: value for name, value in config.items() if name != "schedule_decay"}
        made = super().from_config(today, custom_objects)
        made.schedule_decay = float(config.get("schedule_decay", 0.004))
        return made


def adopted(optimizer: Any, cls: Any) -> Any:
    """The optimizer of today's class as one of the era's."""
    optimizer.__class__ = cls
    rate = optimizer._learning_rate
    if isinstance(rate, schedules.InverseTimeDecay) and rate.decay_steps == 1 and not rate.staircase:
        optimizer.decay = rate.decay_rate
    return optimizer


def optimizer_names(era: int) -> dict[str, Any]:
    """{name: class} of all that `keras.optimizers` had in Keras 1 or 2, and its functions."""
    found: dict[str, Any] = {}
    for name, (order, preset) in DEFAULTS.items():
        today = getattr(optimizers, name)
        preset = (
            dict(preset)
            if name == "SGD"
            else {"epsilon": EPSILON[era] ** (2 if name in BESIDE_THE_ROOT else 1), **preset}
        )
        body = {
            "era": era,
            "today": today,
            "order": order.split(),
            "preset": preset,
            "__doc__": today.__doc__,
        }
        bases = (OlderNadam if name == "Nadam" else Older, today)
        found[name] = type(name, bases, {**body, "__module__": f"tinynet.compat.keras{era}.optimizers"})
    # Its rule is not today's, so that a file must name it.
    registry.register_keras_serializable(f"keras{era}", f"Keras{era}Nadam")(found["Nadam"])

    def get(identifier: Any) -> Any:
        """The optimizer meant by a name in any case, with the defaults of the era;
        a configuration, a class, an instance.
        """
        known = {one.lower(): cls for one, cls in found.items() if isinstance(cls, type)}
        if isinstance(identifier, str) and identifier.lower() in known:
            return known[identifier.lower()]()
        return optimizers.get(identifier)

    classes = dict(found)
    return {
        **classes, "get": get, "Optimizer": optimizers.Optimizer, "schedules": optimizers.schedules,
        "serialize": optimizers.serialize, "deserialize": optimizers.deserialize,
    }  # fmt: skip
