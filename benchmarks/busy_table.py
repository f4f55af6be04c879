"""What the level `busy` found, and what it is held against.

**Fair share.** A scheduler that is fair to threads gives each of those that want to run the same time.
On c cores beside n busy processes, each of t threads is due min(1, c / (n + t)) of a core, and all of them,
under a quota of q cores' time,

    due(t) = min(t * min(1, c / (n + t)), q)    cores

On a quiet machine they have min(t, c), so a step may take min(t, c) / due(t) times its quiet time: that is
its fair time. (Linux shares first among groups and sessions, then among their threads; here all are in one.)

**Limits.** tinynet with its default settings

    is ahead of the fastest mode of every peer,
    takes at most 1.3 times the shorter of its fair time and the time of one thread under the same load,
    and at most 1.5 times the processor time a step that it takes on a quiet machine.
"""

from collections.abc import Callable, Sequence
from typing import Any

from . import table
from .nets import NETS
from .process import TITLES

LONGER, MORE_WORK = 1.3, 1.5
Record = dict[str, Any]
Place = tuple[int, float]  # busy processes, quota


def due(threads: int, cores: int, busy: int, quota: float) -> float:
    """Cores' time that is due to so many threads."""
    share = threads * min(1.0, cores / (busy + threads))
    return min(share, quota) if quota else share


def fair_time(quiet: Record, record: Record) -> float:
    """Seconds a step that the threads of `quiet` would take with what is due to
    them where `record` was measured.
    """
    threads, cores = quiet["threads"], record["cores"]
    return (
        quiet["step_s"]["median"] * min(threads, cores) / due(threads, cores, record["busy"], record["quota"])
    )


def verdicts(records: Sequence[Record]) -> dict[Place, dict[str, tuple[float, float]]]:
    """For each column, what was measured of tinynet's default and its limit:
    `limit`, `work` and one for each peer.
    """
    by = {(r["library"], r["mode"], _place(r)): r for r in records}
    quiet, found = by.get(("tinynet", "default", (0, 0.0))), {}
    for place in _places(records):
        mine, alone = (by.get(("tinynet", mode, place)) for mode in ("default", "one thread"))
        if quiet is None or mine is None or alone is None:
            continue
        step = mine["step_s"]["median"]
        held = {
            "limit": (step, LONGER * min(fair_time(quiet, mine), alone["step_s"]["median"])),
            "work": (mine["cpu_s"]["median"], MORE_WORK * quiet["cpu_s"]["median"]),
        }
        for library in TITLES:
            times = [r["step_s"]["median"] for r in records if r["library"] == library and _place(r) == place]
            if times and library != "tinynet":
                held[library] = (step, min(times))
        found[place] = held
    return found


def _place(record: Record) -> Place:
    return record["busy"], record["quota"]


def _places(records: Sequence[Record]) -> list[Place]:
    """Quiet, beside busy processes, under quotas."""
    return sorted({_place(r) for r in records}, key=lambda place: (place[1], place[0]))


def _title(place: Place) -> str:
    busy, quota = place
    return f"{quota:.1f} CPUs" if quota else f"{busy} busy" if busy else "quiet"


def lines(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of one net and batch: milliseconds a step,
    and of processor time in brackets.
    """
    places, held = _places(records), verdicts(records)
    by = {(r["library"], r["mode"], _place(r)): r for r in records}
    rows = []
    for library, mode in dict.fromkeys((r["library"], r["mode"]) for r in records):
        measured = [by.get((library, mode, place)) for place in places]
        rows.append([f"{TITLES[library]}, {mode}", *(_cell(r) if r else "-" for r in measured)])
    names = dict.fromkeys(name for found in held.values() for name in found)
    for name in names:
        title = {"limit": "time, of its limit", "work": "processor time, of its limit"}.get(name)
        cells = [_verdict(held.get(place, {}).get(name)) for place in places]
        rows.append([title or f"time, of that of {TITLES[name]}", *cells])
    return ["ms a step (of processor time)", *map(_title, places)], rows


def _cell(record: Record) -> str:
    step, work = record["step_s"], record["cpu_s"]
    return f"{table.milliseconds(step['median'])} ({table.milliseconds(work['median'])})"


def _verdict(found: tuple[float, float] | None) -> str:
    if found is None:
        return "-"
    return f"{found[0] / found[1]:.2f}" + ("" if found[0] <= found[1] else " MISSED")


def _spread(records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Quartiles of milliseconds a step."""
    places = _places(records)
    by = {(r["library"], r["mode"], _place(r)): r["step_s"] for r in records}
    rows = []
    for library, mode in dict.fromkeys((r["library"], r["mode"]) for r in records):
        found = [by.get((library, mode, place)) for place in places]
        cells = [f"{table.milliseconds(s['q1'])}-{table.milliseconds(s['q3'])}" if s else "-" for s in found]
        rows.append([f"{TITLES[library]}, {mode}", *cells])
    return ["quartiles", *map(_title, places)], rows


def show(records: Sequence[Record]) -> str:
    """One net and batch in plain text."""
    if not records:
        return "nobody finished"
    return "\n\n".join([_caption(records), _text(table.text, records)]) + "\n"


def _text(write: Callable[..., str], records: Sequence[Record]) -> str:
    return "\n\n".join(write(*made) for made in (lines(records), _spread(records)))


def _caption(records: Sequence[Record]) -> str:
    r = records[0]
    differ = [
        f"{TITLES[r['library']]} {r['mode']}" for r in records if not r["same_loss"] and _place(r) == (0, 0.0)
    ]
    text = (
        f"{NETS[r['net']].title}, batch {r['batch']}, {r['cores']} cores, medians of {r['step_s']['samples']}"
    )
    return text + (
        f"; mean losses that differ by over 10 % from the middle: {', '.join(differ)}" if differ else ""
    )


def part(records: list[Record]) -> str:
    """The section of RESULTS.md."""
    parts = [HEAD]
    for net, batch in dict.fromkeys(
        (r["net"], r["batch"]) for r in sorted(records, key=lambda r: list(NETS).index(r["net"]))
    ):
        mine = [r for r in records if (r["net"], r["batch"]) == (net, batch)]
        parts.append(f"{_caption(mine)}:\n\n{_text(table.markdown, mine)}\n")
    return "\n".join(parts)


HEAD = """### Beside busy processes, and under a quota

Milliseconds a step through `fit`, and of processor time in brackets: alone, beside processes that never \
pause on the
same cores, and in a control group that may use so many CPUs' time. tinynet's default may take 1.3 times the \
shorter of
one thread's time under the same load and its quiet time stretched by the fair share \
(`busy_table.py` has the formula),
and 1.5 times the quiet processor time. The last rows say what it takes of each limit: up to 1.00 it keeps it.
"""
