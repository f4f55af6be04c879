"""What the level `kernels` measures: convolutions of the project's nets and beyond,
and every other operation.

A case is {"op", "name", "group", "batch", **its numbers}. The groups of convolutions:

    nets      every convolution of Models 5 to 9, S2-03 and S3-03 to S3-06, at a batch of 128
    beyond    other kernels, strides and sizes, from a 1x1 map to 224x224
    batch     one convolution at batches from 1 to 512, with remainders
    channels  one map, 3x3 'same', from 1 to 256 channels (those that are not among the nets)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

Case = dict[str, Any]
# of a case in one library: {implementation: a function without arguments}
Calls = dict[str, Callable[[], Any]]

CONVOLUTIONS = ("conv2d", "conv2d_input_grad", "conv2d_weight_grad")
ALONG_CHANNELS = (1, 3, 7, 8, 10, 12, 14, 16, 20, 28, 32, 56, 64, 128, 256)
ALONG_BATCH = (1, 2, 5, 8, 16, 17, 32, 33, 64, 100, 256, 512)


class Conv(NamedTuple):
    """channels -> filters, kernel x kernel, on maps of height x width."""

    channels: int
    filters: int
    kernel: int
    height: int
    width: int
    padding: str = "valid"
    stride: int = 1

    @property
    def name(self) -> str:
        size = f"{self.height}" if self.height == self.width else f"{self.height}x{self.width}"
        stride = f"/{self.stride}" if self.stride > 1 else ""
        return f"{self.channels}->{self.filters} {self.kernel}x{self.kernel}{stride} {self.padding} @{size}"

    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """((top, bottom), (left, right)), the odd pixel at the end."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        totals = [
            max((-(-n // self.stride) - 1) * self.stride + self.kernel - n, 0)
            for n in (self.height, self.width)
        ]
        return (totals[0] // 2, totals[0] - totals[0] // 2), (totals[1] // 2, totals[1] - totals[1] // 2)

    def output(self) -> tuple[int, int]:
        sizes = zip((self.height, self.width), self.pads(), strict=True)
        height, width = ((n + sum(pad) - self.kernel) // self.stride + 1 for n, pad in sizes)
        return height, width

    def flops(self, batch: int) -> int:
        """Executed: taps that fall outside the map are not counted."""
        rows, columns = (
            sum(0 <= o * self.stride + k - pad[0] < n for o in range(out) for k in range(self.kernel))
            for n, out, pad in zip((self.height, self.width), self.output(), self.pads(), strict=True)
        )
        return 2 * batch * self.channels * self.filters * rows * columns

    def bytes(self, batch: int) -> int:
        """Image, weights and output, each touched once."""
        oh, ow = self.output()
        pixels = self.height * self.width * self.channels + oh * ow * self.filters
        return 4 * (batch * pixels + self.kernel**2 * self.channels * self.filters)


def same(channels: int, filters: int, size: int, kernel: int = 3) -> Conv:
    return Conv(channels, filters, kernel, size, size, "same")


def valid(channels: int, filters: int, size: int, kernel: int = 3, stride: int = 1) -> Conv:
    return Conv(channels, filters, kernel, size, size, "valid", stride)


NETS = [
    # Models 5 to 9
    same(1, 7, 28), same(7, 7, 28), same(7, 14, 14), same(14, 14, 14), same(14, 28, 7), same(28, 28, 7),
    same(28, 56, 3),
    same(56, 56, 3),
    # S2-03
    same(1, 32, 28), same(32, 64, 14),
    # S3-03
    valid(1, 12, 28), valid(12, 20, 26), valid(20, 10, 24, 1), valid(10, 16, 12), valid(16, 16, 10),
    valid(16, 16, 8),
    valid(16, 16, 6), valid(16, 10, 4, 4),
    # S3-04
    valid(1, 8, 28), valid(8, 16, 26), valid(16, 32, 24), valid(32, 10, 22, 1), valid(10, 16, 11),
    valid(16, 32, 9),
    valid(32, 10, 7, 1), valid(10, 20, 7), valid(20, 10, 5, 5),
    # S3-05, S3-06
    valid(1, 10, 28), valid(10, 16, 26), valid(10, 20, 24), valid(20, 10, 11), valid(16, 10, 7, 1),
    valid(16, 10, 3),
    valid(1, 64, 28), valid(64, 10, 26, 1), valid(16, 16, 24),
]  # fmt: skip
BEYOND = [
    (same(3, 32, 32), 128), (Conv(16, 32, 3, 28, 28, "same", 2), 128), (valid(16, 32, 28, 4, 2), 128),
    (same(32, 32, 14, 5), 128), (valid(64, 128, 28, 1, 2), 32), (valid(64, 64, 56, 1), 32),
    (same(64, 64, 56), 16),
    (Conv(64, 128, 3, 56, 56, "same", 2), 16), (same(128, 128, 28), 32), (same(256, 256, 14), 32),
    (valid(256, 256, 7, 1), 128), (valid(256, 256, 1, 1), 512), (same(3, 16, 224), 1),
    (valid(3, 32, 224, 5, 2), 8),
    (Conv(3, 100, 3, 200, 300, "same", 2), 4), (Conv(100, 200, 3, 100, 150, "same", 2), 4),
]  # fmt: skip


def convolutions() -> list[tuple[str, Conv, int]]:
    """(group, convolution, batch) of all of them."""
    return [
        *(("nets", conv, 128) for conv in NETS),
        *(("beyond", conv, batch) for conv, batch in BEYOND),
        *(("batch", same(14, 14, 14), batch) for batch in ALONG_BATCH),
        *(("channels", same(c, c, 14), 128) for c in ALONG_CHANNELS if same(c, c, 14) not in NETS),
    ]


def _conv_cases() -> list[Case]:
    return [
        {"op": op, "name": conv.name, "group": group, "batch": batch, "conv": list(conv),
         "flops": conv.flops(batch), "bytes": conv.bytes(batch)}
        for group, conv, batch in convolutions()
        for op in CONVOLUTIONS
    ]  # fmt: skip


def _map_case(
    op: str, group: str, batch: int, shape: tuple[int, ...], touched: float, flops: float = 1.0, **more: Any
) -> Case:
    """An operation on maps or vectors; `touched` arrays of that size are read or written,
    `flops` for each element.
    """
    size = batch
    for length in shape:
        size *= length
    name = "x".join(map(str, shape))
    case = {"op": op, "name": name, "group": group, "batch": batch, "shape": list(shape), **more}
    return {**case, "flops": flops * size, "bytes": 4 * touched * size}


ACTIVATIONS = ("relu", "elu", "selu", "sigmoid", "tanh", "softplus", "silu", "gelu")


def _map_cases(batch: int) -> list[Case]:
    """Pooling, batch normalisation, dropout, activations,
    loss. A pooling index is a byte: a quarter of a float.
    """
    cases = []
    for shape in ((28, 28, 7), (14, 14, 14), (24, 24, 10), (28, 28, 32)):
        cases += [_map_case(op, "pooling", batch, shape, 1.3125) for op in ("max_pool2d", "max_pool2d_grad")]
    cases += [
        _map_case(op, "pooling", batch, (28, 28, 7), 1.25) for op in ("average_pool2d", "average_pool2d_grad")
    ]
    for shape in ((14, 14, 7), (26, 26, 12), (28, 28, 32), (100,)):
        cases.append(_map_case("batch_norm", "batch norm", batch, shape, 2, 7))
        cases.append(_map_case("batch_norm_grad", "batch norm", batch, shape, 3, 10))
    for shape in ((14, 14, 7), (26, 26, 12), (100,)):
        cases += [_map_case(op, "dropout", batch, shape, 2) for op in ("dropout", "dropout_grad")]
    for name in ACTIVATIONS:
        for shape in ((28, 28, 7), (100,)):
            cases.append(_map_case(name, "activations", batch, shape, 2))
            cases.append(_map_case(f"{name}_grad", "activations", batch, shape, 3))
    loss = ("softmax_crossentropy", "softmax_crossentropy_grad")
    return cases + [_map_case(op, "loss", batch, (10,), 2, 10) for op in loss]


DENSE = ((784, 200), (200, 200), (3072, 100), (100, 100), (3136, 512), (512, 10))


def _dense_cases(batch: int) -> list[Case]:
    """The layer's product, and its two gradients together: twice the work, with dx and dw to write."""
    return [
        {"op": op, "name": f"{k}->{m}", "group": "dense", "batch": batch, "inputs": k, "units": m,
         "flops": 2 * products * batch * k * m, "bytes": 4 * (batch * (products * k + m) + products * k * m)}
        for k, m in DENSE
        for op, products in (("dense", 1), ("dense_grad", 2))
    ]  # fmt: skip


SLOTS = {"sgd": 0, "adam": 2, "rmsprop": 1, "adagrad": 1, "adamax": 2, "nadam": 2}


def _optimizer_cases() -> list[Case]:
    return [
        _map_case(op, "optimizers", 1, (size,), 3 + 2 * slots, 2 + 4 * slots)
        for size in (100_000, 1_600_000)
        for op, slots in SLOTS.items()
    ]


def cases() -> list[Case]:
    """All of them, convolutions first."""
    others = [case for batch in (32, 128) for case in _map_cases(batch) + _dense_cases(batch)]
    return _conv_cases() + others + _optimizer_cases()
