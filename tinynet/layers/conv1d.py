"""Conv1D: the same small filters at every place of a sequence."""

from typing import Any

from tinynet import ops
from tinynet.layers.conv2d import Conv
from tinynet.layers.convolution import SEQUENCES


class Conv1D(Conv):
    """y = activation(x * W + b), the cross-correlation of sequences and filters, as a convolution of images of one row.

    y[n, i, f] = b[f] + sum over k, c of x[n, i S + k D - before, c] W[k, c, f]

    x (N, L, C), W (K, C / groups, F), b (F,); y (N, OL, F). Channels first: x (N, C, L), y (N, F, OL). Lengths as in Conv2D.
    Padding "causal" puts D (K - 1) zeros before the sequence and none behind it: y[i] depends on x[0], ..., x[i S] alone.
    """

    rank = 3
    expects = SEQUENCES

    def call(self, x: Any) -> Any:
        y = ops.conv1d(
            x,
            self.kernel,
            self.bias,
            strides=self.strides[0],
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate[0],
            groups=self.groups,
            activation=self.fused(),
        )
        return self.activated(y)
