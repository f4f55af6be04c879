"""The pictures of transfer_learning.py, which draws them at its end."""

from typing import Any

import numpy as np

from tinynet import plotting

from shared.data import FASHION
from shared.study import Study


def compare(study: Study) -> None:
    """The curves of B in both ways, and the test accuracies of A and B."""
    titles = {"S4-11": "A", "S4-12": "B from scratch", "S4-16": "B on A"}
    trained = [row for row in study.rows if row.id in titles and row.seeds]
    rows = {f"{titles[row.id]}, {row.arm}": row for row in trained}
    curves = {
        name: [r["history"] for r in study.runs(row)] for name, row in rows.items() if row.id != "S4-11"
    }
    if curves:
        title = "Shirt or sandal, from 200 images"
        figure = plotting.compare_histories(curves, ["val_accuracy", "val_loss"], title)
        study.picture("transfer_curves", figure, ["S4-12", "S4-15", "S4-16"])
    if rows:
        found = {name: [r["values"]["test accuracy"] for r in study.runs(row)] for name, row in rows.items()}
        printed = {name: row.notebook.accuracy for name, row in rows.items()}
        figure = plotting.dots(found, printed, "notebook, one run", title="Does A help B?")
        study.picture("transfer_dots", figure, list(titles))


def classes(study: Study, tasks: Any) -> None:
    """Five images of each class: the eight of A, then the two of B."""
    shown, titles = [], []
    named = ("A", [*FASHION[:5], *FASHION[7:]]), ("B", FASHION[5:7])
    for (letter, names), task in zip(named, tasks, strict=True):
        x, y = task["validation"]
        for number, name in enumerate(names):
            found = x[y == number][:5]
            shown.extend(found)
            titles.extend([f"{letter}: {name if not study.quick else number}"] * len(found))
    title = "Eight classes of A, two of B"
    figure = plotting.gallery(np.asarray(shown), titles, columns=10, limit=50, title=title)
    study.picture("transfer_classes", figure, ["S4-10"])
