"""Backend: number format, random keys and devices that everything above shares."""

import importlib
from typing import Any

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
    "config", "device", "epsilon", "floatx", "image_data_format", "random", "set_epsilon", "set_floatx",
    "set_image_data_format",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "clear_session":  # Keras's address; names belong to the layers
        return importlib.import_module("tinynet.layers.naming").reset_names
    if name == "backend":
        return lambda: "tinynet"
    raise missing_names.missing(__name__, name)


def __dir__() -> list[str]:
    return missing_names.public(__name__)
