"""What is linked into a loop is not compiled for itself; it computes, raises and is kept as it ever was."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from numba.core.registry import cpu_target

from tinynet.kernels import common, linking

# A helper that raises, one that calls it, and a loop with two loops in it. Each process says how many modules
# became machine code for one call.
LOOP = """
import sys
import numpy as np
from numba.core.codegen import JITCodeLibrary
from tinynet.kernels import common, thread_pool

thread_pool.symbols()
emitted = []
finish = JITCodeLibrary._finalize_specific
JITCodeLibrary._finalize_specific = lambda library: (emitted.append(library.name), finish(library))[1]

@common.serial
def root(x):
    if x < 0:
        raise ValueError("a root of a negative number")
    return np.sqrt(x)

@common.serial
def distance(a, b):
    return root(a * a + b * b)

@common.parallel
def distances(out, a, b):
    for i in common.prange(out.size):
        out[i] = distance(a[i], b[i])
    for i in common.prange(out.size):
        out[i] += root(4.0)

@common.parallel
def roots(out, a):
    out[0] = root(a[0])  # where an error can be raised: in a prange Numba has no way to tell
    for i in common.prange(out.size):
        out[i] = root(a[i])

out = np.empty(1000)
"""
CALLS = {
    "distances": "distances(out, np.full(1000, 3.0), np.full(1000, 4.0)); assert (out == 7).all(), out",
    "roots": "roots(out, np.full(1000, 9.0)); assert (out == 3).all(), out",
    "helper": "assert root(16.0) == 4",
    "error": """
try:
    roots(out, np.full(1000, -1.0))
except ValueError as error:
    assert str(error) == "a root of a negative number", error
else:
    raise AssertionError("nothing was raised")
""",
}


def modules_emitted(folder, *calls):
    """How many modules a new process turns into machine code, or loads as such, for these calls;
    whether it compiled something.
    """
    before = set(folder.glob("kernels/*"))
    path = folder / "loop.py"  # what a function refers to is part of its digest: so the same file each time
    path.write_text(LOOP)
    code = "import sys; from loop import *\n" + "\n".join(CALLS[call] for call in calls)
    environment = {**os.environ, "TINYNET_CACHE_DIR": str(folder), "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", code + "\nprint(len(emitted))"],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout), set(folder.glob("kernels/*")) != before


def test_a_loop_is_one_module_of_machine_code_and_so_it_is_kept(tmp_path):
    assert modules_emitted(tmp_path) == (0, True)  # the pool's
    assert modules_emitted(tmp_path, "distances") == (1, True)
    assert modules_emitted(tmp_path, "distances") == (1, False)
    # what another loop calls was kept too, to be linked once more
    assert modules_emitted(tmp_path, "roots", "error") == (1, True)
    assert modules_emitted(tmp_path, "error", "distances", "roots") == (2, False)
    # a function with callers of both kinds has an entry for Python of its own
    assert modules_emitted(tmp_path, "helper", "roots") == (2, True)
    assert modules_emitted(tmp_path, "roots", "helper") == (2, False)


def test_functions_of_everybody_else_are_compiled_as_ever(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))
    codegen = cpu_target.target_context.codegen()

    @numba.njit
    def everybodys(x):
        return x + 1

    @common.serial
    def ours(x):
        return everybodys(x) * 2

    assert ours(1) == 4  # compiled for ours, with an entry: it can be called from Python as well
    assert everybodys(2) == 3
    assert everybodys(2.5) == 3.5
    (first, second) = everybodys.overloads.values()
    assert isinstance(first.library, linking.Library)
    assert type(second.library) is codegen._library_class is not linking.Library


def test_what_everybody_else_calls_of_ours_raises_what_it_raises(tmp_path, monkeypatch):
    """An argument that is known when it is raised travels through the function's environment."""
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path))

    def program():
        @common.serial
        def positive(x):
            if x < 0:
                raise ValueError("negative", x)
            return x + 1

        @common.serial
        def ours(x):
            return positive(x) * 2

        @numba.njit
        def theirs(x):
            return positive(x)

        @numba.njit
        def through(x):
            return ours(x)

        return positive, ours, theirs, through

    for _ in ("compiled", "from disk"):
        for function, result in zip(reversed(program()), (6, 3, 6, 3), strict=True):
            assert function(2.0) == result
            with pytest.raises(ValueError, match="negative") as raised:
                function(-1.0)
            assert raised.value.args == ("negative", -1.0)


def test_contexts_of_many_threads_leave_no_trace(tmp_path):
    target, depths = cpu_target.target_context, []

    def enter(_):
        for _ in range(100):
            with linking.linked_first(target):
                depth, function = 0, target.codegen().set_env
                while getattr(function, "__closure__", None):
                    inner = [x.cell_contents for x in function.__closure__ if callable(x.cell_contents)]
                    depth, function = depth + 1, inner[0] if inner else None
                depths.append(depth)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(enter, range(3)))
    assert set(depths) == {1}, "a context holds what another one had put in place"


def test_an_error_of_the_compiler_leaves_nothing_behind():
    target = cpu_target.target_context
    before = dict(vars(target)), dict(vars(target.codegen()))

    @common.serial
    def wrong(x):
        return x + "a"

    with pytest.raises(numba.TypingError):
        wrong(np.zeros(3))
    for now, then in zip((vars(target), vars(target.codegen())), before, strict=True):
        assert set(now) == set(then)
        assert not {"_library_class", "set_env", "create_cpython_wrapper"} & set(now)
