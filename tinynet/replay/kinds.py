"""Kinds: the steps of a function or a model, one for each kind of arguments, and why none of them settles."""

from typing import Any

from tinynet.backend import changes
from tinynet.replay.program import Program
from tinynet.replay.step import NOT_YET, Step, set_at_each_step

MAX_KINDS = 8  # that are kept; with one more, the least recently used goes


class Kinds:
    """Steps by their kind, the one used last at the end."""

    def __init__(self) -> None:
        self.steps: dict[Any, Step] = {}
        self.fresh = 0  # calls of a new kind, one after the other
        self.before: Any = ()  # what was noted of the last two of them
        self.last: Any = ()
        self._resets, self._set_last = 0, changes.last  # resets before any program was used

    @property
    def programs(self) -> list[Program]:
        """The programs in use."""
        return [step.program for step in self.steps.values() if step.program is not None]

    def take(self, key: Any, note: Any) -> Step | None:
        """The step of a kind, taken out; None if there is none to go on with: then `note` is kept."""
        step = self.steps.pop(key, None)
        if step is not None and step.valid():
            self.fresh = 0
            return step
        self.fresh += 1
        self.before, self.last = self.last, note
        return None

    def keep(self, key: Any, step: Step) -> None:
        """Puts a step at the end."""
        self.steps[key] = step
        while len(self.steps) > MAX_KINDS:
            self.steps.pop(next(iter(list(self.steps))), None)

    def reset(self) -> None:
        """Throws all steps away, since an attribute of a layer was set."""
        if self.steps:
            settled = any(step.reason != NOT_YET for step in self.steps.values())
            self._resets = 0 if settled else self._resets + 1
            self._set_last = changes.last
        self.steps.clear()

    def set_each_time(self) -> str:
        """Why nothing is repeated, if each step sets an attribute of a layer; else ""."""
        return set_at_each_step(self._set_last) if self._resets > 1 else ""
