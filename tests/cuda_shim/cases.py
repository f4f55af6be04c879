"""A few calls of every operation that has a CUDA kernel; together they reach every line of every `.cu` file.

    for operation, arrays, static in CASES: operation["cuda"](*arrays, **static)

`python -m cuda_shim.cases` runs them all, on the CPU.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

from tinynet.kernels import (
    activations,
    batch_norm,
    batch_norm_dropout,
    batching,
    batching_cuda,
    binary_crossentropy,
    by_value,
    common,
    conv2d,
    dense,
    dropout,
    embedding,
    gemm,
    group_norm,
    optimizers,
    padding,
    pool2d,
    reduce,
    resize,
    running_cuda,
    softmax,
    uniform,
    warp,
)
from tinynet.kernels import (
    normal as normal_numbers,
)

RNG = np.random.default_rng(0)
Case = tuple[Any, tuple[Any, ...], dict[str, Any]]


def same_numbers(family: Callable[[], Iterator[Case]]) -> Callable[[], list[Case]]:
    """The cases of a family, the same at each call."""

    def cases() -> list[Case]:
        RNG.bit_generator.state = np.random.default_rng(1).bit_generator.state
        return list(family())

    return cases


def normal(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


X, IMAGES = normal(33, 6, 5, 4), normal(40, 9, 9, 3)
GAMMA = normal(4)
NAN = np.where(RNG.random(IMAGES.shape) < 0.01, np.float32(np.nan), IMAGES)


@same_numbers
def of_dropout() -> Iterator[Case]:
    words = np.array([1, 2, 3], np.uint32)
    yield dropout.dropout, (X, words), {"rate": 0.4}
    yield dropout.dropout, (normal(150, 3), words), {"rate": 0.4}  # words of more than one block
    yield dropout.dropout, (X, words), {"rate": 0.4, "noise_shape": (None, 1, 1, None)}
    bits = dropout.dropout["numpy"](X, words, rate=0.4)[1]
    yield dropout.dropout_grad, (X, bits), {"rate": 0.4}


@same_numbers
def of_random_numbers() -> Iterator[Case]:
    words = np.array([1, 2, 3], np.uint32)
    yield normal_numbers.normal, (normal(70, 3), words), {}
    yield normal_numbers.normal, (normal(75, 3), words), {}
    yield uniform.uniform, (normal(70, 3), words), {}


@same_numbers
def of_pooling() -> Iterator[Case]:
    pool = {"pool_size": (3, 2), "strides": (2, 1), "padding": ((1, 1), (1, 0))}
    size = {"input_size": NAN.shape[1:3]}
    y, index = pool2d.max_pool2d["numpy"](NAN, **pool)
    yield pool2d.max_pool2d, (NAN,), pool
    yield pool2d.max_pool2d_grad, (normal(*y.shape), index), pool | size
    yield pool2d.max_pool2d_gather, (NAN, index), pool
    yield (
        pool2d.max_pool2d_gather,
        (NAN, np.full_like(index, 5)),
        pool,
    )  # the last cells, padding at the border
    yield pool2d.average_pool2d, (IMAGES,), pool
    yield pool2d.average_pool2d_grad, (normal(*y.shape),), pool | size
    wide = {"pool_size": (16, 16), "strides": (1, 1), "padding": ((8, 8), (8, 8))}  # indices of 32 bits
    y, index = pool2d.max_pool2d["numpy"](IMAGES, **wide)
    yield pool2d.max_pool2d_grad, (y, index), wide | size


@same_numbers
def of_batch_norm() -> Iterator[Case]:
    epsilon, mean, var = {"epsilon": 1e-3}, X.mean((0, 1, 2)), X.var((0, 1, 2))
    yield batch_norm.batch_norm, (X, GAMMA, GAMMA[::-1]), epsilon
    yield batch_norm.batch_norm_grad, (normal(*X.shape), X, GAMMA, mean, var), epsilon
    yield batch_norm.batch_norm_inference, (X, GAMMA, GAMMA[::-1], mean, var), epsilon
    many = normal(128, 9, 9, 2)  # several parts
    yield batch_norm.batch_norm, (many, GAMMA[:2], GAMMA[2:]), epsilon
    words, both = np.array([1, 2, 3], np.uint32), {**epsilon, "rate": 0.4}
    for x in (X, many, X.astype(np.float64)):
        gamma = GAMMA.astype(x.dtype)
        arrays = x, gamma[: x.shape[-1]], gamma[-x.shape[-1] :]
        yield batch_norm_dropout.batch_norm_dropout, (*arrays, words), both
        moving = normal(x.shape[-1]), normal(x.shape[-1])
        yield batch_norm.batch_norm, (*arrays, *moving), {**epsilon, "momentum": 0.9}
        _, mean, var, bits = batch_norm_dropout.batch_norm_dropout["numpy"](*arrays, words, **both)
        arrays = normal(*x.shape).astype(x.dtype), bits, x, gamma[: x.shape[-1]], mean, var
        yield batch_norm_dropout.batch_norm_dropout_grad, arrays, both


@same_numbers
def of_softmax() -> Iterator[Case]:
    z, labels = 3 * normal(40, 10), RNG.integers(-1, 11, 40)
    rows, p, g = np.eye(10, dtype=np.float32)[labels % 10], softmax.softmax["numpy"](z), normal(40)
    for axis in (1, 2):
        y = softmax.softmax["numpy"](X, axis=axis)
        yield softmax.softmax, (X,), {"axis": axis}
        yield softmax.softmax_grad, (normal(*X.shape), y), {"axis": axis}
    yield softmax.softmax, (normal(3, 300),), {}  # sums in double precision
    for t in (labels, rows):
        yield softmax.crossentropy, (p, t), {}
        yield softmax.crossentropy_grad, (g, p, t), {}
        for clip in (False, True):
            yield softmax.softmax_crossentropy, (z, t), {"clip": clip}
            yield softmax.softmax_crossentropy_grad, (g, p, t), {"clip": clip}


@same_numbers
def of_activations() -> Iterator[Case]:
    x = 3 * normal(7, 11)
    names = ("relu", "selu", "sigmoid", "tanh", "softplus", "softsign", "silu", "elu", "leaky_relu", "gelu")
    settings = {"elu": [{"alpha": 1.3}], "leaky_relu": [{"negative_slope": 0.2}]}
    settings["gelu"] = [{"approximate": False}, {"approximate": True}]
    for name in names:
        function, gradient = getattr(activations, name), getattr(activations, f"{name}_grad")
        for static in settings.get(name, [{}]):
            yield function, (x,), static
            yield gradient, (normal(7, 11), x), static


@same_numbers
def of_optimizers() -> Iterator[Case]:
    w, g, m = normal(5, 7), normal(5, 7), normal(5, 7) / 4
    v, peak = np.float32(0.2) + m * m, np.float32(0.25) + m * m
    rate, steps = {"learning_rate": 0.1}, {"alpha": 0.1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7}
    yield optimizers.sgd, (w, g), rate
    yield optimizers.sgd_momentum, (w, g, m), {**rate, "momentum": 0.9, "nesterov": True}
    yield optimizers.adagrad, (w, g, v), {**rate, "epsilon": 1e-7}
    for slots in ((v,), (v, m), (v, m, m / 2)):
        yield optimizers.rmsprop, (w, g, *slots), {**rate, "rho": 0.9, "momentum": 0.5, "epsilon": 1e-7}
    yield optimizers.adadelta, (w, g, v, peak), {**rate, "rho": 0.9, "epsilon": 1e-7}
    yield optimizers.adam, (w, g, m, v), steps
    yield optimizers.adam, (w, g, m, v, peak), steps
    yield optimizers.adamax, (w, g, m, v), steps
    yield optimizers.nadam, (w, g, m, v), {**steps, "ahead": 0.8, "v_scale": 1.5}
    yield optimizers.lion, (w, g, m), {**rate, "beta_1": 0.9, "beta_2": 0.99}
    yield from of_sweeps()


@same_numbers
def of_conv2d() -> Iterator[Case]:
    for groups, f, stride, dilation in ((1, 15, 1, 1), (3, 6, 2, 2)):
        static = {
            "strides": (stride, 1),
            "dilation": (dilation, 1),
            "padding": ((2, 1), (1, 1)),
            "groups": groups,
        }
        w, b = normal(3, 3, 3 // groups, f), normal(f)
        y = conv2d.conv2d["im2col"](IMAGES, w, b, **static)
        yield conv2d.conv2d, (IMAGES, w, b), {**static, "activation": "relu"}
        yield conv2d.conv2d_input_grad, (y, w), {**static, "input_size": (9, 9)}
        yield conv2d.conv2d_weight_grad, (IMAGES, y), {**static, "kernel_size": (3, 3)}
    yield conv2d.conv2d_activation_grad, (y, normal(*y.shape), "relu"), {}
    yield conv2d.conv2d_bias_grad, (y,), {}
    large = normal(64, 12, 28, 2)  # maps with enough tiles for warps that share none
    geometry = {"strides": (1, 1), "dilation": (1, 1), "padding": ((1, 1), (1, 1)), "groups": 1}
    yield conv2d.conv2d, (large, normal(3, 3, 2, 28)), geometry


@same_numbers
def of_dense() -> Iterator[Case]:
    x, w, b, g = normal(70, 9), normal(9, 17), normal(17), normal(70, 17)
    for activation in (None, "relu", "tanh"):
        y = dense.dense["numpy"](x, w, b, activation=activation)
        yield dense.dense, (x, w, b), {"activation": activation}
        yield dense.dense_grad, (g, x, w, y), {"activation": activation, "wanted": (True, True, True)}


@same_numbers
def of_gemm() -> Iterator[Case]:
    yield gemm.gemm, (normal(70, 9), normal(9, 75)), {}
    yield gemm.gemm, (normal(9, 70).T, normal(75, 9).T), {}  # columns that lie together
    yield gemm.gemm, (normal(3, 2, 300), normal(300, 5)), {}  # several parts
    yield gemm.gemm, (normal(30, 20), normal(2, 20, 3)), {}


@same_numbers
def of_sums() -> Iterator[Case]:
    for axis in (None, 0, (0, 1, 2), (1, 2, 3)):
        yield reduce.sum, (common.to_batch_last(X),), {"axis": axis}
    yield reduce.sum, (normal(5000, 3),), {"axis": 0, "keepdims": True}


@same_numbers
def of_embedding() -> Iterator[Case]:
    ids = RNG.integers(0, 9, (33, 4))
    yield embedding.embedding, (normal(9, 5), ids), {}
    yield embedding.embedding_grad, (normal(33, 4, 5), ids), {"rows": 9}
    ids = RNG.integers(0, 37, (70, 8))  # rows of two warps, several parts
    yield embedding.embedding_grad, (normal(70, 8, 33), ids), {"rows": 37}


@same_numbers
def of_group_norm() -> Iterator[Case]:
    for axes, centred in (((3,), True), ((1, 2), False)):
        static = {"axes": axes, "epsilon": 1e-3, "centred": centred}
        _, mean, var = group_norm.group_norm["numpy"](X, GAMMA, GAMMA, **static)
        yield group_norm.group_norm, (X, GAMMA, GAMMA), static
        yield group_norm.group_norm_grad, (normal(*X.shape), X, GAMMA, mean, var), static


class Function:
    """A plain function in the form of an operation: what it is on the CPU, and with a kernel.

    chooses   whether the former takes CuPy's arrays too, for which it launches the kernel
    """

    family, reference = "none", "numpy"

    def __init__(
        self, on_cpu: Callable[..., Any], with_kernel: Callable[..., Any], chooses: bool = False
    ) -> None:
        self.__name__, self._implementations = on_cpu.__name__, {"numpy": on_cpu, "cuda": with_kernel}
        self._called = on_cpu if chooses else with_kernel

    def __call__(self, *arrays: Any, **static: Any) -> Any:
        return self._called(*arrays, **static)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self._implementations[name]


def gather_with_kernel(data: np.ndarray, index: np.ndarray, *, dtype: str) -> np.ndarray:
    out = common.empty(data, (len(index), *data.shape[1:]), dtype)
    batching_cuda.gather(out, data, index)
    return out


def take_in(total: np.ndarray, count: np.ndarray, values: np.ndarray, weight: Any) -> None:
    """The definition."""
    total += (weight * values.astype(float)).sum()
    count += (weight * np.ones(values.shape)).sum()


def hits(labels: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The definition."""
    return (p.argmax(-1) == labels).astype(p.dtype)


@same_numbers
def of_running_numbers() -> Iterator[Case]:
    statistics = [normal(300) for _ in range(4)]
    yield Function(batch_norm.follow, running_cuda.follow, True), tuple(statistics), {"momentum": 0.9}
    carried, mean = (np.array(3.5), np.array(7.0)), Function(take_in, running_cuda.take_in)
    yield mean, (*carried, normal(300)), {"weight": 1.0}
    yield mean, (*carried, normal(300), normal(300)), {}
    yield mean, (*carried, np.array(0.5, np.float32)), {"weight": 32}
    p = RNG.integers(0, 3, (300, 4)).astype(np.float32)  # many equals
    p[::7, 2] = np.nan
    yield Function(hits, running_cuda.hits), (RNG.integers(0, 4, 300), p), {}


@same_numbers
def of_warp() -> Iterator[Case]:
    maps = RNG.normal(size=(40, 6)) * (1, 1, 6, 1, 1, 6) + (1, 0, 0, 0, 1, 0)
    for mode in warp.FILL_MODES:
        for interpolation in warp.INTERPOLATIONS:
            static = {"fill_mode": mode, "interpolation": interpolation}
            yield warp.warp, (IMAGES, maps), {**static, "fill_value": 0.5}
            yield warp.warp_grad, (IMAGES, maps), static


@same_numbers
def of_padding() -> Iterator[Case]:
    for widths in (((0, 0), (1, 2), (2, 1), (0, 0)), ((1, 1), (2, 1), (0, 1), (1, 1))):
        yield padding.pad, (X,), {"widths": widths, "value": 1.5}


@same_numbers
def of_resize() -> Iterator[Case]:
    for method in ("nearest", "bicubic"):
        yield resize.resize, (X,), {"size": (9, 7), "method": method}
        yield resize.resize_grad, (X,), {"input_size": (4, 9), "method": method}


@same_numbers
def of_batching() -> Iterator[Case]:
    data, index = RNG.integers(0, 256, (50, 7, 9)).astype(np.uint8), np.arange(-30, 37)
    yield Function(batching.gather, gather_with_kernel, True), (data, index), {"dtype": "float32"}


@same_numbers
def of_binary_crossentropy() -> Iterator[Case]:
    z, t = 3 * normal(33, 5), RNG.integers(0, 2, (33, 5)).astype(np.float32)
    yield binary_crossentropy.binary_crossentropy, (z, t), {}
    yield binary_crossentropy.binary_crossentropy_grad, (normal(33, 5), z, t), {}


class Swept:
    """A loop over all variables in the form of an operation: (numbers, *variables) -> None."""

    family, reference = "optimizers", "numba"

    def __init__(self, name: str, run: Callable[..., None]) -> None:
        self.__name__, self.run = name, run

    def __call__(self, *arrays: Any, **static: Any) -> None:
        self.run(*arrays, **static)

    def __getitem__(self, name: str) -> Any:
        return self.with_kernels if name == "cuda" else self

    def with_kernels(self, *arrays: Any, **static: Any) -> None:
        """The same on NumPy arrays, through the shim."""
        sweep, gpu = optimizers.sweep, lambda x: isinstance(x, np.ndarray)
        held = [a for a in arrays if isinstance(a, np.ndarray)]
        loops = {loop: partial(_also, run, held) for loop, run in sweep.on_gpu.items()}
        with mock.patch.object(common, "is_on_gpu", gpu), mock.patch.dict(sweep.on_gpu, loops):
            self.run(*arrays, **static)


def _also(run: Callable[..., None], held: list[np.ndarray], *args: Any) -> None:
    """run(*args), where the last one lists arrays that are found by their addresses: `held` too."""
    run(*args[:-1], [*held, *args[-1]]) if isinstance(args[-1], list) else run(*args)


def _swept(loop: Any, with_slot: bool, with_gradient: bool) -> Callable[..., None]:
    def run(w: Any, g: Any, slot: Any, c: Any) -> None:
        segments = optimizers.Segments([(w, slot) if with_slot else (w,)])
        segments.launch(loop, segments.table([g] if with_gradient else None), c)

    return run


def _clipped(a: Any, b: Any, g: Any, h: Any, limit: Any, *, together: bool) -> None:
    segments = optimizers.Segments([(a,), (b,)])
    optimizers.clip_by_norm(segments, segments.table([g, h]), limit, together)


def of_sweeps() -> Iterator[Case]:
    w, g, slot = normal(70, 71), normal(70, 71), normal(70, 71)
    for name, numbers in (
        ("decay", [0.1]), ("cut_off", [0.5]), ("collect", [2, 3, 1]), ("collect", [2, 3, 0]), ("clear", [0]),
        ("average", [0.9, 0.1, 0]), ("average", [0.9, 0.1, 1]),
    ):  # fmt: skip
        loop = getattr(optimizers.clipping if name == "cut_off" else optimizers, f"{name}_sweep")
        run = _swept(loop, name == "average", name in ("cut_off", "collect"))
        yield Swept(f"{name}_sweep", run), (w, g, slot, np.array(numbers, np.float32)), {}
    for together in (False, True):
        for h in (normal(5), np.array([1, np.inf, 0, 0, 0], np.float32)):
            arrays = np.full_like(w, np.nan), np.full_like(h, np.nan), g, h, np.array([3], np.float32)
            yield Swept("clip_by_norm", _clipped), arrays, {"together": together}


class Put:
    """by_value.put in the form of an operation."""

    __name__, family, reference = "put", "by_value", "numpy"

    def __call__(self, to: Any, *, numbers: np.ndarray) -> None:
        if common.is_on_gpu(to):
            by_value.put(to, numbers)
        else:
            to[...] = numbers

    def __getitem__(self, name: str) -> Any:
        return by_value.put if name == "cuda" else self


@same_numbers
def of_by_value() -> Iterator[Case]:
    yield Put(), (np.zeros(300),), {"numbers": np.arange(300.0)}
    yield Put(), (np.zeros((2, 3), np.float32),), {"numbers": normal(2, 3)}


FAMILIES = (
    of_dropout, of_pooling, of_batch_norm, of_softmax, of_activations, of_optimizers, of_conv2d, of_dense,
    of_gemm, of_sums, of_embedding, of_binary_crossentropy, of_batching, of_group_norm, of_by_value,
    of_warp, of_resize, of_padding, of_random_numbers, of_running_numbers,
)  # fmt: skip
CASES: list[Case] = [case for family in FAMILIES for case in family()]


def run(case: Case, name: str) -> list[np.ndarray]:
    """What an implementation returns, or makes of its arguments."""
    operation, arrays, static = case
    copies = [np.array(a) if isinstance(a, np.ndarray) else a for a in arrays]
    return outcome(operation, copies, operation[name](*copies, **static))


def outcome(operation: Any, arrays: list[Any], results: Any) -> list[Any]:
    """What an operation returned, or made of its arguments."""
    if results is None:
        results = tuple(arrays)
    elif operation is batch_norm.batch_norm and len(arrays) > 3:
        results = *results, *arrays[3:]  # the moving statistics
    return list(results) if isinstance(results, tuple) else [results]


if __name__ == "__main__":
    from cuda_shim import loading

    loading.install()
    for one in CASES:
        run(one, "cuda")
