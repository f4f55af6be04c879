"""Models 12 and 13 of "Beating MNIST": several nets averaged, and nets that learn from what others guessed.

Each of these nets is Model 11, improved, from a seed of its own. Rows share them, so each is trained once and
kept in a file: a study that is stopped goes on with the next net.
"""

import json
import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from beating_mnist_models import generator
from beating_mnist_training import AUGMENTED_BATCH as BATCH
from beating_mnist_training import AUGMENTED_RATE, EPOCHS, augmented, net_for, ready

from tinynet import utils
from tinynet.schedules import CosineDecay

from shared.data import Split, split
from shared.study import Study
from shared.training import fit

AVERAGED, STUDENTS = 5, 3  # nets of Model 12, and of Model 13
SHARE = 4  # one image of so many in a batch is pseudo-labelled
EVERY_LABEL, FEWER_LABELS, PSEUDO_LABELS = "every-label", "fewer-labels", "pseudo-labels"


class Nets:
    """The nets of a study, by the labels that they learn from and their seed; each is trained when it is
    first asked for. The labels of the last sixth of `learn` are read by those with EVERY_LABEL alone.
    """

    def __init__(self, learn: Split, test: Split, study: Study) -> None:
        self.learn, self.test, self.settings = learn, test, study.settings
        self.folder, self.again = study.out / "runs" / "nets", study.args.again
        self.trained: set[Path] = set()  # by this object
        self.steps = math.ceil(len(learn[0]) / BATCH)  # of an epoch, whatever the labels are
        self.labelled, (self.unlabelled, _) = split(*learn, held_out=len(learn[0]) // 6)

    def get(self, kind: str, seed: int) -> dict[str, Any]:
        """{"record": of its training, "test", "unlabelled": its probabilities of these images}."""
        file = self.folder / f"{kind}-{seed}.npz"
        known = file in self.trained or not self.again
        if known and (found := self._read(file)) is not None:
            return found
        print(f"net {seed}, {kind.replace('-', ' ')}", flush=True)
        utils.set_random_seed(seed)
        made = self._train(kind, seed)
        self._write(file, made)
        self.trained.add(file)
        return made

    def _train(self, kind: str, seed: int) -> dict[str, Any]:
        net = net_for(self.learn if kind == EVERY_LABEL else self.labelled, 9, improved=True)
        if kind == EVERY_LABEL:
            record = augmented(net, self.learn, self.test, EPOCHS, seed, improved=True)
        else:
            batches = self._batches(kind, seed)
            ready(net, CosineDecay(AUGMENTED_RATE, self.steps * EPOCHS))
            options = {"epochs": EPOCHS, "steps_per_epoch": self.steps, "validation_data": self.test}
            record = fit(net, batches, **options)
        asked = {"test": self.test[0], "unlabelled": self.unlabelled}
        return {"record": record} | {
            name: net.predict(x, batch_size=500, verbose=0) for name, x in asked.items()
        }

    def _batches(self, kind: str, seed: int) -> Iterator[Any]:
        """Without end: true labels, or these and the mean probabilities that three teachers give."""
        if kind == FEWER_LABELS:
            return endless(self.labelled, BATCH, seed)
        first = seed - seed % STUDENTS
        teachers = [self.get(FEWER_LABELS, number) for number in range(first, first + STUDENTS)]
        utils.set_random_seed(seed)  # teachers may have been trained meanwhile
        guesses = np.mean([teacher["unlabelled"] for teacher in teachers], axis=0)
        return mixed(self.labelled, (self.unlabelled, guesses), BATCH, seed)

    def _read(self, file: Path) -> dict[str, Any] | None:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                found: dict[str, Any] = dict(arrays)
            about = json.loads(str(found.pop("about")))
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        return {**found, "record": about["record"]} if about["settings"] == self.settings else None

    def _write(self, file: Path, net: dict[str, Any]) -> None:
        about = json.dumps({"settings": self.settings, "record": net["record"]})
        file.parent.mkdir(parents=True, exist_ok=True)
        with utils.atomic_write(file) as path, path.open("wb") as opened:
            np.savez_compressed(opened, about=about, test=net["test"], unlabelled=net["unlabelled"])


def model_12(nets: Nets, seed: int) -> dict[str, Any]:
    """Five nets that learn from all labels."""
    return averaged([nets.get(EVERY_LABEL, seed * AVERAGED + i) for i in range(AVERAGED)], nets.test)


def model_13(nets: Nets, arm: str, seed: int) -> dict[str, Any]:
    """Three nets that learn from pseudo-labels; in other arms without these images, or with their labels."""
    kind = {"50,000 labels": FEWER_LABELS, "60,000 labels": EVERY_LABEL}.get(arm, PSEUDO_LABELS)
    return averaged([nets.get(kind, seed * STUDENTS + i) for i in range(STUDENTS)], nets.test)


def averaged(nets: Sequence[dict[str, Any]], test: Split) -> dict[str, Any]:
    """The record of several nets, whose probabilities are averaged."""
    records, truth = [net["record"] for net in nets], test[1].argmax(axis=1)
    mean = np.mean([net["test"] for net in nets], axis=0)
    return {
        "params": sum(record["params"] for record in records),
        "test_accuracy": round(float((mean.argmax(axis=1) == truth).mean()), 5),
        "each": [record["history"]["val_accuracy"][-1] for record in records],
        "epoch_seconds": [seconds for record in records for seconds in record["epoch_seconds"]],
        "probabilities": mean,
    }


def mixed(labelled: Split, pseudo: Split, batch: int, seed: int) -> Iterator[Any]:
    """Batches without end, of which a quarter is pseudo-labelled."""
    guessed = batch // SHARE
    both = endless(labelled, batch - guessed, seed), endless(pseudo, guessed, seed + 1)
    for parts in zip(*both, strict=True):
        yield tuple(np.concatenate(pair) for pair in zip(*parts, strict=True))


def endless(images: Split, batch: int, seed: int) -> Iterator[Any]:
    """Batches of augmented images without end; the last, smaller one of each pass is left out."""
    flow = generator().flow(*images, batch_size=batch, seed=seed)
    return (found for found in flow if len(found[0]) == batch)
