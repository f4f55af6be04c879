"""A small training run with everything that has a state, for test_killed.py:

    python killed_training.py FOLDER SAVE_FREQ DOUBLE_CHECKPOINT

Prints "begin", "batch" after each, "saving" and "saved" around the writing of a backup, "validating" and
"validated", and at its end a line of JSON with digests of the results.
"""

import hashlib
import json
import sys
from pathlib import Path

import tinynet
from tinynet import callbacks, layers
from tinynet.callbacks import backup_file


def announced(path, *content):
    print("saving", flush=True)
    write(path, *content)
    print("saved", flush=True)


def announcing(**words):
    """The callback that prints a word at each of these hooks."""
    return callbacks.LambdaCallback(
        **{hook: lambda *_, word=word: print(word, flush=True) for hook, word in words.items()}
    )


write, backup_file.write = backup_file.write, announced


def main(folder, save_freq, double_checkpoint):
    tinynet.utils.set_random_seed(7)
    (x, y), _ = tinynet.datasets.digits.load_data()
    x, y = x[:500, ..., None], y[:500]
    model = tinynet.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Rescaling(1 / 16),
            layers.Conv2D(8, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(tinynet.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x[:400], y[:400], batch_size=32, epochs=10, verbose=0, shuffle=True,
        validation_data=(x[400:], y[400:]),
        validation_batch_size=10,
        callbacks=[
            callbacks.BackupAndRestore(folder / "backup", save_freq, double_checkpoint),
            callbacks.ReduceLROnPlateau(factor=0.5, patience=0, min_delta=0.1),
            callbacks.EarlyStopping(patience=20, restore_best_weights=True),
            callbacks.ModelCheckpoint(folder / "best.safetensors", save_best_only=True,
                                      save_weights_only=True),
            callbacks.CSVLogger(folder / "log.csv"),
            announcing(
                on_train_begin="begin", on_train_batch_end="batch", on_test_begin="validating",
                on_test_end="validated"
            ),
        ],
    )  # fmt: skip
    results = {
        "weights": b"".join(weight.tobytes() for weight in model.get_weights()),
        "optimizer": b"".join(array.tobytes() for array in model.optimizer.get_weights()),
        "history": repr(history.history).encode(),
        "log": (folder / "log.csv").read_bytes(),
        "best": (folder / "best.safetensors").read_bytes(),
    }
    rates = history.history["learning_rate"]
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in results.items()}
    print(json.dumps({**digests, "epochs": len(history.epoch), "rates": len(set(rates))}), flush=True)


if __name__ == "__main__":
    main(
        Path(sys.argv[1]), sys.argv[2] if sys.argv[2] == "epoch" else int(sys.argv[2]), sys.argv[3] == "True"
    )
