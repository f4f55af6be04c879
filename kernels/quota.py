"""How many cores this process may keep busy: those it may run on,
less what its container is allowed of them.
"""

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Linux's control groups; a container is in one that has a quota of processor time
GROUPS = Path("/sys/fs/cgroup")
# the groups that this process is in, a line for each hierarchy: `4:cpu,cpuacct:/path`
MEMBERSHIP = Path("/proc/self/cgroup")


def cores() -> int:
    """Cores that the process may use: at most as many as its quota of processor time keeps busy,
    rounded up; at least 1.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([available, *(math.ceil(quota - 0.01) for quota in quotas())]))


def quotas(groups: Path = GROUPS, membership: Path = MEMBERSHIP) -> list[float]:
    """The quotas in cores of the control groups that the process is in,
    version 1 and 2, and of the groups around them.
    """
    found = (read(group) for group, read in around(groups, membership))
    return [quota for quota in found if quota is not None]


def around(
    groups: Path = GROUPS, membership: Path = MEMBERSHIP
) -> Iterator[tuple[Path, Callable[[Path], float | None]]]:
    """Folders of the groups that may limit the process, from its own outwards,
    and how a quota is read from each.
    """
    try:
        lines = membership.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if line.startswith("0::"):
            folders, read = [groups, groups / "unified"], version_2
        elif "cpu" in controllers.split(","):
            folders, read = [groups / controllers, groups / "cpu"], version_1
        else:
            continue
        for folder in dict.fromkeys(folders):
            yield from ((group, read) for group in _enclosing(folder, path))


def _enclosing(folder: Path, path: str) -> Iterator[Path]:
    """The group and all around it, as far as they are seen from here:
    within a container, its own is the outermost.
    """
    group = folder / path.strip("/")
    yield from (one for one in (group, *group.parents) if one == folder or folder in one.parents)


def version_2(group: Path) -> float | None:
    """cpu.max: `150000 100000`, microseconds of processor time in a period,
    or `max 100000`; None if there is no quota.
    """
    try:
        most, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return None if most == "max" else _cores(int(most), int(period))
    except (OSError, ValueError):
        return None


def version_1(group: Path) -> float | None:
    """cpu.cfs_quota_us, -1 for none, and cpu.cfs_period_us."""
    try:
        return _cores(
            *(int((group / f"cpu.cfs_{name}_us").read_text(encoding="ascii")) for name in ("quota", "period"))
        )
    except (OSError, ValueError):
        return None


def _cores(most: int, period: int) -> float | None:
    """The quota in cores; what Linux would not accept is none."""
    return most / period if 0 < most < 2**63 and 0 < period < 2**63 else None
