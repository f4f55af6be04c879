"""All variants of all CUDA kernels compile for GPUs from Turing to Hopper, with their numbers in registers.

A stack frame or a spill is an array or a variable in memory that was meant to be in registers: it costs what
the kernel was written to save. What nvcc says is kept by the text that it compiled, so that the test costs
nothing until a kernel changes.
"""

import ctypes
import ctypes.util
import hashlib
import importlib.util
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


def nvrtc():
    """The library that compiles for CuPy, of the package nvidia-cuda-nvrtc or of a toolkit, or None."""
    spec = importlib.util.find_spec("nvidia")
    packages = [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations]
    found = [str(path) for folder in packages for path in sorted(folder.glob("**/libnvrtc.so.*"))]
    name = next(iter(found), None) or ctypes.util.find_library("nvrtc")
    return None if name is None else ctypes.CDLL(name)


NVRTC = nvrtc()


@pytest.mark.skipif(NVRTC is None, reason="no NVRTC, which compiles for CuPy")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(KERNELS).as_posix())
def test_variants_compile_as_cupy_compiles_them(path):
    """NVRTC has no headers and no functions of the host, which nvcc has."""
    program, log = ctypes.c_void_p(), ctypes.create_string_buffer(1 << 20)
    text, names = source(path), [v.name for k in cuda.kernels if k.path == path for v in k.variants()]
    assert NVRTC.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None) == 0
    for name in names:
        assert NVRTC.nvrtcAddNameExpression(program, name.encode()) == 0
    options = [b"-std=c++17", b"--gpu-architecture=sm_80", b"-ftz=true"]
    failed = NVRTC.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options))
    NVRTC.nvrtcGetProgramLog(program, log)
    NVRTC.nvrtcDestroyProgram(ctypes.byref(program))
    assert not failed, log.value.decode()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(KERNELS).as_posix())
def test_all_functions_are_for_the_device(path):
    """NVRTC refuses others, which nvcc takes for the host's."""
    text = re.sub(r"//[^\n]*", "", source(path))
    heads = re.findall(
        r"(?m)^ *((?:template *<[^>]*>\s*)?(?:[\w<>*&]+ +)+[*&]*\w+\([^;{}]*\)[^;{}()]*)\{", text
    )
    words = ("if", "for", "while", "else", "switch")
    functions = [head for head in heads if head.split("(")[0].split()[-1] not in words]
    assert functions
    assert [head for head in functions if "__device__" not in head and "__global__" not in head] == []


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
