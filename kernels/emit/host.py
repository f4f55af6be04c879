"""The machine the vector code is written for: its vectors, its registers, and how the compiler is told."""

import platform
import re
import threading
from functools import cache, lru_cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm
import numpy as np

from .. import environment

_X86 = platform.machine().lower() in ("x86_64", "amd64")
OPTIONS: dict[str, Any] = {
    "opt": 3,
    "reloc": "static" if _X86 else "default",
    "codemodel": "jitdefault",
    "jit": True,
}

lock = threading.RLock()  # held around everything that enters LLVM


class Vectors(NamedTuple):
    """`registers` registers, each of `lanes` elements of type `scalar` (LLVM's name),
    `itemsize` bytes each.
    """

    scalar: str
    itemsize: int
    lanes: int
    registers: int

    @property
    def bytes(self) -> int:
        return self.lanes * self.itemsize


@lru_cache(maxsize=1)
def cpu() -> tuple[str, str]:
    """Name and features of this CPU, as LLVM spells them; with TINYNET_CPU=avx2 as if it had no AVX-512."""
    with lock:
        name, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    if not without_avx512():
        return name, features
    if "+avx2" not in features.split(","):
        raise ValueError(f"TINYNET_CPU=avx2 asks for code that this CPU ({name}) cannot run")
    return name, re.sub(r"\+(avx512|avx10|evex512|amx)", r"-\1", features)


def without_avx512() -> bool:
    """Whether TINYNET_CPU=avx2 asks for code as for a CPU without AVX-512."""
    return environment.word("TINYNET_CPU", ("native", "avx2")) == "avx2"


def create_target_machine() -> Any:
    """A new code generator for this CPU."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = cpu()
    return llvm.Target.from_default_triple().create_target_machine(cpu=name, features=features, **OPTIONS)


@lru_cache(maxsize=1)
def target_machine() -> Any:
    """The code generator that compiles."""
    return create_target_machine()


@lru_cache(maxsize=1)
def _widest() -> int:
    features = cpu()[1].split(",")
    if "+avx512f" in features:
        return 64
    return 32 if "+avx2" in features else 16


def registers() -> int:
    """How many vector registers there are: 32 with AVX-512 and on 64-bit ARM, 16 on older x86."""
    return 32 if "+avx512vl" in cpu()[1] or platform.machine() in ("aarch64", "arm64") else 16


@cache
def vectors(dtype: Any) -> Vectors:
    """The vectors kernels use for `dtype`: as wide as the CPU has, or TINYNET_VECTOR_BYTES (16, 32 or 64).

    The environment is read once for each dtype; `vectors.cache_clear()` reads it again.
    """
    width = environment.integer("TINYNET_VECTOR_BYTES", (16, 32, 64), "16, 32 or 64", _widest)
    itemsize = np.dtype(dtype).itemsize
    return Vectors({4: "float", 8: "double"}[itemsize], itemsize, width // itemsize, registers())
