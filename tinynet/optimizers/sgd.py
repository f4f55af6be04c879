"""Stochastic gradient descent."""

from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate
from tinynet.optimizers.optimizer import Optimizer


class SGD(Optimizer):
    """w <- w - eta g; with momentum m <- beta m - eta g and w <- w + m,
    or w <- w + beta m - eta g if `nesterov`.

    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), equations
    1-4; the Nesterov form looks ahead with the new m, as Keras and PyTorch write it. Without momentum
    `nesterov` has no effect.

    learning_rate is eta, momentum beta, a float in 0 .. 1. weight_decay, clipnorm, clipvalue,
    global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
    gradient_accumulation_steps, name and learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> SGD(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.8], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        if not isinstance(momentum, float) or not 0.0 <= momentum <= 1.0:
            raise ValueError(f"SGD: momentum must be a float between 0 and 1, got {momentum!r}")
        self.momentum, self.nesterov = momentum, nesterov

    def build(self, variables: Any) -> None:
        super().build(variables)
        if self.momentum:
            self._add_slots("momentum")

    @property
    def _update_kernel(self) -> Any:  # type: ignore[override]
        return kernels.sgd_momentum if self.momentum else kernels.sgd
