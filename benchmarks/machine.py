"""What a result has to say about where it comes from: the machine, the versions, the commit, the date."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import llvmlite.binding

from .process import ROOT, without_avx512


def describe() -> dict[str, Any]:
    """The machine: what decides its speed, and nothing that names it."""
    return {
        "processor": _processor(),
        "core": llvmlite.binding.get_host_cpu_name() + " without AVX-512" * without_avx512(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "caches": _caches(),
        "memory_gib": _memory_gib(),
        "vectors": _vectors(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def origin(threads: int) -> dict[str, Any]:
    """Date, commit and threads of a run."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(ROOT),
        "threads": threads,
    }


def commit(root: Path) -> str:
    """The commit of a checkout; one whose engine has been changed since is marked."""
    found = _output(root, "git", "rev-parse", "--short=12", "HEAD")
    changed = _output(
        root, "git", "status", "--porcelain", "--untracked-files=no", "--", "tinynet", "kernels"
    )
    return (found or "unknown") + (" with changes" if changed else "")


def _output(root: Path, *command: str) -> str:
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _information(name: str) -> str:
    """First entry called `name` of Linux's list of processors."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def _processor() -> str:
    name = _information("model name") or _output(ROOT, "sysctl", "-n", "machdep.cpu.brand_string")
    return name or platform.processor() or "unknown"


def _vectors() -> str:
    flags = _information("flags").split()
    if "avx512f" in flags and not without_avx512():
        return "AVX-512"
    return "AVX2" if "avx2" in flags else platform.machine()


def _caches() -> dict[str, str]:
    """Size of each level of data cache, as the first core sees it: {"L1": "48K", ...}."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = size
    return found


def _memory_gib() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return 0.0
