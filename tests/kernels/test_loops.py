"""Compiled loops on disk: found again by what they were compiled from,
in every process, and by nothing else.
"""

import os
import subprocess
import sys
import textwrap
import types

import llvmlite
import numba
import numpy as np
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
    assert (
        fingerprint(SOURCE.replace("LIMIT = 3", "LIMIT = 3  # of them\n\ndef other(x):\n    return x"))
        == fingerprint()
    )


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
    from tinynet.kernels.conv2d import forward_loop
    from tinynet.kernels.emit import call

    before = loops.fingerprint(forward_loop.run_forward.compiled)
    monkeypatch.setattr(call.call_kernel, "_defn", lambda context, address, arguments: None)
    assert loops.fingerprint(forward_loop.run_forward.compiled) != before


@pytest.mark.parametrize("place", range(10))
def test_what_compiles_is_part_of_a_name(monkeypatch, place):
    """Versions of Numba, LLVM, NumPy and Python, settings, and the format: where one of them differs,
    another file is asked for.
    """
    from tinynet.kernels import reduce

    parts = loops._compiler()
    assert len(parts) == 10
    assert parts[:4] == (numba.__version__, llvmlite.__version__, np.__version__, sys.version)
    before = name_of(reduce)
    assert name_of(reduce) == before
    monkeypatch.setattr(loops, "_compiler", lambda: (*parts[:place], "another", *parts[place + 1 :]))
    assert name_of(reduce) != before


def name_of(module):
    """The file of a compiled loop of `module`."""
    from numba.core.dispatcher import Dispatcher

    values = [getattr(value, "compiled", value) for value in vars(module).values()]
    kept = next(value for value in values if isinstance(value, Dispatcher))._cache
    return kept._name("(signature)", kept.dispatcher.targetctx)


DOCUMENTED = '''
@serial
def loop(x):
    """A docstring."""
    for i in range(x.size):
        x[i] = 2.5 * x[i] + (3.5 if x[i] > 1.5 else 4)
'''


def test_a_docstring_is_not_part_of_it(tmp_path):
    """Nor is the place in its stead that -OO leaves, and so a cache serves Python with and without -OO."""
    assert fingerprint(DOCUMENTED) == fingerprint(DOCUMENTED.replace("A docstring", "Another"))
    assert fingerprint(DOCUMENTED) == fingerprint(DOCUMENTED.replace('    """A docstring."""\n', ""))
    plain = finished(run(ALL, tmp_path))[0]
    assert finished(run(ALL, tmp_path, PYTHONOPTIMIZE="2"))[0] == plain
    assert finished(run(ALL, tmp_path, PYTHONOPTIMIZE="1"))[0] == plain


@pytest.mark.parametrize(
    "constants", [("2.5", "3.5"), ("3.5", "4"), ("1.5", "1"), ("2.5", "3.5 if x[i] else 2.5"), ("4", "4.0")]
)
def test_constants_are_part_of_it(constants):
    assert fingerprint(DOCUMENTED.replace(*constants)) != fingerprint(DOCUMENTED)


def test_many_constants_are_part_of_it():
    source = "@serial\ndef loop(x):\n" + "".join(f"    x[0] += {i}.5\n" for i in range(600))
    for i in (0, 255, 256, 257, 599):
        assert fingerprint(source.replace(f" {i}.5\n", f" {i}.25\n")) != fingerprint(source)


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
    return [path for path in (folder / "kernels").iterdir() if path.name != cache.TAG]


def test_a_file_that_cannot_be_loaded_is_compiled_anew(tmp_path):
    code = STEP.format(types="'f4',")
    finished(run(code, tmp_path))
    for path in cache_files(tmp_path):
        contents = b"\x80\x04cno_such_module\nname\n."  # a pickle that asks for a module
        path.write_bytes(cache._checksum(path.name, contents) + contents)
    for expected in (True, False):
        assert ("compiling" in finished(run(code, tmp_path))[1]) == expected


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("no folder")
    errors = finished(run(STEP.format(types="'f4',"), tmp_path / "file"))[1]
    assert errors.count("TINYNET_CACHE_DIR") == 1, "it is said once"


def test_python_without_docstrings_uses_the_same_files(tmp_path):
    code = STEP.format(types="'f4',")
    assert "compiling" in finished(run(code, tmp_path))[1]
    for flag in ("1", "2"):
        assert "compiling" not in finished(run(code, tmp_path, PYTHONOPTIMIZE=flag))[1], flag


def test_a_compiler_that_is_turned_off_is_said(tmp_path):
    process = run("import tinynet.ops", tmp_path, NUMBA_DISABLE_JIT="1")
    errors = process.communicate(timeout=120)[1]
    assert "ImportError: the environment variable NUMBA_DISABLE_JIT" in errors
    assert "unset it" in errors


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        *[
            ("TINYNET_VECTOR_BYTES", value, "16, 32 or 64")
            for value in ("abc", "48", "-16", "1e9", "0", "16.0", "9" * 5000)
        ],
        *[
            ("TINYNET_NUM_THREADS", value, "an integer from 1 to 256")
            for value in ("abc", "0", "-1", "257", "1.5", "9" * 5000)
        ],
    ],
)
def test_variables_that_mean_nothing_are_named(monkeypatch, name, value, accepted):
    from tinynet.kernels import threads
    from tinynet.kernels.emit import host

    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=f"environment variable {name} must be {accepted}.* got '{value}'"):
        threads._chosen() if "THREADS" in name else host.vectors.__wrapped__(np.dtype(np.float32))


def test_variables_that_are_not_set_mean_the_machine(monkeypatch):
    from tinynet.kernels import threads
    from tinynet.kernels.emit import host

    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 3)
    for value, count, lanes in (
        ("", 3, None),
        (" 2 ", 2, None),
        ("1", 1, None),
        ("3", 3, None),
        ("16", None, 4),
        ("64", None, 16),
    ):
        if count is not None:
            monkeypatch.setenv("TINYNET_NUM_THREADS", value)
            assert threads._chosen() == count
        if lanes is not None:
            monkeypatch.setenv("TINYNET_VECTOR_BYTES", value)
            assert host.vectors.__wrapped__(np.dtype(np.float32)).lanes == lanes
            assert host.vectors.__wrapped__(np.dtype(np.float64)).lanes == lanes // 2
    monkeypatch.delenv("TINYNET_NUM_THREADS")
    assert threads._chosen() == 3


@common.serial
def _halve(x, by):
    for i in range(x.size):
        x[i] /= by


def test_a_call_that_is_repeated_finds_its_code_once():
    x, wide = np.array([4.0, 6.0], np.float32), np.array([4.0, 6.0])
    assert loops.compiled_for(_halve, (x, 2)) is _halve  # not compiled yet
    _halve(x, 2)
    found = loops.compiled_for(_halve, (x, 2))
    assert found is not _halve
    found(x, 4)  # of the same types
    np.testing.assert_array_equal(x, [0.5, 0.75])
    assert loops.compiled_for(_halve, (wide, 2)) is _halve  # which has code for another type only
    assert loops.compiled_for(np.add, (x, x, x)) is np.add
    assert loops.compiled_for(len, (x,)) is len


def test_code_that_was_found_once_raises_what_the_loop_raises():
    @common.serial
    def third(x):
        if x.size < 3:
            raise IndexError("two numbers at most")
        x[2] = 0

    third(np.ones(3))
    with pytest.raises(IndexError, match="two numbers at most"):
        loops.compiled_for(third, (np.ones(3),))(np.ones(2))
