"""Conv1D: the same small filters at every place of a sequence."""

from typing import Any

from tinynet import ops
from tinynet.layers.conv2d import Conv
from tinynet.layers.convolution import SEQUENCES


class Conv1D(Conv):
    """y = activation(x * W + b), the cross-correlation of sequences and filters,
    as a convolution of images of one row.

    y[n, i, f] = b[f] + sum over k, c of x[n, i S + k D - before, c] W[k, c, f]

    x (N, L, C), W (K, C / groups, F), b (F,); y (N, OL, F). Channels first: x (N, C, L), y (N, F, OL).
    Lengths as in Conv2D. Padding "causal" puts D (K - 1) zeros before the sequence and none behind it: y[i]
    depends on x[0], ..., x[i S] alone.

    filters   number F of output channels;  kernel_size   K
    strides, dilation_rate   S and D;  padding   "valid", "same" or "causal"
    data_format   "channels_last", "channels_first", or None for `config.image_data_format()`
    groups   the channels, and the filters, are divided into so many groups that do not see each other
    activation   None: y as it is; a name such as "relu", or a function;  use_bias   whether b is added
    kernel_initializer, bias_initializer   what the weights begin as
                                           (`tinynet.initializers`: a name or an object)
    kernel_regularizer, bias_regularizer   penalties on them, added to the loss (`tinynet.regularizers`)
    kernel_constraint, bias_constraint   what they are put back to after every update (`tinynet.constraints`)
    activity_regularizer, dtype, name, trainable   as in Layer

    >>> Conv1D(8, 3, padding="causal")(np.ones((2, 10, 4))).shape
    (2, 10, 8)
    """

    _input_rank = 3
    _input_words = SEQUENCES

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
