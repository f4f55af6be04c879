"""Adamax."""

from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Adamax(Optimizer):
    """m <- m + (1-beta_1)(g - m); u <- max(beta_2 u, |g|); w <- w - eta / (1 - beta_1^t) m / (u + epsilon).

    Kingma & Ba, "Adam: a method for stochastic optimization" (2015), algorithm 2: Adam with the infinity
    norm. The paper has no epsilon; Keras adds it to u.

    learning_rate is eta; beta_1 and beta_2 lie in [0, 1). weight_decay, clipnorm, clipvalue, global_clipnorm,
    use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Adamax(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.9], dtype=float32)
    """

    _update_kernel = kernels.adamax

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range(type(self).__name__, "beta_1", beta_1, "[0, 1)")
        check_range(type(self).__name__, "beta_2", beta_2, "[0, 1)")
        check_range(type(self).__name__, "epsilon", epsilon, "[0, inf)")
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("momentum", "norm")

    def _kernel_scalars(self, learning_rate: float) -> dict[str, float]:
        alpha = learning_rate / (1 - self.beta_1 ** (self.iterations + 1))
        return {"alpha": alpha, "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
