"""The residual example as a person runs it, on the embedded digits."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import residual_net

import tinynet
from tinynet.kernels.devices import device_of

import cupy_stand_in

SCRIPT = Path(__file__).parents[2] / "examples" / "residual_net.py"


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(SCRIPT),
        "--data",
        "digits",
        "--limit",
        "192",
        "--epochs",
        "2",
        "--batch-size",
        "64",
    ]
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=300)


def test_it_trains_saves_and_loads(tmp_path):
    done = run("--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Connected to" in done.stdout
    assert "Total params: 19,410" in done.stdout
    assert "Training memory at batch size 64: about" in done.stdout
    assert "validation accuracy:" in done.stdout
    for picture in ("graph.png", "curves.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.tinynet",
        "curves.png",
        "graph.png",
        "net.tinynet",
    ]


def test_the_defaults_learn_the_digits(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, "--data", "digits", "--out", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = re.search(r"validation accuracy: ([\d.]+)% with averaged weights", done.stdout)
    assert float(found.group(1)) > 96


def test_bad_arguments_are_named():
    done = run("--epochs", "0")
    assert done.returncode == 2
    assert "expected an integer of at least 1, got '0'" in done.stderr
    done = run("--out", str(SCRIPT))
    assert done.returncode == 1
    assert done.stderr.startswith(f"--out {SCRIPT}: cannot write there")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("device", "words"), [("tpu", "device must be"), ("gpu:9", "cannot be used")])
def test_a_device_that_cannot_be_used_is_an_error_of_one_line(device, words):
    done = run("--device", device)
    assert done.returncode == 1
    assert done.stderr.startswith(f"--device {device}: device ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_it_trains_on_a_gpu(tmp_path, capsys):
    """On the stand-in for CuPy: no GPU test. Augmentation, a functional net, averages, backups and files."""
    sizes = ["--data", "digits", "--limit", "32", "--epochs", "1", "--batch-size", "16"]
    with cupy_stand_in.installed(checked=False):
        residual_net.main([*sizes, "--device", "gpu", "--out", str(tmp_path)])
        assert device_of(residual_net.load_model(tmp_path / "net.tinynet").weights[0].data) == "gpu"
        tinynet.set_device("cpu")
    assert "validation accuracy" in capsys.readouterr().out
