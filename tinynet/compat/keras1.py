"""Keras 1, as of release 1.2.2, on tinynet.

    from tinynet.compat import keras1; keras1.install()

in the first line of a program lets its `import keras` and `from keras... import ...` find this.
"""

import sys
from typing import Any

from tinynet.compat import modules

__version__ = "1.2.2"

_modules = modules.make(1, sys.modules[__name__])


def install(dim_ordering: str | None = None) -> None:
    """Lets `import keras` find this module; `dim_ordering`, 'th' or 'tf',
    is what keras.json said about images.

    Raises ImportError if Keras itself is imported already.
    """
    modules.install(_modules, dim_ordering)


def uninstall() -> None:
    """Undoes `install`, but for the order of axes."""
    modules.uninstall()


def __getattr__(name: str) -> Any:
    raise AttributeError(f"keras.{name} of Keras 1 is not part of tinynet")
