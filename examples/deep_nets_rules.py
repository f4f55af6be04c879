"""The rules of the optimizers, number by number, as deep_nets_optimizers.py compares them with tinynet's.

Each is a generator in float64: it is sent a gradient g and gives the step that is added to the weights.

    rule = adam(0.001)
    next(rule)
    step = rule.send(g)

eta is the learning rate. m remembers gradients, s and u their size.
"""

from typing import Any

import numpy as np


def momentum(eta: float, beta: float = 0.9, nesterov: bool = False) -> Any:
    g, m = (yield), 0.0
    while True:
        m = beta * m - eta * g
        g = yield beta * m - eta * g if nesterov else m


def adagrad(eta: float, s: float = 0.1, epsilon: float = 1e-7) -> Any:
    g = yield
    while True:
        s = s + g**2
        g = yield -eta * g / np.sqrt(s + epsilon)


def rmsprop(eta: float, rho: float = 0.9, epsilon: float = 1e-7) -> Any:
    g, s = (yield), 0.0
    while True:
        s = rho * s + (1 - rho) * g**2
        g = yield -eta * g / np.sqrt(s + epsilon)


def adam(
    eta: float, a: float = 0.9, b: float = 0.999, epsilon: float = 1e-7, as_printed: bool = False
) -> Any:
    g, m, s, t = (yield), 0.0, 0.0, 0
    while True:
        m, s, t = a * m + (1 - a) * g, b * s + (1 - b) * g**2, t + 1
        m_hat, s_hat = m / (1 - (b if as_printed else a) ** t), s / (1 - b**t)
        # Keras: beside the root of s that is not corrected yet
        g = yield -eta * m_hat / (np.sqrt(s_hat) + epsilon / np.sqrt(1 - b**t))


def adamax(eta: float, a: float = 0.9, b: float = 0.999, epsilon: float = 1e-7) -> Any:
    g, m, u, t = (yield), 0.0, 0.0, 0
    while True:
        m, u, t = a * m + (1 - a) * g, np.maximum(b * u, abs(g)), t + 1
        g = yield -eta * m / (1 - a**t) / (u + epsilon)


def nadam(eta: float, a: float = 0.9, b: float = 0.999, epsilon: float = 1e-7) -> Any:
    g, m, s, t, product = (yield), 0.0, 0.0, 0, 1.0
    while True:
        m, s, t = a * m + (1 - a) * g, b * s + (1 - b) * g**2, t + 1
        now, after = (a * (1 - 0.5 * 0.96**k) for k in (t, t + 1))
        product *= now
        m_hat = after * m / (1 - product * after) + (1 - now) * g / (1 - product)
        g = yield -eta * m_hat / (np.sqrt(s / (1 - b**t)) + epsilon)


FORMULAS = {
    "SGD": lambda eta: momentum(eta, beta=0.0),
    "momentum": momentum,
    "Nesterov": lambda eta: momentum(eta, nesterov=True),
    "AdaGrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "Adamax": adamax,
    "Nadam": nadam,
}
