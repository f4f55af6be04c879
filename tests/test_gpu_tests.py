"""The tests that `pytest -m gpu` runs are right themselves: some of them, on the stand-in. No GPU tests.

It keeps CuPy's rules (tests/cupy_stand_in) and runs the CUDA kernels on the CPU. So what is shown is that
these tests select, send, launch, fetch and compare; what a GPU computes is not.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinynet.backend import gpu
from tinynet.kernels import common, dense, gemm, optimizers

import cupy_stand_in
from cuda_shim import shim
from cupy_stand_in import machine
from kernel_cases import arrange
from on_gpu import boundary, plugin

ROOT = Path(__file__).parent.parent
NUMBERS = np.arange(24.0).reshape(4, 3, 2)


def run(*arguments):
    command = [sys.executable, "-m", "pytest", "-rsx", *arguments]
    environment = {**os.environ, "PYTEST_ADDOPTS": ""}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


@pytest.mark.skipif(bool(shim.missing), reason=shim.missing)
def test_a_sample_of_them_passes_on_the_stand_in():
    done = run(
        "-m", "gpu", "--stand-in", "tests/kernels/test_dense.py", "tests/kernels/test_embedding.py",
        "tests/on_gpu",
        "-k", "(test_dense and cuda) or test_embedding or relu or dropout or max_pool2d_gather or 10000"
    )  # fmt: skip
    assert "these are no GPU tests" in done.stdout
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 30


@pytest.mark.skipif(bool(shim.missing), reason=shim.missing)
def test_what_passed_is_not_run_again_and_workers_report_to_one_file(tmp_path):
    path, wrong = tmp_path / "outcomes.jsonl", tmp_path / "test_wrong.py"
    wrong.write_text("import no_such_module")
    (tmp_path / "test_fails.py").write_text(
        "import pytest\n@pytest.mark.gpu\ndef test_fails(): assert 1 == 2\n"
        "@pytest.mark.gpu\ndef test_skips(): pytest.skip('why')\n"
    )
    given = "-m", "gpu", "--stand-in", "--results", str(path), "--continue-on-collection-errors"
    files = "tests/kernels/test_embedding.py", "tests/on_gpu/conftest.py", str(tmp_path)
    done = run(*given, "-n", "2", *files)
    assert done.returncode == 1, done.stdout[-2000:]
    outcomes = {one["test"].rpartition("/")[2]: one for one in plugin.read(path)}
    assert {name: one["outcome"] for name, one in outcomes.items()} == {
        "test_embedding.py::test_compiled_agrees_with_reference[cuda]": "passed",
        "test_embedding.py::test_ids_outside_the_table_are_not_a_number_on_a_gpu": "passed",
        "test_embedding.py::test_a_gradient_is_added_in_the_order_of_its_places_on_a_gpu": "passed",
        "test_fails.py::test_fails": "failed", "test_fails.py::test_skips": "skipped",
        "test_wrong.py": "failed",
    }  # fmt: skip
    assert "assert 1 == 2" in outcomes["test_fails.py::test_fails"]["said"]
    assert "no_such_module" in outcomes["test_wrong.py"]["said"]
    assert outcomes["test_fails.py::test_skips"]["said"] == "Skipped: why"
    wrong.unlink()
    with path.open("a") as file:
        file.write('{"test": "stopped he')
    assert "1 failed, 1 skipped" in run(*given, *files).stdout
    assert [one["outcome"] for one in plugin.read(path)[-2:]] == ["failed", "skipped"]


@pytest.mark.skipif(not gpu.missing(0), reason="there is a GPU here")
def test_without_a_gpu_each_of_them_says_what_is_missing():
    done = run("-m", "gpu", "tests/on_gpu/test_steps.py", "tests/kernels/test_embedding.py")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" not in done.stdout
    assert done.stdout.count(gpu.missing(0)[:40]) > 4


@pytest.fixture
def cupy():
    with cupy_stand_in.installed() as module:
        yield module


@pytest.mark.parametrize("order", ["batch_last", "C", "F", "gaps", "reversed", "backwards", "none"])
def test_arrays_are_sent_with_their_strides_and_fetched_in_their_order(cupy, order):
    x = arrange(NUMBERS, order)
    there = boundary.send(x)
    assert type(there) is cupy.ndarray
    assert there.strides == x.strides
    np.testing.assert_array_equal(there.get(), x)
    back = boundary.fetch(there)
    np.testing.assert_array_equal(back, x)
    if order in ("batch_last", "C", "F"):
        assert back.strides == x.strides


@pytest.mark.parametrize("shape", [(), (0, 3), (1,)])
def test_small_arrays_are_sent_too(cupy, shape):
    np.testing.assert_array_equal(boundary.fetch(boundary.send(np.ones(shape))), np.ones(shape))


@pytest.mark.skipif(bool(shim.missing), reason=shim.missing)
def test_an_implementation_runs_there_and_its_arguments_come_back(cupy):
    x, w = NUMBERS[0], NUMBERS[:2, :, 0].T
    y = boundary.there(dense.dense["cuda"])(x @ np.ones((2, 3)), w)
    np.testing.assert_allclose(y, x @ np.ones((2, 3)) @ w)
    assert machine.launches
    assert common.is_batch_last(y)
    weight, gradient = np.ones(3), np.arange(3.0)
    assert boundary.there(optimizers.sgd["cuda"])(weight, gradient, learning_rate=0.5) is None
    assert weight.tolist() == [1, 0.5, 0]
    assert gradient.tolist() == [0, 1, 2]

    def spoils(a):
        a[...] = 0

    boundary.there(spoils)(gradient)
    assert gradient.tolist() == [0, 0, 0], "a kernel that writes into its input is noticed"
    out = np.empty((2, 1))
    assert boundary.there(gemm.gemm["cuda"])(np.ones((2, 3)), np.ones((3, 1)), out=out) is out
    assert out.tolist() == [[3], [3]]
