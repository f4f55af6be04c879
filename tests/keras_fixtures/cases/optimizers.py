"""Optimizers, and what they have in common: weight decay, clipping, averages, accumulation."""

from keras_fixtures.cases.nets import classifier, fitted
from keras_fixtures.harness import case, cases

RULES = {
    "sgd": lambda o: o.SGD(0.1),
    "sgd_momentum": lambda o: o.SGD(0.1, momentum=0.9),
    "sgd_nesterov": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda o: o.Adagrad(0.1),
    "adagrad_accumulator": lambda o: o.Adagrad(0.1, initial_accumulator_value=0.01, epsilon=0.01),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_rho": lambda o: o.RMSprop(0.01, rho=0.6, epsilon=0.01),
    "rmsprop_momentum": lambda o: o.RMSprop(0.01, momentum=0.8),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, centered=True, epsilon=1e-3),
    "rmsprop_centered_momentum": lambda o: o.RMSprop(0.01, centered=True, momentum=0.5, epsilon=1e-3),
    "adam": lambda o: o.Adam(0.03),
    "adam_betas": lambda o: o.Adam(0.03, beta_1=0.6, beta_2=0.8, epsilon=0.01),
    "adam_amsgrad": lambda o: o.Adam(0.03, beta_2=0.5, amsgrad=True),
    "adam_not_amsgrad": lambda o: o.Adam(0.03, beta_2=0.5),
    "adamax": lambda o: o.Adamax(0.03),
    "adamax_betas": lambda o: o.Adamax(0.03, beta_1=0.5, beta_2=0.7, epsilon=0.01),
    "nadam": lambda o: o.Nadam(0.03),
    "nadam_betas": lambda o: o.Nadam(0.03, beta_1=0.6, beta_2=0.8, epsilon=0.01),
    "adamw": lambda o: o.AdamW(0.03, weight_decay=0.3),
    "adamw_amsgrad": lambda o: o.AdamW(0.03, 0.3, beta_2=0.5, amsgrad=True),
    "adadelta": lambda o: o.Adadelta(5.0, epsilon=0.01),
    "adadelta_rho": lambda o: o.Adadelta(5.0, rho=0.5, epsilon=0.01),
    "lion": lambda o: o.Lion(0.003),
    "lion_betas": lambda o: o.Lion(0.003, beta_1=0.5, beta_2=0.6),
}
DECAYED = {
    "sgd": lambda o: o.SGD(0.1, weight_decay=0.3),
    "sgd_momentum": lambda o: o.SGD(0.1, momentum=0.9, weight_decay=0.3),
    "adagrad": lambda o: o.Adagrad(0.1, weight_decay=0.3),
    "rmsprop": lambda o: o.RMSprop(0.01, weight_decay=0.5),
    "adam": lambda o: o.Adam(0.03, weight_decay=0.5),
    "adamax": lambda o: o.Adamax(0.03, weight_decay=0.5),
    "nadam": lambda o: o.Nadam(0.03, weight_decay=0.5),
    "adadelta": lambda o: o.Adadelta(5.0, epsilon=1e-3, weight_decay=0.01),
    "lion": lambda o: o.Lion(0.003, weight_decay=3.0),
}
CLIPPED = {
    "sgd_norm": lambda o: o.SGD(0.5, clipnorm=0.05),
    "sgd_value": lambda o: o.SGD(0.5, clipvalue=0.02),
    "sgd_global": lambda o: o.SGD(0.5, global_clipnorm=0.05),
    "momentum_norm": lambda o: o.SGD(0.5, momentum=0.5, clipnorm=0.05),
    "momentum_global": lambda o: o.SGD(0.5, momentum=0.5, global_clipnorm=0.05),
    "adam_norm": lambda o: o.Adam(0.03, epsilon=0.01, clipnorm=0.05),
    "adam_value": lambda o: o.Adam(0.03, epsilon=0.01, clipvalue=0.02),
    "adam_global": lambda o: o.Adam(0.03, epsilon=0.01, global_clipnorm=0.05),
    "rmsprop_value": lambda o: o.RMSprop(0.01, epsilon=0.01, clipvalue=0.02),
    "adagrad_norm": lambda o: o.Adagrad(0.1, epsilon=0.01, clipnorm=0.05),
    "decay_and_norm": lambda o: o.SGD(0.5, weight_decay=0.3, clipnorm=0.05),
}
AVERAGED = {
    "sgd": lambda o: o.SGD(0.3, use_ema=True),
    "sgd_momentum_of_averages": lambda o: o.SGD(0.3, use_ema=True, ema_momentum=0.7),
    "sgd_overwrite": lambda o: o.SGD(0.3, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3),
    "sgd_overwrite_every_step": lambda o: o.SGD(
        0.3, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=1
    ),
    "adam": lambda o: o.Adam(0.03, use_ema=True, ema_momentum=0.7),
    "adam_overwrite": lambda o: o.Adam(0.03, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=5),
    "adamw_clipped": lambda o: o.AdamW(0.03, 0.3, clipnorm=0.05, use_ema=True, ema_momentum=0.7),
    "lion_overwrite": lambda o: o.Lion(0.003, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=5),
    "decayed": lambda o: o.SGD(0.3, weight_decay=0.3, use_ema=True, ema_momentum=0.7),
}
ACCUMULATED = {
    "sgd_2": lambda o: o.SGD(0.3, gradient_accumulation_steps=2),
    "sgd_5": lambda o: o.SGD(0.3, gradient_accumulation_steps=5),
    "momentum_2": lambda o: o.SGD(0.3, momentum=0.9, gradient_accumulation_steps=2),
    "adam_2": lambda o: o.Adam(0.03, gradient_accumulation_steps=2),
    "adam_3": lambda o: o.Adam(0.03, gradient_accumulation_steps=3),
    "nadam_2": lambda o: o.Nadam(0.03, gradient_accumulation_steps=2),
    "adam_clipnorm": lambda o: o.Adam(0.03, epsilon=0.01, clipnorm=0.05, gradient_accumulation_steps=2),
    "sgd_global_clipnorm": lambda o: o.SGD(0.3, global_clipnorm=0.05, gradient_accumulation_steps=2),
    "adamw": lambda o: o.AdamW(0.03, 0.3, gradient_accumulation_steps=3),
    "average": lambda o: o.SGD(0.3, use_ema=True, ema_momentum=0.7, gradient_accumulation_steps=2),
    "average_overwrite": lambda o: o.Adam(
        0.03, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3, gradient_accumulation_steps=2
    ),
    "schedule": lambda o: o.SGD(o.schedules.ExponentialDecay(0.3, 2, 0.5), gradient_accumulation_steps=3),
}


def trained(k, run, make):
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(make(k.optimizers), "sparse_categorical_crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@cases(RULES)
def rule(k, run, make):
    """The slots and their order too."""
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(make(k.optimizers), "sparse_categorical_crossentropy", metrics=["accuracy"])
    run.start(model)
    return run.end(model, x, fitted(model, x, y), state=model.optimizer.variables)


@cases(DECAYED)
def weight_decay(k, run, make):
    return trained(k, run, make)


@cases(CLIPPED)
def clipping(k, run, make):
    return trained(k, run, make)


@cases(AVERAGED)
def averages(k, run, make):
    return trained(k, run, make)


@cases(ACCUMULATED)
def accumulation(k, run, make):
    return trained(k, run, make)


@case
def loss_scale_factor(k, run):
    return trained(k, run, lambda o: o.SGD(0.1, loss_scale_factor=8.0))


@cases({name: name for name in ("SGD", "adam", "rmsprop", "adagrad", "lion")})
def by_name(k, run, name):
    """The defaults. Their steps are small: the data are large."""
    x, y = run.x(28, 6, scale=20.0), run.labels(28)
    model = k.Sequential([k.Input((6,)), k.layers.Dense(3)])
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=name, loss=loss)
    run.start(model)
    return run.end(model, x, fitted(model, x, y, epochs=5), rate=float(model.optimizer.learning_rate))


@cases({"names": {"var_names": ["bias"]}, "list": None})
def excluded_from_decay(k, run, settings):
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    optimizer = k.optimizers.Adam(0.03, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(
        **(settings or {"var_list": [model.layers[0].kernel, model.layers[1].bias]})
    )
    model.compile(optimizer, "sparse_categorical_crossentropy")
    run.start(model)
    return run.end(model, x, fitted(model, x, y))


@case
def from_config(k, run):
    def again(o):
        first = o.Adam(
            0.02, beta_1=0.8, amsgrad=True, weight_decay=0.3, clipnorm=0.5, use_ema=True, ema_momentum=0.8
        )
        return type(first).from_config(first.get_config())

    return trained(k, run, again)


@case
def assigned_rate(k, run):
    """A new learning rate takes effect at once, and the optimizer's other state stays."""
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(k.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy")
    run.start(model)
    first = fitted(model, x, y, epochs=1)
    model.optimizer.learning_rate = 0.01
    second = fitted(model, x, y, epochs=2)
    return run.end(model, x, {"first": first, "second": second, "rate": float(model.optimizer.learning_rate)})


@case
def rate_from_a_function(k, run):
    rates = iter([0.5, 0.4, 0.3, 0.2, 0.1] * 20)
    current = {"rate": 0.3}
    x, y = run.x(28, 6), run.labels(28)
    model = classifier(k)
    model.compile(
        k.optimizers.SGD(lambda: current["rate"]), "sparse_categorical_crossentropy", run_eagerly=True
    )
    run.start(model)
    losses = []
    for batch in range(4):
        current["rate"] = next(rates)
        losses.append(float(model.train_on_batch(x[batch * 7 : batch * 7 + 7], y[batch * 7 : batch * 7 + 7])))
    return run.end(model, x, losses=losses)


@case
def apply_by_hand(k, run):
    """Without a model: three variables, four steps, a constraint."""
    start = [run.x(3, 4), run.x(4), run.x(2, 2, 3)]
    layer = k.layers.Dense(4, kernel_constraint="non_neg")
    layer.build((None, 3))
    layer.set_weights(start[:2])
    optimizer = k.optimizers.Adam(0.1, epsilon=1e-3)
    for _ in range(4):
        gradients = [run.x(3, 4), run.x(4)]
        optimizer.apply([k.ops.convert_to_tensor(g) for g in gradients], layer.trainable_weights)
    return {"weights": layer, "steps": int(optimizer.iterations)}
