"""Gradient checks: derivatives from the tape against finite differences.

A derivative is compared for a *random* upstream gradient (an upstream of ones would let softmax and batch
norm pass with a wrong rule), in float64, along random directions, and for small inputs element by element and
row by row of the whole Jacobian. Slopes are central differences at two step sizes h and h / 2, extrapolated
(Richardson):

    d(h) = (f(x + h v) - f(x - h v)) / 2h,    slope = (4 d(h / 2) - d(h)) / 3 = f'(x) v + O(h**4)

Where the two step sizes contradict each other, f has a kink or a tie nearby and the failure says so.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from tinynet import autograd, kernels
from tinynet.autograd import Tensor
from tinynet.autograd.tensor import as_raw
from tinynet.kernels.cuda import loaders

Kernels = dict[str, str | Sequence[str]] | str | None


class GradientError(AssertionError):
    """A derivative disagrees with finite differences; the message names the worst element."""


def gradcheck(
    f: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-4,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    directions: int = 2,
    jacobian_size: int = 64,
    seed: int = 0,
    kernels: Kernels = None,
) -> bool:
    """Checks the derivative of `f` at `inputs`; returns True or raises GradientError with a report.

    f takes as many Tensors as there are inputs (arrays or Tensors; one alone or a list) and returns a Tensor
    or a tuple of them. Floating-point inputs are cast to float64 and differentiated, others passed on as they
    are. Inputs and outputs of at most `jacobian_size` elements are checked element by element too. `kernels`
    repeats the check under every implementation named, as in {"conv2d": ["naive", "im2col", "vector"]}, or
    under all of a family ({"conv2d": "all"}).

    eps is the larger step h; what differs by more than atol + rtol |slope| is an error; `directions` random
    ones are tried for each input, drawn from `seed`.

    It also fails where f changes an input or an upstream gradient, computes in another format than float64,
    or gives other values when called again (dropout without a fixed key).

    >>> tinynet.gradcheck(lambda x: ops.exp(x) * x, np.array([0.5, 1.0]))
    True
    """
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    for label, context in _implementations(kernels):
        with context:
            _Check(f, values, eps, rtol, atol, label).run(
                directions, jacobian_size, np.random.default_rng(seed)
            )
    return True


def gradgradcheck(f: Callable[..., Any], inputs: Any, *, seed: int = 0, **settings: Any) -> bool:
    """gradcheck of the gradient function of `f`, by the inputs and by the upstream gradients;
    seed, settings as for gradcheck.

    >>> tinynet.gradgradcheck(lambda x: ops.exp(x) * x, np.array([0.5, 1.0]))
    True
    """
    values = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    count = len(values)
    with autograd.no_grad():
        outputs = _tuple(f(*[Tensor(x) for x in _float64(values)]))
    rng = np.random.default_rng(seed + 1)
    upstreams = [rng.standard_normal(y.shape) for y in outputs if y.dtype.kind == "f"]

    def gradient(*arguments: Tensor) -> tuple[Tensor, ...]:
        wanted = [x for x in arguments[:count] if x.requires_grad]
        outputs = [y for y in _tuple(f(*arguments[:count])) if y.dtype.kind == "f"]
        used = [(y, g) for y, g in zip(outputs, arguments[count:], strict=True) if y.requires_grad]
        found = autograd.grad(
            [y for y, _ in used], wanted, [g for _, g in used], create_graph=True, allow_unused=True
        )
        return tuple(g for g in found if g is not None and g.requires_grad)

    names = _names(f, count) + [f"upstream {i}" for i in range(len(upstreams))]
    gradient.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name.replace(" ", "_"), inspect.Parameter.POSITIONAL_ONLY) for name in names]
    )
    return gradcheck(gradient, values + upstreams, seed=seed, **settings)


class _Check:
    """One check of one function at one point."""

    def __init__(
        self, f: Callable[..., Any], values: list[Any], eps: float, rtol: float, atol: float, label: str
    ) -> None:
        self.f, self.eps, self.rtol, self.atol, self.label = f, eps, rtol, atol, label
        self.values = _float64(values)
        self.names = _names(f, len(values))
        self.columns: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}
        self.floats = [i for i, x in enumerate(self.values) if x.dtype.kind == "f"]
        if not self.floats:
            raise ValueError(
                "gradcheck: none of the inputs is an array of floats, there is nothing to differentiate"
            )

    def run(self, directions: int, jacobian_size: int, rng: np.random.Generator) -> None:
        self.at_point = self._evaluate({})
        if not np.array_equal(self.at_point, self._evaluate({}), equal_nan=True):
            self._fail("f gives other values when it is called again; fix its random key")
        upstream = rng.standard_normal(self.at_point.size)
        gradients = self._differentiate(upstream)
        for i in self.floats:
            for _ in range(directions):
                v = rng.standard_normal(self.values[i].shape)
                v /= max(float(np.linalg.norm(v)), 1e-300)
                wrong, _ = self._compare(float(np.sum(gradients[i] * v)), upstream, self._sides(i, v))
                if wrong:
                    self._report_worst(i, gradients[i], upstream)
            if self.values[i].size <= jacobian_size:
                self._report_worst(i, gradients[i], upstream, only_if_wrong=True)
        if self.at_point.size <= jacobian_size:
            for row in np.eye(self.at_point.size):
                gradients = self._differentiate(row)
                for i in self.floats:
                    if self.values[i].size <= jacobian_size:
                        self._report_worst(i, gradients[i], row, only_if_wrong=True)

    def _tensors(self, moved: dict[int, np.ndarray]) -> list[Tensor]:
        return [Tensor(moved.get(i, x), requires_grad=x.dtype.kind == "f") for i, x in enumerate(self.values)]

    def _evaluate(self, moved: dict[int, np.ndarray]) -> np.ndarray:
        """All outputs, one after the other, with some inputs replaced."""
        outputs = [as_raw(y) for y in _tuple(self.f(*self._tensors(moved)))]
        return np.concatenate(
            [np.zeros(0)] + [np.asarray(y).reshape(-1) for y in outputs if y.dtype.kind == "f"]
        )

    def _differentiate(self, upstream: np.ndarray) -> dict[int, np.ndarray]:
        """Gradients by the tape, with the checks of what a backward must leave alone."""
        before = [x.copy() for x in self.values]
        tensors = self._tensors({})
        outputs = [y for y in _tuple(self.f(*tensors)) if y.dtype.kind == "f"]
        if bad := [str(y.dtype) for y in outputs if y.dtype != np.float64]:
            self._fail(f"from float64 inputs f computed outputs of {', '.join(bad)}")
        seeds = np.split(upstream, np.cumsum([y.size for y in outputs])[:-1]) if outputs else []
        seeds = [s.reshape(y.shape) for s, y in zip(seeds, outputs, strict=True) if y.requires_grad]
        kept = [s.copy() for s in seeds]
        wanted = [tensors[i] for i in self.floats]
        tracked = [y for y in outputs if y.requires_grad]
        if not tracked:
            self._fail("no output depends on an input by differentiable operations")
        found = autograd.grad(tracked, wanted, seeds, allow_unused=True)
        for name, old, now in zip(self.names, before, self.values, strict=True):
            if not np.array_equal(old, now, equal_nan=old.dtype.kind == "f"):
                self._fail(f"{name} was changed in place")
        if not all(np.array_equal(a, b) for a, b in zip(kept, seeds, strict=True)):
            self._fail("an upstream gradient was changed in place")
        arrays = [np.zeros(x.shape) if g is None else g.data for g, x in zip(found, wanted, strict=True)]
        for i, array in zip(self.floats, arrays, strict=True):
            if array.dtype != np.float64 or array.shape != self.values[i].shape:
                self._fail(
                    f"the gradient of {self.names[i]} {self.values[i].shape} is {array.dtype} {array.shape}"
                )
        return dict(zip(self.floats, arrays, strict=True))

    def _compare(self, analytic: float, upstream: np.ndarray, sides: np.ndarray) -> tuple[float, Any]:
        """(error in units of the tolerance, 0 if within it;
        facts for the report) for one direction of one input.
        """
        h = np.array([self.eps, self.eps / 2])
        ahead, behind = (sides @ upstream).reshape(2, 2).T  # upstream . (f(x +- h v) - f(x)), for both h
        slope, bend = (ahead - behind) / (2 * h), (ahead + behind) / h
        numeric = float(4 * slope[1] - slope[0]) / 3
        error = abs(analytic - numeric)
        tolerance = self.atol + self.rtol * max(abs(analytic), abs(numeric))
        if error <= tolerance:
            return 0.0, None
        # For a smooth f both vanish with h; for a jump of the slope within reach
        # of a step they are of the jump's size.
        contradiction = max(abs(slope[0] - slope[1]), abs(2 * bend[1] - bend[0]))
        ratio = error / tolerance if np.isfinite(error) else np.inf
        return ratio, (numeric, error, tolerance, not contradiction < 0.05 * error)

    def _sides(self, i: int, v: np.ndarray) -> np.ndarray:
        """f(x + s v) - f(x) for s = h, -h, h / 2, -h / 2, one row each."""
        rows = []
        for step in (self.eps, -self.eps, self.eps / 2, -self.eps / 2):
            moved = self.values[i].copy("K")
            moved += step * v
            rows.append(self._evaluate({i: moved}) - self.at_point)
        return np.stack(rows)

    def _element_sides(self, i: int, index: tuple[int, ...]) -> np.ndarray:
        """The same along one element of an input: a column of the Jacobian, kept for all its rows."""
        if (i, index) not in self.columns:
            v = np.zeros(self.values[i].shape)
            v[index] = 1
            self.columns[i, index] = self._sides(i, v)
        return self.columns[i, index]

    def _report_worst(
        self, i: int, gradient: np.ndarray, upstream: np.ndarray, only_if_wrong: bool = False
    ) -> None:
        """Compares element by element; raises with the worst.
        A failed direction fails even if no element stands out.
        """
        worst: tuple[float, Any, Any] = (0.0, None, None)
        wrong = 0
        for index in np.ndindex(gradient.shape):
            ratio, facts = self._compare(float(gradient[index]), upstream, self._element_sides(i, index))
            wrong += ratio > 0
            worst = max(worst, (ratio, index, facts), key=lambda found: found[0])
        ratio, index, facts = worst
        if facts is None:
            if only_if_wrong:
                return
            self._fail(
                f"the derivative by {self.names[i]} is wrong along a random direction, "
                "by little in every element"
            )
        numeric, error, tolerance, kink = facts
        analytic = float(gradient[index])
        where = f"{self.names[i]}[{', '.join(map(str, index))}]"
        figures = (
            f"  from the tape         {analytic: .10g}\n  finite differences    {numeric: .10g}\n"
            f"  error                 {error:.3g} (relative "
            f"{error / max(abs(analytic), abs(numeric), 1e-300):.3g}, "
            f"tolerance {tolerance:.3g})\n  elements that differ  {wrong} of {gradient.size}"
        )
        if kink:
            self._fail(
                f"there is a kink or a tie near {where}, no slope to compare; "
                f"move the input or lower eps\n{figures}"
            )
        self._fail(f"the derivative by {where} is wrong\n{figures}")

    def _fail(self, text: str) -> None:
        raise GradientError(f"gradcheck{self.label}: {text}")


def _implementations(choice: Kernels) -> Iterator[tuple[str, Any]]:
    """(label for the report, context) for every implementation asked for; the default ones if none is."""
    if choice is None:
        yield "", nullcontext()
        return
    known = kernels.families()
    families = dict.fromkeys(known, "all") if choice == "all" else choice
    for family, names in families.items():  # type: ignore[union-attr]
        if names == "all":  # CUDA's kernels take NumPy arrays where they are tested, and nowhere else
            names = [name for name in known[family] if name != "cuda" or "numpy" in loaders]
        for name in [names] if isinstance(names, str) else names:
            yield f" under {family}={name!r}", kernels.use(family, name)


def _float64(values: list[Any]) -> list[np.ndarray]:
    """Copies that keep their memory order; floats as float64."""
    arrays = [np.asarray(as_raw(x)) for x in values]
    return [np.array(x, np.float64 if x.dtype.kind == "f" else x.dtype, order="K") for x in arrays]


def _names(f: Callable[..., Any], count: int) -> list[str]:
    """What the inputs are called in a report: f's own names where it has them."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return [named[i] if i < len(named) else f"input {i}" for i in range(count)]


def _tuple(outputs: Any) -> tuple[Tensor, ...]:
    return tuple(outputs) if isinstance(outputs, list | tuple) else (outputs,)
