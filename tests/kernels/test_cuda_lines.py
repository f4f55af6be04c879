"""Every operation with a CUDA kernel has a case, the cases agree with the references,
and together they run every line of every `.cu` file.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict

import pytest

from tinynet.kernels import common, optimizers
from tinynet.kernels.cuda.modules import KERNELS

from cuda_shim import shim
from cuda_shim.cases import CASES, run
from kernel_cases import assert_agree

pytestmark = pytest.mark.skipif(bool(shim.missing), reason=shim.missing)


# which are no operations: nobody chooses among them
FUNCTIONS = {"clip_by_norm", "follow", "gather", "hits", "put", "take_in"}


def test_every_operation_with_a_kernel_has_a_case():
    operations = {one for members in common._families.values() for one in members}
    with_kernel = {one.__name__ for one in operations if "cuda" in one.implementations}
    with_kernel -= {"in_one_sweep"}  # which launches none
    sweeps = {loop.__name__.lstrip("_") for loop in optimizers.cuda.OTHERS}
    names = {operation.__name__.lstrip("_") for operation, *_ in CASES}
    assert names == {name.lstrip("_") for name in with_kernel} | sweeps | FUNCTIONS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_cases_agree_with_the_reference(case):
    for found, expected in zip(run(case, "cuda"), run(case, case[0].reference), strict=True):
        if found is not None:
            assert_agree(found, expected, float32=2e-5)


def counted(folder):
    """{(file, line): how often it ran}, of the lines of which g++ has made code."""
    counts = defaultdict(int)
    for notes in sorted(folder.glob("*.gcno")):
        command = ["gcov", "--json-format", "--stdout", notes.name]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        for report in map(json.loads, done.stdout.splitlines()):
            for file in report["files"]:
                for line in file["lines"] if file["file"].endswith(".cu") else ():
                    counts[file["file"], line["line_number"]] += line["count"]
    return counts


@pytest.mark.skipif(shim.gcov is None, reason="no gcov, which counts the lines that ran")
def test_the_cases_run_every_line_of_every_kernel(tmp_path):
    environment = {
        **os.environ,
        shim.COVERAGE: str(tmp_path),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    subprocess.run([sys.executable, "-m", "cuda_shim.cases"], env=environment, check=True)
    counts = counted(tmp_path)
    files = {path.relative_to(KERNELS.parent).as_posix() for path in KERNELS.rglob("*.cu")}
    assert {file.removeprefix("tinynet/") for file, _ in counts} == files
    assert len(counts) > 300
    assert [place for place, count in sorted(counts.items()) if count == 0] == []
