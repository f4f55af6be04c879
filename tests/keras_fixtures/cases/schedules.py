"""Learning-rate schedules: their values step by step, and runs trained with them."""

from keras_fixtures.cases.nets import classifier, fitted
from keras_fixtures.harness import case, cases

SCHEDULES = {
    "exponential": lambda s: s.ExponentialDecay(0.5, 4, 0.3),
    "exponential_staircase": lambda s: s.ExponentialDecay(0.5, 4, 0.3, staircase=True),
    "inverse_time": lambda s: s.InverseTimeDecay(0.5, 3, 0.7),
    "inverse_time_staircase": lambda s: s.InverseTimeDecay(0.5, 3, 0.7, staircase=True),
    "polynomial": lambda s: s.PolynomialDecay(0.5, 8),
    "polynomial_power": lambda s: s.PolynomialDecay(0.5, 8, end_learning_rate=0.05, power=0.5),
    "polynomial_cycle": lambda s: s.PolynomialDecay(0.5, 5, 0.05, 2.0, cycle=True),
    "piecewise": lambda s: s.PiecewiseConstantDecay([2, 5, 9], [0.5, 0.1, 0.4, 0.05]),
    "cosine": lambda s: s.CosineDecay(0.5, 9),
    "cosine_alpha": lambda s: s.CosineDecay(0.5, 9, alpha=0.4),
    "cosine_warmup": lambda s: s.CosineDecay(0.05, 9, warmup_target=0.5, warmup_steps=4),
    "cosine_warmup_alpha": lambda s: s.CosineDecay(0.0, 6, alpha=0.2, warmup_target=0.6, warmup_steps=3),
    "restarts": lambda s: s.CosineDecayRestarts(0.5, 3),
    "restarts_equal": lambda s: s.CosineDecayRestarts(0.5, 3, t_mul=1.0, m_mul=0.6),
    "restarts_longer": lambda s: s.CosineDecayRestarts(0.5, 3, t_mul=1.5, m_mul=0.7, alpha=0.1),
}
# Values right at a restart hang on the last bit of a logarithm.
STEPS = (0, 1, 2, 4, 5, 7, 8, 10, 11, 14, 17, 26, 40, 100)
RULES = {
    "momentum": lambda o, rate: o.SGD(rate, momentum=0.9),
    "adam": lambda o, rate: o.Adam(rate, epsilon=0.1),
    "nadam": lambda o, rate: o.Nadam(rate, epsilon=0.1),
    "rmsprop": lambda o, rate: o.RMSprop(rate, epsilon=0.1),
    "decayed": lambda o, rate: o.SGD(rate, weight_decay=0.3),
    "clipped": lambda o, rate: o.SGD(rate, clipnorm=0.05),
    "averaged": lambda o, rate: o.SGD(rate, use_ema=True, ema_momentum=0.7),
    "accumulated": lambda o, rate: o.Adam(rate, epsilon=0.1, gradient_accumulation_steps=2),
}


def trained(k, run, optimizer, **more):
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    run.start(model)
    return run.end(model, x, fitted(model, x, y), **more)


@cases(SCHEDULES)
def schedule(k, run, make):
    rates = make(k.optimizers.schedules)
    again = type(rates).from_config(rates.get_config())
    values = {
        "values": [float(rates(step)) for step in STEPS],
        "again": [float(again(step)) for step in STEPS],
    }
    return trained(k, run, k.optimizers.SGD(rates), **values)


@cases(RULES)
def exponential_with(k, run, make):
    return trained(k, run, make(k.optimizers, k.optimizers.schedules.ExponentialDecay(0.4, 4, 0.3)))


@cases(RULES)
def warmup_with(k, run, make):
    rates = k.optimizers.schedules.CosineDecay(0.0, 9, warmup_target=0.4, warmup_steps=3)
    return trained(k, run, make(k.optimizers, rates))


@case
def over_two_fits(k, run):
    """The steps go on counting."""
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(
        k.optimizers.SGD(k.optimizers.schedules.ExponentialDecay(0.5, 4, 0.3)),
        "sparse_categorical_crossentropy",
    )
    run.start(model)
    found = {}
    for name in ("first", "second"):
        history = fitted(model, x, y, epochs=1)
        found |= {name: history, f"{name} rate": float(model.optimizer.learning_rate)}
    return run.end(model, x, found, steps=int(model.optimizer.iterations))


@case
def of_ones_own(k, run):
    class Halving(k.optimizers.schedules.LearningRateSchedule):
        def __init__(self, start):
            self.start = start

        def __call__(self, step):
            return self.start * 0.5 ** (step / 4)

        def get_config(self):
            return {"start": self.start}

    return trained(k, run, k.optimizers.SGD(Halving(0.5)))
