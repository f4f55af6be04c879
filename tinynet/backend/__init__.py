"""Backend: number format, random keys and devices that everything above shares."""

from tinynet.backend import config, device, random

__all__ = ["config", "device", "random"]
