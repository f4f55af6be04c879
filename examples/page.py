"""examples/RESULTS.md, made from the JSON files in examples/results: never edited by hand.

python -m examples --page
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RESULTS, PICTURES, PAGE = FOLDER / "results", FOLDER / "pictures", FOLDER / "RESULTS.md"

HEAD = """# What the notebooks printed, and what tinynet computes

This page is made by `python -m examples --page` from the files in [`results`](results); do not edit it.
`python -m examples` runs what is missing, a row with `python -m examples S1-06`.

A cell names the accuracy on the test images after the last epoch; where several seeds were run, the mean and,
in brackets, the lowest and the highest. *Best* is the best epoch: chosen by the test images, as in the
notebooks, so it flatters; there is none where that is the last one, or where the test images were asked once,
at the end. *Keras 3* is the same example file run with Keras in tinynet's place; rows that Keras cannot run,
or has not run yet, have none. An epoch's time is that of the notebook's machine, then of tinynet on the
machine named above the table, validation included. Runs were made one by one while the engine was built, each
with the engine of its day: kernels have changed since, and with them last bits, so a run that is repeated may
end a little elsewhere.
"""
RECORDS_HEAD = """## Records

Trainings beyond the notebooks, one net each. The test images are asked once, after the training. The nets of
`mnist_best.py` and `cifar10_record.py` see every test image several times, slightly moved; *seen once* is
their accuracy without that. The time is that of the training alone: the median of the seeds and, in brackets,
the shortest and the longest.

The images of CIFAR-10 are a copy that went through JPEG (quality 75, colours at half the resolution), from
which less can be learned; what the recipes aim at, in five minutes and in half an hour, they aim at with the
images as they were published.

| command | what | parameters | aim | test accuracy, mean | lowest | seen once | seeds | training | machine |
|---|---|---:|---:|---:|---:|---:|---:|---:|---|"""
ONCE = "test accuracy"  # among the values of a run
COLUMNS = ("row", "what", "notebook", "Keras 3", "tinynet", "parameters", "epoch, then and now", "picture")


def page() -> str:
    """The whole page."""
    times = read("times.json")
    keras = read("keras.json")
    parts = [HEAD]
    for name in (path.stem for path in sorted(RESULTS.glob("*.json"))):
        content = read(f"{name}.json")
        if "study" in content:
            parts.append(study_part(content, keras, times))
    if (records := record_part()) is not None:
        parts.insert(1, records)
    return "\n".join(parts)


def read(name: str) -> dict[str, Any]:
    """A file of the results."""
    return read_file(RESULTS / name)


def read_file(path: Path) -> dict[str, Any]:
    """What a file of JSON holds; nothing where there is none."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        sys.exit(f"{path}: holds no JSON ({error}); repair it")
    return found


def study_part(content: dict[str, Any], keras: dict[str, Any], times: dict[str, Any]) -> str:
    """The table of one study, the lines of its demonstrations and the remarks."""
    name, rows = content["study"], content["rows"]
    timed = [times[full_name(row)] for row in rows if full_name(row) in times]
    lines = [
        f"## [`{name}.py`]({name}.py)",
        "",
        f"Computed on: {where([run for row in rows for run in row['runs']], 'python', 'numpy')}.",
        *([f"Epochs timed on: {where(timed, 'python', 'numpy')}."] if timed else []),
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|---|---|---|---|---:|---|---|",
    ]
    for row in rows:
        peer = keras.get(full_name(row), {}).get("runs", [])
        cells = (
            row["id"], _what(row), said(row["notebook"]), reached(peer), reached(row["runs"]),
            parameters(row), epoch(row, times.get(full_name(row))), pictures(name, row),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    shown = [line for row in rows for line in values(row)]
    if shown:
        lines += ["", "| row | what | notebook | by hand | tinynet |", "|---|---|---|---|---|", *shown]
    remarks = [f"- **{full_name(row)}**: {row['remark']}" for row in rows if row["remark"]]
    return "\n".join([*lines, "", *remarks, ""])


def full_name(row: dict[str, Any]) -> str:
    return f"{row['id']}, {row['arm']}" if row["arm"] else row["id"]


def _what(row: dict[str, Any]) -> str:
    return f"{row['title']}; *{row['arm']}*" if row["arm"] else row["title"]


def said(notebook: dict[str, Any]) -> str:
    """What the notebook printed of a training."""
    last, best = notebook["accuracy"], notebook["best"]
    parts = [] if last is None else [f"{last:.2%}"]
    if best is not None and best != last:
        parts.append(f"best {best:.2%}")
    return ", ".join(parts) or "–"


def accuracies(runs: list[dict[str, Any]]) -> list[list[float]]:
    """For each run that was a training, its accuracies on the test images: that after the training where they
    were asked once, which several nets together keep in `test_accuracy`, one net among its values; else
    those of all epochs, as the images of validation are then those of the test.
    """
    found = []
    for run in runs:
        once = run.get("test_accuracy", run.get("values", {}).get(ONCE))
        if once is not None:
            found.append([once])
        elif "val_accuracy" in run.get("history", {}):
            found.append(run["history"]["val_accuracy"])
    return found


def reached(runs: list[dict[str, Any]]) -> str:
    """Mean, lowest and highest accuracy after the last epoch; the mean of the best epochs."""
    every = accuracies(runs)
    if not every:
        return "–"
    last, best = [one[-1] for one in every], [max(one) for one in every]
    text = f"**{statistics.fmean(last):.2%}**"
    if len(last) > 1:
        text += f" ({min(last):.2%} to {max(last):.2%}, {len(last)} seeds)"
    if best != last:
        text += f", best {statistics.fmean(best):.2%}"
    return text


def parameters(row: dict[str, Any]) -> str:
    """The number that tinynet counts, and the notebook's where it is another one."""
    ours, theirs = row["params"], row["notebook"]["params"]
    if ours is None:
        return ""
    return f"{ours:,}" + (f" (printed {theirs:,})" if theirs not in (None, ours) else "")


def epoch(row: dict[str, Any], timed: dict[str, Any] | None) -> str:
    then = row["notebook"]["epoch_seconds"]
    old = "" if then is None else f"{then:g} s"
    new = "" if timed is None else seconds(timed["seconds"])
    return " → ".join(part for part in (old, new) if part)


def seconds(number: float) -> str:
    """With two digits at least."""
    return f"{number:.2g} s" if number < 9.95 else f"{number:.0f} s"


def pictures(study: str, row: dict[str, Any]) -> str:
    names = [f"pictures/{study}/{name}" for name in row["pictures"]]
    return " ".join(f"[{Path(name).stem}]({name})" for name in names)


def values(row: dict[str, Any]) -> list[str]:
    """A line for each number of a demonstration: what, printed, what a formula gives, computed. The accuracy
    of a net stands in the other table.
    """
    printed, expected = row["notebook"]["values"], row["expected"]
    computed = [run["values"] for run in row["runs"] if "values" in run]
    names = dict.fromkeys([*printed, *expected, *(name for found in computed for name in found)])
    lines = []
    for name in names:
        if name == ONCE:
            continue
        ours = [found[name] for found in computed if name in found]
        theirs = f"{_text(printed.get(name))} | {_text(expected.get(name))}"
        lines.append(f"| {full_name(row)} | {name} | {theirs} | {_together(ours)} |")
    return lines


def _together(found: list[Any]) -> str:
    """Of several seeds the mean and the ends, where they are numbers that differ."""
    numbers = len(found) > 1 and all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in found)
    if numbers and min(found) != max(found):
        mean, low, high = (_text(x) for x in (statistics.fmean(found), min(found), max(found)))
        return f"{mean} ({low} to {high}, {len(found)} seeds)"
    return _text(found[0]) if found else "–"


def _text(value: Any) -> str:
    """A value in a cell of the table."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, dict):
        return "<br>".join(f"{_text(name)}: {_text(item)}" for name, item in value.items())
    return str(value).replace("|", "\\|").replace("\n", "<br>")


def record_part() -> str | None:
    """The table of the trainings beyond the notebooks, if any was run."""
    lines = []
    for path in sorted((RESULTS / "records").glob("*.json")):
        content = read_file(path)
        runs = content["runs"]
        accuracy, once, took = ([run[key] for run in runs] for key in ("accuracy", "seen_once", "seconds"))
        cells = (
            f"`{content['command']}`", content["what"], f"{runs[0]['params']:,}",
            f"{content['aim']:.2%}" if "aim" in content else "",
            f"**{statistics.fmean(accuracy):.2%}**", f"{min(accuracy):.2%}",
            "" if once == accuracy else f"{statistics.fmean(once):.2%}",
            str(len(runs)),
            f"{_seconds(statistics.median(took))} s ({_seconds(min(took))} to {_seconds(max(took))})",
            where(runs),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    if not lines:
        return None
    return "\n".join([RECORDS_HEAD, *lines, ""])


def _seconds(number: float) -> str:
    """Three digits of it, all of a whole one."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def where(runs: list[dict[str, Any]], *versions: str) -> str:
    """The machines of some runs, each once, with the versions that are asked for."""
    names = {"python": "Python", "numpy": "NumPy"}
    found = []
    for run in runs:
        if not (one := run.get("machine")):
            found.append("a machine that was not noted")
            continue
        about = [f"{names[version]} {one[version]}" for version in versions]
        found.append(", ".join([one["processor"], f"{one['threads']} thread(s)", *about]))
    return "; ".join(dict.fromkeys(found))


def write() -> None:
    """Writes the page."""
    from tinynet.utils import atomic_write

    with atomic_write(PAGE) as path:
        path.write_text(page(), encoding="utf-8")
