"""`pytest -m gpu`: the tests of CUDA kernels with these kernels on the GPU, and the tests that need a GPU.

    pytest -m gpu               without a GPU each of these tests is skipped, and says what is missing
    pytest -m gpu --stand-in    the same on the stand-in for CuPy: no GPU test, but one of these tests' code
    pytest -m gpu --results F   writes each test's outcome to the file F, one JSON a line, as soon as it is
                                known; tests that have passed there are not run again

Marked `gpu` are the tests in this folder, by themselves all tests with the parameter "cuda", and those of
kernels that go through several implementations within. Without `-m gpu` the kernels of the last two run on
the CPU, through cuda_shim.
"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tinynet.backend import gpu

from on_gpu import boundary

HERE = Path(__file__).parent
_session = ExitStack()


class Outcomes:
    """Writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():
            path.write_text("".join(_lines(path)), encoding="utf-8")

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when != "call" and report.passed:
            return
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        said = str(report.longrepr)[-1500:] if report.failed else getattr(report, "wasxfail", "")
        if report.skipped and isinstance(report.longrepr, tuple):
            said = report.longrepr[2]
        self._write(report.nodeid, outcome, report.duration, said)

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:  # a file that cannot be imported
            self._write(report.nodeid, "failed", 0.0, str(report.longrepr)[-1500:])

    def _write(self, test: str, outcome: str, seconds: float, said: str) -> None:
        line = {"test": test, "outcome": outcome, "seconds": seconds, "said": said}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(path: Path) -> list[dict[str, Any]]:
    """The outcomes in a file."""
    return [json.loads(line) for line in _lines(path)] if path.exists() else []


def _lines(path: Path) -> list[str]:
    """Those that were finished: a run may be ended at any moment."""
    return [line for line in path.read_text(encoding="utf-8").splitlines(True) if line.endswith("\n")]


def asked_for(config: Any) -> bool:
    """Whether the command asks for the tests on a GPU."""
    words = (config.getoption("markexpr") or "").replace("(", " ").replace(")", " ").split()
    return any(word == "gpu" and before != "not" for before, word in zip(["", *words], words, strict=False))


def pytest_addoption(parser: Any) -> None:
    parser.addoption(
        "--stand-in", action="store_true", help="with -m gpu: on the stand-in for CuPy, without a GPU"
    )
    parser.addoption(
        "--results", type=Path, help="with -m gpu: a file of outcomes, to write and to go on from"
    )


def pytest_configure(config: Any) -> None:
    if not asked_for(config):
        return
    if (path := config.getoption("--results")) is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(path))  # of a worker's tests the main process hears
    if config.getoption("--stand-in"):
        import cupy_stand_in

        _session.enter_context(cupy_stand_in.installed())
    if not gpu.missing(0):
        boundary.install()


def pytest_unconfigure() -> None:
    _session.close()


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    if asked_for(config) and config.getoption("--stand-in"):
        terminalreporter.write_line("CuPy was the stand-in, kernels ran on the CPU: these are no GPU tests")


@pytest.hookimpl(tryfirst=True)  # before the tests that are not marked are left out
def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    why = gpu.missing(0) if asked_for(config) else ""
    if asked_for(config) and config.getoption("--results") is not None:
        done = {one["test"] for one in read(config.getoption("--results")) if one["outcome"] == "passed"}
        items[:] = [item for item in items if item.nodeid not in done]
    for item in items:
        call = getattr(item, "callspec", None)
        values = [] if call is None else [value for value in call.params.values() if type(value) is str]
        if "cuda" in values or item.path.parent == HERE:
            item.add_marker(pytest.mark.gpu)
        if why and item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason=why))
