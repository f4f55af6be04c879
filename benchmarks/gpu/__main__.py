"""One section, in this process: `python -m benchmarks.gpu SECTION FOLDER [--quick] [--stand-in]`."""

import argparse
from pathlib import Path

from .kept import Kept
from .options import gpu, options
from .sections import SECTIONS, runner

ALONE = ("tests", "paper", "torch")  # sections that find a GPU themselves, or need none


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", choices=[section.name for section in SECTIONS])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--stand-in", action="store_true")
    args = parser.parse_args()
    chosen, run = options(args.folder, args.quick, args.stand_in), runner(args.section)
    kept = Kept(args.folder, args.section)
    if args.section in ALONE:
        run(kept, chosen)
        return
    with gpu(chosen):
        import tinynet

        tinynet.set_device("gpu")
        run(kept, chosen)
        tinynet.set_device("cpu")


if __name__ == "__main__":
    main()
