"""Sources of CUDA kernels, and who compiles them.

CuPy keeps compiled kernels on disk, by their text. What a text includes is not part of that key, so nothing
is included: common.cu is put in front of every source, and #line says where a line comes from.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

# (grid, block, arguments, also): `also` are arrays whose addresses the kernel finds in others
Function = Callable[[Sequence[int], Sequence[int], Sequence[Any], Sequence[Any]], None]
KERNELS = Path(__file__).parent.parent


@cache
def source(path: Path) -> str:
    """All the text that a `.cu` file is compiled from."""
    return "".join(_with_its_place(part) for part in (KERNELS / "cuda" / "common.cu", path))


def _with_its_place(path: Path) -> str:
    place = f"tinynet/kernels/{path.relative_to(KERNELS).as_posix()}"
    return f'#line 1 "{place}"\n{path.read_text(encoding="utf-8")}\n'


def _with_cupy(path: Path, expression: str) -> Function:
    import cupy

    module = cupy.RawModule(
        code=source(path), options=("-std=c++17",), name_expressions=[expression], backend="nvrtc"
    )
    try:
        kernel = module.get_function(expression)
    except RuntimeError as error:
        if "NotFound" not in type(error).__name__:  # DynamicLibNotFoundError is no name of CuPy's own
            raise
        raise RuntimeError(
            "CuPy finds no NVRTC, the library that compiles kernels: run `pip install 'cupy-cuda13x[ctk]'`, "
            "or 'cupy-cuda12x[ctk]' if that is the CuPy which is installed"
        ) from error
    return lambda grid, block, arguments, also: kernel(grid, block, arguments)


# For each array module what makes a function of (file, name with template arguments). Tests add one for
# NumPy, which runs the kernel on the CPU.
loaders: dict[str, Callable[[Path, str], Function]] = {"cupy": _with_cupy}


class Compiled:
    """A compiled kernel: what is launched."""

    def __init__(self, path: Path, expression: str, run: Function) -> None:
        self.name, self.place = expression, f"kernels/{path.relative_to(KERNELS).as_posix()}"
        self._run = run

    def __call__(
        self, grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any], also: Sequence[Any]
    ) -> None:
        self._run(grid, block, arguments, also)


@cache
def function(module: str, path: Path, expression: str) -> Compiled:
    """The kernel `expression` of a `.cu` file, compiled for arrays of `module`."""
    if module not in loaders:
        raise TypeError(f"{expression} is a CUDA kernel: it takes arrays of cupy, got one of {module}")
    return Compiled(path, expression, loaders[module](path, expression))
