"""Trains a study's rows in Keras 3: the example file is run as it is, with Keras in tinynet's place.

    PYTHON examples/in_keras.py STUDY IMAGES.npz --rows S1-06 S1-07 --seeds 3 --budget 300 --out FILE

PYTHON is an interpreter that has Keras and one of its backends; tinynet need not be installed there.
IMAGES.npz holds x, y, x_test and y_test. `python -m examples --keras PYTHON` writes them and calls this file.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from shared.options import natural, positive

# Where Keras keeps what tinynet has under another address; names that are not here are Keras's own.
ADDRESSES = {
    "tinynet": "keras",
    "tinynet.schedules": "keras.optimizers.schedules",
    "tinynet.preprocessing": "keras.preprocessing",
    "tinynet.preprocessing.image": "keras.src.legacy.preprocessing.image",
    "tinynet.models": "keras.models",
}


class Missing(ModuleType):
    """A module that Keras does not have, such as `plotting`: it can be imported, but not used."""

    __path__: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self.__name__}.{name}")

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise NotImplementedError(
            f"{self.__name__} is tinynet's own: a row that needs it is not run in Keras"
        )


class InKeras(ModuleType):
    """A module of tinynet, whose names are those of a module of Keras."""

    __path__: ClassVar[list[str]] = []

    def __init__(self, name: str, module: ModuleType) -> None:
        super().__init__(name)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        address = f"{self.__name__}.{name}"
        if address in ADDRESSES or isinstance(getattr(self._module, name, None), ModuleType):
            return importlib.import_module(address)
        return getattr(self._module, name, Missing(address))


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `tinynet` and what is in it from Keras."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] != "tinynet":
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> ModuleType:
        try:
            keras = importlib.import_module(
                ADDRESSES.get(spec.name, spec.name.replace("tinynet", "keras", 1))
            )
        except ImportError:
            return Missing(spec.name)
        return InKeras(spec.name, keras)

    def exec_module(self, module: ModuleType) -> None:
        pass


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("study", help="name of an example file, without .py")
    add("images", type=Path, help=".npz with x, y, x_test and y_test")
    add("--rows", nargs="+", metavar="ID", help="which rows (default: all that Keras can run)")
    add("--seed", type=natural, default=0, help="the first seed (default: %(default)s)")
    add("--seeds", type=positive, default=1, help="how many (default: %(default)s)")
    add("--epochs", type=positive, help="stop every training after so many epochs (default: do not)")
    add(
        "--budget", type=float, default=300, help="begin no run of a row after so many seconds (default: 300)"
    )
    add("--out", type=Path, required=True, help="file of results, which keeps its rows (default: none)")
    args = parser.parse_args(argv)
    if not (file := Path(__file__).parent / f"{args.study}.py").is_file():
        parser.error(f"STUDY names an example file without its .py, got {args.study!r}; {file} is not there")
    if not args.images.is_file():
        parser.error(f"{args.images} is no file; `python -m examples --keras {sys.executable}` writes it")
    if not args.out.parent.is_dir():
        parser.error(f"--out {args.out}: there is no folder {args.out.parent}")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = arguments(argv)
    sys.meta_path.insert(0, Finder())
    sys.path.insert(0, str(Path(__file__).parent))
    try:
        import keras
    except ImportError as error:
        sys.exit(f"{sys.executable} cannot import Keras ({error}): pip install keras tensorflow-cpu there")
    import numpy as np
    from page import read_file

    from shared import training

    keras.config.disable_interactive_logging()  # a line for each epoch
    training.at_most(args.epochs)
    study = importlib.import_module(args.study)
    if not hasattr(study, "train") or not hasattr(study, "ROWS"):
        sys.exit(f"{args.study}.py is no study: it has no ROWS that `train` could run")
    known = [row.id for row in study.ROWS if row.keras]
    if unknown := set(args.rows or ()).difference(known):
        sys.exit(f"--rows: Keras runs {', '.join(known)} of {args.study}, not {', '.join(sorted(unknown))}")
    with np.load(args.images, allow_pickle=False) as arrays:
        data = (arrays["x"], arrays["y"]), (arrays["x_test"], arrays["y_test"])
    results, settings = read_file(args.out), {"epochs": args.epochs, "images": len(data[0][1])}
    for row in study.ROWS:
        if not row.keras or (args.rows and row.id not in args.rows):
            continue
        found = results.setdefault(row.name, {"settings": settings, "runs": []})
        if found["settings"] != settings:
            sys.exit(
                f"{args.out}: {row.name} has runs of {found['settings']}, not of {settings}: change --out"
            )
        runs, start = found["runs"], time.perf_counter()
        for seed in range(args.seed, args.seed + args.seeds):
            if any(run["seed"] == seed for run in runs) or time.perf_counter() - start > args.budget:
                continue
            print(f"{row.name} in Keras {keras.__version__}, seed {seed}", flush=True)
            keras.utils.set_random_seed(seed)
            runs.append({"seed": seed, "keras": keras.__version__, **study.train(row, data, seed)})
            keras.utils.clear_session()
            keep(args.out, results)


def keep(file: Path, results: dict[str, Any]) -> None:
    """Writes the file whole, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.part")
    part.write_text(json.dumps(results), encoding="utf-8")
    os.replace(part, file)


if __name__ == "__main__":
    main()
