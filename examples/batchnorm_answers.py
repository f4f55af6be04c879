"""The answers of the batch norm study, each computed from the runs that are there."""

from typing import Any

from batchnorm_rows import COLUMNS, INTENDED, RATES, ROWS, TABLE, is_answer, rate_name
from batchnorm_rules import TOO_SHORT, claim, collapse_epoch, epoch_seconds, mean, paired, verdict

from shared.intervals import better
from shared.printed import yes
from shared.rows import Row
from shared.study import Study

HIGHEST = "highest rate that does not over-fit"


class Runs:
    """The runs of a study by the name of their row, such as "S0-04, learning rate 0.001"."""

    def __init__(self, study: Study) -> None:
        found = {row.name: study.runs(row) for row in ROWS if not is_answer(row)}
        self.by_name = {name: runs for name, runs in found.items() if runs and "history" in runs[0]}

    def of(self, number: str, arm: str = "") -> list[dict[str, Any]]:
        return self.by_name.get(f"{number}, {arm}" if arm else number, [])

    def sweep(self, number: str) -> dict[float, list[dict[str, Any]]]:
        """{learning rate: runs} of S0-04, S0-05 or S0-06, the highest first."""
        found = {rate: self.of(number, rate_name(rate)) for rate in RATES}
        if number == "S0-04":
            found[RATES[0]] = self.of("S0-03")
        return {rate: runs for rate, runs in found.items() if runs}


def answer(row: Row, runs: Runs) -> dict[str, Any]:
    """{what: computed} of a row that is about others; empty where those were not run."""
    if row.id == "S0-02":
        before, after = runs.of("S0-01"), runs.of("S0-02")
        return claim(before, after) if before and after else {}
    if row.id == "S0-04":
        return highest_rate(runs.sweep("S0-04"))
    if row.id == "S0-06":
        without = highest_rate(runs.sweep("S0-04")).get(HIGHEST, "not run")
        normed = highest_rate(runs.sweep("S0-06"))
        return {**normed, "without batch norm": without} if normed else {}
    if row.id == "S2-05":
        return four_runs(runs, row.arm)
    return {"S0-03": diagnosis, "S0-05": with_dropout, "S0-10": contents, "S2-06": why_above}[row.id](runs)


def diagnosis(runs: Runs) -> dict[str, Any]:
    said = {}
    for run in runs.of("S0-03"):
        history = run["history"]
        said["verdict"] = verdict(history)
        said["collapsed from epoch"] = collapse_epoch(history) or "never"
        said["training loss, lowest and last"] = [min(history["loss"]), history["loss"][-1]]
        said["validation loss, lowest and last"] = [min(history["val_loss"]), history["val_loss"][-1]]
        said["seconds of fit"] = round(sum(run["epoch_seconds"]), 1)
    return said


def highest_rate(sweep: dict[float, list[dict[str, Any]]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    verdicts = {rate: {verdict(run["history"]): None for run in runs} for rate, runs in sweep.items()}
    fitting = [rate for rate, found in verdicts.items() if list(found) == ["fits"]]
    for rate, runs in sweep.items():
        said[rate_name(rate)] = f"{', '.join(verdicts[rate])}, {mean(runs, 'val_accuracy'):.2%}"
    if sweep:
        short = any(TOO_SHORT in found for found in verdicts.values())
        said[HIGHEST] = max(fitting, default=TOO_SHORT if short else "none of these")
        if fitting:
            said["its accuracy"] = f"{mean(sweep[max(fitting)], 'val_accuracy'):.2%}"
        best = max(sweep, key=lambda rate: mean(sweep[rate], "val_accuracy"))
        said["rate of the highest accuracy"] = best
    return said


def with_dropout(runs: Runs) -> dict[str, Any]:
    """Differences, for each rate: of seconds, which are those of a machine that may have had other work, and
    of accuracy, with a verdict if there are seeds enough.
    """
    said: dict[str, Any] = {}
    plain, dropped = runs.sweep("S0-04"), runs.sweep("S0-05")
    for rate in [rate for rate in dropped if rate in plain]:
        without, with_it = epoch_seconds(plain[rate]), epoch_seconds(dropped[rate])
        said[f"seconds of an epoch at {rate:g}, without and with"] = [without, with_it]
        said[f"longer at {rate:g}"] = f"{with_it / without - 1:+.0%}"
        if gains := paired(plain[rate], dropped[rate]):
            said[f"better at {rate:g}"] = better(gains)
        said[f"verdict with dropout at {rate:g}"] = verdict(dropped[rate][0]["history"])
    return said


def contents(runs: Runs) -> dict[str, Any]:
    """What History holds; the first training that is there stands for all."""
    if not runs.by_name:
        return {}
    name, found = next(iter(runs.by_name.items()))
    history = found[0]["history"]
    return {
        "keys": sorted(history), "values of each": len(history["loss"]), "of": name,
        "diagnosis": {name: verdict(one[0]["history"]) for name, one in runs.by_name.items()},
    }  # fmt: skip


def four_runs(runs: Runs, arm: str) -> dict[str, Any]:
    """The notebook's table, and whether batch norm is ahead where it was."""
    found = {number: runs.of(number, arm) for number in TABLE}
    said: dict[str, Any] = {
        TABLE[number][0]: [round(mean(one, name), 4) for name in COLUMNS]
        for number, one in found.items()
        if one
    }
    for plain, normed, rate in (("S2-02", "S2-04", 0.01), ("S2-01", "S2-03", 0.001)):
        if gains := paired(found[plain], found[normed]):
            said[f"batch norm better at {rate:g}"] = better(gains)
    return said


def why_above(runs: Runs) -> dict[str, Any]:
    said = {}
    for number, (name, _) in TABLE.items():
        for run in runs.of(number, INTENDED)[:1]:
            history, evaluated = run["history"], run["evaluated"][0]
            said[f"{name}: epoch 1's loss, val_loss, evaluate(train)"] = [
                history["loss"][0], history["val_loss"][0], round(evaluated, 5),
            ]  # fmt: skip
            said[f"{name}: loss above the other two"] = yes(
                history["loss"][0] > max(history["val_loss"][0], evaluated)
            )
    return said
