"""Runs the studies that follow the notebooks and the records, and writes examples/RESULTS.md.

    python -m examples                    what was not run yet, then the page (hours; stop it freely)
    python -m examples quiz S1-06 S3-03   some studies or rows
    python -m examples mnist_best         a record, a training beyond the notebooks
    python -m examples --quick            a look at all of them in a few minutes; writes no page
    python -m examples --times            seconds of an epoch of every row; let nothing else run
    python -m examples --keras PYTHON     the rows that Keras 3 can run too, with an interpreter that has it
    python -m examples --page             the page alone

Runs are kept in --out, one file each. What the page is made from is copied to examples/results and
examples/pictures, which belong to the repository.
"""

import argparse
import importlib
import json
import shutil
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

STUDIES = (
    "quiz", "beating_mnist", "batchnorm_study", "small_nets", "training_deep_nets", "transfer_learning",
    "cifar10_deep_dnn",
)  # fmt: skip


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m examples", description=(__doc__ or "").split("\n")[0])
    add = made.add_argument
    names = ", ".join((*STUDIES, *beyond.RECORDS))
    add("chosen", nargs="*", metavar="STUDY|ID", help=f"of {names}, or rows (default: all)")
    add("--quick", action="store_true", help="digits and few epochs; the page stays as it is (default: all)")
    add("--seeds", type=int, help="how many seeds (default: what each row needs)")
    add("--times", action="store_true", help="time two epochs of every training instead (default: no)")
    add("--keras", metavar="PYTHON", help="run rows in Keras 3, with this interpreter (default: tinynet)")
    add("--budget", type=float, default=300, help="seconds for a row in Keras (default: %(default)s)")
    add("--page", action="store_true", help="only write the page from what is stored (default: run, too)")
    add("--out", type=Path, default=Path("runs/examples"), help="where runs are kept (default: %(default)s)")
    args = made.parse_args(argv)
    if args.seeds is not None and args.seeds < 1:
        made.error(f"--seeds must be at least 1, got {args.seeds}")
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


def run_records(args: argparse.Namespace) -> list[str]:
    """Runs the chosen records; the names of those that did not end well."""
    failed = []
    for name in beyond.RECORDS:
        if args.chosen and name not in args.chosen:
            continue
        out = args.out / ("quick" if args.quick else "") / "records" / name
        if not beyond.run(name, out, args.quick):
            failed.append(name)
        elif not args.quick:
            beyond.gather(name, out)
    return failed


def run(study: str, ids: Sequence[str], out: Path, *options: str) -> bool:
    """Runs a study as a person does; whether it ended well."""
    command = [sys.executable, str(FOLDER / f"{study}.py"), "--out", str(out), *options, "--rows", *ids]
    print(f"{study}: {' '.join(ids)}", flush=True)
    return subprocess.run(command, check=False).returncode == 0


def gather(study: str, out: Path) -> None:
    """Copies a study's results and pictures to where the page finds them; rows that were not run now keep
    what they had.
    """
    new = json.loads((out / "results.json").read_text(encoding="utf-8"))
    stored = page.RESULTS / f"{study}.json"
    old = json.loads(stored.read_text(encoding="utf-8"))["rows"] if stored.exists() else []
    kept = {(row["id"], row["arm"]): row for row in (*old, *new["rows"])}
    order = [(row.id, row.arm) for row in rows(study)]
    new["rows"] = [kept[key] for key in order if key in kept]
    write_json(stored, new)
    for picture in out.glob("*.png"):
        (page.PICTURES / study).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, page.PICTURES / study / picture.name)


def time_epochs(study: str, ids: Sequence[str], out: Path) -> None:
    """Seconds of the second epoch of every row (the first one compiles), kept in results/times.json."""
    if not run(study, ids, out, "--epochs", "2", "--seeds", "1", "--again"):
        return
    stored = page.RESULTS / "times.json"
    times = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else {}
    for row in json.loads((out / "results.json").read_text(encoding="utf-8"))["rows"]:
        seconds = [second for one in row["runs"] for second in one.get("epoch_seconds", [])[1:]]
        if seconds:
            times[page.full_name(row)] = min(seconds)
    write_json(stored, times)


def in_keras(study: str, ids: Sequence[str], args: argparse.Namespace) -> None:
    """The rows that Keras can run, in its own interpreter, into results/keras.json."""
    able = [row.id for row in rows(study) if row.keras and row.id in ids]
    if not able:
        return
    (x, y), (x_test, y_test) = importlib.import_module(study).load(args.quick)
    stored = page.RESULTS / "keras.json"
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images.npz"
        np.savez(images, x=x, y=y, x_test=x_test, y_test=y_test)
        command = [args.keras, str(FOLDER / "in_keras.py"), study, str(images), "--rows", *able]
        command += ["--seeds", str(args.seeds or 1), "--budget", str(args.budget), "--out", str(stored)]
        subprocess.run(command, check=False)
    if stored.exists():
        write_json(stored, json.loads(stored.read_text(encoding="utf-8")))


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    failed = []
    for study in () if args.page else STUDIES:
        if not (ids := chosen(study, args.chosen)):
            continue
        if args.keras:
            in_keras(study, ids, args)
        elif args.times:
            time_epochs(study, ids, args.out / "times" / study)
        else:
            out = args.out / ("quick" if args.quick else "") / study
            options = ["--quick"] * args.quick + (["--seeds", str(args.seeds)] if args.seeds else [])
            if not run(study, ids, out, *options):
                failed.append(study)
            elif not args.quick:
                gather(study, out)
    if not (args.page or args.times or args.keras):
        failed += run_records(args)
    if not args.quick:
        page.write()
        ladder.write()
        print(f"written: {page.PAGE}")
    if failed:
        sys.exit(f"these did not end well: {', '.join(failed)}; see above")


if __name__ == "__main__":
    main()
