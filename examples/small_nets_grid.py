"""The grid of examples/small_nets.py: what batch norm, dropout, a schedule and more parameters do.

In a grid of all combinations each thing can be compared with its absence 8 times, everything else being
equal, and each time for every seed. The mean of these differences is called its main effect.
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from small_nets_rows import ALIKE, FACTORS, NEEDED, OVERFITS, OVERKILL

from tinynet.plotting import figure

On = tuple[bool, ...]  # which of FACTORS are on
EVERYTHING = (True,) * 3  # batch norm, dropout and schedule


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
    """The main effects in points of a percent, and whether the prose's claims hold in the grid.

    "Alike" is a mean difference below twice its standard error; over-fitted, a net that knows more of the
    images it learned from than of the others; "of no use", less than 0.1 points.
    """
    table = accuracies(grid)
    values: dict[str, Any] = {}
    for factor, found in differences(table).items():
        values[f"{factor}: points"] = round(100 * statistics.fmean(found), 3)
        values[f"{factor}: standard deviation"] = round(100 * statistics.stdev(found), 3)
    size = differences(table)[FACTORS[0]]
    error = statistics.stdev(size) / len(size) ** 0.5
    learned = accuracies(grid, "accuracy")
    plain = [(size_on, False, False, False) for size_on in (False, True)]
    gaps = [a - b for on in plain for a, b in zip(learned[on], table[on], strict=True)]
    best = {on: statistics.fmean(max(run["history"]["val_accuracy"]) for run in grid[on]) for on in grid}
    reached = [on for on, accuracy in best.items() if accuracy >= 0.994]
    gain = statistics.fmean(table[(True, *EVERYTHING)]) - statistics.fmean(table[(False, *EVERYTHING)])
    values["plain nets: points more of the images learned from"] = round(100 * statistics.fmean(gaps), 3)
    values["combinations that reach 99.4 %"] = len(reached)
    values["points that 49K add to the other three"] = round(100 * gain, 3)
    all_three = bool(reached) and all(on[1:] == EVERYTHING for on in reached)
    return values | {
        ALIKE: _yes(abs(statistics.fmean(size)) < 2 * error),
        OVERFITS: _yes(min(gaps) > 0),
        NEEDED: _yes(all_three) if reached else "nothing reached it",
        OVERKILL: _yes(gain < 0.001),
    }


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def picture_of_effects(table: Mapping[On, Sequence[float]]) -> Any:
    """Left the accuracy of every combination, right the differences that each factor makes."""
    picture = figure.new_figure(11, 5.2, "What each thing does, in 8 epochs")
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
