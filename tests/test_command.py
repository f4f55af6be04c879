"""`python -m tinynet`: the commands, and what they leave behind."""

import os
import re
import subprocess
import sys

import pytest

import tinynet
from tinynet import warmup
from tinynet.__main__ import main


def run(*arguments, cache=None, code=None):
    environment = {**os.environ, **({"TINYNET_CACHE_DIR": str(cache)} if cache else {})}
    command = ["-c", code] if code else ["-m", "tinynet", *arguments]
    return subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["--help"], 0, "warmup"), (["--help"], 0, "explore"), (["explore", "--help"], 0, "--divide BY"),
        (["warmup", "--help"], 0, "so that their kernels"),
        (["--version"], 0, f"tinynet {tinynet.__version__}"), ([], 2, "COMMAND"), (["warm"], 2, (
            "invalid choice: "
            "'warm'"
        )),
    ],
)  # fmt: skip
def test_arguments(arguments, status, text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == status
    assert text in "".join(capsys.readouterr())


STEP = """
import sys
from tinynet import warmup
warmup._steps = lambda: iter([("dense layers", lambda: warmup._train_dense("mse"))])
sys.exit(warmup.main())
"""


def test_what_is_compiled_is_counted_and_kept(tmp_path):
    first, second = (run(code=STEP, cache=tmp_path) for _ in range(2))
    assert first.returncode == second.returncode == 0
    assert f"keeping compiled kernels in {tmp_path}" in first.stdout
    assert re.search(
        r" 1 of 1: dense layers: [1-9]\d* kernels in \d+ s\ncompiled [1-9]\d* kernels in \d+ s\n$",
        first.stdout,
    )
    assert second.stdout.endswith(
        " 1 of 1: dense layers: nothing to compile\neverything was compiled already\n"
    )
    assert second.stderr == ""


def test_a_net_of_a_file_is_compiled_for(tmp_path):
    """In one folder, where a net that is not compiled, and predicts, comes first: with each loss there are
    kernels more.
    """
    for loss in (None, "mse", "sparse_categorical_crossentropy"):
        inner = [tinynet.layers.Input((6,)), tinynet.layers.Dense(4, "softmax")]
        model = tinynet.Sequential(inner)
        if loss is not None:
            model.compile("sgd", loss)
        path = tmp_path / f"net {loss}.tinynet"
        model.save(path)
        saved = path.read_bytes()
        first, second = (run("warmup", str(path), cache=tmp_path / "cache") for _ in range(2))
        assert first.returncode == second.returncode == 0, first.stderr
        assert re.search(rf" 1 of 1: {re.escape(str(path))}: [1-9]\d* kernels in \d+ s\n", first.stdout)
        assert second.stdout.endswith("everything was compiled already\n")
        assert path.read_bytes() == saved


@pytest.mark.parametrize(
    ("net", "words"),
    [
        ("nowhere.keras", "there is no file nowhere.keras"),
        ("resnet", "net must be a .tinynet or .keras file, or one of mnist_vgg; got 'resnet'"),
    ],
)
def test_a_net_that_is_not_there_is_an_error(net, words, capsys):
    assert main(["warmup", net]) == 2
    assert f"{net}: {words}" in capsys.readouterr().out


def test_a_net_without_sizes_is_an_error(tmp_path, capsys):
    inner = [tinynet.layers.Input((None, None, 1)), tinynet.layers.Conv2D(2, 3)]
    path = str(tmp_path / "net.tinynet")
    tinynet.Sequential(inner).save(path)
    assert main(["warmup", path]) == 2
    assert "the net has no sizes of its own (shape (None, None, None, 1))" in capsys.readouterr().out


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser can write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    tmp_path.chmod(0o500)
    done = run(code=STEP, cache=tmp_path / "kernels")
    assert done.returncode == 1
    assert "set TINYNET_CACHE_DIR" in done.stdout


PROGRAM = """
import numpy as np, tinynet
from tinynet import layers
from tinynet.kernels import compile_progress

names, begin = [], compile_progress._begin
compile_progress._begin = lambda name: (names.append(name), begin(name))
x, y = np.zeros((100, 14, 14, 3), np.float32), np.arange(100) % 7
model = tinynet.Sequential([
    layers.Input((14, 14, 3)),
    layers.Conv2D(12, 3, padding="same", activation="relu"),
    layers.BatchNormalization(),
    layers.MaxPooling2D(),
    layers.Dropout(0.4),
    layers.Conv2D(24, 3, activation="relu"),
    layers.Flatten(),
    layers.Dense(7, activation="softmax"),
])
model.compile(tinynet.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=25, epochs=2, validation_split=0.2, verbose=0)
model.evaluate(x, y, verbose=0)
print([name for name in names if name != "vector code"])
"""


def test_afterwards_a_net_of_other_sizes_finds_its_loops():
    done = run("warmup")
    assert done.returncode == 0, done.stderr
    steps = re.findall(
        r"^ ?(\d+) of (\d+): (.+): (?:\d+ kernels in \d+ s|nothing to compile)$", done.stdout, re.M
    )
    count = len(list(warmup._steps()))
    assert [int(number) for number, *_ in steps] == list(range(1, count + 1))
    assert run(code=PROGRAM).stdout == "[]\n"  # only vector code depends on sizes, and takes milliseconds
