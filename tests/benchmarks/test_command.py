"""`python -m benchmarks`: wrong arguments are refused, and every level runs,
on little, with tinynet alone.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import accuracy, data, machine, process, quiet, report, results, training

ROOT = Path(__file__).parents[2]
ALONE = ["--libraries", "tinynet", "--threads", "1", "--anyway"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "LEVEL"),
        (["stairs"], "invalid choice"),
        (["steps", "--nets", "resnet"], "invalid choice"),
        (["steps", "--rounds", "0"], "at least 1"),
        (["kernels", "--threads", "two"], "invalid"),
        (["epochs", "--tasks", "sleep"], "invalid choice"),
        (["kernels", "--libraries", "theano"], "invalid choice"),
        (["steps", "--libraries", "before"], "invalid choice"),
        (["steps", "--against", "no/such/python"], "found no program at 'no/such/python'"),
        (["steps", "--peer-python", "no/such/python"], "found no program at 'no/such/python'"),
        (["plot"], "file"),
        (["kernels", "--anyway", "--seconds", "soon"], "invalid float"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words, capsys):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert words in capsys.readouterr().err


def run(tmp_path: Path, *arguments: str) -> tuple[str, dict]:
    path = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments, "--out", str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "complete" in done.stdout
    return done.stdout, results.load(path)["levels"]


def test_steps_and_continuing(tmp_path):
    arguments = ["steps", *ALONE, "--nets", "model-4", "--batches", "8", "--images", "32", "--rounds", "1"]
    text, levels = run(tmp_path, *arguments)
    assert "Model 4" in text
    (record,) = levels["steps"]
    assert (record["images"], record["batch"], record["threads"], len(record["losses"])) == (32, 8, 1, 2)
    assert record["peak_bytes"] >= record["import_bytes"] > 1 << 20
    text, again = run(tmp_path, *arguments)
    assert "Model 4" not in text  # nothing was measured a second time
    assert again == levels


def test_another_checkout_races_along(tmp_path):
    """Here it is this one: the same batches, the same losses, in a process with only its own tinynet."""
    arguments = ["--against", sys.executable, "--nets", "model-4", "--batches", "8"]
    _, levels = run(tmp_path, "steps", *ALONE, *arguments, "--images", "32", "--rounds", "1")
    ours, before = levels["steps"]
    assert (ours["library"], before["library"]) == ("tinynet", "before")
    assert ours["losses"] == before["losses"]
    content = results.load(tmp_path / "results.json")
    ((run_,), page) = content["runs"], report.machine_part(content, [])
    assert run_["versions"]["before"]["commit"] == run_["versions"]["tinynet"]["commit"]
    assert "| tinynet before |" in page
    assert "| than before |" in page
    _, levels = run(tmp_path, "predict", *ALONE, *arguments, "--rounds", "1", "--sample", "0.001")
    assert {r["library"] for r in levels["predict"]} == {"tinynet", "before"}


def test_an_interpreter_without_tinynet_is_left_out(capsys):
    setup = process.Setup(sys.executable, 1, before=shutil.which("false"))
    assert process.available(setup, ["tinynet", "before"]) == ["tinynet"]
    assert "tinynet before is left out" in capsys.readouterr().out


def test_ablation_does_the_same_work(tmp_path):
    arguments = ["--nets", "model-4", "--batches", "8", "--images", "32", "--rounds", "1"]
    _, levels = run(tmp_path, "ablation", *ALONE, *arguments)
    assert len(levels["ablation"]) == 6
    assert all(record["same_loss"] for record in levels["ablation"])


def test_predict(tmp_path):
    arguments = ["--nets", "model-4", "--batches", "1", "3", "--rounds", "2", "--sample", "0.001"]
    text, levels = run(tmp_path, "predict", *ALONE, *arguments)
    assert "Model 4" in text
    assert "1 image " in text
    assert "3 images " in text
    found = {(r["batch"], r["mode"]) for r in levels["predict"]}
    assert found == {(n, way) for n in (1, 3) for way in ("predict", "predict_on_batch", "call")}
    assert all(len(r["rounds_s"]) == 2 for r in levels["predict"])


def test_scaling(tmp_path):
    _, levels = run(
        tmp_path,
        "scaling",
        *ALONE,
        "--nets",
        "model-4",
        "--batches",
        "128",
        "--images",
        "256",
        "--rounds",
        "1",
    )
    assert [record["threads"] for record in levels["scaling"]] == [1]


def test_kernels(tmp_path):
    arguments = ["--groups", "dense", "loss", "--rounds", "1", "--sample", "0.0001"]
    text, levels = run(tmp_path, "kernels", *ALONE, *arguments)
    assert "GFLOP/s" in text
    (peak,) = levels["peak"]
    assert 1e9 < peak["flops"] < 1e13
    assert {r["op"] for r in levels["kernels"]} >= {"dense", "dense_grad", "softmax_crossentropy_grad"}
    assert all(r["floor_s"] > 0 for r in levels["kernels"])


def test_a_start_of_a_process():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.startup", str(time.time())],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    assert 0 < answer["wall_s"] < answer["end_s"]


@pytest.mark.parametrize("level", ["augmentation", "own_loop", "ladder", "tape"])
def test_levels_that_print_want_a_quiet_machine_too(level, monkeypatch):
    def refuse(anyway):
        raise SystemExit(f"not quiet, {anyway}")

    monkeypatch.setattr(quiet, "require", refuse)
    with pytest.raises(SystemExit, match="not quiet, False"):
        command.main([level])


def test_the_tape_beside_another_checkout(capsys):
    command.main(["tape", "--anyway", "--rounds", "1", "--against", sys.executable])
    *times, ratio = capsys.readouterr().out.splitlines()[-3:]
    assert [line.split("  ")[0] for line in times] == ["this checkout", "the other"]
    assert 0.2 < float(ratio.split()[-1]) < 5
    with pytest.raises(SystemExit, match="false failed"):
        command.main(["tape", "--anyway", "--rounds", "1", "--against", "false"])


@pytest.mark.parametrize("task", ["accuracy", "epoch"])
def test_a_whole_training(tmp_path, task):
    arrays = data.synthetic("mnist", 160)
    test = {f"{name}_test": array[:32] for name, array in arrays.items()}
    weights = training.keras_net(training.load_library("tinynet"), "model-4").get_weights()
    data.save(tmp_path, weights, **arrays, **test)
    answer = accuracy.run("tinynet", task, "model-4", "fit", 16, str(tmp_path), seed=0, most=20)
    assert answer["seconds"] > 0
    if task == "accuracy":
        assert answer["accuracy"] >= accuracy.GOAL  # prototypes in noise are easy to learn by heart
        epochs, seconds, _ = np.array(answer["curve"]).T
        assert (np.diff(epochs) > 0).all()
        assert (np.diff(seconds) > 0).all()


def test_a_failing_process_says_why():
    with process.Worker("tinynet", process.Setup(sys.executable, 1)) as worker:
        with pytest.raises(process.WorkerError, match="No such file"):
            worker.ask("prepare", net="model-4", mode="fit", batch=1, folder=".", use={}, options={})
        assert worker.ask("versions")["python"] == sys.version.split()[0]


def test_a_peer_that_is_missing_is_left_out(capsys, monkeypatch):
    monkeypatch.setitem(process.PEERS, "torch", ("no_such_package",))
    assert process.available(process.Setup(sys.executable, 1), ["tinynet", "torch"]) == ["tinynet"]
    assert "PyTorch is left out" in capsys.readouterr().out


def test_code_without_avx512_is_a_machine_of_its_own(monkeypatch):
    usual = machine.describe()
    monkeypatch.setenv("TINYNET_CPU", "avx2")
    asked = machine.describe()
    assert asked["vectors"] != "AVX-512"
    assert results.default_path(asked) != results.default_path(usual)
    assert process.environment("torch", 1)["ATEN_CPU_CAPABILITY"] == "avx2"
