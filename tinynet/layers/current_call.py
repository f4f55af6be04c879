"""The call of a layer that is running: what one that is called within it takes from the calls around it."""

from contextvars import ContextVar
from typing import Any


class Call:
    """A call under way: its mode, the outermost call that it is part of,
    and the list of who adds penalties in that.
    """

    __slots__ = ("adding", "outermost", "training")

    def __init__(self, adding: list[Any], training: bool | None, around: "Call | None") -> None:
        self.adding = adding
        self.training: bool | None = training if training is not None or around is None else around.training
        self.outermost: Any = self if around is None else around.outermost


around: ContextVar[Call | None] = ContextVar("tinynet_call", default=None)
