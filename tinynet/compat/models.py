"""Models of both eras: today's classes with the methods of then."""

from typing import Any

from tinynet import models
from tinynet.compat import files
from tinynet.compat.generators import Keras1Model, Keras2Model
from tinynet.compat.optimizers import adopted
from tinynet.compat.reading import renamed


def model_names(era: int, optimizers: dict[str, Any]) -> dict[str, Any]:
    """{name: class or function} of all that `keras.models` had in Keras 1 or 2 and tinynet has."""
    base: Any = Keras1Model if era == 1 else Keras2Model

    class Sequential(base, models.Sequential):  # type: ignore[misc]
        __doc__ = models.Sequential.__doc__

    class Model(base, models.Model):  # type: ignore[misc]
        __doc__ = models.Model.__doc__

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            whole = args or {"input", "inputs", "output", "outputs"} & set(kwargs)
            return super().__new__(Functional if cls is Model and whole else cls, *args, **kwargs)

    class Functional(Model, models.Functional):
        __doc__ = models.Functional.__doc__

        def __init__(
            self,
            inputs: Any = None,
            outputs: Any = None,
            name: str | None = None,
            trainable: bool = True,
            **older: Any,
        ) -> None:
            inputs = renamed("Model", "input", older, inputs, "inputs")
            outputs = renamed("Model", "output", older, outputs, "outputs")
            if older:
                raise TypeError(f"Model has no argument {sorted(older)[0]!r}")
            models.Functional.__init__(self, inputs, outputs, name, trainable)

    Model._functional_class = Functional
    classes = {models.Sequential: Sequential, models.Functional: Functional}
    for cls in (Sequential, Model, Functional):
        cls.__module__, cls.__qualname__ = f"tinynet.compat.keras{era}.models", cls.__name__
        cls.era, cls.optimizers = era, optimizers

    def as_older(model: Any) -> Any:
        """The model, and those within it, as ones of the era."""
        for layer in model._with_all_within():
            if type(layer) in classes:
                layer.__class__ = classes[type(layer)]
                known = optimizers.get(type(layer.optimizer).__name__)
                if known is not None:
                    adopted(layer.optimizer, known)
            if isinstance(layer, Sequential) and layer.layers and layer._input_layer is not None:
                # the first layer knew it, in other models too
                layer.layers[0]._batch_shape = layer._input_layer.shape
        return model

    def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True) -> Any:
        """Today's load_model; for name.h5 it reads name.tinynet."""
        return as_older(
            models.load_model(files.to_read(filepath, ".tinynet", ".keras"), custom_objects, compile)
        )

    def save_model(model: Any, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """model.save(filepath)."""
        model.save(filepath, overwrite, include_optimizer)

    def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
        """A new model of what to_json described."""
        return as_older(models.model_from_json(json_string, custom_objects))

    def clone_model(model: Any, input_tensors: Any = None) -> Any:
        """Today's clone_model."""
        return as_older(models.clone_model(model, input_tensors))

    return {
        "Sequential": Sequential, "Model": Model, "load_model": load_model, "save_model": save_model,
        "model_from_json": model_from_json, "clone_model": clone_model,
    }  # fmt: skip
