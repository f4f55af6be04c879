"""How many cores this process may keep busy: those it may run on, less what its container is allowed of them."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # Linux's control groups; a container is in one that has a quota of processor time


def cores() -> int:
    """Cores that the process may use: at most as many as its quota of processor time keeps busy, rounded up; at least 1."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([available, *(math.ceil(quota - 0.01) for quota in quotas())]))


def quotas(groups: Path = GROUPS, membership: Path = Path("/proc/self/cgroup")) -> list[float]:
    """The quotas in cores of the control groups that the process is in, version 1 and 2, and of the groups around them."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            folders, read = [groups, groups / "unified"], _version_2
        elif "cpu" in controllers.split(","):
            folders, read = [groups / controllers, groups / "cpu"], _version_1
        else:
            continue
        for folder in folders:
            found += [quota for group in _around(folder, path) if (quota := read(group)) is not None]
    return found


def _around(folder: Path, path: str) -> Iterator[Path]:
    """The group and all around it, as far as they are seen from here: within a container, its own is the outermost."""
    group = folder / path.strip("/")
    yield from (one for one in (group, *group.parents) if one == folder or folder in one.parents)


def _version_2(group: Path) -> float | None:
    """cpu.max: `150000 100000`, microseconds of processor time in a period, or `max 100000`."""
    try:
        most, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return None if most == "max" else int(most) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def _version_1(group: Path) -> float | None:
    """cpu.cfs_quota_us, -1 for none, and cpu.cfs_period_us."""
    try:
        most, period = (int((group / f"cpu.cfs_{name}_us").read_text(encoding="ascii")) for name in ("quota", "period"))
        return None if most < 0 else most / period
    except (OSError, ValueError, ZeroDivisionError):
        return None
