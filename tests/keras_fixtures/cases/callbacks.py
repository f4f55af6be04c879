"""Callbacks that act on training."""

import numpy as np

from keras_fixtures.cases.nets import classifier, fitted
from keras_fixtures.harness import case, cases

STOPS = {
    "patience_0": {"monitor": "val_loss"},
    "patience_2": {"monitor": "val_loss", "patience": 2},
    "patience_4": {"monitor": "val_loss", "patience": 4},
    "restore": {"monitor": "val_loss", "patience": 2, "restore_best_weights": True},
    "restore_at_the_end": {"monitor": "val_loss", "patience": 50, "restore_best_weights": True},
    "min_delta": {"monitor": "loss", "min_delta": 0.05, "patience": 1},
    "accuracy": {"monitor": "val_accuracy", "patience": 1, "restore_best_weights": True},
    "mode_max": {"monitor": "val_loss", "mode": "max", "patience": 3, "restore_best_weights": True},
    "baseline": {"monitor": "val_loss", "baseline": 0.1, "patience": 6},
    "baseline_restore": {"monitor": "val_loss", "baseline": 0.1, "patience": 5, "restore_best_weights": True},
    "start_from": {"monitor": "val_loss", "patience": 1, "start_from_epoch": 6},
}
PLATEAUS = {
    "patience_1": {"monitor": "val_loss", "factor": 0.3, "patience": 1},
    "patience_3": {"monitor": "val_loss", "factor": 0.3, "patience": 3},
    "cooldown": {"monitor": "val_loss", "factor": 0.5, "patience": 1, "cooldown": 2},
    "min_lr": {"monitor": "val_loss", "factor": 0.1, "patience": 1, "min_lr": 0.2},
    "min_delta": {"monitor": "loss", "factor": 0.5, "patience": 1, "min_delta": 0.1},
    "max": {"monitor": "val_accuracy", "factor": 0.7, "patience": 2, "mode": "max"},
}
SCHEDULES = {
    "epoch": lambda epoch: 0.5 / (1 + epoch),
    "epoch_and_rate": lambda epoch, rate: rate * 0.6,
    "steps": lambda epoch, rate: 0.4 if epoch < 2 else rate * 0.5,
}


def problem(run):
    """Few samples with labels at random: the validation loss goes down, then up."""
    return run.x(16, 6), run.labels(16), (run.x(12, 6), run.labels(12))


def compiled(k, run, rate=0.8):
    model = classifier(k)
    model.compile(
        k.optimizers.SGD(rate, momentum=0.3), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    run.start(model)
    return model


def trained(k, run, callbacks, epochs=12, rate=0.8, **settings):
    x, y, validation = problem(run)
    model = compiled(k, run, rate)
    history = fitted(model, x, y, validation_data=validation, epochs=epochs, callbacks=callbacks, **settings)
    return run.end(
        model, x, history, rate=float(model.optimizer.learning_rate), steps=int(model.optimizer.iterations)
    )


@cases(STOPS)
def early_stopping(k, run, settings):
    stopping = k.callbacks.EarlyStopping(**settings)
    return {
        **trained(k, run, [stopping]),
        "stopped": int(stopping.stopped_epoch),
        "best": int(stopping.best_epoch),
    }


@cases(PLATEAUS)
def reduce_on_plateau(k, run, settings):
    return trained(k, run, [k.callbacks.ReduceLROnPlateau(**settings)])


@cases(SCHEDULES)
def schedule(k, run, function):
    return trained(k, run, [k.callbacks.LearningRateScheduler(function)], epochs=5)


@cases({"best": True, "all": False})
def checkpoint(k, run, best_only):
    """The weights that were saved, loaded again."""
    path = run.weights_path("{epoch:02d}" if not best_only else "best")
    saving = k.callbacks.ModelCheckpoint(
        path, save_best_only=best_only, save_weights_only=True, monitor="val_loss"
    )
    found = trained(k, run, [saving], epochs=10)
    model = classifier(k)
    model.load_weights(path.format(epoch=4))
    names = sorted(file.name.split(".")[0] for file in run.folder.iterdir())
    return {**found, "loaded": model, "files": [0.0 if name == "best" else float(name) for name in names]}


@case
def checkpoint_by_batches(k, run):
    """Every third batch, over the borders of epochs."""
    path = run.weights_path("{epoch:02d}-{batch:02d}")
    saving = k.callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3)
    found = trained(k, run, [saving], epochs=4, batch_size=4)
    names = sorted(file.name.split(".")[0] for file in run.folder.iterdir())
    model = classifier(k)
    model.load_weights(path.format(epoch=2, batch=2))
    return {**found, "files": [[float(part) for part in name.split("-")] for name in names], "loaded": model}


@case
def checkpoint_max(k, run):
    path = run.weights_path("best")
    settings = {"monitor": "val_accuracy", "mode": "max", "initial_value_threshold": 0.3}
    saving = k.callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, **settings)
    found = trained(k, run, [saving], epochs=10)
    model = classifier(k)
    model.load_weights(path)
    return {**found, "loaded": model, "best": float(saving.best)}


@case
def terminate_on_nan(k, run):
    """A rate that is far too large: training ends at the first batch whose loss is not a number."""
    x, y = run.x(28, 6), run.x(28, 1)
    model = k.Sequential([k.Input((6,)), k.layers.Dense(1)])
    model.compile(k.optimizers.SGD(1e6), "mse")
    run.start(model)
    history = fitted(model, x, y, batch_size=4, epochs=5, callbacks=[k.callbacks.TerminateOnNaN()])
    return {"epochs": len(history.epoch), "steps": int(model.optimizer.iterations)}


@case
def lambdas(k, run):
    """A rate for each batch."""
    model = compiled(k, run)
    x, y, validation = problem(run)
    seen = []

    def begin(batch, logs):
        model.optimizer.learning_rate = 0.3 / (1 + batch)

    def end(epoch, logs):
        seen.append([epoch, logs["loss"], logs["val_loss"]])

    callback = k.callbacks.LambdaCallback(on_train_batch_begin=begin, on_epoch_end=end)
    history = fitted(model, x, y, batch_size=4, epochs=4, validation_data=validation, callbacks=[callback])
    return run.end(model, x, history, seen=[np.float32(one) for one in seen])


def recorder(k):
    class Recorder(k.callbacks.Callback):
        """Writes down every event, and stops training in the middle of the fourth epoch."""

        def __init__(self):
            super().__init__()
            self.events, self.losses = [], []

        def on_epoch_begin(self, epoch, logs=None):
            self.events.append(1)

        def on_train_batch_end(self, batch, logs=None):
            self.events.append(2)
            self.losses.append(logs["loss"])
            if len(self.losses) == 14:
                self.model.stop_training = True

        def on_test_begin(self, logs=None):
            self.events.append(3)

        def on_test_batch_end(self, batch, logs=None):
            self.events.append(4)

        def on_test_end(self, logs=None):
            self.events.append(5)

        def on_epoch_end(self, epoch, logs=None):
            self.events.append(6)
            logs["added"] = float(epoch)

        def on_train_end(self, logs=None):
            self.events.append(7)

    return Recorder()


@case
def events(k, run):
    """In Keras's order; the running means of each batch; a key added to the logs reaches the history."""
    watching = recorder(k)
    found = trained(k, run, [watching], batch_size=4, validation_batch_size=5)
    return {**found, "events": watching.events, "losses": [float(one) for one in watching.losses]}


@case
def several(k, run):
    """A schedule, a plateau and early stopping, one after the other."""
    callbacks = [
        k.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1),
        k.callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True),
        k.callbacks.History(),
    ]
    return trained(k, run, callbacks)


@case
def csv_log(k, run):
    """The file, number by number."""
    path = str(run.folder / "log.csv")
    found = trained(k, run, [k.callbacks.CSVLogger(path)], epochs=3)
    lines = (run.folder / "log.csv").read_text(encoding="utf-8").split()
    rows = [[float(cell) for cell in line.split(",")] for line in lines[1:]]
    return {**found, "rows": rows, **{f"column {name}": i for i, name in enumerate(lines[0].split(","))}}


@case
def interrupted_and_resumed(k, run):
    """BackupAndRestore: a run that is broken off in its third epoch goes on from the end of the second."""
    x, y, _ = problem(run)
    model = compiled(k, run)

    def fail(epoch, logs):
        if epoch == 2:
            raise KeyboardInterrupt

    folder = str(run.folder / "backup")
    try:
        breaking = k.callbacks.LambdaCallback(on_epoch_begin=fail)
        fitted(model, x, y, epochs=5, callbacks=[k.callbacks.BackupAndRestore(folder), breaking])
    except KeyboardInterrupt:
        pass
    again = compiled(k, run)
    history = fitted(again, x, y, epochs=5, callbacks=[k.callbacks.BackupAndRestore(folder)])
    # The history of the run that goes on: in tinynet it has the epochs before the break too.
    return run.end(again, x, loss=history.history["loss"][-3:], steps=int(again.optimizer.iterations))


@case
def averages_swapped(k, run):
    """SwapEMAWeights: validation sees the averages, training goes on from the weights."""
    x, y, validation = problem(run)
    model = classifier(k)
    optimizer = k.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.6)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    run.start(model)
    swapping = [k.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    history = fitted(model, x, y, epochs=4, validation_data=validation, callbacks=swapping)
    return run.end(model, x, history)


@case
def predict_and_evaluate(k, run):
    """Callbacks of evaluate and predict."""
    counts = {"test": 0, "predict": 0}

    class Counter(k.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            counts["test"] += 1 + batch

        def on_predict_batch_end(self, batch, logs=None):
            counts["predict"] += 10 * (1 + batch)

    model = compiled(k, run)
    x, y, _ = problem(run)
    found = model.evaluate(x, y, batch_size=5, verbose=0, callbacks=[Counter()])
    predicted = model.predict(x, batch_size=7, verbose=0, callbacks=[Counter()])
    return {"found": found, "predicted": predicted, "counts": counts}
