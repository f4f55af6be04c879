"""What several files of tests of kernels have in common."""

from collections.abc import Iterator
from typing import Any

import pytest

from tinynet.kernels import emit
from tinynet.kernels.emit import host


@pytest.fixture(params=[16, 32, 64])
def vector_bytes(request: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The tiles of NEON (32 registers of 16 bytes), AVX2 (16 of 32) and AVX-512, on any host."""
    monkeypatch.setenv("TINYNET_VECTOR_BYTES", str(request.param))
    monkeypatch.setattr(host, "registers", lambda: 16 if request.param == 32 else 32)
    emit.vectors.cache_clear()
    yield request.param
    monkeypatch.undo()
    emit.vectors.cache_clear()
