"""fit_generator, evaluate_generator and predict_generator: Keras 1 counted samples in them,
Keras 2 batches.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any

from tinynet.compat.methods import OlderModel
from tinynet.compat.reading import ignore, renamed, whole
from tinynet.compat.warn import old
from tinynet.tree import leaves


class Keras1Model(OlderModel):
    """Generators' samples are counted."""

    def train_on_batch(
        self, x: Any, y: Any = None, class_weight: Any = None, sample_weight: Any = None, **older: Any
    ) -> Any:
        """Today's train_on_batch; class_weight came before sample_weight."""
        ignore("train_on_batch", older)
        return super().train_on_batch(x, y, sample_weight, class_weight, **older)  # type: ignore[misc]

    def fit_generator(
        self,
        generator: Any,
        samples_per_epoch: int,
        nb_epoch: int,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        nb_val_samples: int | None = None,
        class_weight: Any = None,
        max_q_size: int = 10,
        nb_worker: int = 1,
        pickle_safe: bool = False,
        initial_epoch: int = 0,
        **older: Any,
    ) -> Any:
        """fit on a generator, for as many batches an epoch as have `samples_per_epoch` samples."""
        ignore("fit_generator", older)
        steps, generator = steps_of(samples_per_epoch, generator)
        validation = None
        if nb_val_samples is not None and not isinstance(validation_data, tuple):
            validation, validation_data = steps_of(nb_val_samples, validation_data)
        old(
            f"fit_generator(generator, {samples_per_epoch}, nb_epoch)",
            f"fit(generator, steps_per_epoch={steps}, epochs=...)",
        )
        return self.fit(
            generator, epochs=nb_epoch, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
            class_weight=class_weight, initial_epoch=initial_epoch, steps_per_epoch=steps,
            validation_steps=validation, **older,
        )  # fmt: skip

    def evaluate_generator(self, generator: Any, val_samples: int, *settings: Any, **older: Any) -> Any:
        """evaluate on a generator, for as many batches as have `val_samples` samples."""
        ignore("evaluate_generator", older)
        steps, generator = steps_of(val_samples, generator)
        old(f"evaluate_generator(generator, {val_samples})", f"evaluate(generator, steps={steps})")
        return self.evaluate(generator, verbose=0, steps=steps, **older)

    def predict_generator(self, generator: Any, val_samples: int, *settings: Any, **older: Any) -> Any:
        """predict on a generator, for as many batches as have `val_samples` samples."""
        ignore("predict_generator", older)
        steps, generator = steps_of(val_samples, generator)
        old(f"predict_generator(generator, {val_samples})", f"predict(generator, steps={steps})")
        return self.predict(generator, steps=steps, **older)


class Keras2Model(OlderModel):
    """Generators' batches are counted; Keras 1's arguments, by name, count samples."""

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: Any = None,
        epochs: int | None = None,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: Any = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **older: Any,
    ) -> Any:
        """fit on a generator, for `steps_per_epoch` batches an epoch."""
        old("fit_generator(generator, ...)", "fit(generator, ...)")
        epochs = renamed("fit_generator", "nb_epoch", older, epochs, "epochs")
        steps, generator = steps_given(
            "fit_generator", "samples_per_epoch", older, steps_per_epoch, generator
        )
        validation, validation_data = steps_given(
            "fit_generator", "nb_val_samples", older, validation_steps, validation_data
        )
        ignore("fit_generator", older)
        return self.fit(
            generator, epochs=epochs, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
            class_weight=class_weight, initial_epoch=initial_epoch, steps_per_epoch=steps,
            validation_steps=validation, validation_freq=validation_freq, **older,
        )  # fmt: skip

    def evaluate_generator(
        self,
        generator: Any,
        steps: Any = None,
        callbacks: Any = None,
        *settings: Any,
        verbose: Any = 0,
        **older: Any,
    ) -> Any:
        """evaluate on a generator, for `steps` batches."""
        old("evaluate_generator(generator, ...)", "evaluate(generator, ...)")
        steps, generator = steps_given("evaluate_generator", "val_samples", older, steps, generator)
        return self.evaluate(generator, verbose=verbose, steps=whole(steps), callbacks=callbacks, **older)

    def predict_generator(
        self,
        generator: Any,
        steps: Any = None,
        callbacks: Any = None,
        *settings: Any,
        verbose: Any = 0,
        **older: Any,
    ) -> Any:
        """predict on a generator, for `steps` batches."""
        old("predict_generator(generator, ...)", "predict(generator, ...)")
        steps, generator = steps_given("predict_generator", "val_samples", older, steps, generator)
        return self.predict(generator, verbose=verbose, steps=whole(steps), callbacks=callbacks, **older)


def steps_of(samples: int, generator: Any) -> tuple[int, Any]:
    """(batches that have `samples` samples, the generator): by its batch size,
    or by the length of its first batch.
    """
    size = getattr(generator, "batch_size", None)
    if size is None and isinstance(generator, Iterator):
        batch = next(generator)
        size, generator = _length(batch), itertools.chain([batch], generator)
    elif size is None:
        size = _length(generator[0] if hasattr(generator, "__getitem__") else next(iter(generator)))
    return max(math.ceil(samples / size), 1), generator


def _length(batch: Any) -> int:
    return len(next(leaves(batch[0] if isinstance(batch, tuple) else batch)))


def steps_given(who: str, samples: str, older: dict[str, Any], steps: Any, generator: Any) -> tuple[Any, Any]:
    """(steps, the generator), the steps by the number of samples if that is what was given."""
    if samples not in older:
        return whole(steps), generator
    count = older.pop(samples)
    if isinstance(generator, tuple) or count is None:  # arrays are validated on as a whole
        return whole(steps), generator
    found, generator = steps_of(count, generator)
    old(f"{who}({samples}={count})", f"a number of batches, {found}")
    return found, generator
