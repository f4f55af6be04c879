"""README's ladder from 92 % to 99.7 % of MNIST: a table and a picture, from the stored results.

python -m examples --page
"""

import json
import re
import statistics
from pathlib import Path
from typing import Any

import page

BEGIN, END = "<!-- ladder: written by python -m examples --page -->\n", "<!-- end of the ladder -->\n"
README = page.FOLDER.parent / "README.md"
# (study, row, arm, what is new on this rung)
RUNGS = (
    ("beating_mnist", "S1-03", "", "softmax regression on raw pixels"),
    ("beating_mnist", "S1-06", "improved", "pixels with mean 0 and variance 1"),
    ("beating_mnist", "S1-07", "improved", "a hidden layer"),
    ("beating_mnist", "S1-08", "improved", "three hidden layers, relu"),
    ("beating_mnist", "S1-09", "improved", "three convolutions"),
    ("beating_mnist", "S1-11", "improved", "max pooling between convolutions"),
    ("beating_mnist", "S1-15", "improved", "VGG blocks, batch norm, dropout"),
    ("beating_mnist", "S1-17", "improved", "images turned, sheared and zoomed"),
    ("beating_mnist", "S1-18", "improved", "a learning rate that falls"),
    ("beating_mnist", "S1-20", "", "several nets, averaged"),
    ("beating_mnist", "S1-21", "", "labels that the net gave itself"),
)
BEST = "mnist_best"  # the last rung, one of the records


def rungs() -> list[dict[str, Any]]:
    """What is stored of every rung, from the lowest to the highest."""
    found = []
    times = page.read("times.json")
    for study, row_id, arm, what in RUNGS:
        rows = page.read(f"{study}.json").get("rows", [])
        row = next((row for row in rows if (row["id"], row["arm"]) == (row_id, arm)), None)
        if row and (every := page.accuracies(row["runs"])):
            found.append(
                {
                    "row": row_id, "what": what, "params": row["params"], "notebook": row["notebook"],
                    "accuracy": [one[-1] for one in every], "seconds": times.get(page.full_name(row)),
                }
            )  # fmt: skip
    if (best := page.RESULTS / "records" / f"{BEST}.json").exists():
        runs = json.loads(best.read_text(encoding="utf-8"))["runs"]
        found.append(
            {
                "row": f"`{BEST}.py`", "what": "one net, the whole recipe", "params": runs[0]["params"],
                "notebook": {"accuracy": None, "epoch_seconds": None},
                "accuracy": [run["accuracy"] for run in runs], "seconds": None,
            }
        )  # fmt: skip
    return found


def table() -> str:
    """The rungs as Markdown."""
    lines = [
        "| row | what is new | parameters | notebook, 2017 | tinynet | an epoch on a Tesla K80, then here |",
        "|---|---|---:|---:|---:|---|",
    ]
    for rung in rungs():
        notebook, seconds = rung["notebook"], rung["seconds"]
        then = f"{notebook['epoch_seconds']:g} s" if notebook["epoch_seconds"] else ""
        now = f"{seconds:.2g} s" if seconds else ""
        old = "" if notebook["accuracy"] is None else f"{notebook['accuracy']:.2%}"
        params = f"{rung['params']:,}" if rung["params"] else ""
        accuracy = f"{statistics.fmean(rung['accuracy']):.2%}"
        both = " → ".join(part for part in (then, now) if part)
        lines.append(f"| {rung['row']} | {rung['what']} | {params} | {old} | {accuracy} | {both} |")
    return "\n".join(lines) + "\n"


def picture() -> Any:
    """The rungs as dots: errors on a logarithmic axis, the notebook's numbers as diamonds."""
    from tinynet import plotting

    every = rungs()
    reference = {
        rung["what"]: rung["notebook"]["accuracy"]
        for rung in every
        if rung["notebook"]["accuracy"] is not None
    }
    return plotting.dots(
        {rung["what"]: rung["accuracy"] for rung in every},
        reference=reference,
        reference_label="notebook, 2017",
        xlabel="accuracy on MNIST's test images",
        title="From softmax regression to 99.7 %",
        errors=True,
    )


def write(readme: Path | None = None) -> None:
    """Writes the picture, and the table into README between its two marks."""
    from tinynet import plotting
    from tinynet.utils import atomic_write

    readme = readme or README
    text = readme.read_text(encoding="utf-8")
    if not rungs() or BEGIN not in text:
        return
    plotting.save(picture(), page.PICTURES / "ladder.png")
    inside = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    with atomic_write(readme) as path:
        path.write_text(inside.sub(lambda _: BEGIN + "\n" + table() + "\n" + END, text), encoding="utf-8")
