"""Lets the CUDA kernels of tinynet take NumPy arrays, in tests: they run on the CPU, through the shim."""

from functools import cache
from pathlib import Path

import pytest

from tinynet.kernels import cuda
from tinynet.kernels.cuda.modules import Function, source

from cuda_shim import shim


def install() -> None:
    """From now on `kernels.use(family, "cuda")` runs on NumPy arrays; without g++ it skips the test."""
    cuda.loaders["numpy"] = load


@cache
def load(path: Path, expression: str) -> Function:
    """A kernel of a `.cu` file."""
    if shim.missing:
        pytest.skip(shim.missing)
    kernel = module(path).get_function(expression)
    return lambda grid, block, arguments, also: kernel(grid, block, arguments, also=also)


@cache
def module(path: Path) -> shim.Module:
    """A `.cu` file with all its variants, which takes hardly longer than one of them."""
    names = [variant.name for kernel in cuda.kernels if kernel.path == path for variant in kernel.variants()]
    return shim.Module(code=source(path), name_expressions=names)
