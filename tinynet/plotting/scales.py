"""Axes for numbers that differ by orders of magnitude, or little near 100 %."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST, MOST = 3, 7  # ticks of an axis
ROOM = 1.25  # of a logarithmic axis beyond the outermost numbers, as a factor


class Scale:
    """A plain axis; shares are written in percent."""

    def __init__(self, numbers: np.ndarray, percent: bool) -> None:
        self.percent, self.numbers = percent, numbers

    def place(self, numbers: np.ndarray) -> np.ndarray:
        """Where numbers stand on the axis."""
        return numbers

    def text(self, number: float) -> str:
        return f"{number:.2%}" if self.percent else f"{number:.3g}"

    def dress(self, axes: "Axes") -> None:
        """Ticks and limits, after everything has been drawn."""
        from matplotlib.ticker import MaxNLocator, PercentFormatter

        # labels such as 45.25% need room
        axes.xaxis.set_major_locator(MaxNLocator(MOST - 1, steps=[1, 2, 2.5, 5, 10]))
        if self.percent:
            axes.xaxis.set_major_formatter(PercentFormatter(1.0))


class Logarithmic(Scale):
    """A logarithmic axis with plain numbers at its ticks: 0.5, 1, 2, 5."""

    def dress(self, axes: "Axes") -> None:
        from matplotlib.ticker import NullLocator

        places = self.place(self.numbers)
        low, high = places.min() / ROOM, places.max() * ROOM
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.xaxis.set_minor_locator(NullLocator())
        ticks = round_numbers(low, high)
        axes.set_xticks(ticks, [self.tick(tick) for tick in ticks])

    def tick(self, place: float) -> str:
        return f"{100 * place:.6g}%" if self.percent else f"{place:.6g}"


class Errors(Logarithmic):
    """1 - accuracy on a logarithmic axis that grows to the left, labelled in accuracy. No error at all, which
    such an axis does not have, stands at a third of the fewest, in the place of 100 %.
    """

    def place(self, numbers: np.ndarray) -> np.ndarray:
        return np.where(numbers < 1, 1 - numbers, self._none())

    def _none(self) -> float:
        some = 1 - self.numbers[self.numbers < 1]
        return float(some.min()) / 3 if len(some) else 0.001

    def dress(self, axes: "Axes") -> None:
        super().dress(axes)
        ticks, labels = list(axes.get_xticks()), [label.get_text() for label in axes.get_xticklabels()]
        if (self.numbers == 1).any():
            least = self._none()
            kept = [i for i, tick in enumerate(ticks) if tick > 1.5 * least]
            ticks, labels = [*(ticks[i] for i in kept), least], [*(labels[i] for i in kept), "100%"]
            axes.set_xticks(ticks, labels)
        axes.invert_xaxis()

    def tick(self, place: float) -> str:
        return f"{100 * (1 - place):.6g}%"


def scale_of(numbers: Sequence[float], percent: bool, log: bool, errors: bool) -> Scale:
    """The axis that `dots` asks for; ValueError where these numbers cannot stand on it."""
    values = np.asarray(numbers, float)
    if (percent or errors) and ((values < 0) | (values > 1)).any():
        wrong = values[(values < 0) | (values > 1)][0]
        raise ValueError(
            f"dots: percent=True: expected shares from 0 to 1, got {wrong:g}; divide percentages by 100, "
            "or say percent=False"
        )
    if errors and log:
        raise ValueError("dots: expected log or errors, got both; errors has a logarithmic axis of its own")
    if log and (values <= 0).any():
        raise ValueError(f"dots: log=True: expected numbers above 0, got {values[values <= 0][0]:g}")
    if errors:
        return Errors(values, percent=True)
    return Logarithmic(values, percent) if log else Scale(values, percent)


def round_numbers(low: float, high: float) -> list[float]:
    """A few round numbers from low to high, evenly spread on a logarithmic axis: 1, 2, 5, 10 and so on."""
    from matplotlib.ticker import MaxNLocator

    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,), (1, 2, 3, 5, 7)):
        found = [float(f"{step}e{exponent}") for exponent in exponents for step in steps]
        found = [number for number in found if low <= number <= high]
        if FEWEST <= len(found) <= MOST:
            return found
    return [float(t) for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
