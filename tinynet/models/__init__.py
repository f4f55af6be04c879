"""Models: layers made trainable."""

from tinynet import missing_names
from tinynet.models.cloning import clone_model
from tinynet.models.functional import Functional
from tinynet.models.model import Model
from tinynet.models.sequential import Sequential
from tinynet.saving.in_memory import model_from_json
from tinynet.saving.save_load import load_model, save_model

__all__ = ["Functional", "Model", "Sequential", "clone_model", "load_model", "model_from_json", "save_model"]

missing_names.namespace(__name__)
