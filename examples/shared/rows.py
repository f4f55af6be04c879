"""A row of a study: one program, and what the notebook said about it."""

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Notebook:
    """What a notebook printed of a program; None or nothing where it printed nothing."""

    accuracy: float | None = None  # of the test images after the last epoch, 0 to 1
    best: float | None = None  # after the best epoch
    loss: float | None = None  # of the test images after the last epoch
    params: int | None = None
    epoch_seconds: float | None = None
    values: dict[str, Any] = field(default_factory=dict)  # of a demonstration: {what: printed}


@dataclass(frozen=True)
class Row:
    """One program of a notebook, or one arm of it.

    id       the number in the table of experiments, such as "S1-06"
    title    what it is, in a few words
    arm      which of several versions: "as intended", "as executed", "learning rate 0.01", ...
    notebook what was printed in its time
    params   the number of parameters that the net must have; None where there is no net
    seeds    how many runs say enough; 0: it draws nothing, and runs once whatever --seeds says
    keras    whether Keras can run it too, by `examples/in_keras.py`: the row is then trained by
             `train(row, data, seed)` of its study, from what tinynet and Keras both have
    expected of a demonstration what must come out by a formula or a sum, where the notebook printed nothing:
             {what: number}
    remark   in one line: a bug of the notebook, what the row decides, or why a number differs
    """

    id: str
    title: str
    arm: str = ""
    notebook: Notebook = Notebook()
    params: int | None = None
    seeds: int = 1
    keras: bool = False
    remark: str = ""
    expected: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`id` and arm: "S1-04, as intended"."""
        return f"{self.id}, {self.arm}" if self.arm else self.id

    @property
    def file(self) -> str:
        """The name as part of a file's: "S1-04-as-intended"."""
        return re.sub(r"[^A-Za-z0-9.]+", "-", self.name).strip("-")

    def fits(self, run: dict[str, Any]) -> bool:
        """Whether the net of a run, if it had one, has as many parameters as this row's."""
        return self.params is None or run.get("params", self.params) == self.params
