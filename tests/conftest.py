"""Hypothesis profiles: quick by default, thorough with HYPOTHESIS_PROFILE=thorough.
Every parallel loop is shared out, and CUDA kernels run on the CPU, or with `-m gpu` on a GPU.

In use, kernels keep small arrays on one thread. Tests are full of small arrays,
and races show only among threads.
"""

import os

# whoever looks for a fault wants all frames; see test_tracebacks.py
os.environ.setdefault("TINYNET_FULL_TRACEBACKS", "1")

from hypothesis import HealthCheck, settings

from tinynet.kernels import common

from cuda_shim import loading
from on_gpu.plugin import (  # noqa: F401
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_terminal_summary,
    pytest_unconfigure,
)

common.MAX_ELEMENTS_ALONE = -1
loading.install()

_ALWAYS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("quick", max_examples=10, derandomize=True, **_ALWAYS)
settings.register_profile("thorough", max_examples=300, **_ALWAYS)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
