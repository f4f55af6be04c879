"""Pooling over windows of an image: the maximum or the average of each.

`max_pool.py`, `max_pool_gather.py` and `average_pool.py` hold, per operation, the teaching loops, the NumPy
form and the compiled form; `pool2d.cu` the CUDA kernels, which `cuda.py` launches; `windows.py` the geometry
they share.
"""

from . import cuda  # noqa: F401  (it registers the implementation "cuda")
from .average_pool import average_pool2d, average_pool2d_grad
from .max_pool import max_pool2d, max_pool2d_grad
from .max_pool_gather import max_pool2d_gather

__all__ = ["average_pool2d", "average_pool2d_grad", "max_pool2d", "max_pool2d_gather", "max_pool2d_grad"]
