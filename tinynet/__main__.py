"""`python -m tinynet COMMAND`: what tinynet does without a program of one's own."""

import argparse
import sys
from collections.abc import Sequence

import tinynet


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tinynet", description="A neural-network engine to read in an afternoon."
    )
    parser.add_argument("--version", action="version", version=f"tinynet {tinynet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    warm = commands.add_parser(
        "warmup",
        help="compile the kernels of the usual layers now, so that no later program waits for them",
        description=(
            "Trains small nets of the usual layers for a moment each, "
            "so that their kernels are compiled and kept; or the one net that is named, on all cores."
        ),
    )
    warm.add_argument("net", nargs="?", help="a .tinynet or .keras file, or mnist_vgg")
    args = parser.parse_args(argv)  # there is one command so far

    from tinynet import warmup

    return warmup.main(args.net)


if __name__ == "__main__":
    sys.exit(main())
