"""The command line of a study, and its runs on disk.

    study = Study("beating_mnist", ROWS, parser(ROWS, __doc__, "beating_mnist").parse_args(argv))
    data = load("mnist", study.quick)
    for row, seed in study.to_run():
        study.keep(row, seed, train(row, data, seed))
    study.picture("models", plotting.dots(...))
    study.write()

Each run is a file below `--out`, written when it is done: a study that is stopped and started again goes on
with the next one. Pictures and results.json are made of all runs that are there, whichever are asked for.
"""

import argparse
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import tinynet
from tinynet import plotting

from shared import training
from shared.files import prepare, read_json, write_json
from shared.machine import machine
from shared.options import natural, positive
from shared.rows import Row

QUICK_EPOCHS = 2
FIELDS = ("id", "arm", "title", "params", "expected", "remark", "keras")  # of a row, in results.json


def parser(rows: Sequence[Row], description: str, name: str) -> argparse.ArgumentParser:
    """The options that all studies have."""
    titles = {row.id: row.title for row in reversed(rows)}  # of the first arm
    ids = sorted(titles)
    made = argparse.ArgumentParser(
        description=description.split("\n")[0],
        epilog="\n".join(["rows:", *(f"  {row_id}  {titles[row_id]}" for row_id in ids)]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--rows", nargs="+", choices=ids, metavar="ID", default=ids, help="which, see below (default: all)")
    add("--quick", action="store_true", help="a look in seconds: digits, one seed, few epochs (default: no)")
    add("--seed", type=natural, default=0, help="the first seed (default: %(default)s)")
    add("--seeds", type=positive, help="how many seeds (default: what each row needs)")
    add("--epochs", type=positive, help="stop every training after so many epochs (default: do not)")
    add("--again", action="store_true", help="run anew what was done before (default: take it from --out)")
    add("--draw", action="store_true", help="run nothing: draw what is in --out (default: run, too)")
    folders = f"runs/{name}, with --quick or --epochs {name}-quick or -short there"
    add("--out", type=Path, help=f"folder for pictures, runs and results.json (default: {folders})")
    return made


class Study:
    """The rows of a study, those that were chosen, what was run, and the folder where that is kept."""

    def __init__(self, name: str, rows: Sequence[Row], args: argparse.Namespace) -> None:
        self.name, self.args, self.quick = name, args, args.quick
        kind = "-quick" if args.quick else "-short" if args.epochs else ""
        self.out = args.out or Path("runs") / f"{name}{kind}"
        self.every, self.chosen = rows, [row for row in rows if row.id in args.rows]
        self.settings = {"quick": args.quick, "epochs": args.epochs}
        self._pictures: dict[str, list[str]] = {}
        training.at_most(args.epochs or (QUICK_EPOCHS if args.quick else None))
        if max(args.seed + (args.seeds or 1), args.epochs or 0) > 2**31:
            sys.exit("--seed, --seeds and --epochs must stay below 2**31")
        prepare(self.out / "runs")
        self._keep_others_out()

    def _keep_others_out(self) -> None:
        """A quick look must not replace the runs of hours: a folder has runs of the same settings alone."""
        stored = next(self.out.glob("runs/*.json"), None)
        if stored and (found := read_json(stored).get("settings", self.settings)) != self.settings:
            told = ", ".join(f"{name}={value}" for name, value in found.items())
            sys.exit(f"--out {self.out}: holds runs of other settings ({told}); name another folder")

    @property
    def rows(self) -> list[Row]:
        """The rows that have runs, from now or from before."""
        return [row for row in self.every if self.runs(row)]

    def seeds(self, row: Row) -> range:
        """The seeds of a row: from --seed on; 0 of one that draws nothing."""
        if row.seeds == 0:
            return range(1)
        return range(self.args.seed, self.args.seed + (self.args.seeds or (1 if self.quick else row.seeds)))

    def to_run(self, but: Collection[Row] = ()) -> Iterator[tuple[Row, int]]:
        """The rows and seeds that are not there yet, `but` those rows that are answered from the runs of
        others. Before each one the random numbers begin anew, so that a run is the same whichever ran before
        it.
        """
        asked = [row for row in self.chosen if row not in but and not self.args.draw]
        every = [(row, seed) for row in asked for seed in self.seeds(row)]
        for number, (row, seed) in enumerate(every, 1):
            if self.args.again or self.run(row, seed) is None:
                print(f"[{number} of {len(every)}] {row.name}: {row.title}, seed {seed}", flush=True)
                tinynet.utils.set_random_seed(seed)
                yield row, seed

    def run_file(self, row: Row, seed: int, suffix: str = ".json") -> Path:
        """Where a run is kept; with another suffix, where a study may keep arrays or weights of it."""
        return self.out / "runs" / f"{row.file}-seed{seed}{suffix}"

    def run(self, row: Row, seed: int) -> dict[str, Any] | None:
        """A run that was done before, of a net with as many parameters as the row has; or None."""
        content = read_json(self.run_file(row, seed))
        known = content.get("settings") == self.settings and row.fits(content["run"])
        return content["run"] if known else None

    def keep(self, row: Row, seed: int, run: dict[str, Any]) -> None:
        """Writes a run. Its numbers of parameters must be the row's."""
        if not row.fits(run):
            sys.exit(f"{row.name}: the net has {run['params']:,} parameters, expected {row.params:,}")
        content = {"settings": self.settings, "run": {"seed": seed, "machine": machine(), **run}}
        write_json(self.run_file(row, seed), content)

    def runs(self, row: Row) -> list[dict[str, Any]]:
        """All runs of a row that are there, by seed, whatever --seed and --seeds ask for now."""
        files = self.run_file(row, 0).parent.glob(f"{row.file}-seed*.json")
        seeds = (file.stem.removeprefix(f"{row.file}-seed") for file in files)
        found = (self.run(row, seed) for seed in sorted(int(seed) for seed in seeds if seed.isdecimal()))
        return [run for run in found if run is not None]

    def picture(self, name: str, figure: Any, ids: Sequence[str] = ()) -> None:
        """Writes a picture to --out, and says of which rows it is."""
        plotting.save(figure, self.out / f"{name}.png")
        for row_id in ids:
            self._pictures.setdefault(row_id, []).append(f"{name}.png")

    def write(self) -> None:
        """results.json: every row that has runs, with what the notebook printed."""
        rows = [
            {
                **{key: getattr(row, key) for key in FIELDS},
                "notebook": vars(row.notebook),
                "runs": self.runs(row),
                "pictures": self._pictures.get(row.id, []),
            }
            for row in self.rows
        ]
        write_json(
            self.out / "results.json",
            {"study": self.name, "settings": self.settings, "rows": rows},
        )
        print(f"written to {self.out}: results.json and {len(list(self.out.glob('*.png')))} pictures")
