"""Models: layers put together, trained, evaluated, described and saved."""

from tinynet.models.model import Model
from tinynet.models.sequential import Sequential

__all__ = ["Model", "Sequential"]
