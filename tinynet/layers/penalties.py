"""Penalties: what layers add to the loss in a call, and the penalties on their weights."""

from typing import Any, ClassVar

from tinynet.layers.current_call import around
from tinynet.layers.module import Module


def nothing_added() -> dict[str, Any]:
    """The attributes of a layer that has added nothing to the loss.

    _added_losses      penalties of the last call,
    _losses_added_in   which was part of this one
    _adding_layers     layers that added penalties in the last call that began here
    """
    return {"_added_losses": [], "_losses_added_in": None, "_adding_layers": []}


class Penalised(Module):
    """Base of Layer: penalties belong to the outermost call that is under way,
    and are forgotten at the next one.
    """

    _without_effect: ClassVar = {"_added_losses", "_losses_added_in", "_adding_layers"}
    _not_searched: ClassVar = {"_adding_layers", "_added_losses"}
    _added_losses: list[Any]
    _losses_added_in: Any
    _adding_layers: list[Any]

    def add_loss(self, value: Any) -> None:
        """Adds `value`, a number computed in `call`, to the loss."""
        call = around.get()
        outermost = None if call is None else call.outermost
        if self._losses_added_in is not outermost or outermost is None:
            self._added_losses, self._losses_added_in = [], outermost
            if outermost is not None:
                outermost.adding.append(self)
        self._added_losses.append(value)

    def _forget_losses(self) -> None:
        """Forgets what was added in the last call that began here,
        by layers that the next one may not come to.
        """
        for layer in self._adding_layers:
            if layer._losses_added_in is not None and layer._losses_added_in.adding is self._adding_layers:
                layer._added_losses = []
        self._adding_layers = []

    @property
    def losses(self) -> list[Any]:
        """What is added to the loss: penalties of the last call,
        and those on the weights that are trained.
        """
        layers = self._with_all_within()
        added = [value for layer in layers for value in layer._added_losses]
        penalised = [p for p in self.trainable_weights if p.regularizer is not None]
        return added + [p.regularizer(p) for p in penalised]
