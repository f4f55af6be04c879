"""Installed from a wheel outside the checkout, refused from an uninstalled checkout, quick to import."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(code: str, *, cwd: Path, path: str | None = None, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path is not None:
        environment["PYTHONPATH"] = path
    return subprocess.run(
        [sys.executable, *flags, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def wheel_contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = subprocess.run(
        [sys.executable, "setup.py", "-q", "build", "-b", str(folder / "b"), "egg_info", "-e", str(folder),
         "bdist_wheel", "-d", str(folder / "dist")],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    if build.returncode != 0 and "invalid command" in build.stderr:
        pytest.skip("this environment cannot build wheels (setuptools is too old)")
    assert build.returncode == 0, build.stderr[-2000:]
    unpacked = folder / "site"
    with zipfile.ZipFile(next((folder / "dist").glob("*.whl"))) as archive:
        archive.extractall(unpacked)
    return unpacked


def test_wheel_holds_every_package_and_the_digits(wheel_contents):
    for source in [*sorted((ROOT / "tinynet").rglob("*.py")), *sorted((ROOT / "kernels").rglob("*.py"))]:
        relative = source.relative_to(ROOT)
        target = Path("tinynet", relative) if relative.parts[0] == "kernels" else relative
        assert (wheel_contents / target).is_file(), target
    assert (wheel_contents / "tinynet" / "datasets" / "digits.npz").is_file()
    assert (wheel_contents / "tinynet" / "py.typed").is_file()
    assert not (wheel_contents / "kernels").exists()
    assert not (wheel_contents / "tests").exists()


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
    # -S leaves the installed packages out, and with them the editable install; NumPy is not reached before the error.
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
