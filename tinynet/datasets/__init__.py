"""Image sets for the experiments: `mnist`, `fashion_mnist`,
`cifar10` (found or fetched) and `digits` (embedded).

Each module has `load_data()`, which returns `((x_train, y_train), (x_test, y_test))` as NumPy arrays. Files
are looked for in the folder that the environment variable TINYNET_DATA names, then in the user's cache, and
then downloaded.
"""

from tinynet import missing_names
from tinynet.datasets import cifar10, digits, fashion_mnist, mnist
from tinynet.datasets.fetch import DatasetCorrupted, DatasetUnavailable

__all__ = [
    "DatasetCorrupted",
    "DatasetUnavailable",
    "available",
    "cifar10",
    "digits",
    "fashion_mnist",
    "mnist",
]

missing_names.namespace(__name__)

_MODULES = {"cifar10": cifar10, "digits": digits, "fashion_mnist": fashion_mnist, "mnist": mnist}


def available(name: str) -> bool:
    """Whether the files of data set `name` are on this machine, so that loading needs no network;
    ValueError for another.

    >>> datasets.available("digits")
    True
    """
    if name not in _MODULES:
        raise ValueError(
            f"datasets.available: there is no data set {name!r}; expected one of {sorted(_MODULES)}"
        )
    return _MODULES[name].available()
