"""All variants of all CUDA kernels compile for GPUs from Turing to Hopper, with their numbers in registers.

A stack frame or a spill is an array or a variable in memory that was meant to be in registers: it costs what
the kernel was written to save. What nvcc says is kept by the text that it compiled, so that the test costs
nothing until a kernel changes.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tinynet.kernels import cuda
from tinynet.kernels.cuda.modules import KERNELS, source

from cuda_shim import shim

TOOLKIT = Path("/usr/local/cuda/bin/nvcc")
NVCC = shutil.which("nvcc") or (str(TOOLKIT) if TOOLKIT.exists() else None)
ARCHITECTURES = (75, 80, 90)  # Turing, which CUDA 13 begins with; Ampere; Hopper
FILES = sorted({kernel.path for kernel in cuda.kernels})
REPORT = re.compile(
    r"Compiling entry function '(?P<kernel>\w+)' for 'sm_(?P<architecture>\d+)'.*?"
    r"(?P<frame>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads.*?Used (?P<registers>\d+) registers",
    re.S,
)


def text_of(path, expressions):
    """A source that has its variants compiled: whoever takes a kernel's address needs it."""
    addresses = ", ".join(f"(const void*)&{expression}" for expression in expressions)
    return f"{source(path)}\nnamespace variants {{\nconst void* all[] = {{{addresses}}};\n}}\n"


def compiled(text, folder):
    """nvcc's report on the kernels of a source, one dictionary for each and each architecture."""
    version = subprocess.run([NVCC, "--version"], capture_output=True, text=True, check=True).stdout
    known = hashlib.sha256("\0".join((text, version, str(ARCHITECTURES))).encode()).hexdigest()[:24]
    kept = shim.cache_folder() / f"{known}.json"
    if not kept.exists():
        (folder / "kernels.cu").write_text(text, encoding="utf-8")
        targets = [f"-gencode=arch=compute_{a},code=sm_{a}" for a in ARCHITECTURES]
        command = [
            NVCC,
            "-std=c++17",
            "-fatbin",
            *targets,
            "-Xptxas=-v",
            "-Werror=all-warnings",
            "kernels.cu",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = [match.groupdict() for match in REPORT.finditer(done.stderr)]
        part = kept.with_suffix(f".{folder.name}")
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(kept)
    return json.loads(kept.read_text(encoding="utf-8"))


@pytest.mark.skipif(NVCC is None, reason="no nvcc, which compiles CUDA kernels for GPUs")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(KERNELS).as_posix())
def test_variants_compile_and_stay_in_registers(path, tmp_path):
    kernels = [kernel for kernel in cuda.kernels if kernel.path == path]
    names = [variant.name for kernel in kernels for variant in kernel.variants()]
    reports = compiled(text_of(path, names), tmp_path)
    assert len(reports) == len(names) * len(ARCHITECTURES)
    assert {report["architecture"] for report in reports} == {str(a) for a in ARCHITECTURES}
    allowed = {kernel.name: kernel.registers for kernel in kernels}
    for report in reports:
        # Mangled: _Z, the name's length, the name; d for double among the template's arguments
        length, rest = re.match(r"_Z(\d+)(\w+)", report["kernel"]).groups()
        name, arguments = rest[: int(length)], rest[int(length) :]
        what = f"{report['kernel']} on sm_{report['architecture']}"
        memory = [int(report[key]) for key in ("frame", "stores", "loads")]
        assert memory == [0, 0, 0], f"{what}: {memory} bytes of stack frame, spilled, and read again"
        most = min(255, allowed[name] * (2 if arguments.startswith("Id") else 1))
        assert int(report["registers"]) <= most, f"{what}: {report['registers']} registers, over {most}"
