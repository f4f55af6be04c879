"""Three questions about convolutional nets, answered by computing.

    python examples/quiz.py --quick        (a few seconds; without --quick it is the same)

1. What are the advantages of a CNN over a fully connected net for images?
2. Three 3x3 convolutions of 100, 200 and 400 filters, stride 2, "same" padding, on RGB images of 200x300: how
   many parameters?
3. The GPU runs out of memory while a CNN trains: name at least three ways out.

The notebook asks and does not answer. Bytes are those that tinynet.memory.summary shows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinynet import Sequential, layers, memory, optimizers, plotting, utils

from shared.data import load as images_of
from shared.printed import show
from shared.rows import Row
from shared.study import Study, parser

NAME = "quiz"
CANVAS, MOVE = 40, (5, -4)  # a digit of 28x28 pixels in the middle of so many; rows down, columns right
IMAGE = (40, 60, 3)  # a fifth of 200x300 each way, for the third question
FILTERS = (100, 200, 400)
MIB = 2**20

ROWS = (
    Row(
        "S0-07", "why convolutions?", seeds=0,
        expected={"parameters of 100 dense units on 28x28": 785 * 100,
                  "parameters of 7 filters of 3x3": 10 * 7},
    ),
    Row(
        "S0-08", "how many parameters?", params=903_400, seeds=0, remark="whatever stride and image size",
        expected={"parameters, layer 1": 28 * 100, "parameters, layer 2": 901 * 200,
                  "parameters, layer 3": 1801 * 400, "map, layer 3": "25x38x400"},
    ),
    Row("S0-09", "out of memory: what now?", seeds=0, remark="several GPUs help too; tinynet uses one"),
)  # fmt: skip


def load(quick: bool) -> np.ndarray:
    """An embedded digit in the middle of a black canvas (1, 40, 40, 1), from 0 to 1."""
    (x, _), _ = images_of("mnist", quick=True)
    canvas, edge = np.zeros((1, CANVAS, CANVAS, 1), "float32"), (CANVAS - 28) // 2
    canvas[0, edge:-edge, edge:-edge, 0] = x[0] / 255
    return canvas


def moved(images: np.ndarray) -> np.ndarray:
    return np.roll(images, MOVE, axis=(1, 2))


# --- 1. fewer parameters, local, and what moves in the image moves in the map


def why_convolutions(canvas: np.ndarray) -> dict[str, Any]:
    """The same weights at every place: 70 in place of 78,500, and a digit is recognised wherever it is."""
    dense_28, convolution_28 = layers.Dense(100), layers.Conv2D(7, 3)
    dense_28.build((None, 28 * 28))
    convolution_28.build((None, 28, 28, 1))
    convolution, dense = layers.Conv2D(7, 3, padding="same"), layers.Dense(100)
    flat = layers.Flatten()

    def map_of(images: np.ndarray) -> np.ndarray:
        return np.asarray(convolution(images).numpy())

    def units_of(images: np.ndarray) -> np.ndarray:
        return np.asarray(dense(flat(images)).numpy())

    dot = canvas.copy()
    dot[0, CANVAS // 2, CANVAS // 2, 0] += 1  # one pixel is another
    return {
        "parameters of 100 dense units on 28x28": dense_28.count_params(),
        "parameters of 7 filters of 3x3": convolution_28.count_params(),
        "map of the moved digit - moved map": difference(map_of(moved(canvas)), moved(map_of(canvas))),
        "strongest answer of each filter, moved - not": difference(
            map_of(moved(canvas)).max((1, 2)), map_of(canvas).max((1, 2))
        ),
        "dense units, moved digit - digit": difference(units_of(moved(canvas)), units_of(canvas)),
        "places of a map that see one pixel": changed(map_of(dot)[..., 0], map_of(canvas)[..., 0]),
        "dense units that see one pixel": changed(units_of(dot), units_of(canvas)),
    }


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest, in units of the largest value."""
    return float(f"{np.abs(a - b).max() / np.abs(b).max():.2g}")


def changed(a: np.ndarray, b: np.ndarray) -> int:
    return int((a != b).sum())


# --- 2. 9 weights for each pair of channels, and a bias for each filter


def three_convolutions(shape: Sequence[int], filters: Sequence[int] = FILTERS, stride: int = 2) -> Any:
    """The convolutions of the second question on images of a shape."""
    net = Sequential([layers.Input(shape)])
    for count in filters:
        net.add(layers.Conv2D(count, 3, strides=stride, padding="same"))
    return net


def how_many_parameters() -> dict[str, Any]:
    """9 x 3 x 100 + 100, 9 x 100 x 200 + 200, 9 x 200 x 400 + 400. 75 columns at stride 2 give 38."""
    net = three_convolutions((200, 300, 3))
    net.summary()
    values: dict[str, Any] = {}
    for number, layer in enumerate(net.layers, 1):
        values[f"parameters, layer {number}"] = layer.count_params()
        values[f"map, layer {number}"] = "x".join(map(str, layer.output.shape[1:]))
    return values


# --- 3. what takes the memory: the activations of a batch, which the backward pass needs again


def bytes_of_training(batch: int, filters: Sequence[int] = FILTERS, stride: int = 2) -> dict[str, int]:
    """What a net holds after a few steps with a batch: parameters, optimizer, steps, data."""
    net = three_convolutions(IMAGE, filters, stride)
    net.add(layers.GlobalAveragePooling2D())
    net.add(layers.Dense(10, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy")
    x, y = np.zeros((batch, *IMAGE), "float32"), np.zeros(batch, "int32")
    for _ in range(3):  # from the third on the same recorded step is repeated
        net.train_on_batch(x, y)
    memory.summary(net, x, y)
    return memory.usage(net, x, y)


def accumulated(batch: int, times: int) -> list[np.ndarray]:
    """The weights after one update: from `times` batches, each of `batch` images."""
    utils.set_random_seed(0)
    net = Sequential([layers.Input(IMAGE), layers.Conv2D(4, 3, strides=2), layers.Flatten(), layers.Dense(1)])
    steps = times if times > 1 else None
    net.compile(optimizers.SGD(0.01, gradient_accumulation_steps=steps), "mse")
    generator = np.random.default_rng(0)
    x = generator.random((batch * times, *IMAGE), "float32")
    y = generator.random((batch * times, 1), "float32")
    for start in range(0, len(x), batch):
        net.train_on_batch(x[start : start + batch], y[start : start + batch])
    return net.get_weights()


def out_of_memory() -> dict[str, Any]:
    cases: dict[str, dict[str, Any]] = {
        "batch of 32": {"batch": 32},
        "smaller batch, 8": {"batch": 8},
        "smaller batch, 2": {"batch": 2},
        "batch of 2, stride 1": {"batch": 2, "stride": 1},
        "batch of 8, half the filters": {"batch": 8, "filters": [count // 2 for count in FILTERS]},
        "batch of 8, a layer less": {"batch": 8, "filters": FILTERS[:2]},
    }
    values: dict[str, Any] = {}
    for name, options in cases.items():
        print(f"  {name}")
        found = bytes_of_training(**options)
        values[f"MiB of a step, {name}"] = round(found["steps"] / MIB, 2)
        values[f"MiB of the net, {name}"] = round((found["parameters"] + found["optimizer"]) / MIB, 2)
    for kind in ("float32", "float16", "uint8"):  # tinynet keeps images in 16 or 8 bits, and computes in 32
        images = np.zeros((100, 200, 300, 3), kind)
        values[f"MiB of 100 images, {kind}"] = round(memory.usage(None, images)["data"] / MIB, 2)
    large, small = accumulated(32, 1), accumulated(8, 4)
    values["update of 4 batches of 8 - of one of 32"] = max(map(difference, small, large))
    return values


# --- the rows


def train(row: Row, data: np.ndarray, seed: int) -> dict[str, Any]:
    """The answers to a question."""
    utils.set_random_seed(seed)
    if row.id == "S0-07":
        return {"values": why_convolutions(data)}
    if row.id == "S0-08":
        return {"values": how_many_parameters(), "params": three_convolutions((200, 300, 3)).count_params()}
    return {"values": out_of_memory()}


def maps(canvas: np.ndarray) -> Any:
    """The digit and its map, before and after the move."""
    edges = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]], "float32").reshape(3, 3, 1, 1)
    convolution = layers.Conv2D(1, 3, padding="same")
    convolution.build(canvas.shape)
    convolution.set_weights([edges, np.zeros(1, "float32")])
    both = [canvas, moved(canvas)]
    pictures = [images for each in both for images in (each[0], np.asarray(convolution(each).numpy())[0])]
    titles = ["digit", "its map", "moved digit", "its map"]
    return plotting.gallery(np.stack(pictures), titles, columns=4, title="What moves, moves in the map")


def main(argv: Sequence[str] | None = None) -> None:
    study = Study(NAME, ROWS, parser(ROWS, __doc__, NAME).parse_args(argv))
    data = load(study.quick)
    for row, seed in study.to_run():
        record = train(row, data, seed)
        study.keep(row, seed, record)
        show(record["values"])
    runs = {row.id: study.runs(row)[0]["values"] for row in study.rows}
    if "S0-07" in runs:
        study.picture("quiz_maps", maps(data), ["S0-07"])
    if "S0-09" in runs:
        start = "MiB of a step, "
        found = runs["S0-09"].items()
        steps = {name.removeprefix(start): size for name, size in found if name.startswith(start)}
        xlabel = "MiB that the steps hold (activations and gradients)"
        figure = plotting.dots(steps, xlabel=xlabel, percent=False, log=True, title="What a batch takes")
        study.picture("quiz_memory", figure, ["S0-09"])
    study.write()


if __name__ == "__main__":
    main()
