"""The roofline: what a measured peak says of the least time a piece of work can take."""

from typing import Any


def higher(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """The better of two measurements, number by number."""
    curve = [
        max(pair, key=lambda entry: entry["bytes_per_s"])
        for pair in zip(a["bandwidth"], b["bandwidth"], strict=True)
    ]
    return {"threads": a["threads"], "flops": max(a["flops"], b["flops"]), "bandwidth": curve}


def bandwidth(peak: dict[str, Any], size: float) -> float:
    """Bytes/s of a copy whose arrays are as large as `size` bytes in all:
    of the next larger size measured.
    """
    rates = [entry["bytes_per_s"] for entry in peak["bandwidth"] if entry["bytes"] >= size]
    return rates[0] if rates else peak["bandwidth"][-1]["bytes_per_s"]


def floor(peak: dict[str, Any], flops: float, size: float) -> tuple[float, str]:
    """The least seconds the work can take on this machine, and what sets them: "compute" or "memory"."""
    compute, memory = flops / peak["flops"], size / bandwidth(peak, size)
    return max(compute, memory), "compute" if compute >= memory else "memory"
