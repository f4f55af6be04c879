"""Copies of the checkout in which mistakes are planted, and the tests run there."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
# the copy is not an installed checkout
LEFT_OUT = ("tests/planting", "tests/benchmarks", "tests/test_packaging.py")


class Outcome(NamedTuple):
    """What a run of tests came to."""

    failed: list[str]  # the tests, or the files where nothing could be collected
    seconds: dict[str, float]  # by file of tests
    ended: bool  # False: stopped at the limit of time

    @property
    def passed(self) -> bool:
        return self.ended and not self.failed


class Copy:
    """The files that git knows."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._originals, self._edits = folder, dict[Path, str](), 0
        names = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for name in filter(None, names.split("\0")):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)

    def write(self, name: str, text: str) -> None:
        """Replaces a file. Its time moves on by seconds,
        so that Python sees that its compiled form is of another text.
        """
        path = self.folder / name
        if path not in self._originals:
            self._originals[path] = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        self._edits += 1
        moment = time.time() + 2 * self._edits
        os.utime(path, (moment, moment))

    def restore(self) -> None:
        for path, text in list(self._originals.items()):
            self.write(str(path.relative_to(self.folder)), text)
        self._originals.clear()

    def environment(self) -> dict[str, str]:
        cache = {"TINYNET_CACHE_DIR": str(self.folder.parent / "compiled")}
        return {**os.environ, **cache, "PYTHONPATH": str(self.folder)}

    def imports(self, module: str) -> bool:
        """Whether a module can be imported at all."""
        return self._run([sys.executable, "-c", f"import {module}"]).returncode == 0

    def _run(self, command: list[str], timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        settings: dict[str, Any] = {"cwd": self.folder, "env": self.environment(), "timeout": timeout}
        return subprocess.run(
            command, **settings, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def test(
        self, files: list[str], *, limit_s: float, first_only: bool, without: tuple[str, ...] = ()
    ) -> Outcome:
        """Runs tests, given as files or single tests; `without` names tests that fail in any case."""
        with tempfile.TemporaryDirectory() as scratch:
            report = Path(scratch) / "report.xml"
            command = [
                sys.executable,
                "-m",
                "pytest",
                *files,
                f"--junitxml={report}",
                "-o",
                "junit_family=xunit1",
            ]
            command += ["-x"] if first_only else []
            command += [f"--deselect={name}" for name in without]
            try:
                run = self._run(command, timeout=limit_s)
            except subprocess.TimeoutExpired:
                return Outcome([], {}, False)
            if run.returncode == 5:  # nothing was selected
                return Outcome([], {}, True)
            if not report.exists():
                return Outcome([f"{files[0]} (no report: {run.stdout[-200:]})"], {}, True)
            return _read(report, run.returncode)


def _read(report: Path, code: int) -> Outcome:
    failed: list[str] = []
    seconds: dict[str, float] = {}
    for case in ET.parse(report).iter("testcase"):
        file = case.get("file") or case.get("classname", "").replace(".", "/") + ".py"
        seconds[file] = seconds.get(file, 0.0) + float(case.get("time", 0))
        if case.find("failure") is not None or case.find("error") is not None:
            name = case.get("name", "")
            within = (
                case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
            )
            failed.append("::".join(filter(None, (file, within.replace(".", "::"), name))) if name else file)
    return Outcome(failed or ([] if code == 0 else [f"pytest ended with {code}"]), seconds, True)


def test_files() -> list[str]:
    """Every file of tests, but for those that need an installed checkout."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    return [name for name in found if not name.startswith(LEFT_OUT)]


def mirrors(name: str) -> list[str]:
    """The tests that mirror a file of the engine: first those named as it is, then those of its room."""
    parts, stem = Path(name).parts, Path(name).stem
    package = parts[0] if parts[0] == "kernels" else parts[1].removesuffix(".py")
    room = parts[1] if parts[0] == "kernels" and len(parts) > 2 else package
    files = test_files()
    named = [f for f in files if stem in Path(f).stem and (f"/{package}" in f or package in Path(f).stem)]
    about = [f for f in files if room in Path(f).stem]
    within = [f for f in files if f.startswith(f"tests/{package}/")]
    return list(dict.fromkeys(named + about + within))
