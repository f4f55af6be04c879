"""`python -m tinynet COMMAND`: what tinynet does without a program of one's own."""

import argparse
import sys
from collections.abc import Sequence

import tinynet

DATA = ("digits", "mnist", "fashion_mnist", "cifar10")  # what nets can be explored on


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
    page = commands.add_parser(
        "explore",
        help="write a page that shows one training step of a net, with all its numbers and their code",
        description=(
            "Runs one training step of a net from a file on the images with the highest losses, "
            "and writes a page of it that any browser opens, without a network."
        ),
    )
    page.add_argument("net", help="a .tinynet or .keras file")
    page.add_argument("--data", choices=DATA, default=DATA[0], help="images and labels (%(default)s)")
    page.add_argument("--divide", type=float, default=1.0, metavar="BY", help="divide the pixels by 255, say")
    page.add_argument("--images", type=int, default=4, help="images of the step (%(default)s)")
    page.add_argument("--out", default="step.html", help="the page, or its arrays as .npz (%(default)s)")
    page.add_argument("--open", action="store_true", help="show it in the browser")
    args = parser.parse_args(argv)
    if args.command == "explore":
        from tinynet.explorer import command

        return command.main(args)

    from tinynet import warmup

    return warmup.main(args.net)


if __name__ == "__main__":
    sys.exit(main())
