"""The command `python -m benchmarks gpu`: section after section, and what they say together."""

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .. import machine
from ..process import ROOT
from . import summary
from .kept import Kept, write
from .options import options
from .sections import SECTIONS, Section
from .suite import collect

DEFAULT = Path(__file__).parent.parent / "results" / "gpu"


def add_arguments(level: argparse.ArgumentParser) -> None:
    names = [section.name for section in SECTIONS]
    level.add_argument("--out", type=Path, default=DEFAULT, help="folder to write, or to continue")
    level.add_argument(
        "--sections", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    level.add_argument("--quick", action="store_true", help="fewer nets, batches and kernels")
    level.add_argument(
        "--fresh", action="store_true", help="measure again what the folder has of these sections"
    )
    level.add_argument("--stand-in", action="store_true", help="tiny, without a GPU: numbers mean nothing")
    level.add_argument(
        "--peer-python", default=sys.executable, metavar="PATH", help="an interpreter with PyTorch"
    )


def run(args: argparse.Namespace) -> int:
    """The status to exit with: 0 if all sections are complete."""
    if why := missing(args):
        print(f"python -m benchmarks gpu needs a GPU: {why}")
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    options(args.out, args.quick, args.stand_in)  # which may add a net
    complete = True
    for section in SECTIONS:
        if section.name in args.sections:
            complete &= _done(section, args)
    content = {name: Kept(args.out, name).content for name in (one.name for one in SECTIONS)}
    about = {"machine": machine.describe(), **machine.origin(1), "stand_in": args.stand_in}
    write(args.out / "gpu.json", {"schema": 1, **about, "sections": content})
    text = summary.text(content)
    (args.out / "summary.txt").write_text(text, encoding="utf-8")
    print(text)
    for path in summary.pictures(content, args.out):
        print(path)
    print(f"{args.out}: " + ("complete" if complete else "not complete; the same command continues"))
    return 0 if complete else 1


def missing(args: argparse.Namespace) -> str:
    """What keeps this machine from running the sections, as a sentence."""
    if args.stand_in:
        return ""
    from tinynet.backend import gpu

    return gpu.missing(0)


def _done(section: Section, args: argparse.Namespace) -> bool:
    """Runs a section that is not complete; whether it is then."""
    kept = Kept(args.out, section.name)
    if args.fresh:
        kept.path.unlink(missing_ok=True)
        (args.out / "tests.jsonl").unlink(missing_ok=True) if section.name == "tests" else None
        kept = Kept(args.out, section.name)
    if kept.content["done"]:
        print(f"{section.name}: complete already", flush=True)
        return True
    print(f"{section.name}, {section.limit_s:.0f} s at most ...", flush=True)
    began = time.monotonic()
    error = _process(section, args)
    kept = Kept(args.out, section.name)
    if section.name == "tests":
        collect(kept, args.out)
    seconds = kept.content["seconds"] + time.monotonic() - began
    kept.save(done=not error, error=error, seconds=seconds)
    print(f"  {len(kept.records)} records in {seconds:.0f} s" + (f"; {error}" if error else ""), flush=True)
    return not error


def _process(section: Section, args: argparse.Namespace) -> str:
    """Runs it in a process of its own; why it did not end well, or ""."""
    python = args.peer_python if section.name == "torch" else sys.executable
    command: list[Any] = [python, "-m", "benchmarks.gpu", section.name, args.out.resolve()]
    command += [flag for flag, given in (("--quick", args.quick), ("--stand-in", args.stand_in)) if given]
    with (args.out / f"{section.name}.log").open("w", encoding="utf-8") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            child.wait(section.limit_s)
        except subprocess.TimeoutExpired:
            _end(child)
            return f"stopped after {section.limit_s:.0f} s; the same command goes on from there"
        except BaseException:
            _end(child)
            raise
    if child.returncode:
        words = (args.out / f"{section.name}.log").read_text(encoding="utf-8", errors="replace")
        return f"ended with status {child.returncode}: {words.strip()[-1500:]}"
    return ""


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a process and those that it has started."""
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
