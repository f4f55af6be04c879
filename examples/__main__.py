"""Runs the studies that follow the notebooks and the records, and writes examples/RESULTS.md.

    python -m examples                    what was not run yet, then the page (hours; stop it freely)
    python -m examples quiz S1-06 S3-03   some studies or rows
    python -m examples mnist_best         a record, a training beyond the notebooks
    python -m examples --quick            a look at all of them in a few minutes; writes no page
    python -m examples --times            seconds of an epoch of every row; let nothing else run
    python -m examples --keras PYTHON     the rows that Keras 3 can run too, with an interpreter that has it
    python -m examples --gather           runs nothing: takes what is done in --out so far, then the page
    python -m examples --page             the page alone, from what was gathered

Runs are kept in --out, one file each. What the page is made from is gathered in examples/results and
examples/pictures, which belong to the repository: runs are added to those stored there, by row and seed, and
a picture is replaced only by one that shows all runs that are stored of its rows.
"""

import argparse
import importlib
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
import beyond  # noqa: E402
import ladder  # noqa: E402
import page  # noqa: E402

from shared.files import write_json  # noqa: E402
from shared.options import positive  # noqa: E402
from shared.study import FIELDS  # noqa: E402

STUDIES = (
    "quiz", "beating_mnist", "batchnorm_study", "small_nets", "training_deep_nets", "transfer_learning",
    "cifar10_deep_dnn",
)  # fmt: skip


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m examples", description=(__doc__ or "").split("\n")[0])
    add = made.add_argument
    names = ", ".join((*STUDIES, *beyond.RECORDS))
    add("chosen", nargs="*", metavar="STUDY|ID", help=f"of {names}, or rows (default: all)")
    add("--seeds", type=positive, help="how many seeds (default: what each row needs)")
    add("--budget", type=float, default=300, help="seconds for a row in Keras (default: %(default)s)")
    add("--out", type=Path, default=Path("runs/examples"), help="where runs are kept (default: %(default)s)")
    way = made.add_mutually_exclusive_group()
    add = way.add_argument
    add("--quick", action="store_true", help="digits and few epochs; the page stays as it is (default: all)")
    add("--times", action="store_true", help="time two epochs of every training instead (default: no)")
    add("--keras", metavar="PYTHON", help="run rows in Keras 3, with this interpreter (default: tinynet)")
    add("--gather", action="store_true", help="run nothing, take what is in --out (default: run, too)")
    add("--page", action="store_true", help="only write the page from what is stored (default: run, too)")
    args = made.parse_args(argv)
    if args.seeds and (args.times or args.gather or args.page):
        made.error("--seeds says what to run: give it without --times, --gather and --page")
    if args.chosen and args.page:
        made.error(f"--page writes the whole page: give it without {args.chosen[0]}")
    if args.keras and not shutil.which(args.keras):
        made.error(f"--keras {args.keras}: no such program")
    if (args.times or args.keras) and (records := [name for name in args.chosen if name in beyond.RECORDS]):
        made.error(f"{records[0]} is a record: it is not run with --times or --keras")
    known = {*STUDIES, *beyond.RECORDS, *(row.id for study in STUDIES for row in rows(study))}
    if unknown := [name for name in args.chosen if name not in known]:
        made.error(f"{unknown[0]!r} is neither of {names} nor a row, such as S1-06")
    return args


def rows(study: str) -> Any:
    """The rows of a study."""
    return importlib.import_module(study).ROWS


def chosen(study: str, names: Sequence[str]) -> list[str]:
    """The ids of a study's rows that were asked for."""
    ids = list(dict.fromkeys(row.id for row in rows(study)))
    return ids if not names or study in names else [name for name in ids if name in names]


def run(study: str, out: Path, *options: str) -> bool:
    """Runs a study as a person does; whether it ended well."""
    command = [sys.executable, str(FOLDER / f"{study}.py"), "--out", str(out), *options]
    print(f"{study}: {' '.join(options)}", flush=True)
    return subprocess.run(command, check=False).returncode == 0


def gather(study: str, out: Path) -> None:
    """Adds a study's runs to those that are stored, and copies its pictures to where the page finds them.

    Where --out has fewer runs of a row than are stored, its pictures, and what is computed from several rows
    (those of no seeds), would say less than the stored ones, which stay.
    """
    stored, every = page.RESULTS / f"{study}.json", rows(study)
    old, new = (by_name(page.read_file(path), every) for path in (stored, out / "results.json"))
    fewer = [name for name, row in old.items() if not seeds(row) <= seeds(new[name])]
    stay = {picture for name in fewer for picture in old[name]["pictures"]}
    found = []
    for row in every:
        before, now = old[row.name], new[row.name]
        both = (now, before) if fewer and row.seeds == 0 else (before, now)  # the latter counts
        if runs := beyond.joined(*(one["runs"] for one in both)):
            about = {key: getattr(row, key) for key in FIELDS} | {"notebook": vars(row.notebook)}
            kept = [name for name in before["pictures"] if name in stay]
            drawn = [name for name in now["pictures"] if name not in stay]
            found.append({**about, "runs": runs, "pictures": kept + drawn})
    if found:
        write_json(stored, {"study": study, "rows": found})
    for picture in {name for row in new.values() for name in row["pictures"]} - stay:
        (page.PICTURES / study).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / picture, page.PICTURES / study / picture)


def by_name(content: dict[str, Any], every: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What a file of results holds of all rows of a study, by their names."""
    found = {page.full_name(row): row for row in content.get("rows", [])}
    return {row.name: found.get(row.name, {"runs": [], "pictures": []}) for row in every}


def seeds(row: dict[str, Any]) -> set[int]:
    """Of which a row has runs."""
    return {run["seed"] for run in row["runs"]}


def time_epochs(study: str, ids: Sequence[str], out: Path) -> bool:
    """Seconds of an epoch of every row, into results/times.json; whether the study ended well. It is the
    median of those after the first, which compiles.
    """
    if not run(study, out, "--epochs", "2", "--seeds", "1", "--again", "--rows", *ids):
        return False
    times = page.read("times.json")
    for row in page.read_file(out / "results.json")["rows"]:
        taken = [second for one in row["runs"] for second in one.get("epoch_seconds", [])[1:]]
        if taken and row["id"] in ids:
            seconds, where = round(statistics.median(taken), 3), row["runs"][0]["machine"]
            times[page.full_name(row)] = {"seconds": seconds, "machine": where}
    write_json(page.RESULTS / "times.json", times)
    return True


def in_keras(study: str, ids: Sequence[str], args: argparse.Namespace) -> bool:
    """The rows that Keras can run, in its own interpreter, into results/keras.json; whether it ended well."""
    able = [row.id for row in rows(study) if row.keras and row.id in ids]
    if not able:
        return True
    (x, y), (x_test, y_test) = importlib.import_module(study).load(False)
    stored = page.RESULTS / "keras.json"
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npz"
        np.savez(images, x=x, y=y, x_test=x_test, y_test=y_test)
        command = [args.keras, str(FOLDER / "in_keras.py"), study, str(images), "--rows", *able]
        command += ["--seeds", str(args.seeds or 1), "--budget", str(args.budget), "--out", str(stored)]
        well = subprocess.run(command, check=False).returncode == 0
    if well and stored.exists():
        write_json(stored, page.read("keras.json"))  # laid out as all files here
    return well


def one_study(study: str, ids: Sequence[str], args: argparse.Namespace) -> bool:
    """What the command line asks of a study; whether it ended well."""
    if args.keras:
        return in_keras(study, ids, args)
    if args.times:
        return time_epochs(study, ids, args.out / "times" / study)
    out = args.out / ("quick" if args.quick else "") / study
    options = ["--quick"] * args.quick + (["--seeds", str(args.seeds)] if args.seeds else [])
    if args.gather and not (out / "runs").is_dir():
        return True  # nothing of it was run
    if not run(study, out, *options, *(["--draw"] if args.gather else ["--rows", *ids])):
        return False
    if not args.quick:
        gather(study, out)
    return True


def one_record(name: str, args: argparse.Namespace) -> bool:
    """Runs a record; whether it ended well."""
    out = args.out / ("quick" if args.quick else "") / "records" / name
    if not args.gather and not beyond.run(name, out, args.quick):
        return False
    if not args.quick and (out / "results.json").exists():
        beyond.gather(name, out)
    return True


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    failed = []
    for study in () if args.page else STUDIES:
        if (ids := chosen(study, args.chosen)) and not one_study(study, ids, args):
            failed.append(study)
    for name in () if args.page or args.times or args.keras else beyond.RECORDS:
        if (not args.chosen or name in args.chosen) and not one_record(name, args):
            failed.append(name)
    if not args.quick:
        page.write()
        ladder.write()
        print(f"written: {page.PAGE}")
    if failed:
        sys.exit(f"these did not end well: {', '.join(failed)}; see above")


if __name__ == "__main__":
    main()
