"""What runs say: over-fitting told from collapse, and differences with their uncertainty.

Only numbers go in and out here, so that each rule can be read, and tested, by itself.
"""

import math
import statistics
from collections.abc import Sequence
from typing import Any

from shared.intervals import interval
from shared.printed import yes

CHANCE = 0.2  # a net that names one digit for every image is right in about 11 % of them
RISE = 1.25  # a validation loss this many times its lowest has risen
ENOUGH = 20  # epochs from which losses can be averaged, and a rise be told from a jump
TOO_SHORT = f"under {ENOUGH} epochs, too short to tell"
CRITERION = (
    f"over-fits: the validation loss ends above {RISE} times its lowest while the training loss still fell; "
    "collapsed: no better than chance on the images that it learns from"
)


def verdict(history: dict[str, list[float]]) -> str:
    """What became of a training, from the losses and accuracies of all its epochs:

    collapsed  it ends naming one digit for every image that it learns from, or with a loss that is no number
    over-fits  the validation loss has risen, while the training loss still fell
    jumps      both have risen: the learning rate throws the net about
    fits       none of these

    Losses differ from epoch to epoch: wherever one is looked at, the mean of a tenth of the epochs is. So a
    training of fewer than 20 epochs is told to have collapsed, or nothing is told of it.
    """
    if collapse_epoch(history) is not None:
        return "collapsed"
    if len(history["loss"]) < ENOUGH:
        return TOO_SHORT
    width = len(history["loss"]) // 10
    loss, val_loss = smooth(history["loss"], width), smooth(history["val_loss"], width)
    lowest = val_loss.index(min(val_loss))
    if val_loss[-1] <= RISE * val_loss[lowest]:
        return "fits"
    return "over-fits" if loss[-1] < loss[lowest] else "jumps"


def collapse_epoch(history: dict[str, list[float]]) -> int | None:
    """The epoch, counted from 1, from which on to the end the net is no better than chance on the images that
    it learns from; None without such an end.
    """
    epochs = zip(history["loss"], history["accuracy"], strict=True)
    learns = [math.isfinite(loss) and share >= CHANCE for loss, share in epochs]
    after = max((epoch for epoch, better in enumerate(learns, 1) if better), default=0) + 1
    return after if after <= len(learns) else None


def smooth(values: Sequence[float], width: int) -> list[float]:
    """Means of `width` values in a row."""
    return [statistics.fmean(values[i : i + width]) for i in range(len(values) - width + 1)]


def paired(first: Sequence[dict[str, Any]], second: Sequence[dict[str, Any]]) -> list[float]:
    """Accuracy of the second run minus that of the first, for each seed that both have."""
    by_seed = {run["seed"]: last(run, "val_accuracy") for run in first}
    return [last(run, "val_accuracy") - by_seed[run["seed"]] for run in second if run["seed"] in by_seed]


def claim(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Is batch norm after the activation as good as before it, or better?"""
    errors = {"before": before, "after": after}
    said = {
        f"test error, {where}": f"{1 - mean(runs, 'val_accuracy'):.2%} (lowest {1 - highest(runs):.2%})"
        for where, runs in errors.items()
    }
    said |= {f"below 0.5 %, {where}": yes(highest(runs) > 0.995) for where, runs in errors.items()}
    differences = paired(before, after)
    if len(differences) < 2:
        return {**said, "as good or better": "one seed cannot say"}
    middle, low, high = interval(differences)
    said["after minus before, points of accuracy"] = f"{middle:+.2%}"
    said["95 % confidence interval"] = f"{low:+.2%} to {high:+.2%}, {len(differences)} seeds"
    if low > 0:
        said["as good or better"] = "yes, better"
    elif high < 0:
        said["as good or better"] = "no, worse"
    else:
        said["as good or better"] = f"no difference shown; if it is worse, then by {-low:.2%} at most"
    return said


def last(run: dict[str, Any], name: str) -> float:
    return float(run["history"][name][-1])


def mean(runs: Sequence[dict[str, Any]], name: str) -> float:
    """Mean over the seeds, after the last epoch."""
    return statistics.fmean(last(run, name) for run in runs)


def highest(runs: Sequence[dict[str, Any]]) -> float:
    """The highest accuracy after a last epoch."""
    return max(last(run, "val_accuracy") for run in runs)


def epoch_seconds(runs: Sequence[dict[str, Any]]) -> float:
    """Seconds of an epoch: the median, which a first epoch that compiles does not move."""
    return statistics.median(second for run in runs for second in run["epoch_seconds"])
