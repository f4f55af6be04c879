"""Whether the machine is quiet: what others take of its processors while something is measured.

Linux counts the time that its processors were busy, and the time that a machine was kept waiting by those it
shares its hardware with ("steal"). What this process and its descendants used is taken off; the rest is
others', and so is what outlives the process that started it. Where there is no /proc to read, nothing is
refused and nothing is marked.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

MOST = 0.05  # of the cores' time: what others may have before a measurement is marked
MOMENT = 1.0  # seconds that `require` looks
SHOWN = 3  # processes that it names
PROC = Path("/proc")
Noise = dict[str, float]  # shares of all cores' time: "others", "steal"


class _Process(NamedTuple):
    name: str
    parent: int
    own: float  # seconds of processor time
    seconds: float  # the same, and that of children that have ended


class _Sample(NamedTuple):
    clock: float
    cores: int  # that this process may use: what others do elsewhere does not matter
    busy: float  # seconds, of these cores together
    steal: float
    processes: dict[int, _Process]

    def ours(self) -> float:
        """Seconds of this process and its descendants."""
        return sum(p.seconds for pid, p in self.processes.items() if self._is_ours(pid))

    def _is_ours(self, pid: int) -> bool:
        for _ in range(len(self.processes)):  # no more, though numbers may have been given out again
            if pid == os.getpid():
                return True
            if pid not in self.processes:
                return False
            pid = self.processes[pid].parent
        return False

    def others(self) -> dict[int, _Process]:
        return {pid: p for pid, p in self.processes.items() if not self._is_ours(pid)}


def _sample() -> _Sample | None:
    """What is counted now; None where it cannot be read."""
    try:
        tick = 1 / os.sysconf("SC_CLK_TCK")
        mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        lines = [line.split() for line in (PROC / "stat").read_text(encoding="ascii").splitlines()]
        cores = [[tick * int(word) for word in line[1:9]] for line in lines if line and line[0] in mine]
        busy = sum(sum(core[:3]) + sum(core[5:7]) for core in cores)  # without idle and waiting for disks
        steal = sum(core[7] for core in cores)
    except (AttributeError, IndexError, OSError, ValueError):
        return None
    if not cores:
        return None
    processes = {}
    for path in PROC.glob("[0-9]*"):
        try:
            name, _, rest = (path / "stat").read_text(errors="replace").partition("(")[2].rpartition(")")
            fields = rest.split()
            times = [tick * int(field) for field in fields[11:15]]
            processes[int(path.name)] = _Process(name, int(fields[1]), sum(times[:2]), sum(times))
        except (IndexError, OSError, ValueError):  # it has ended
            continue
    return _Sample(time.perf_counter(), len(cores), busy, steal, processes)


class Watch:
    """Looks at the machine from its making on."""

    def __init__(self) -> None:
        self._last = _sample()

    def lap(self) -> Noise | None:
        """What others had since the last lap; None where nobody knows."""
        before, self._last = self._last, _sample()
        if before is None or self._last is None:
            return None
        return _between(before, self._last)


def _between(before: _Sample, after: _Sample) -> Noise:
    whole = max(after.clock - before.clock, 1e-9) * after.cores
    others = after.busy - before.busy - (after.ours() - before.ours())
    return {"others": max(others, 0.0) / whole, "steal": max(after.steal - before.steal, 0.0) / whole}


def is_quiet(noise: Noise | None) -> bool:
    """Whether so little was others' that a measurement stands; so it does where nobody knows."""
    return noise is None or noise["others"] + noise["steal"] <= MOST


def in_words(noise: Noise, tense: str = "was") -> str:
    return (
        f"the machine {tense} not quiet: other processes had {noise['others']:.0%} of its cores' time, "
        f"other machines {noise['steal']:.0%}"
    )


def require(anyway: bool) -> None:
    """SystemExit if others keep the machine busy, with their names; with `anyway` a line that says so."""
    if (before := _sample()) is None:
        return
    time.sleep(MOMENT)
    after = _sample()
    if after is None or is_quiet(noise := _between(before, after)):
        return
    words = in_words(noise, "is")
    if names := _busiest(before, after):
        words += f". Who: {names} (of one core)"
    if not anyway:
        raise SystemExit(
            f"{words}.\nTimes would say little. Wait, or end what is running; with --anyway it is measured, "
            "and what is kept is marked."
        )
    print(f"{words}. What is kept is marked.", flush=True)


def _busiest(before: _Sample, after: _Sample) -> str:
    """Others' processes that worked most, with their shares of one core."""
    used = {
        pid: p.own - before.processes[pid].own for pid, p in after.others().items() if pid in before.processes
    }
    most = sorted((pid for pid in used if used[pid] > 0), key=lambda pid: -used[pid])[:SHOWN]
    seconds = after.clock - before.clock
    return ", ".join(f"{after.processes[pid].name} ({pid}) {used[pid] / seconds:.0%}" for pid in most)


def noisy(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the records that were measured while the machine was not quiet."""
    return [record for record in records if not is_quiet(record.get("noise"))]
