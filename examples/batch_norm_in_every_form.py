"""Batch normalisation of four numbers in every form: by hand, on the tape, in NumPy, with register tiles.

    python examples/batch_norm_in_every_form.py

The example is the one that kernels/batch_norm.py works out by hand: one channel x = 1, 3, 5, 7 with
epsilon 4, so that the root is 3. Each form is a step closer to the machine than the one before, and all print
the same numbers.
"""

from fractions import Fraction

import numpy as np

import tinynet
from tinynet.kernels import batch_norm as kernels
from tinynet.kernels import batch_norm_tiles as tiles
from tinynet.kernels.emit import vectors

X = (1, 3, 5, 7)  # four samples of one channel
G = (1, 0, 0, 0)  # upstream gradient: the loss is the first y
GAMMA, BETA, EPSILON = 3, 1, 4


def by_hand():
    """The formulas, number by number, in fractions."""
    m = len(X)
    mean = Fraction(sum(X), m)
    var = sum((x - mean) ** 2 for x in X) / m
    s = 3
    assert s**2 == var + EPSILON
    xhat = [(x - mean) / s for x in X]
    y = [GAMMA * value + BETA for value in xhat]
    dbeta, dgamma = sum(G), sum(g * value for g, value in zip(G, xhat, strict=True))
    mean_g = Fraction(dbeta, m)
    dx = [Fraction(GAMMA, s) * (g - mean_g - value * dgamma / m) for g, value in zip(G, xhat, strict=True)]
    print(f"  mean {mean}, var {var}, root {s}, xhat {', '.join(map(str, xhat))}")
    print(f"  so dx = {', '.join(map(str, dx))}")
    return y, dx, dgamma, dbeta


def on_the_tape():
    """The forward alone, in operations of Tensors; its derivative is the chain rule's."""
    x, gamma, beta = variables()
    mean = tinynet.ops.mean(x, axis=0)
    var = tinynet.ops.mean((x - mean) ** 2, axis=0)
    y = gamma * ((x - mean) / tinynet.ops.sqrt(var + EPSILON)) + beta
    return y, *tinynet.grad(y, [x, gamma, beta], column(G))


def finite_differences(h=1e-5):
    """(f(x + h) - f(x - h)) / 2h for every number, with the forward alone."""
    values = [column(X), np.array([GAMMA], float), np.array([BETA], float)]

    def loss():
        return np.sum(column(G) * kernels.batch_norm["numpy"](*values, epsilon=EPSILON)[0])

    slopes = [np.zeros(value.shape) for value in values]
    for value, slope in zip(values, slopes, strict=True):
        for place in np.ndindex(value.shape):
            for step in (h, -h):
                value[place] += step
                slope[place] += loss() / (2 * step)
                value[place] -= step
    return kernels.batch_norm["numpy"](*values, epsilon=EPSILON)[0], *slopes


def in_numpy():
    """The reference: forward and backward as the derivation says."""
    gamma, beta = np.array([GAMMA], float), np.array([BETA], float)
    y, mean, var = kernels.batch_norm["numpy"](column(X), gamma, beta, epsilon=EPSILON)
    return y, *kernels.batch_norm_grad["numpy"](column(G), column(X), gamma, mean, var, epsilon=EPSILON)


def one_tile(tile, table, out, g, x):
    """Runs a register tile, machine code, over all pixels of arrays (pixels, channels, images)."""
    pixels = x.shape[0]
    shape = (x.shape[2], 1, x.shape[1])  # (N, pixels, C), as `plan` takes it
    plan = tiles.plan(tile, np.empty(shape))
    tiles.run_tiles(plan, vectors(x.dtype).lanes, table, out, g, x, 0, pixels, pixels)


def with_tiles():
    """The four tiles that the fast kernel runs, with the tables between them."""
    x, g = column(X).reshape(1, 1, 4), column(G).reshape(1, 1, 4)  # (pixels, channels, images): batch last
    y, dx, m = np.zeros(x.shape), np.zeros(x.shape), x.size
    sums, constants = np.zeros((3, 1)), np.zeros((4, 1))

    one_tile(tiles.moments_tile, sums, y, x, x)
    shift, total, squares = sums[:, 0]
    mean = shift + total / m
    var = (squares - total**2 / m) / m
    print(f"  moments_tile        shift {shift:g}, sum of x - shift {total:g}, of its squares {squares:g}")
    constants[:3, 0] = mean, GAMMA / np.sqrt(var + EPSILON), BETA
    print("  normalise_tile      mean {:g}, scale {:g}, beta {:g}".format(*constants[:3, 0]))
    one_tile(tiles.normalise_tile, constants, y, x, x)

    sums[0] = mean
    one_tile(tiles.gradient_sums_tile, sums, dx, g, x)
    total, product = sums[1:, 0]
    print(f"  gradient_sums_tile  sum of g {total:g}, of g (x - mean) {product:g}")
    inverse = 1 / np.sqrt(var + EPSILON)
    constants[:, 0] = mean, total / m, GAMMA * inverse, -GAMMA * inverse**3 * product / m
    print("  combine_tile        mean {:g}, mean of g {:g}, a {:g}, -k {:.6f}".format(*constants[:, 0]))
    one_tile(tiles.combine_tile, constants, dx, g, x)
    return y, dx, product * inverse, total


def as_layers_call_it():
    """The operation that the layer BatchNormalization calls: the tape around the fast kernel."""
    x, gamma, beta = variables()
    y, _, _ = tinynet.ops.batch_norm(x, gamma, beta, epsilon=EPSILON)
    return y, *tinynet.grad(y, [x, gamma, beta], column(G))


def column(numbers):
    return np.array(numbers, float).reshape(4, 1)  # (N, C)


def variables():
    values = column(X), np.array([GAMMA], float), np.array([BETA], float)
    return [tinynet.Tensor(value, requires_grad=True) for value in values]


FORMS = {
    "by hand": by_hand,
    "on the tape": on_the_tape,
    "finite differences": finite_differences,
    "in NumPy (the reference)": in_numpy,
    "with register tiles": with_tiles,
    "as layers call it": as_layers_call_it,
}


def flat(value):
    """The numbers of a list, a Tensor or an array, one after the other."""
    array = value.numpy() if isinstance(value, tinynet.Tensor) else np.asarray(value, float)
    return array.ravel()


def main():
    for form, compute in FORMS.items():
        print(form)
        y, dx, dgamma, dbeta = map(flat, compute())
        for name, values in (("y", y), ("dx", dx), ("dgamma", dgamma), ("dbeta", dbeta)):
            print(f"  {name:6}", *(f"{round(value, 6) + 0:9.6f}" for value in values))


if __name__ == "__main__":
    main()
