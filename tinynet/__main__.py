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
    commands.add_parser(
        "warmup",
        help="compile the kernels of the usual layers now, so that no later program waits for them",
        description=(
            "Trains small nets of the usual layers for a moment each, "
            "so that their kernels are compiled and kept."
        ),
    )
    parser.parse_args(argv)  # there is one command so far

    from tinynet import warmup

    return warmup.main()


if __name__ == "__main__":
    sys.exit(main())
