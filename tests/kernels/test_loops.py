"""Compiled loops on disk: found again by what they were compiled from, in every process, and by nothing else."""

import hashlib
import os
import subprocess
import sys
import textwrap
import time
import types

import numba
import pytest

from tinynet.kernels import cache, common, loops

SOURCE = """
import math
LIMIT = 3
SCALES = (1.0, 2.0)

@serial
def helper(x):
    return x * SCALES[1]

@serial
def loop(x):
    for i in range(x.size):
        x[i] = helper(x[i]) + LIMIT
"""


def fingerprint(source=SOURCE, serial=common.serial, name="somewhere"):
    module = types.ModuleType(name)
    module.serial = serial
    exec(textwrap.dedent(source), vars(module))
    return loops.fingerprint(module.loop)


def test_what_changes_nothing_in_the_code_finds_it_again():
    assert fingerprint() == fingerprint()
    assert fingerprint(SOURCE.replace("LIMIT = 3", "LIMIT = 3  # of them\n\ndef other(x):\n    return x")) == fingerprint()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),  # a constant
        ("(1.0, 2.0)", "(1.0, 2.5)"),  # a constant of a function that is called
        ("x * SCALES", "x + SCALES"),  # that function
        ("+ LIMIT", "- LIMIT"),
        ("range(x.size)", "range(1, x.size)"),
    ],
)
def test_what_changes_the_code_does_not(old, new):
    assert fingerprint(SOURCE.replace(old, new)) != fingerprint()


def test_names_and_flags_are_part_of_it():
    assert fingerprint(name="elsewhere") != fingerprint(), "machine code refers to the module it came from"
    assert fingerprint(serial=numba.njit(**common.FLAGS)) == fingerprint()
    assert fingerprint(serial=numba.njit(**common.FLAGS, fastmath=True)) != fingerprint()


def test_emitted_calls_are_part_of_it(monkeypatch):
    from tinynet.kernels.conv2d import vector
    from tinynet.kernels.emit import call

    before = loops.fingerprint(vector._run_forward.compiled)
    monkeypatch.setattr(call.call_kernel, "_defn", lambda context, address, arguments: None)
    assert loops.fingerprint(vector._run_forward.compiled) != before


def run(code, folder, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "TINYNET_CACHE_DIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process):
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip(), errors


ALL = """
    import importlib, pkgutil, sys
    import tinynet.kernels as kernels
    from numba.core.dispatcher import Dispatcher
    from tinynet.kernels import loops
    count = 0
    for found in pkgutil.walk_packages(kernels.__path__, "tinynet.kernels."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            value = getattr(value, "compiled", value)
            if isinstance(value, Dispatcher):
                print(found.name, name, loops.fingerprint(value))
                count += 1
    assert count > 50, count
"""


def test_every_kernel_is_found_by_every_process(tmp_path):
    first, second = (run(ALL, tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert finished(first)[0].splitlines() == finished(second)[0].splitlines()


STEP = """
    import sys
    import numpy as np
    from tinynet.kernels import activations, reduce
    for dtype in ({types}):
        x = np.arange(12).reshape(3, 4).astype(dtype)
        assert (activations.relu(x) == x).all() and reduce.sum(x) == 66
    print("numba.np.linalg" in sys.modules)
"""


def test_two_processes_compile_at_once(tmp_path):
    """For different types first: neither may find the other's code in the place of its own."""
    both = [run(STEP.format(types=types), tmp_path) for types in ("'f4', 'f8'", "'f8', 'f4'")]
    assert all("compiling" in finished(process)[1] for process in both)
    kept = sorted(path.suffix for path in cache_files(tmp_path))
    assert set(kept) == {".nbc"}, "nothing temporary stays"
    output, errors = finished(run(STEP.format(types="'f4', 'f8'"), tmp_path))
    assert "compiling" not in errors
    assert output == "False", "what only compiling needs is not imported"
    assert sorted(path.suffix for path in cache_files(tmp_path)) == kept


def cache_files(folder):
    return list((folder / "kernels").iterdir())


def test_a_file_that_cannot_be_loaded_is_compiled_anew(tmp_path):
    code = STEP.format(types="'f4',")
    finished(run(code, tmp_path))
    for path in cache_files(tmp_path):
        contents = b"\x80\x04cno_such_module\nname\n."  # a pickle that asks for a module
        path.write_bytes(hashlib.sha256(contents).digest() + contents)
    for expected in (True, False):
        assert ("compiling" in finished(run(code, tmp_path))[1]) == expected


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("no folder")
    errors = finished(run(STEP.format(types="'f4',"), tmp_path / "file"))[1]
    assert errors.count("TINYNET_CACHE_DIR") == 1, "it is said once"


def test_old_files_go_first(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "LARGEST", 500)
    now = time.time() - 1
    for i, age in enumerate((0, 10, 20, 30, 100 * 86400)):
        monkeypatch.setitem(cache._state, "pruned", True)
        cache.write(f"{i}", bytes(100))
        os.utime(cache.directory() / f"{i}", (now - age, now - age))
    monkeypatch.setitem(cache._state, "pruned", False)
    cache.write("new", bytes(100))
    assert sorted(path.name for path in cache.directory().iterdir()) == ["0", "1", "new"]
    assert cache.read("0") == bytes(100)
    assert cache.read("4") is None
