"""Nadam."""

from typing import Any, Unpack

import numpy as np

from tinynet.autograd import Tensor
from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Nadam(Optimizer):
    """Adam with Nesterov's momentum; m and v as in Adam, then w <- w - eta m^ / (sqrt(v^) + epsilon), with

    mu_t = beta_1 (1 - 0.96^t / 2),  Pi_t = mu_1 ... mu_t,  v^ = v / (1 - beta_2^t),
    m^ = mu_{t+1} m / (1 - Pi_{t+1}) + (1 - mu_t) g / (1 - Pi_t).

    Dozat, "Incorporating Nesterov momentum into Adam" (2016). As in Keras 3 the schedule of mu is 0.96^t;
    Keras 2 and PyTorch slow it down to 0.96^(0.004 t).

    learning_rate is eta; beta_1 and beta_2 lie in [0, 1). weight_decay, clipnorm, clipvalue, global_clipnorm,
    use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Nadam(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.8937], dtype=float32)
    """

    _update_kernel = kernels.nadam

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
        self._add_slots("momentum", "velocity")
        self._product = np.array(1.0)  # Pi: one number for all variables
        self._state_variables.append(Tensor(self._product, name="u_product"))

    def _begin_update(self) -> None:
        self._product *= self.mu(self.iterations + 1)

    def mu(self, t: int) -> float:
        """The momentum of step t, which grows from half of beta_1 towards beta_1."""
        return self.beta_1 * (1 - 0.5 * 0.96**t)

    def _kernel_scalars(self, learning_rate: float) -> dict[str, float]:
        t = self.iterations + 1
        product, after = float(self._product), self.mu(t + 1)
        m_part, g_part = after / (1 - product * after), (1 - self.mu(t)) / (1 - product)
        return {
            "alpha": learning_rate * g_part,
            "ahead": m_part / g_part,
            "v_scale": 1 / (1 - self.beta_2**t),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
