"""Adagrad."""

from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Adagrad(Optimizer):
    """s <- s + g^2; w <- w - eta g / sqrt(s + epsilon), s starting at `initial_accumulator_value`.

    Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization" (2011). The
    start at 0.1 and epsilon under the root are Keras's.

    learning_rate is eta. weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum,
    ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Adagrad(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.9012], dtype=float32)
    """

    _update_kernel = kernels.adagrad

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range("Adagrad", "initial_accumulator_value", initial_accumulator_value, "[0, inf)")
        check_range("Adagrad", "epsilon", epsilon, "[0, inf)")
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("accumulator", start=self.initial_accumulator_value)
