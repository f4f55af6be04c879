"""Installed from a wheel outside the checkout, refused from an uninstalled checkout, quick to import."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from installing import ROOT, build, checkout, install


def run(
    code: str,
    *,
    cwd: Path,
    path: str | None = None,
    flags: tuple[str, ...] = (),
    python: str | Path = sys.executable,
) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = path
    return subprocess.run(
        [python, *flags, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module", params=["link", "text"])
def wheel_contents(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    wheel = build("wheel", checkout(folder / "checkout", link=request.param == "link"), folder)
    with zipfile.ZipFile(wheel) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        archive.extractall(folder / "site")
    return folder / "site"


def installed_files() -> set[str]:
    """Where modules and CUDA sources of the checkout are in an installation: kernels/ below tinynet/."""
    sources = [
        path
        for end in ("py", "cu")
        for room in ("tinynet", "kernels")
        for path in (ROOT / room).rglob(f"*.{end}")
    ]
    names = {path.relative_to(ROOT).as_posix() for path in sources}
    return {f"tinynet/{name}" if name.startswith("kernels/") else name for name in names}


def test_wheel_holds_every_module_once_and_the_digits(wheel_contents):
    assert {
        path.relative_to(wheel_contents).as_posix() for path in wheel_contents.rglob("*.[pc][yu]")
    } == installed_files()
    assert (wheel_contents / "tinynet" / "datasets" / "digits.npz").is_file()
    assert (wheel_contents / "tinynet" / "py.typed").is_file()
    web = Path("tinynet") / "explorer" / "web"  # what runs in the explorer's pages
    assert {path.name for path in (wheel_contents / web).iterdir()} == {
        path.name for path in (ROOT / web).iterdir()
    }


@pytest.mark.parametrize("link", [True, False], ids=["link", "text"])
def test_source_archive_holds_every_module(link, tmp_path):
    archive = build("sdist", checkout(tmp_path / "checkout", link=link), tmp_path)
    with tarfile.open(archive) as files:
        files.extractall(tmp_path, filter="data")
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path)) as wheel:
        assert {name for name in wheel.namelist() if name.endswith((".py", ".cu"))} == installed_files()


@pytest.mark.parametrize("link", [True, False], ids=["link", "text"])
def test_editable_install_works_outside_the_checkout(link, tmp_path):
    source = checkout(tmp_path / "checkout", link=link)
    python = install(build("editable", source, tmp_path), tmp_path / "environment")
    code = (
        "import tinynet, tinynet.kernels.conv2d, pathlib\n"
        "for module in (tinynet, tinynet.kernels.conv2d): print(pathlib.Path(module.__file__).resolve())\n"
    )
    done = run(code, cwd=tmp_path, python=python)
    assert done.returncode == 0, done.stderr
    places = [source / "tinynet" / "__init__.py", source / "kernels" / "conv2d" / "__init__.py"]
    assert done.stdout.splitlines() == list(map(str, places))


def test_wheel_works_outside_the_checkout(wheel_contents, tmp_path):
    code = (
        "import tinynet, tinynet.kernels, pathlib, numpy as np\n"
        "assert 'site' in tinynet.__file__ and 'site' in tinynet.kernels.__file__, tinynet.kernels.__file__\n"
        "(x, y), _ = tinynet.datasets.digits.load_data()\n"
        "model = tinynet.Sequential([tinynet.layers.Flatten(), tinynet.layers.Dense(10)])\n"
        "print(model.predict(x[:4], verbose=0).shape)\n"
    )
    done = run(code, cwd=tmp_path, path=str(wheel_contents))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(4, 10)"


def test_a_checkout_that_is_not_installed_says_so(tmp_path):
    # -S leaves the installed packages out, and with them the editable install;
    # NumPy is not reached before the error.
    done = run("import tinynet", cwd=ROOT, flags=("-S",))
    assert done.returncode != 0
    assert "pip install -e ." in done.stderr


def test_kernels_cannot_be_imported_twice():
    done = run("import kernels", cwd=ROOT)
    assert done.returncode != 0
    assert "tinynet.kernels" in done.stderr


def test_import_is_quick_and_lazy(tmp_path):
    code = (
        "import sys, time; start = time.perf_counter(); import tinynet\n"
        "seconds = time.perf_counter() - start; tinynet.Sequential, tinynet.kernels.families()\n"
        "print(seconds, *{'cupy', 'matplotlib', 'tqdm', 'pooch', 'safetensors'} & set(sys.modules))"
    )
    done = run(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    seconds, *heavy = done.stdout.split()
    assert float(seconds) < 0.5
    assert heavy == []
