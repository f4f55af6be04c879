"""Adadelta."""

from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Adadelta(Optimizer):
    """a <- rho a + (1-rho) g^2; u = g sqrt(d + epsilon) / sqrt(a + epsilon);
    d <- rho d + (1-rho) u^2; w <- w - eta u.

    Zeiler, "ADADELTA: an adaptive learning rate method" (2012), algorithm 1.
    The paper has no learning rate: there it is 1.

    learning_rate is eta, rho lies in [0, 1]. weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
    ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Adadelta(1.0).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.9986], dtype=float32)
    """

    _update_kernel = kernels.adadelta

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range("Adadelta", "rho", rho)
        check_range("Adadelta", "epsilon", epsilon, "[0, inf)")
        self.rho, self.epsilon = rho, epsilon

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("accumulated_grad", "accumulated_delta_var")
