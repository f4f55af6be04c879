"""README's ladder of MNIST, a rung for each idea: a table and a picture, from the stored results.

python -m examples --page
"""

import re
import statistics
from pathlib import Path
from typing import Any, NamedTuple

import page

BEGIN, END = "<!-- ladder: written by python -m examples --page -->\n", "<!-- end of the ladder -->\n"
README = page.FOLDER.parent / "README.md"
STUDY = "beating_mnist"


class Rung(NamedTuple):
    """A row of the study, with the arm that the notebook ran and the arm that does better; None: no such."""

    row: str
    what: str  # is new
    recipe: str | None = ""
    improved: str | None = "improved"


RUNGS = (
    Rung("S1-03", "softmax regression on raw pixels", improved=None),
    Rung("S1-06", "pixels with mean 0 and variance 1"),
    Rung("S1-07", "a hidden layer", recipe="as executed"),
    Rung("S1-08", "three hidden layers, relu"),
    Rung("S1-09", "three convolutions"),
    Rung("S1-11", "max pooling between convolutions"),
    Rung("S1-15", "VGG blocks, batch norm, dropout"),
    Rung("S1-17", "images turned, sheared and zoomed"),
    Rung("S1-18", "a learning rate that falls", recipe="as executed"),
    Rung("S1-20", "several nets, averaged", recipe=None, improved=""),
    Rung("S1-21", "labels that the net gave itself", recipe=None, improved=""),
)
BEST = "mnist_best"  # the last rung, one of the records
LEGEND = """*Its recipe* is what the notebook ran, where it shows that, and bugs included. *Improved* is
the same net in as many epochs, trained better; what that means stands with each row in
[`RESULTS.md`](examples/RESULTS.md). Accuracies of tinynet are means over the seeds.

![The rungs, a dot for each seed](examples/pictures/ladder.png)
"""


def rungs() -> list[dict[str, Any]]:
    """What is stored of every rung, from the lowest to the highest: the accuracies of both arms, and of the
    notebook's own arm, where there is one, the size, the epoch's time and what was printed.
    """
    rows = {(row["id"], row["arm"]): row for row in page.read(f"{STUDY}.json").get("rows", [])}
    times = page.read("times.json")
    found = []
    for rung in RUNGS:
        arms = {"recipe": rows.get((rung.row, rung.recipe)), "improved": rows.get((rung.row, rung.improved))}
        reached = {arm: last(row["runs"]) if row else [] for arm, row in arms.items()}
        if any(reached.values()):
            row = arms["recipe"] or arms["improved"] or {}
            about = {"row": rung.row, "what": rung.what, "params": row["params"]}
            about["alone"] = rung.recipe is None or rung.improved is None
            timed = times.get(page.full_name(row))
            found.append({**about, **reached, "notebook": row["notebook"], "timed": timed})
    if runs := page.read(f"records/{BEST}.json").get("runs"):
        about = {"row": f"`{BEST}.py`", "what": "one net, the whole recipe", "params": runs[0]["params"]}
        about["alone"] = True
        printed = {"accuracy": None, "epoch_seconds": None}
        reached = {"recipe": [], "improved": [run["accuracy"] for run in runs]}
        found.append({**about, **reached, "notebook": printed, "timed": None})
    return found


def last(runs: list[dict[str, Any]]) -> list[float]:
    """The accuracy of each seed after the training."""
    return [one[-1] for one in page.accuracies(runs)]


def table() -> str:
    """The rungs as Markdown."""
    every = rungs()
    timed = [rung["timed"] for rung in every if rung["timed"]]
    here = f", then on {page.where(timed)}" if timed else ""
    lines = [
        "| row | what is new | parameters | notebook, 2017 | tinynet, its recipe | tinynet, improved "
        f"| an epoch on a Tesla K80{here} |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for rung in every:
        params = f"{rung['params']:,}" if rung["params"] else ""
        printed = rung["notebook"]["accuracy"]
        shares = [[] if printed is None else [printed], rung["recipe"], rung["improved"]]
        cells = [f"{statistics.fmean(share):.2%}" if share else "" for share in shares]
        epoch = page.epoch(rung, rung["timed"])
        lines.append(f"| {' | '.join([rung['row'], rung['what'], params, *cells, epoch])} |")
    return "\n".join(lines) + "\n"


def section() -> str:
    """What stands in README between the two marks; nothing before there are results."""
    return f"\n{table()}\n{LEGEND}\n" if rungs() else ""


def picture() -> Any:
    """The rungs as dots: errors on a logarithmic axis, and beside its own recipe the notebook's number."""
    from tinynet import plotting

    values, printed = {}, {}
    for rung in rungs():
        what = rung["what"]
        names = {"recipe": what, "improved": what if rung["alone"] else f"{what}: improved"}
        values |= {name: rung[arm] for arm, name in names.items() if rung[arm]}
        if what in values:
            printed[what] = rung["notebook"]["accuracy"]
    highest = max(statistics.fmean(share) for share in values.values())
    return plotting.dots(
        values,
        reference=printed,
        reference_label="notebook, 2017",
        xlabel="accuracy on MNIST's test images",
        title=f"MNIST, from softmax regression to {highest:.2%}",
        errors=True,
    )


def write(readme: Path | None = None) -> None:
    """Writes the picture, and the table into README between its two marks."""
    from tinynet import plotting
    from tinynet.utils import atomic_write

    readme = readme or README
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text:
        return
    if rungs():
        plotting.save(picture(), page.PICTURES / "ladder.png")
    inside = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    with atomic_write(readme) as path:
        path.write_text(inside.sub(lambda _: BEGIN + section() + END, text), encoding="utf-8")
