"""TensorBoard: event files of a training run, which `tensorboard --logdir logs` shows in a browser.

    <log_dir>/train        epoch_<name>, epoch_learning_rate, batch_<name>;
                           histograms and pictures of the weights
    <log_dir>/validation   epoch_<name>, evaluation_<name>_vs_iterations

The files are written by tensorboardX, which does not need TensorFlow: pip install "tinynet[tensorboard]".
"""

import itertools
import os
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from tinynet.callbacks import schema, weight_events
from tinynet.callbacks.callback import Callback, Logs

FLUSH_SECONDS = 5  # so that the browser follows, and a run that is killed loses little
_numbers = itertools.count()  # two writers that begin in the same second must not share a file


class TensorBoard(Callback):
    """Writes losses and metrics after every epoch, or with `update_freq` "batch"
    or n also after every n-th batch.

    log_dir                 the folder
    histogram_freq          every so many epochs: histograms of all weights, `<weight>/histogram`
    gradients_on            (x, y) or (x, y, sample_weight), not a part of Keras: at the same epochs the
                            gradients on these samples: see weight_events.gradients
    write_graph             the table of layers and, where the model has it,
                            its JSON as texts, before the first epoch's end
    write_images            beside the histograms pictures of the weights, `<weight>/image`, dark where small
    write_steps_per_second  `epoch_steps_per_second` and `batch_steps_per_second`

    Profiles and embeddings are not written: `profile_batch` and `embeddings_freq` other than 0 raise
    ValueError, and `embeddings_metadata` has no effect. Raises ImportError without tensorboardX.
    """

    _state_kinds: ClassVar = {"_batches": schema.count, "_described": schema.truth}

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        gradients_on: Any = None,
    ) -> None:
        for name, value in (("profile_batch", profile_batch), ("embeddings_freq", embeddings_freq)):
            if value:
                raise ValueError(f"TensorBoard: {name} is not supported, leave it 0; got {value!r}")
        if update_freq not in ("batch", "epoch") and (not isinstance(update_freq, int) or update_freq < 1):
            raise ValueError(
                "TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches, "
                f"got {update_freq!r}"
            )
        if gradients_on is not None and len(gradients_on) not in (2, 3):
            raise ValueError("TensorBoard: gradients_on must be (x, y) or (x, y, sample_weight)")
        _writer_class()  # says now, and not after an epoch, what is missing
        self.log_dir = os.fspath(log_dir)
        self._folder = self.log_dir  # from the beginning of training on wherever the process goes
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq: Any = 1 if update_freq == "batch" else update_freq
        self.gradients_on = gradients_on
        self._writers: dict[str, Any] = {}
        self._batches = 0  # training batches so far in this run
        self._described = False

    def training_state(self) -> dict[str, Any]:
        return {"_batches": self._batches, "_described": self._described}

    def restore_training_state(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)

    # Scalars

    def _wants_values(self) -> bool:
        return self._due()

    def on_train_begin(self, logs: Logs = None) -> None:
        self._batches, self._folder = 0, os.path.abspath(self.log_dir)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch_began = time.perf_counter(), self._iterations()

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batches += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._due():
            values = {f"batch_{name}": value for name, value in (logs or {}).items()}
            if self.write_steps_per_second:
                values["batch_steps_per_second"] = 1 / (time.perf_counter() - self._batch_began)
            self._scalars("train", values, self._batches)

    def on_test_end(self, logs: Logs = None) -> None:
        if (step := self._iterations()) is not None:
            values = {f"evaluation_{name}_vs_iterations": value for name, value in (logs or {}).items()}
            self._scalars("validation", values, step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.write_graph and not self._described:
            weight_events.describe(self._writer("train"), self.model)
            self._described = True
        values = {name: value for name, value in (logs or {}).items() if not name.startswith("val_")}
        if hasattr(self.model.optimizer, "learning_rate"):
            values["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            seconds, steps = (
                time.perf_counter() - self._epoch_began[0],
                self._iterations() - self._epoch_began[1],
            )
            values["steps_per_second"] = steps / seconds
        self._scalars("train", {f"epoch_{name}": value for name, value in values.items()}, epoch)
        validation = {name: value for name, value in (logs or {}).items() if name.startswith("val_")}
        if validation:
            self._scalars(
                "validation", {f"epoch_{name[4:]}": value for name, value in validation.items()}, epoch
            )
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            weight_events.weights(self._writer("train"), self.model, epoch, self.write_images)
            if self.gradients_on is not None:
                weight_events.gradients(self._writer("train"), self.model, epoch, self.gradients_on)

    def on_train_end(self, logs: Logs = None) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _due(self) -> bool:
        return self.update_freq != "epoch" and self._batches % self.update_freq == 0

    def _iterations(self) -> Any:
        return getattr(self.model.optimizer, "iterations", None)

    def _writer(self, part: str) -> Any:
        """The writer of <log_dir>/<part>, made when first needed."""
        if part not in self._writers:
            suffix = f".{os.getpid()}.{next(_numbers)}"
            folder = os.path.join(self._folder, part)
            self._writers[part] = _writer_class()(folder, flush_secs=FLUSH_SECONDS, filename_suffix=suffix)
        return self._writers[part]

    def _scalars(self, part: str, values: Mapping[str, Any], step: int) -> None:
        for tag, value in values.items():
            self._writer(part).add_scalar(tag, float(value), step)


def _writer_class() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "TensorBoard: the writer of event files is not installed; install it with: "
            'pip install "tinynet[tensorboard]"'
        ) from error
    return SummaryWriter
