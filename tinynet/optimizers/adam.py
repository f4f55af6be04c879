"""Adam and AdamW."""

import math
from typing import Any, Unpack

from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class Adam(Optimizer):
    """m <- m + (1-beta_1)(g - m); v <- v + (1-beta_2)(g^2 - v); w <- w - alpha_t m / (sqrt(v) + epsilon).

    alpha_t = eta sqrt(1 - beta_2^t) / (1 - beta_1^t), t = 1 at the first step. Kingma & Ba, "Adam: a method
    for stochastic optimization" (2015), in the order of section 2's last paragraph: epsilon stands beside the
    uncorrected root (their "epsilon hat"), so it is not the epsilon of algorithm 1 and of PyTorch. `amsgrad`
    divides by the largest v so far (Reddi et al., "On the convergence of Adam and beyond", 2018, algorithm
    2), the bias correction kept.

    learning_rate is eta; beta_1 and beta_2 lie in [0, 1). weight_decay, clipnorm, clipvalue, global_clipnorm,
    use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name and
    learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> Adam(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.9], dtype=float32)
    """

    _update_kernel = kernels.adam

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range(type(self).__name__, "beta_1", beta_1, "[0, 1)")
        check_range(type(self).__name__, "beta_2", beta_2, "[0, 1)")
        check_range(type(self).__name__, "epsilon", epsilon, "[0, inf)")
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("momentum", "velocity")
        if self.amsgrad:
            self._add_slots("velocity_hat")

    def _kernel_scalars(self, learning_rate: float) -> dict[str, float]:
        t = self.iterations + 1
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        return {"alpha": alpha, "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}


class AdamW(Adam):
    """w <- w - eta lambda w, then Adam's step: the decay does not pass through the moments.

    Loshchilov & Hutter, "Decoupled weight decay regularization" (2019), algorithm 2, line 12, with the
    schedule multiplier in eta; lambda is `weight_decay`. Every optimizer decays weights this way; here it is
    on by default.

    The other arguments (learning_rate, beta_1, beta_2, epsilon, amsgrad) are as in Adam; clipnorm, clipvalue,
    global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
    gradient_accumulation_steps, name and learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> AdamW(0.1, weight_decay=0.01).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.899], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **common: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a float, got None; without weight decay it is Adam")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **common)
