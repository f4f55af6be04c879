"""Plants mistakes in copies of the engine and says which of them no test sees.

    python tests/planting --seed 1 --count 100

draws mistakes from all rooms in turn (see mistakes.py), each with the same chance within its room, and plants
them one at a time. First the tests that mirror the file run, until one fails. The mistakes that pass are then
planted together and meet the whole suite; failures are traced to single mistakes, those are taken out, and
the rest meets the suite again. What is left, nobody sees: it is printed, and a person says whether it changes
anything at all.

Mistakes that keep a module from being imported are not counted: nobody needs a test for them.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Queue

sys.path.insert(0, str(Path(__file__).parent))

from copies import ROOT, Copy, Outcome, mirrors, test_files
from mistakes import Mistake, places

Planted = tuple[str, Mistake]  # the file, and what is wrong with it


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rooms() -> dict[str, list[str]]:
    """Files of the engine by the room that they stand in."""
    found: dict[str, list[str]] = {}
    for path in sorted([*(ROOT / "tinynet").rglob("*.py"), *(ROOT / "kernels").rglob("*.py")]):
        name = str(path.relative_to(ROOT))
        if "__pycache__" not in name and not name.startswith("tinynet/kernels"):
            found.setdefault(str(Path(name).parent), []).append(name)
    return found


def draw(seed: int, count: int, copy: Copy) -> list[Planted]:
    """`count` mistakes, from all rooms in turn."""
    choose = random.Random(seed)
    every = {
        room: [(file, mistake) for file in files for mistake in places(read(file))]
        for room, files in rooms().items()
    }
    every = {room: found for room, found in every.items() if found}
    order = choose.sample(sorted(every), len(every))
    drawn: list[Planted] = []
    while len(drawn) < count:
        room = order[len(drawn) % len(order)]
        name, mistake = choose.choice(every[room])
        if (name, mistake) not in drawn and _can_be_imported(copy, name, mistake):
            drawn.append((name, mistake))
    return drawn


def _can_be_imported(copy: Copy, name: str, mistake: Mistake) -> bool:
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    copy.write(name, mistake.planted(read(name)))
    fine = copy.imports("tinynet." + module if module.startswith("kernels") else module)
    copy.restore()
    return fine


def plant(copy: Copy, mistakes: list[Planted]) -> None:
    """Plants several mistakes; in one file from the end backwards, so that places stay where they are."""
    for name in {name for name, _ in mistakes}:
        text = read(name)
        for mistake in sorted((m for n, m in mistakes if n == name), key=lambda m: -m.start):
            text = mistake.planted(text)
        copy.write(name, text)


def described(planted: Planted) -> str:
    name, mistake = planted
    old = " ".join(read(name)[mistake.start : mistake.end].split())
    return (
        f"{name}:{mistake.line} {mistake.kind}: {old[:60] or '(nothing)'} -> "
        f"{mistake.text[:60] or '(nothing)'}"
    )


class Hunt:
    """The run over all mistakes: who caught what."""

    def __init__(self, copies: list[Copy], out: Path) -> None:
        self.copies, self.out = Queue[Copy](), out
        for copy in copies:
            self.copies.put(copy)
        self.pool = ThreadPoolExecutor(len(copies))
        self.caught: dict[str, str] = json.loads(out.read_text()) if out.exists() else {}
        self.always: tuple[str, ...] = ()  # tests that fail without any mistake
        self.seconds: dict[str, float] = {}

    def note(self, planted: Planted, by: str) -> None:
        self.caught[described(planted)] = by
        self.out.parent.mkdir(parents=True, exist_ok=True)
        self.out.write_text(json.dumps(self.caught, indent=1))
        print(f"{'caught  ' if by else 'survived'} {described(planted)}   {by}", flush=True)

    def run(
        self, mistakes: list[Planted], files: list[str], *, limit_s: float = 1800, first_only: bool = False
    ) -> Outcome:
        """Plants mistakes in a free copy, runs tests there, and takes the mistakes out."""
        copy = self.copies.get()
        try:
            plant(copy, mistakes)
            return copy.test(files, limit_s=limit_s, first_only=first_only, without=self.always)
        finally:
            copy.restore()
            self.copies.put(copy)

    def suite(self, mistakes: list[Planted]) -> list[str]:
        """Tests of the whole suite that fail, shared out among the copies by how long they took before."""
        count = self.copies.qsize()
        shares: list[list[str]] = [[] for _ in range(count)]
        for file in sorted(test_files(), key=lambda f: -self.seconds.get(f, 1.0)):
            min(shares, key=lambda share: sum(self.seconds.get(f, 1.0) for f in share)).append(file)
        outcomes = list(
            self.pool.map(lambda share: self.run(mistakes, share), [share for share in shares if share])
        )
        for outcome in outcomes:
            self.seconds.update(outcome.seconds)
        return [name for outcome in outcomes for name in outcome.failed]

    def mirrored(self, planted: Planted) -> None:
        """One mistake against the tests that mirror its file."""
        files = [file for file in mirrors(planted[0]) if self.seconds.get(file, 0) < 60]
        limit = 60 + 6 * sum(self.seconds.get(file, 1.0) for file in files)
        outcome = (
            self.run([planted], files, limit_s=limit, first_only=True) if files else Outcome([], {}, True)
        )
        if not outcome.passed:
            self.note(planted, outcome.failed[0] if outcome.failed else f"no end within {limit:.0f} s")

    def together(self, left: list[Planted]) -> list[Planted]:
        """Mistakes that the whole suite does not see."""
        while left:
            failed = self.suite(left)
            print(f"{len(left)} planted together: {len(failed)} tests fail", flush=True)
            if not failed:
                break
            files = (
                sorted({name.partition("::")[0] for name in failed if name.startswith("tests/")})
                or test_files()
            )
            alone = list(self.pool.map(partial(self._alone, files), left))
            found = [
                (one, o.failed[0] if o.failed else "no end")
                for one, o in zip(left, alone, strict=True)
                if not o.passed
            ]
            for one, by in found:
                self.note(one, by)
            if not found:
                print("the failures come from mistakes together, from none alone:", *failed[:5], sep="\n  ")
                break
            left = [one for one in left if described(one) not in self.caught]
        return left

    def _alone(self, files: list[str], planted: Planted) -> Outcome:
        return self.run([planted], files, first_only=True)


def report(drawn: list[Planted], caught: dict[str, str]) -> None:
    print("\nroom                          planted  caught")
    for room in rooms():
        of_room = [described(one) for one in drawn if str(Path(one[0]).parent) == room]
        if of_room:
            print(f"{room:30}{len(of_room):7}{sum(bool(caught.get(one)) for one in of_room):8}")
    total = sum(bool(caught.get(described(one))) for one in drawn)
    print(f"{'all':30}{len(drawn):7}{total:8}   {total / len(drawn):.0%}")
    print("\nsurvived (a person says which of them change anything):")
    for one in drawn:
        if not caught.get(described(one)):
            print(" ", described(one))


def main(arguments: list[str] | None = None) -> None:
    layout = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python tests/planting", description=__doc__, formatter_class=layout
    )
    parser.add_argument("--seed", type=int, default=0, help="which mistakes are drawn")
    parser.add_argument("--count", type=int, default=100, help="how many")
    parser.add_argument("--jobs", type=int, default=2, help="copies that are tested at the same time")
    parser.add_argument("--list", action="store_true", help="print what would be planted, and stop")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "runs" / "planting", help="results; a run that was stopped goes on"
    )
    given = parser.parse_args(arguments)
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        began = time.time()
        copies = [Copy(Path(scratch) / f"copy{i}") for i in range(1 if given.list else given.jobs)]
        drawn = draw(given.seed, given.count, copies[0])
        if given.list:
            print(*map(described, drawn), sep="\n")
            return
        hunt = Hunt(copies, given.out / f"{commit}-seed{given.seed}.json")
        hunt.always = tuple(hunt.suite([]))
        print(
            f"{time.time() - began:.0f} s; tests that fail in a copy without mistakes:",
            *hunt.always or ["none"],
            flush=True,
        )
        list(hunt.pool.map(hunt.mirrored, [one for one in drawn if described(one) not in hunt.caught]))
        for one in hunt.together([one for one in drawn if described(one) not in hunt.caught]):
            hunt.note(one, "")
        report(drawn, hunt.caught)
        print(f"\n{commit}, seed {given.seed}, {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
