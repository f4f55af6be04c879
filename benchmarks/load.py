"""What makes a machine busy: processes that keep cores busy,
and a limit of processor time like a container's.

Both are there within a `with` block alone. A busy process also ends by itself as soon as the process that
started it is gone, however it went; a control group without processes limits nobody, and the next run removes
it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from tinynet.kernels import quota

from .process import pin

NAME = "tinynet-benchmarks-"
PERIOD = 100_000  # microseconds, as containers have it
WORK = """
import os, sys
parent = int(sys.argv[1])
print("busy", flush=True)
while os.getppid() == parent:
    for _ in range(100_000):
        pass
"""


class QuotaError(RuntimeError):
    """A control group with a quota cannot be made here; the text says why."""


@contextmanager
def busy(count: int, cores: int) -> Iterator[None]:
    """`count` processes that never pause, on the first `cores` of the cores,
    from here to the end of the block.
    """
    started: list[subprocess.Popen[str]] = []
    try:
        for _ in range(count):
            command = [sys.executable, "-I", "-S", "-c", WORK, str(os.getpid())]
            started.append(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=partial(pin, cores))
            )
        for process in started:
            assert process.stdout is not None
            if process.stdout.readline() != "busy\n":
                raise RuntimeError("a process that was to keep a core busy ended at once")
        yield
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def limited(cores: float) -> Iterator[Callable[[], None]]:
    """A control group whose processes get `cores` cores' time;
    a process enters it by the function that comes.

    Raises QuotaError where the user may not make one.
    """
    group = _make(cores)
    try:
        yield partial(_enter, group)
    finally:
        with suppress(OSError):
            group.rmdir()


def _make(cores: float) -> Path:
    """The innermost group around this process that can have a group with a quota in it; that group."""
    reasons = []
    for parent, read in quota.around():
        if not parent.is_dir():
            continue
        _sweep(parent)
        group = parent / f"{NAME}{os.getpid()}-{cores:g}"
        try:
            if read is quota.version_2:
                (parent / "cgroup.subtree_control").write_text("+cpu")
            group.mkdir()
            _limit(group, read, cores)
            subprocess.run(["true"], check=True, preexec_fn=partial(_enter, group))
            return group
        except (OSError, subprocess.SubprocessError) as error:
            reasons.append(f"{parent}: {getattr(error, 'strerror', None) or error}")
            with suppress(OSError):
                group.rmdir()
    raise QuotaError("; ".join(reasons) or "the system has no control groups of processor time")


def _limit(group: Path, read: Callable[[Path], float | None], cores: float) -> None:
    most = round(cores * PERIOD)
    if read is quota.version_2:
        (group / "cpu.max").write_text(f"{most} {PERIOD}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD))
        (group / "cpu.cfs_quota_us").write_text(str(most))
    if read(group) != cores:
        raise OSError(f"it has a quota of {read(group)} cores instead of {cores}")


def _enter(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))


def _sweep(parent: Path) -> None:
    """Removes the groups of runs that were ended before they could."""
    for group in parent.glob(NAME + "*-*"):
        owner = group.name.removeprefix(NAME).split("-")[0]
        if not Path(f"/proc/{owner}").exists():
            with suppress(OSError):  # its processes may not all be gone
                group.rmdir()
