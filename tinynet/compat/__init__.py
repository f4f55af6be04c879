"""Attachment: programs written for Keras 1 and 2. Nothing of the engine depends on it.

It has their spellings, with the meaning they had then and a warning that says today's.

    from tinynet.compat import keras1; keras1.install()      # then `from keras... import ...` as it stands
    import tinynet.compat.keras2 as keras                    # or by a name, where no line says `from keras`

keras1 is Keras 1.2.2 and keras2 is Keras 2.3.1, with their defaults. Older releases had others:
BatchNormalization an epsilon of 1e-5 before 1.2, shear_range was in radians up to 2.1.2. What they make is of
tinynet's own classes, computed as Keras 3 does, and differs from what was then in this:

    BatchNormalization    Keras 2 multiplied the moving variance by n / (n - 1 - epsilon)
    activity_regularizer  its penalty is divided by the batch size
    RMSprop, Adagrad      epsilon stands under the root, as its square
    cosine_proximity      the sum over the last axis; before 2.3 it was the mean
    seeds                 numpy.random.seed does not set them, keras.utils.set_random_seed does
    weights               kernels are (rows, columns, in, out) in both orders of axes, and are not flipped
    files                 name.h5 is written and read as name.tinynet, weights as name.safetensors

Recurrent layers, sessions, applications and image folders are not there.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from tinynet import missing_names

__all__ = ["keras1", "keras2"]

if TYPE_CHECKING:
    from tinynet.compat import keras1, keras2
else:

    def __getattr__(name: str) -> ModuleType:
        if name in __all__:  # both are many modules: made when they are asked for
            return importlib.import_module(f"tinynet.compat.{name}")
        raise missing_names.missing(__name__, name)


def __dir__() -> list[str]:
    return sorted(__all__)
