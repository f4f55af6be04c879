"""The chapter "Training deep neural networks" as a program: each of its ideas, computed and drawn.

    python examples/training_deep_nets.py --quick              (the embedded digits, seconds)
    python examples/training_deep_nets.py --rows S4-02 S4-34   (signals by layer, Monte Carlo dropout)
    python examples/training_deep_nets.py                      (everything; goes on where it was stopped)

One part a theme, in the order of the chapter; each may be read by itself:

    deep_nets_signals.py       initializers, activations, self-normalisation
    deep_nets_batch_norm.py    two models, the axis, the momentum
    deep_nets_optimizers.py    clipping, formulas (deep_nets_rules.py), two races
    deep_nets_schedules.py     learning rates that change, 1cycle, going on after a stop
    deep_nets_regularizers.py  pre-training, L1, L2, max-norm
    deep_nets_dropout.py       dropout, and what it says of uncertainty

The images are Fashion-MNIST: 55,000 to learn from, 5,000 to choose by, and the 10,000 test images at the end.
"""

from collections.abc import Sequence
from typing import Any

import deep_nets_batch_norm
import deep_nets_dropout
import deep_nets_optimizers
import deep_nets_regularizers
import deep_nets_schedules
import deep_nets_signals
from deep_nets_shared import Data, load

from shared.printed import show
from shared.rows import Row
from shared.study import Study, parser

NAME = "training_deep_nets"
PARTS: Any = (
    deep_nets_signals,
    deep_nets_batch_norm,
    deep_nets_optimizers,
    deep_nets_schedules,
    deep_nets_regularizers,
    deep_nets_dropout,
)
ROWS: tuple[Row, ...] = tuple(row for part in PARTS for row in part.ROWS)
RUNS = {name: run for part in PARTS for name, run in part.RUNS.items()}

__all__ = ["ROWS", "load", "main", "train"]


def train(row: Row, data: Data, seed: int) -> dict[str, Any]:
    """The record of a row: its training, or the values of a demonstration."""
    return RUNS[row.name](data, seed)


def main(argv: Sequence[str] | None = None) -> None:
    study = Study(NAME, ROWS, parser(ROWS, __doc__, NAME).parse_args(argv))
    data = load(study.quick)
    for row, seed in study.to_run():
        record = train(row, data, seed)
        study.keep(row, seed, record)
        show(record["values"])
    runs = {row.name: found for row in study.rows if (found := study.runs(row))}
    for part in PARTS:
        part.draw(study, runs)
    study.write()


if __name__ == "__main__":
    main()
