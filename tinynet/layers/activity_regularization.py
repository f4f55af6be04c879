"""ActivityRegularization: a penalty on what passes."""

from typing import Any, Unpack

from tinynet import regularizers
from tinynet.layers.base import Elementwise
from tinynet.layers.static_types import UnpenalisedArguments


class ActivityRegularization(Elementwise):
    """y = x; adds (l1 sum |x| + l2 sum x**2) / N to the loss of a batch of N samples.

    >>> layer = ActivityRegularization(l2=0.5)
    >>> _ = layer(np.ones((2, 3)))
    >>> [float(loss) for loss in layer.losses]
    [1.5]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[UnpenalisedArguments]) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = float(l1), float(l2)

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "activity_regularizer"}
