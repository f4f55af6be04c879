"""The child's side: reads questions from standard input, one JSON object a line, and writes the answers.

    {"do": "prepare", "net": "model-9", ...}  ->  {"answer": {...}}  or  {"error": "..."}

Standard output belongs to the answers; what libraries print goes to standard error.
"""

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()


class Tasks:
    """What this process can be asked, for one library."""

    def __init__(self, library: str) -> None:
        self.library = library
        self.trainer: Any = None
        self.calls: Any = None
        self.asked: dict[str, Any] = {}

    def versions(self) -> dict[str, str]:
        from importlib.metadata import PackageNotFoundError, version

        packages = {
            "tinynet": ("tinynet", "numpy", "numba", "llvmlite"),
            "torch": ("torch",),
            "keras-tensorflow": ("keras", "tensorflow", "tensorflow_cpu"),
            "keras-jax": ("keras", "jax", "jaxlib"),
        }[self.library]
        found = {"python": sys.version.split()[0]}
        for name in packages:
            try:
                found[name.removesuffix("_cpu")] = version(name)
            except PackageNotFoundError:
                continue
        if self.library == "tinynet":
            import tinynet

            from .machine import commit

            found["commit"] = commit(Path(tinynet.__file__).parents[1])
        return found

    def prepare(self, **what: Any) -> dict[str, float]:
        """Imports the library, builds the net and takes the first training step, the one that compiles."""
        from . import training

        self.trainer = training.trainer(self.library, **what)
        imported = time.perf_counter() - STARTED
        return {"import_s": imported, "import_bytes": peak_memory(), **self.trainer.first_step()}

    def train(self) -> dict[str, float]:
        """One `fit` over all batches: seconds and mean loss."""
        start = time.perf_counter()
        loss = self.trainer.fit()
        return {"seconds": time.perf_counter() - start, "loss": loss}

    def repeat(self, seconds: float) -> dict[str, float]:
        """One `fit` after another until the time is over; seconds, and processor time of all threads."""
        start, work, fits, loss = time.perf_counter(), time.process_time(), 0, 0.0
        while fits == 0 or time.perf_counter() - start < seconds:
            loss = self.trainer.fit()
            fits += 1
        return {
            "fits": fits,
            "seconds": time.perf_counter() - start,
            "cpu_s": time.process_time() - work,
            "loss": loss,
        }

    def ways(self) -> list[str]:
        """Names of the ways in which the prepared net can be asked for its answers."""
        self.asked = self.trainer.ways()
        return list(self.asked)

    def time_way(self, way: str, images: int, seconds: float) -> float:
        """Seconds of one of these for so many images, the mean of some calls; one goes before, to compile."""
        from .timing import sample

        ask, x = self.asked[way], self.trainer.x[:images]
        ask(x)
        return sample(lambda: ask(x), seconds, samples=1)[0]

    def threads(self) -> int:
        """How many threads the library uses."""
        if self.library != "tinynet":
            return int(os.environ["OMP_NUM_THREADS"])
        import tinynet

        return tinynet.get_num_threads()

    def memory(self) -> int:
        return peak_memory()

    def epochs(self, **recipe: Any) -> Any:
        """Trains on MNIST to a goal; see accuracy.py."""
        from . import accuracy

        return accuracy.run(self.library, **recipe)

    def kernel(self, case: dict[str, Any]) -> list[str]:
        """Prepares the calls of a case; the names of its implementations here."""
        from . import calls

        self.calls = None  # frees the arrays of the case before
        self.calls = calls.prepare(self.library, case)
        return list(self.calls)

    def time_kernel(self, name: str, seconds: float) -> list[float]:
        from .timing import sample

        return sample(self.calls[name], seconds)

    def peak(self) -> dict[str, Any]:
        from .peak import measure

        return measure()


def peak_memory() -> int:
    """Bytes of memory this process had at most, by the system's account (VmHWM)."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(
            line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM")
        )
        return int(line.split()[1]) * 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def serve(tasks: Tasks) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            reply = {"answer": getattr(tasks, question.pop("do"))(**question)}
        except Exception:
            reply = {"error": traceback.format_exc()[-1500:]}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(Tasks(sys.argv[1]))
