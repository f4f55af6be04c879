"""Copies of the checkout, what pip builds of them, and environments into which it is installed,
without a network.
"""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("benchmarks", "examples", "kernels", "tests", "tinynet")


def checkout(folder: Path, *, link: bool = True) -> Path:
    """The checkout's files, copied to `folder`; without `link` as on Windows,
    where the link is a file with its target.
    """
    for name in _names():
        if (ROOT / name).is_symlink() or (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    linked = folder / "tinynet" / "kernels"
    if not link and linked.is_symlink():
        linked.unlink()
        linked.write_text("../kernels", encoding="utf-8")
    return folder


def _names() -> list[str]:
    """The files that git knows; where git is not to be had, those of the folders that make up a checkout."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        # none: a copy that nobody has added yet
        if known := [name for name in listed.stdout.split("\0") if name]:
            return known
    found = [
        path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts
    ]
    return [str(path.relative_to(ROOT)) for path in (*found, *ROOT.iterdir())]


def build(kind: str, source: Path, folder: Path) -> Path:
    """What pip asks for: "sdist", "wheel" or "editable", built from `source` into `folder`, and its path."""
    code = f"import setuptools.build_meta as build; print('made', build.build_{kind}({str(folder)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=source, capture_output=True, text=True, timeout=300
    )
    if done.returncode != 0 and (
        "invalid command" in done.stderr or "No module named 'setuptools'" in done.stderr
    ):
        pytest.skip("this environment cannot build wheels (setuptools is too old)")
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / done.stdout.rpartition("made ")[2].strip()


def install(wheel: Path, folder: Path) -> Path:
    """A new environment in `folder` with what the wheel holds;
    its Python finds the dependencies where this one does.
    """
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    places = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    site = Path(places["purelib"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    ours = [path for path in sys.path if path.endswith("site-packages")]
    (site / "zz_dependencies.pth").write_text("\n".join(ours), encoding="utf-8")
    return Path(places["scripts"]) / Path(sys.executable).name
