"""RMSprop."""

from typing import Any, Unpack

from tinynet.autograd import Parameter
from tinynet.kernels import optimizers as kernels
from tinynet.optimizers.arguments import Common, LearningRate, check_range
from tinynet.optimizers.optimizer import Optimizer


class RMSprop(Optimizer):
    """v <- rho v + (1-rho) g^2; u = eta g / sqrt(v + epsilon); w <- w - u.

    `centered`: a <- rho a + (1-rho) g, and v - a^2 + epsilon stands under the root.
    With momentum: m <- beta m + u;
    w <- w - m. Hinton, "Neural networks for machine learning", lecture 6e (2012); the centred form is Graves
    (2013), equations 38-45. Epsilon under the root is Keras's choice (PyTorch adds it to the root).

    learning_rate is eta, momentum beta; both rho and momentum lie in [0, 1]. weight_decay, clipnorm,
    clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, loss_scale_factor,
    gradient_accumulation_steps, name and learning_rate_multipliers are as in Optimizer.

    >>> w = tinynet.Parameter([1.0])
    >>> RMSprop(0.1).apply([np.array([2.0])], [w])
    >>> w.numpy().round(4)
    array([0.6838], dtype=float32)
    """

    _update_kernel = kernels.rmsprop

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(learning_rate, **common)
        check_range("RMSprop", "rho", rho)
        check_range("RMSprop", "momentum", momentum)
        check_range("RMSprop", "epsilon", epsilon, "[0, inf)")
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    def build(self, variables: Any) -> None:
        super().build(variables)
        self._add_slots("velocity")
        if self.momentum > 0:
            self._add_slots("momentum")
        if self.centered:
            self._add_slots("average_gradient")

    def _kernel_arrays(self, variable: Parameter) -> list[Any]:
        v, *others = self._slots_of(variable)
        m = others.pop(0) if self.momentum > 0 else None
        a = others.pop(0) if self.centered else None
        return [v, m, a]
