"""The command line: `python -m benchmarks LEVEL [options]`; what the levels measure stands in __init__.py."""

import argparse
import importlib
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __doc__ as summary
from . import machine, predict, quiet, results
from .nets import NETS
from .process import TITLES, Setup


def at_least_one(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer of at least 1, got {text}")
    return value


def interpreter(text: str) -> str:
    """The absolute path of a program; a link stays one, by which an environment is known."""
    found = shutil.which(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"expected a Python interpreter, found no program at {text!r}")
    return os.path.abspath(found)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m benchmarks", description=summary, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    levels = top.add_subparsers(dest="level", required=True, metavar="LEVEL")
    common = _common()
    trained = argparse.ArgumentParser(add_help=False)
    trained.add_argument(
        "--rounds", type=at_least_one, default=5, help="measurements of each library and mode"
    )
    trained.add_argument(
        "--images", type=at_least_one, help="images of a measurement (8192, or 16384 for dense nets)"
    )
    for name, nets, batches, what in (
        ("steps", list(NETS), [32, 128], "one training step through `fit`, every library"),
        ("memory", list(NETS), [32, 128], "peak memory of a training process, every library"),
        (
            "scaling",
            ["model-9"],
            [64, 128, 256, 512],
            "tinynet's step with 1 and more threads, and with other batches",
        ),
        ("ablation", ["model-9"], [128], "tinynet's step with fewer of its ideas"),
    ):
        level = levels.add_parser(name, parents=[common, trained], help=what, description=what)
        level.add_argument(
            "--nets", nargs="+", choices=NETS, default=nets, metavar="NET", help=", ".join(NETS)
        )
        level.add_argument("--batches", nargs="+", type=at_least_one, default=batches, metavar="N")
        if name in ("steps", "memory"):
            level.add_argument(
                "--modes", nargs="+", metavar="MODE", help="only these modes (see training.py)"
            )
            _against(level)
    kernels = levels.add_parser(
        "kernels", parents=[common], help="every operation, held against the machine's peak"
    )
    kernels.add_argument(
        "--ops", nargs="+", metavar="OP", help="only operations whose name contains one of these"
    )
    kernels.add_argument(
        "--groups", nargs="+", metavar="GROUP", help="only these groups of shapes (see shapes.py)"
    )
    kernels.add_argument("--rounds", type=at_least_one, default=3, help="turns of each implementation")
    kernels.add_argument("--sample", type=float, default=0.02, help="seconds of calls in one measurement")
    epochs = levels.add_parser("epochs", parents=[common], help="whole trainings on MNIST")
    epochs.add_argument(
        "--tasks",
        nargs="+",
        choices=("accuracy", "epoch", "recipe"),
        default=["accuracy", "epoch", "recipe"],
        help="to 98 %% and 99 %% | one epoch with validation | tinynet's own recipe (see epochs.py)",
    )
    epochs.add_argument("--seeds", type=at_least_one, default=3, help="trainings of each library")
    epochs.add_argument(
        "--most", type=at_least_one, default=12, help="epochs after which a training gives up"
    )
    what = "a training step beside busy processes, and under a quota of processor time"
    busy = levels.add_parser("busy", parents=[common], help=what, description=what)
    busy.add_argument(
        "--nets",
        nargs="+",
        choices=NETS,
        default=["model-9", "deep-elu"],
        metavar="NET",
        help=", ".join(NETS),
    )
    busy.add_argument("--batches", nargs="+", type=at_least_one, default=[32, 128], metavar="N")
    busy.add_argument(
        "--busy",
        nargs="*",
        type=at_least_one,
        default=[1, 2, 4],
        metavar="N",
        help="numbers of busy processes",
    )
    busy.add_argument(
        "--quotas",
        nargs="*",
        type=float,
        default=[1.0, 1.5],
        metavar="CORES",
        help="limits of processor time",
    )
    busy.add_argument(
        "--modes",
        nargs="+",
        metavar="MODE",
        help="the peers' modes (default: the usual one; see training.py)",
    )
    busy.add_argument(
        "--images", type=at_least_one, help="images of one `fit` (4096, or 8192 for dense nets)"
    )
    busy.add_argument(
        "--rounds", type=at_least_one, default=5, help="measurements of each library in each column"
    )
    busy.add_argument(
        "--sample", type=float, default=1.5, help="seconds of `fit`s in one measurement, at least"
    )
    what = "how long a net takes to answer for 1 to 512 images"
    asked = levels.add_parser("predict", parents=[common], help=what, description=what)
    asked.add_argument(
        "--nets", nargs="+", choices=NETS, default=["model-9"], metavar="NET", help=", ".join(NETS)
    )
    asked.add_argument(
        "--batches", nargs="+", type=at_least_one, default=predict.SIZES, metavar="N", help="images"
    )
    asked.add_argument("--rounds", type=at_least_one, default=5, help="turns of each way to ask")
    _against(asked)
    asked.add_argument("--sample", type=float, default=0.05, help="seconds of calls in one measurement")
    what = "tinynet, from the start of a process to the end of its first training step"
    startup = levels.add_parser("startup", parents=[common], help=what)
    startup.add_argument("--rounds", type=at_least_one, default=3, help="warm starts")
    what = "a step of tinynet with augmented images, beside one without (printed, not kept)"
    augmentation = levels.add_parser("augmentation", parents=[common, trained], help=what)
    augmentation.add_argument("--batches", nargs="+", type=at_least_one, default=[32, 128], metavar="N")
    what = "a step of a loop of one's own beside that of fit (printed, not kept)"
    own_loop = levels.add_parser("own_loop", parents=[common, trained], help=what)
    own_loop.add_argument(
        "--nets", nargs="+", choices=NETS, default=["model-9"], metavar="NET", help=", ".join(NETS)
    )
    own_loop.add_argument("--batches", nargs="+", type=at_least_one, default=[32, 128], metavar="N")
    what = "one convolution on every rung from its definition to the register tile (printed, not kept)"
    ladder = levels.add_parser("ladder", parents=[common], help=what)
    ladder.add_argument("--batch", type=at_least_one, default=128, metavar="N")
    ladder.add_argument("--rounds", type=at_least_one, default=100, help="calls of each rung")
    what = "150 operations on a handful of numbers, forward and backward (printed, not kept)"
    tape = levels.add_parser("tape", help=what, description=what)
    tape.add_argument("--rounds", type=at_least_one, default=5, help="processes of each checkout")
    tape.add_argument("--anyway", action="store_true", help="measure on a machine that is not quiet")
    tape.add_argument("--against", metavar="PATH", help="the interpreter of another checkout")
    levels.add_parser(
        "chain", help="the files that a call of Conv2D and its gradient enter (printed, not kept)"
    )
    from .gpu import command, paper

    what = "all that is to be checked and measured on a GPU, in under seven minutes (see gpu/__init__.py)"
    command.add_arguments(levels.add_parser("gpu", help=what, description=what))
    what = "what a training step launches on a GPU, and how long it should take"
    paper.add_arguments(levels.add_parser("paper", help=what, description=what))
    for name, what in (
        ("plot", "writes pictures of a file"),
        ("report", "writes RESULTS.md from the files in results/"),
    ):
        shown = levels.add_parser(name, help=what)
        shown.add_argument(
            "file", type=Path, nargs="?" if name == "report" else None, help="a JSON of results"
        )
        shown.add_argument("--out", type=Path, help="folder of the pictures (plot) or page to write (report)")
    return top


def _against(level: argparse.ArgumentParser) -> None:
    level.add_argument(
        "--against", type=interpreter, metavar="PATH",
        help="an interpreter whose tinynet is another checkout: races as `before`; a file has one of them",
    )  # fmt: skip


def _common() -> argparse.ArgumentParser:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    common = argparse.ArgumentParser(add_help=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    common.add_argument(
        "--peer-python", type=interpreter, default=sys.executable, metavar="PATH",
        help="an interpreter that has the peers",
    )  # fmt: skip
    libraries = [name for name in TITLES if name != "before"]
    common.add_argument(
        "--libraries", nargs="+", choices=libraries, default=libraries, metavar="NAME",
        help=", ".join(libraries),
    )  # fmt: skip
    common.add_argument(
        "--threads", type=at_least_one, default=cores, help="threads of every library (default: all cores)"
    )
    common.add_argument(
        "--out", type=Path, help="JSON to write or to continue (default: results/<processor>-<core>.json)"
    )
    common.add_argument("--fresh", action="store_true", help="measure again what the file has of this level")
    common.add_argument(
        "--anyway", action="store_true", help="measure on a machine that is not quiet, and mark the results"
    )
    common.add_argument(
        "--seconds",
        type=float,
        default=360.0,
        help="begin nothing new after this time; run again to continue",
    )
    return common


def main(argv: Sequence[str] | None = None) -> None:
    args = parser().parse_args(argv)
    if args.level in ("plot", "report"):
        from . import report

        report.plot(args.file, args.out) if args.level == "plot" else report.write(args.file, args.out)
        return
    if args.level == "gpu":
        from .gpu import command

        raise SystemExit(command.run(args))
    if args.level == "paper":
        from .gpu import paper

        paper.run(args)
        return
    if args.level == "chain":
        from . import chain

        print(chain.chain())
        return
    if args.level in ("augmentation", "own_loop", "ladder", "tape"):
        quiet.require(args.anyway)
        importlib.import_module(f".{args.level}", __package__).run(args)
        return
    here = machine.describe()
    path = args.out or results.default_path(here)
    kept = results.Results(path, here)
    before = getattr(args, "against", None) or ""
    args.libraries = [*args.libraries, *["before"] * bool(before)]
    quiet.require(args.anyway)
    kept.begin(args.level, {**machine.origin(args.threads), "versions": {}}, fresh=args.fresh)
    done = _run(args, kept, Setup(args.peer_python, args.threads, before=before))
    print(
        f"{path}: "
        + ("complete" if done else "not complete yet; the same command, without --fresh, continues")
    )


def _run(args: argparse.Namespace, kept: results.Results, setup: Setup) -> bool:
    """Runs the level; whether all of it is measured."""
    if args.level == "kernels":
        from . import kernels

        return kernels.run(kept, setup, args)
    if args.level == "epochs":
        from . import epochs

        return epochs.run(kept, setup, args)
    if args.level == "busy":
        from . import busy

        return busy.run(kept, setup, args)
    if args.level == "predict":
        return predict.run(kept, setup, args)
    if args.level == "startup":
        from . import startup

        return startup.run(kept, setup, args)
    from . import race, steps

    if args.level in ("steps", "memory"):
        entered = race.contenders(setup, args.libraries, args.modes)
        races = steps.step_races(args.nets, args.batches, entered)
    else:
        make = steps.scaling_races if args.level == "scaling" else steps.ablation_races
        races = make(setup, args.nets, args.batches)
    return steps.run(kept, args.level, setup, races, args.rounds, args.images, args.seconds)


if __name__ == "__main__":
    main()
