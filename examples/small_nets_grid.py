"""The grid of examples/small_nets.py: what batch norm, dropout, a schedule and more parameters do.

In a grid of all combinations each thing can be compared with its absence 8 times, everything else being
equal, and each time for every seed. The mean of these differences is called its main effect.
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from small_nets_rows import ALIKE, FACTORS, GRID, GRID_EPOCHS, NEEDED, OVERFITS, OVERKILL

from tinynet.plotting import figure

from shared.intervals import interval

On = tuple[bool, ...]  # which of FACTORS are on
EVERYTHING = (True,) * 3  # batch norm, dropout and schedule
MARGIN = 0.001  # of accuracy: nets that differ by less are alike


def accuracies(
    grid: Mapping[On, Sequence[Mapping[str, Any]]], name: str = "val_accuracy"
) -> dict[On, list[float]]:
    """The last accuracy of every run of the grid."""
    return {on: [run["history"][name][-1] for run in runs] for on, runs in grid.items()}


def differences(table: Mapping[On, Sequence[float]]) -> dict[str, list[float]]:
    """{factor: how much better each run is with it than without it, all else being equal}."""
    found: dict[str, list[float]] = {}
    for number, factor in enumerate(FACTORS):
        pairs = [(on, (*on[:number], True, *on[number + 1 :])) for on in table if not on[number]]
        found[factor] = [
            after - before
            for without, with_it in pairs
            for before, after in zip(table[without], table[with_it], strict=True)
        ]
    return found


def answers(grid: Mapping[On, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The main effects in points of a percent, and what the grid says of the prose's claims.

    "Alike" are two nets whose difference certainly lies within 0.1 points; over-fitted, a net that knows more
    of the images it learned from than of the others. Nets that reach 99.4 % without one of the three refute
    that all are needed; that none does within a few epochs says nothing.
    """
    table, learned = accuracies(grid), accuracies(grid, "accuracy")
    values: dict[str, Any] = {}
    for factor, found in differences(table).items():
        values[f"{factor}: points"] = round(100 * statistics.fmean(found), 3)
        values[f"{factor}: standard deviation"] = round(100 * statistics.stdev(found), 3)
    plain = [(size, False, False, False) for size in (False, True)]
    gaps = [a - b for on in plain for a, b in zip(learned[on], table[on], strict=True)]
    best = {on: statistics.fmean(max(run["history"]["val_accuracy"]) for run in grid[on]) for on in grid}
    reached = [on for on, accuracy in best.items() if accuracy >= 0.994]
    gain = statistics.fmean(table[(True, *EVERYTHING)]) - statistics.fmean(table[(False, *EVERYTHING)])
    values["plain nets: points more of the images learned from"] = round(100 * statistics.fmean(gaps), 3)
    values["combinations whose best epoch reaches 99.4 %"] = [name_of(on) for on in reached]
    values["points that 49K add to the other three"] = round(100 * gain, 3)
    return values | {
        ALIKE: alike(table[plain[0]], table[plain[1]]),
        OVERFITS: f"8 epochs do not tell; {100 * statistics.fmean(gaps):+.2f} points on images learned from",
        NEEDED: needed(reached),
        OVERKILL: f"not asked: 16 to 64 filters in place of 8 to 16 add {100 * gain:+.3f} points",
    }


def alike(small: Sequence[float], large: Sequence[float]) -> str:
    """The accuracies of two nets, seed by seed."""
    each = [after - before for before, after in zip(small, large, strict=True)]
    said = f"{100 * statistics.fmean(each):+.2f} points"
    if len(each) < 2:
        return f"{said}, one seed: too few to tell"
    _, low, high = interval(each)
    verdict = "yes" if low > -MARGIN and high < MARGIN else "no" if low > 0 or high < 0 else "not shown"
    return f"{verdict}: {said}, 95 % interval {100 * low:+.2f} to {100 * high:+.2f}, {len(each)} seeds"


def needed(reached: Sequence[On]) -> str:
    """By the combinations that reach 99.4 %: are batch norm, dropout and schedule all needed for it?"""
    if not reached:
        return f"open: nothing reached it in {GRID_EPOCHS} epochs"
    without = [name_of(on) for on in reached if on[1:] != EVERYTHING]
    if without:
        return f"no: {'; '.join(without)} reached it"
    return f"open: with all three it was reached, otherwise not in {GRID_EPOCHS} epochs"


def name_of(on: On) -> str:
    return next(name for name, switches in GRID.items() if switches == on)


def picture_of_effects(table: Mapping[On, Sequence[float]]) -> Any:
    """Left the accuracy of every combination, right the differences that each factor makes."""
    picture = figure.new_figure(11, 5.2, f"What each thing does, in {GRID_EPOCHS} epochs")
    left, right = picture.subplots(1, 2, width_ratios=(1.25, 1))
    settings = list(itertools.product((False, True), repeat=3))
    for large, colour, marker in ((False, figure.BLUE, "o"), (True, figure.VERMILION, "s")):
        for line, on in enumerate(settings):
            seeds = 100 * np.array(table[(large, *on)])
            height = np.full(len(seeds), line + (0.14 if large else -0.14))
            label = FACTORS[0] if large else "10K parameters"
            left.plot(seeds, height, marker, color=colour, alpha=0.7, label=None if line else label)
    names = [" + ".join(itertools.compress(FACTORS[1:], on)) or "plain" for on in settings]
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set(xlabel="test images right, in %", title="every combination, a mark for each seed")
    picture.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    labels = []
    for line, (factor, found) in enumerate(differences(table).items()):
        points = 100 * np.array(found)
        error = 2 * points.std(ddof=1) / len(points) ** 0.5
        labels.append(f"{factor}\n{points.mean():+.2f} ± {error:.2f}")
        right.plot(
            points, np.linspace(line - 0.3, line + 0.3, len(points)), ".", color=figure.GREY, alpha=0.7
        )
        right.errorbar(points.mean(), line, xerr=error, fmt="D", color=figure.BLUE, capsize=5)
    right.axvline(0, color="black", linewidth=1)
    right.set_yticks(range(len(labels)), labels)
    right.invert_yaxis()
    right.set(xlabel="points won (mean ± 2 standard errors)", title="with it minus without, for each pair")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    return picture
