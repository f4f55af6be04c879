"""LambdaCallback: a callback made of functions."""

from collections.abc import Callable
from typing import Any

from tinynet.callbacks.callback import Callback


class LambdaCallback(Callback):
    """Calls the functions given by keyword: on_epoch_begin(epoch, logs), on_epoch_end(epoch, logs),
    on_train_begin(logs), on_train_end(logs), on_train_batch_begin(batch, logs), on_train_batch_end(batch,
    logs), or any other hook of Callback.

    As in Keras, a keyword that is no hook becomes an attribute.
    Raises TypeError for a hook that cannot be called.

    >>> says = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, list(logs)))
    >>> history = model.fit(x, y, epochs=2, verbose=0, callbacks=[says])
    0 ['loss']
    1 ['loss']
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **attributes: Any,
    ) -> None:
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name in [name for name in attributes if hasattr(Callback, name)]:
            hooks[name] = attributes.pop(name)
        hooks = {name: hook for name, hook in hooks.items() if hook is not None}
        for name, hook in hooks.items():
            if not callable(hook):
                raise TypeError(f"LambdaCallback: {name} must be a function, got {hook!r}")
        # An attribute of the instance hides the method of the class.
        vars(self).update({**attributes, **hooks})
