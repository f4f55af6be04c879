"""The parent's side: a library in a process of its own,
which does one thing when it is asked and sleeps otherwise.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
PEERS = {
    "before": ("tinynet",), "torch": ("torch",), "keras-tensorflow": ("keras", "tensorflow"),
    "keras-jax": ("keras", "jax"),
}  # fmt: skip
TITLES = {
    "tinynet": "tinynet", "before": "tinynet before", "torch": "PyTorch",
    "keras-tensorflow": "Keras (TensorFlow)", "keras-jax": "Keras (JAX)",
}  # fmt: skip

# What an interpreter runs that has a tinynet of another checkout: these benchmarks, on its own tinynet.
ELSEWHERE = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks import worker
del sys.path[0]
worker.serve(worker.Tasks("tinynet"))"""

# Everything that decides how many threads a library starts;
# TensorFlow's and JAX's pools also look at the cores allowed.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TINYNET_NUM_THREADS",
)  # fmt: skip


# How the peers are told what TINYNET_CPU=avx2 tells tinynet: oneDNN, PyTorch's own kernels, MKL, XLA.
WITHOUT_AVX512 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
}  # fmt: skip


REST = 0.3  # seconds


def come_to_rest() -> None:
    """Waits between the turns of two libraries: threads of the one that ran go on spinning for a while, which
    the next one may take for work of another process, and leave it a core.
    """
    time.sleep(REST)


class WorkerError(RuntimeError):
    """The process ended or reported an error."""

    def last_line(self) -> str:
        """What a traceback ends with."""
        return str(self).strip().splitlines()[-1]


class Setup(NamedTuple):
    """What every process of a run has in common."""

    peer_python: str
    threads: int
    limit_s: float = 300.0  # longest wait for an answer
    before: str = ""  # the interpreter of another checkout of tinynet

    def python(self, library: str) -> str:
        return {"tinynet": sys.executable, "before": self.before}.get(library, self.peer_python)

    def command(self, library: str) -> tuple[list[str], Path]:
        """What to start as a library's worker, and where."""
        python = self.python(library)
        if library == "before":  # where no other tinynet lies in the way of the interpreter's own
            return [python, "-c", ELSEWHERE], Path(python).absolute().parent
        return [python, "-m", "benchmarks.worker", library], ROOT


def installed(python: str, library: str) -> bool:
    """Whether the interpreter is there and has the packages of a library."""
    if library == "tinynet":
        return True
    code = f"import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, {PEERS[library]!r})))"
    try:
        where = Path(python).absolute().parent  # not here, where a tinynet lies beside the benchmarks
        found = subprocess.run([python, "-c", code], cwd=where, capture_output=True, check=False)
    except OSError:
        return False
    return found.returncode == 0


def available(setup: Setup, wanted: list[str]) -> list[str]:
    """Those of the wanted libraries that are installed; says a line about each that is not."""
    found = []
    for library in wanted:
        if installed(setup.python(library), library):
            found.append(library)
        else:
            packages = " and ".join(PEERS[library])
            print(
                f"{TITLES[library]} is left out: "
                f"{setup.python(library)} has no {packages} "
                f"(see {'--against' if library == 'before' else '--peer-python'})"
            )
    return found


class Worker:
    """A running `python -m benchmarks.worker LIBRARY`; `ask` sends a question and waits for the answer."""

    def __init__(
        self,
        library: str,
        setup: Setup,
        variables: dict[str, str] | None = None,
        enter: Callable[[], None] | None = None,
    ) -> None:
        """`variables`: an environment other than the usual one; `enter`:
        what the process does before it begins.
        """
        self.library, self.limit_s = library, setup.limit_s
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.started = time.time()
        command, folder = setup.command(library)
        self.process = subprocess.Popen(
            command, cwd=folder, text=True,
            env=environment(library, setup.threads) if variables is None else variables,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            preexec_fn=lambda: (pin(setup.threads), enter and enter()),
        )  # fmt: skip

    def ask(self, do: str, **arguments: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], self.limit_s)
            if not ready:
                raise WorkerError(f"{self.library} did not answer {do!r} within {self.limit_s:.0f} s")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerError(f"the process of {self.library} ended: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.library}: {answer['error']}")
        return answer["answer"]

    def _last_words(self) -> str:
        self.process.wait()
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()[-1500:]

    def close(self) -> None:
        """Lets the process end by itself, with those that it started; kills it if it does not."""
        if self.process.stdin is not None and self.process.poll() is None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream is not None:
                stream.close()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def without_avx512() -> bool:
    """Whether all are to run the code that they have for processors without AVX-512."""
    return os.environ.get("TINYNET_CPU", "").strip() == "avx2"


def environment(library: str, threads: int) -> dict[str, str]:
    """Variables for a process: its threads, the vectors it may use, Keras's backend, quiet logs, no GPU."""
    variables = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    variables.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    if without_avx512():
        flags = f"{os.environ.get('XLA_FLAGS', '')} {WITHOUT_AVX512['XLA_FLAGS']}".strip()
        variables.update(WITHOUT_AVX512, XLA_FLAGS=flags)
    if library.startswith("keras-"):
        variables["KERAS_BACKEND"] = library.removeprefix("keras-")
    return variables


def pin(threads: int) -> None:
    """Allows this process the first `threads` of the cores it has:
    for libraries that count cores instead of asking.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
