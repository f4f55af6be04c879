"""Callbacks with the arguments of Keras 1 and 2."""

import os
from collections.abc import Mapping
from typing import Any

from tinynet import callbacks
from tinynet.compat import files
from tinynet.compat.logs import Logs
from tinynet.compat.warn import old, warn


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Today's; name.h5 becomes name.tinynet, or name.safetensors for weights,
    and `period` is a number of epochs.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
        **today: Any,
    ) -> None:
        ending = ".safetensors" if save_weights_only else ".tinynet"
        if not os.path.splitext(os.fspath(filepath))[1] or "}" in os.path.splitext(os.fspath(filepath))[1]:
            warn(f"ModelCheckpoint: a file's name says what is in it; {filepath} becomes {filepath}{ending}")
            filepath = os.fspath(filepath) + ending
        filepath = files.to_write(filepath, ending)
        super().__init__(filepath, monitor, verbose, save_best_only, save_weights_only, mode, **today)
        self.period = period
        if period != 1:
            warn("ModelCheckpoint(period=...) has no successor but save_freq=n, which counts batches")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch + 1) % self.period == 0:
            super().on_epoch_end(epoch, logs)

    def _save(self, epoch: int, logs: Mapping[str, Any]) -> None:
        super()._save(epoch, logs.with_both_names() if isinstance(logs, Logs) else logs)


class ReduceLROnPlateau(callbacks.ReduceLROnPlateau):
    """Today's; min_delta was called epsilon."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if "epsilon" in kwargs:
            old("ReduceLROnPlateau(epsilon=...)", f"min_delta={kwargs['epsilon']!r}")
            kwargs["min_delta"] = kwargs.pop("epsilon")
        super().__init__(*args, **kwargs)


class TensorBoard(callbacks.TensorBoard):
    """Today's, without what is not written any more."""

    def __init__(
        self,
        log_dir: Any = "./logs",
        histogram_freq: int = 0,
        batch_size: int | None = None,
        write_graph: bool = True,
        write_grads: bool = False,
        write_images: bool = False,
        **rest: Any,
    ) -> None:
        if batch_size is not None or write_grads:
            warn(
                "TensorBoard: batch_size has no effect, and write_grads=True is written gradients_on=(x, "
                "y) today"
            )
        for name in ("embeddings_layer_names", "embeddings_data"):
            rest.pop(name, None)
        super().__init__(log_dir, histogram_freq, write_graph, write_images, **rest)


def callback_names() -> dict[str, Any]:
    """{name: class} of what `keras.callbacks` had and tinynet has."""
    found = {name: getattr(callbacks, name) for name in callbacks.__all__ if name != "python_logs"}
    return {
        **found,
        "ModelCheckpoint": ModelCheckpoint,
        "ReduceLROnPlateau": ReduceLROnPlateau,
        "TensorBoard": TensorBoard,
    }
