"""Lion."""

from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Lion(Optimizer):
    """w <- w - eta sign(beta_1 m + (1-beta_1) g); then m <- beta_2 m + (1-beta_2) g.

    Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2; its weight decay is
    `weight_decay`. Every element moves by eta, which should therefore be a third to a tenth of Adam's.

    learning_rate is eta; beta_1 lies in (0, 1], beta_2 in [0, 1]. clipnorm, clipvalue, global_clipnorm,
    use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Lion(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.9], dtype=float32)
    """

    _update_kernel = kernels.lion

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range("Lion", "beta_1", beta_1, "(0, 1]")
        check_range("Lion", "beta_2", beta_2)
        self.beta_1, self.beta_2 = beta_1, beta_2

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("momentum")
