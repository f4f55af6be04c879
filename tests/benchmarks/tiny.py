"""A small file of results with something of every level."""

from typing import Any

SUMMARY = {"median": 0.002, "q1": 0.0019, "q3": 0.0022, "min": 0.0018, "samples": 3}


def step(library: str, mode: str, median: float, **changes: Any) -> dict[str, Any]:
    return {
        "run": 0, "net": "model-9", "batch": 128, "library": library, "mode": mode, "threads": 2,
        "data": "mnist",
        "images": 8192, "step_s": {**SUMMARY, "median": median}, "import_s": 1.0, "first_step_s": 0.5,
        "losses": [2.3, 2.0], "same_loss": True, "import_bytes": 100 << 20, "peak_bytes": 200 << 20,
        **changes,
    }  # fmt: skip


def beside(
    library: str, mode: str, step: float, work: float, busy: int = 0, quota: float = 0.0
) -> dict[str, Any]:
    return {
        "run": 0, "net": "model-9", "batch": 32, "library": library, "mode": mode,
        "threads": 1 if mode == "one thread" else 2,
        "busy": busy, "quota": quota, "cores": 2, "data": "mnist", "images": 4096,
        "step_s": {**SUMMARY, "median": step},
        "cpu_s": {**SUMMARY, "median": work}, "loss": 2.0, "same_loss": True,
    }  # fmt: skip


def kernel(
    op: str, library: str, implementation: str, median: float, name: str = "14->14 3x3 same @14"
) -> dict[str, Any]:
    return {
        "run": 0, "op": op, "name": name, "group": "nets", "batch": 128, "library": library, "threads": 2,
        "implementation": implementation, "seconds": {**SUMMARY, "median": median}, "flops": 8e7,
        "bytes": 2.8e6,
        "floor_s": 0.0002, "bound": "compute",
    }  # fmt: skip


def content() -> dict[str, Any]:
    training = {
        "run": 0, "task": "accuracy", "net": "model-9", "batch": 128, "library": "tinynet", "mode": "fit",
        "threads": 2,
        "seed": 0, "seconds": 9.0, "accuracy": 0.9901, "curve": [[0.2, 1.0, 0.95], [0.4, 2.5, 0.983],
                                                                 [0.6, 9.0, 0.9901]],
    }  # fmt: skip
    bandwidth = [{"bytes": 1 << 20, "bytes_per_s": 2e11}, {"bytes": 1 << 28, "bytes_per_s": 3e10}]
    machine = {
        "processor": "A processor", "cores": 2, "caches": {"L1": "48K"}, "memory_gib": 16.0,
        "vectors": "AVX2",
        "system": "Linux",
    }  # fmt: skip
    run = {
        "date": "2026-01-01 00:00 UTC",
        "commit": "abc",
        "threads": 2,
        "versions": {"tinynet": {"numpy": "2.0"}},
    }
    ops = ("conv2d", "conv2d_input_grad", "conv2d_weight_grad")
    levels = {
        "peak": [{"run": 0, "threads": 2, "flops": 4.4e11, "bandwidth": bandwidth}],
        "steps": [step("tinynet", "fit", 0.002), step("torch", "eager", 0.009),
                  step("torch", "compile", 0.006),
                  step("keras-jax", "jit", 0.05), step("keras-tensorflow", "graph", 0.008)],
        "scaling": [step("tinynet", "fit", 0.004, threads=1), step("tinynet", "fit", 0.0021),
                    step("tinynet", "fit", 0.004, batch=256)],
        "memory": [step("tinynet", "fit", 0.002), step("torch", "eager", 0.009, peak_bytes=300 << 20)],
        "ablation": [step("tinynet", "fit", 0.002), step("tinynet", "plain", 0.2)],
        "kernels": [kernel(op, *rest) for op in ops for rest in (
            ("tinynet", "naive", 0.1), ("tinynet", "vector", 0.0005), ("torch", "eager", 0.001))],
        "epochs": [training, {**training, "task": "epoch", "curve": []}],
        "predict": [
            {"run": 0, "net": "model-9", "batch": batch, "library": library, "mode": mode, "threads": 2,
             "seconds": {**SUMMARY, "median": round(1e-4 * batch + start, 6)}, "rounds_s": [0.1, 0.2]}
            for batch in (1, 17, 128)
            for library, mode, start in (("tinynet", "call", 3e-4), ("tinynet", "predict", 1e-3),
                                         ("torch", "eager", 5e-4))],
        "startup": [{"run": 0, "caches": c, "number": n, "wall_s": s, "cpu_s": s, "end_s": s}
                    for n, (c, s) in enumerate((("empty", 16.0), ("full", 1.0)))],
        "busy": [beside("tinynet", "default", 0.001, 0.002), beside("tinynet", "one thread", 0.0018, 0.0018),
                 beside("tinynet", "default", 0.0012, 0.0021, busy=1),
                 beside("tinynet", "one thread", 0.0018, 0.0018, busy=1),
                 beside("torch", "eager", 0.004, 0.007, busy=1)],
    }  # fmt: skip
    return {
        "schema": 1,
        "machine": machine,
        "runs": [{"level": level, **run} for level in levels],
        "levels": _numbered(levels),
    }


def _numbered(levels: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Every record says which run it is of: here each level is one run."""
    return {
        level: [{**record, "run": i} for record in records]
        for i, (level, records) in enumerate(levels.items())
    }
