"""The methods of models as Keras 1 and 2 had them, but for those of generators,
whose numbers had two meanings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinynet.backend import changes
from tinynet.compat import files
from tinynet.compat.logs import OlderCallbackList
from tinynet.compat.optimizers import adopted
from tinynet.compat.reading import ignore, renamed, today, whole, with_acc
from tinynet.compat.warn import old, warn


class OlderModel:
    """What the models of both eras add to today's classes, which stand behind it among the bases."""

    era: int
    optimizers: dict[str, Any]  # of the era

    # Compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        **rest: Any,
    ) -> None:
        """Today's compile; the third argument was metrics, and "accuracy" is reported as acc."""
        ignore("compile", {"sample_weight_mode": sample_weight_mode, "target_tensors": target_tensors})
        ignore("compile", rest)
        super().compile(  # type: ignore[misc]
            self.optimizers["get"](optimizer),
            today(loss),
            loss_weights=loss_weights,
            metrics=with_acc(metrics),
            weighted_metrics=with_acc(weighted_metrics),
            **rest,
        )

    @contextmanager
    def _as_compiled(self) -> Iterator[None]:
        """Within it the layers are trainable as they were when this model was compiled:
        in both eras that settled it.

        So a discriminator that is compiled, frozen, and compiled into another model
        goes on training in its own steps.
        """
        layers = self._with_all_within()  # type: ignore[attr-defined]
        flags, now = dict(vars(self).get("_flags_at_compile", ())), [layer.trainable for layer in layers]
        try:
            _make_trainable(layers, [flags.get(layer.name, layer.trainable) for layer in layers])
            yield
        finally:
            _make_trainable(layers, now)

    def train_on_batch(self, *args: Any, **rest: Any) -> Any:
        """Today's train_on_batch."""
        with self._as_compiled():
            return super().train_on_batch(*args, **rest)  # type: ignore[misc]

    def compile_from_config(self, config: Any) -> None:
        """Today's, with an optimizer of the era."""
        super().compile_from_config(config)  # type: ignore[misc]
        cls = self.optimizers.get(type(self.optimizer).__name__) if config else None  # type: ignore[attr-defined]
        if cls is not None and not isinstance(self.optimizer, cls):  # type: ignore[attr-defined]
            adopted(self.optimizer, cls)  # type: ignore[attr-defined]

    # Runs

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: Any = None,
        validation_steps: Any = None,
        validation_freq: Any = 1,
        **older: Any,
    ) -> Any:
        """Today's fit; in Keras 1 it trained for 10 epochs unless told otherwise."""
        epochs = renamed("fit", "nb_epoch", older, epochs, "epochs")
        ignore("fit", older)
        if epochs is None and self.era == 1:
            old("fit without nb_epoch, for 10 epochs", "epochs=10")
            epochs = 10
        with self._as_compiled():
            return super().fit(  # type: ignore[misc]
                x, y, batch_size, 1 if epochs is None else epochs, verbose, callbacks, validation_split,
                validation_data,
                shuffle, class_weight, sample_weight, initial_epoch, whole(steps_per_epoch),
                whole(validation_steps),
                validation_freq=validation_freq, **older,
            )  # fmt: skip

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: Any = None, verbose: Any = 1, *args: Any, **rest: Any
    ) -> Any:
        """Today's evaluate."""
        ignore("evaluate", rest)
        return super().evaluate(x, y, batch_size, verbose, *args, **rest)  # type: ignore[misc]

    def predict(self, x: Any, batch_size: Any = None, verbose: Any = 0, *args: Any, **rest: Any) -> Any:
        """Today's predict, which showed no progress unless told to."""
        ignore("predict", rest)
        return super().predict(x, batch_size, verbose, *args, **rest)  # type: ignore[misc]

    def predict_proba(self, x: Any, batch_size: Any = None, verbose: Any = 0) -> Any:
        """predict(x)."""
        old("predict_proba(x)", "predict(x)")
        return self.predict(x, batch_size, verbose)

    def predict_classes(self, x: Any, batch_size: Any = None, verbose: Any = 0) -> Any:
        """The most probable class of each sample; with one output, whether it is above 0.5."""
        found = self.predict(x, batch_size, verbose)
        if found.shape[-1] > 1:
            old("predict_classes(x)", "predict(x).argmax(axis=-1)")
            return found.argmax(axis=-1)
        old("predict_classes(x)", "(predict(x) > 0.5).astype('int32')")
        return (found > 0.5).astype("int32")

    def _callback_list(self, callbacks: Any, verbose: Any, history: bool, **params: Any) -> Any:
        if isinstance(callbacks, OlderCallbackList):
            return callbacks
        if verbose not in ("auto", 0, 1, 2):
            raise ValueError(f"verbose must be 0, 1 or 2, got {verbose!r}")
        verbose = 1 if verbose == "auto" else int(verbose)
        return OlderCallbackList(
            callbacks, add_history=history, add_progbar=verbose != 0, model=self, verbose=verbose, **params
        )

    # Files

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Today's save; name.h5 becomes name.tinynet."""
        if not include_optimizer:
            warn("save(include_optimizer=False) has no effect: the optimizer is saved too")
        super().save(files.to_write(filepath, ".tinynet"), overwrite)  # type: ignore[misc]

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Today's save_weights; name.h5 becomes name.safetensors."""
        super().save_weights(files.to_write(filepath, ".safetensors"), overwrite)  # type: ignore[misc]

    def load_weights(self, filepath: Any, by_name: bool = False, **rest: Any) -> None:
        """Today's load_weights; for name.h5 it reads name.safetensors, or name.tinynet."""
        if by_name:
            raise ValueError(
                "load_weights(by_name=True) is not part of tinynet; set_weights() of the layers that match"
            )
        super().load_weights(files.to_read(filepath, ".safetensors", ".tinynet"), **rest)  # type: ignore[misc]


def _make_trainable(layers: list[Any], flags: list[bool]) -> None:
    """Sets the flag of each layer alone, whatever those have that it holds."""
    for layer, flag in zip(layers, flags, strict=True):
        if layer.trainable != flag:
            changes.counts["trainable"] += 1
            layer._trainable = flag
            for parameter in layer._own_trainable:
                parameter.trainable = flag
