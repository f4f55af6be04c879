"""TerminateOnNaN: ends training at the first loss that is no finite number."""

import math

from tinynet.callbacks.callback import Callback, Logs
from tinynet.console import say


class TerminateOnNaN(Callback):
    """Stops training after a batch whose loss is NaN or infinite, or raises RuntimeError with `raise_error`.

    Stopping runs on_train_end of all callbacks; the error does not, so that a backup stays.

    >>> history = model.fit(x, y * np.nan, epochs=5, verbose=0, callbacks=[TerminateOnNaN()])
    Batch 0: Invalid loss, terminating training
    >>> len(history.epoch)
    1
    """

    def __init__(self, raise_error: bool = False) -> None:
        self.raise_error = raise_error

    def _wants_values(self) -> bool:
        """Only when something is wrong: of the values of a batch the loss alone is looked at,
        which is cheap.
        """
        look = getattr(self.model, "_loss_so_far", None)
        return look is None or not math.isfinite(look())

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"TerminateOnNaN: the loss is {float(loss)} at batch {batch}; training ends here"
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
