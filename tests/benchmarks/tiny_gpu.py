"""Results of a run on a GPU, made up: something of every section."""

from typing import Any

NETS, BATCHES = ("model-9", "model-7", "s3-03", "s2-03"), (32, 128, 1024)


def summary(median: float) -> dict[str, float]:
    return {"median": median, "q1": 0.95 * median, "q3": 1.1 * median, "min": 0.9 * median, "samples": 5}


def step(net: str, batch: int, library: str, mode: str, us: float, **more: Any) -> dict[str, Any]:
    key = {"net": net, "batch": batch, "library": library, "mode": mode}
    return {**key, "step_s": summary(us / 1e6), "losses": [2.0, 1.5], **more}


def kernel(op: str, name: str, us: float, flops: float, size: float) -> dict[str, Any]:
    return {"op": op, "name": name, "group": "nets", "batch": 128, "flops": flops, "bytes": size,
            "how": "graph", "us": us}  # fmt: skip


def sections() -> dict[str, list[dict[str, Any]]]:
    pairs = [(net, batch, i + 1) for i, net in enumerate(NETS) for batch in BATCHES]
    return {
        "facts": [
            {"fact": "machine", "gpu": "An H200", "multiprocessors": 132, "memory_bytes": 1.5e11,
             "cache_bytes": 5e7, "cupy": "14.2.0", "cuda": 13000, "driver": 13000},
            {"fact": "launch", "device_us": 2.5, "host_us": 3.0, "in_graph_us": 1.5, "graph_host_us": 9.0,
             "graph_of_one_us": 4.0, "graph_of_one_host_us": 5.0},
            {"fact": "peak", "flops_per_s": 6.2e13},
            {"fact": "copy of 16777216 bytes", "bytes": 1 << 24, "bytes_per_s": 6e12},
            {"fact": "copy of 1073741824 bytes", "bytes": 1 << 30, "bytes_per_s": 4.2e12},
            {"fact": "capture: copy from the host", "allowed": False, "said": "CUDARuntimeError: no"},
        ],
        "tests": [{"test": "a", "outcome": "passed", "seconds": 1.0, "said": ""},
                  {"test": "b::c", "outcome": "failed", "seconds": 1.0, "said": "E  1 != 2\nAssertionError"}],
        "paper": [{"net": n, "batch": b, "us": 150.0 * k * (1 + b / 512), "launches": 3, "array_bytes": 1e6,
                   "counted": [["a", 1e6, 1e6, 4096]] * 90} for n, b, k in pairs],
        "steps": [step(n, b, "tinynet", mode, us * k * (1 + b / 512))
                  for n, b, k in pairs for mode, us in (("fit", 190.0), ("eager", 2900.0))],
        "kernels": [kernel("conv2d", "7->14 3x3 same @14", 5.0, 8e7, 2.8e6),
                    kernel("conv2d_input_grad", "7->14 3x3 same @14", 6.0, 8e7, 2.8e6),
                    kernel("conv2d_weight_grad", "7->14 3x3 same @14", 9.0, 8e7, 2.8e6),
                    kernel("dense", "784->200", 4.0, 4e7, 1.1e6), kernel("relu", "28x28x7", 3.0, 7e5, 5.6e6),
                    {"op": "elu", "name": "100", "group": "activations", "batch": 128, "error": "E: no"}],
        "accuracy": [{"data": "mnist", "net": "model-9", "batch": b, "seed": s, "goal": 0.99, "seconds": 1.9,
                      "epochs": 6.0, "accuracy": 0.9901,
                      "curve": [[e / 5, 0.1 * e * (1 + 128 / b + s / 9), 1 - 0.1 / e] for e in range(1, 12)]}
                     for b in (128, 1024) for s in range(3)],
        "torch": [step(n, b, "torch", mode, us * k * (1 + b / 900), tf32="TF32" in mode)
                  for n, b, k in pairs
                  for mode, us in (("eager", 2000.0), ("eager, channels_last", 2200.0), ("graph", 700.0),
                                   ("compile", 900.0), ("graph, TF32", 500.0))],
    }  # fmt: skip


def content() -> dict[str, dict[str, Any]]:
    return {
        name: {"section": name, "done": name != "torch", "seconds": 9.0, "records": records,
               "error": "stopped after 70 s" if name == "torch" else ""}
        for name, records in sections().items()
    }  # fmt: skip
