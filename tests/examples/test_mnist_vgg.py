"""The main job as a person runs it, on the embedded digits and, where they are, on the real MNIST files."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file

SCRIPT = Path(__file__).parents[2] / "examples" / "mnist_vgg.py"
PARAMETERS = {"vgg": 98_354, "vgg-bn": 98_774, "vgg-bn-dropout": 98_774}  # experiments S1-12, S1-13, S1-15
WIDTH, HEIGHT = 16, 20  # where a PNG file holds its size


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *options],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip


def check_output(out: Path, dataset: str, model: str, epochs: int) -> dict:
    for picture in ("history.png", "mistakes.png", "filters.png"):
        content = (out / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert int.from_bytes(content[WIDTH:HEIGHT], "big") >= 300
    results = json.loads((out / "results.json").read_text())
    assert results["dataset"] == dataset
    assert results["model"] == model
    assert results["params"] == PARAMETERS[model]
    assert len(results["epoch_seconds"]) == epochs
    assert all(
        len(results["history"][key]) == epochs for key in ("loss", "accuracy", "val_loss", "val_accuracy")
    )
    assert (
        results["best_val_accuracy"]
        >= results["final_val_accuracy"]
        == results["history"]["val_accuracy"][-1]
    )
    assert {"tinynet", "numpy", "numba", "python"} <= set(results["versions"])
    assert sum(array.size for array in load_file(out / "weights.safetensors").values()) == PARAMETERS[model]
    assert not list(out.glob("*.part"))
    return results


@pytest.mark.parametrize(
    ("model", "conv"), [("vgg-bn-dropout", "auto"), ("vgg-bn", "im2col"), ("vgg", "naive")]
)
def test_runs_on_the_embedded_digits(tmp_path, model, conv):
    limit = "64" if conv == "naive" else "256"
    done = run(
        "--data",
        "digits",
        "--epochs",
        "2",
        "--limit",
        limit,
        "--model",
        model,
        "--conv",
        conv,
        "--out",
        str(tmp_path),
    )
    assert done.returncode == 0, done.stderr
    check_output(tmp_path, "digits", model, 2)
    assert "MNIST" not in done.stdout.replace("mnist_vgg", "")  # the digits are never called MNIST
    assert f"{PARAMETERS[model]:,}" in done.stdout


def test_auto_without_mnist_says_so_in_one_line(tmp_path):
    # No folder, an empty cache and a proxy that refuses every connection: a machine without a network.
    closed = {
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }
    empty = {
        "TINYNET_DATA": "",
        "TINYNET_CACHE_DIR": os.environ.get("TINYNET_CACHE_DIR", ""),
        "XDG_CACHE_HOME": str(tmp_path),
    }
    done = run("--epochs", "1", "--limit", "64", "--out", str(tmp_path / "out"), **closed, **empty)
    assert done.returncode == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if "MNIST" in line]) == 1
    assert "1 epochs of batches of 16" in done.stdout
    check_output(tmp_path / "out", "digits", "vgg-bn-dropout", 1)


def test_without_mnist_the_defaults_reach_what_the_digits_allow(tmp_path):
    accuracies = []
    for seed in "012":
        done = run("--data", "digits", "--seed", seed, "--out", str(tmp_path))
        assert done.returncode == 0, done.stderr
        assert f"20 epochs of batches of 16, learning rate 0.001, seed {seed}" in done.stdout
        results = check_output(tmp_path, "digits", "vgg-bn-dropout", 20)
        assert (results["settings"]["epochs"], results["settings"]["batch_size"]) == (20, 16)
        accuracies.append(results["final_val_accuracy"])
    assert sum(accuracies) / 3 >= 0.96, accuracies


WITH_OPTIONS = [path for path in sorted(SCRIPT.parent.glob("*.py")) if "argparse" in path.read_text("utf-8")]


@pytest.mark.parametrize("example", WITH_OPTIONS, ids=lambda path: path.name)
def test_help_shows_what_every_option_is_and_its_default(example):
    environment = {**os.environ, "COLUMNS": "1000"}
    done = subprocess.run(
        [sys.executable, example, "--help"], capture_output=True, text=True, env=environment, check=True
    )
    options = re.findall(
        r"^  (--?\w.*?)(?=^  -|\Z)", done.stdout.partition("options:")[2], re.MULTILINE | re.DOTALL
    )
    assert len(options) > 3
    for line in options[1:]:
        option, _, words = " ".join(line.split("  ")).partition(" ")
        assert "default: " in words or option == "--validate", line
        assert len(words.partition("(default")[0].split()) > 2, f"{example.name}: {option} has no help"
    if example == SCRIPT:
        assert "(default: 5 on MNIST, 20 on the 8x8 digits)" in done.stdout
        assert "(default: 32 on MNIST, 16 on the 8x8 digits)" in done.stdout


def test_real_mnist(tmp_path):
    folder = os.environ.get("TINYNET_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("real MNIST is not here: TINYNET_DATA does not point to a folder with mnist/")
    done = run(
        "--data", "mnist", "--epochs", "1", "--limit", "12800", "--batch-size", "32", "--out", str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    results = check_output(tmp_path, "mnist", "vgg-bn-dropout", 1)
    assert results["final_val_accuracy"] > 0.9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epochs", "0"], "at least 1"),
        (["--epochs", "x"], "at least 1, got 'x'"),
        (["--lr", "x"], "finite number above 0, got 'x'"),
        (["--seed", "x"], "0..2**32 - 1, got 'x'"),
        (["--lr", "-1"], "above 0"),
        (["--model", "resnet"], "vgg-bn"),
        (["--device", "gpu"], "CuPy"),
        (["--device", "tpu"], "device must be 'auto', 'cpu' or 'gpu'"),
    ],
)
def test_bad_options_say_what_is_expected(options, words, tmp_path):
    if options == ["--device", "gpu"]:
        from tinynet.backend import device

        if device.gpu_available():
            pytest.skip("this machine has a GPU")
    done = run(*options, "--out", str(tmp_path))
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seed", "-1"], "expected an integer in 0..2"),
        (["--lr", "inf"], "finite number"),
        (["--out", "{file}"], "cannot write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_in_one_line(tmp_path, options, message):
    file = tmp_path / "file"
    file.touch()
    done = run("--data", "digits", *(option.format(file=file) for option in options))
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_altered_file_is_refused_with_its_path(tmp_path):
    (tmp_path / "mnist").mkdir()
    broken = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    broken.write_bytes(b"not the images")
    done = run("--out", str(tmp_path / "out"), TINYNET_DATA=str(tmp_path))
    assert done.returncode != 0
    assert str(broken) in done.stderr
    assert "Delete it" in done.stderr
    assert "Traceback" not in done.stderr
