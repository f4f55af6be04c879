"""Backend: number format, random keys and devices that everything above shares."""

import importlib

from tinynet import missing_names
from tinynet.backend import config, device, random
from tinynet.backend.config import (
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)

__all__ = [
    "backend", "clear_session", "config", "device", "epsilon", "floatx", "image_data_format", "random",
    "set_epsilon", "set_floatx", "set_image_data_format",
]  # fmt: skip


def backend() -> str:
    """Keras's question which engine computes: "tinynet"."""
    return "tinynet"


def clear_session() -> None:
    """Lets automatic names of layers begin anew, as tinynet.utils.clear_session does."""
    importlib.import_module("tinynet.layers.naming").reset_names()  # names belong to the layers


missing_names.namespace(__name__)
