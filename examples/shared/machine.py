"""What a result was computed on."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import tinynet


def machine() -> dict[str, Any]:
    """Where the runs were computed."""
    from llvmlite.binding import get_host_cpu_name  # Keras's environment, which imports studies, lacks it

    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return {
        "processor": f"{name} ({get_host_cpu_name()})",  # its kind, as LLVM calls it: znver4
        "threads": tinynet.get_num_threads(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba")},
        "tinynet": tinynet.__version__,
    }
