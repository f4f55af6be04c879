"""Three questions that close the assignment "MNIST part 2", answered by computing.

    python examples/quiz.py
    python examples/quiz.py --rows S0-08

1. What are the advantages of a convolutional net over a fully connected one for images?
2. How many parameters have three 3x3 convolutions of 100, 200 and 400 filters, stride 2, padding "same", on
   colour images of 200x300 pixels?
3. What can be done when memory runs out while a net trains?
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinynet
from tinynet import layers, memory, plotting

from shared.rows import Notebook, Row
from shared.study import Study, parser

ROWS = (
    Row("S0-07", "Why convolutions for images?"),
    Row("S0-08", "Parameters of three convolutions", notebook=Notebook(params=903_400), params=903_400,
        remark="the notebook asks and does not answer; 903,400 is the sum by hand, "
        "(9 * 3 + 1) 100 + (9 * 100 + 1) 200 + (9 * 200 + 1) 400"),
    Row("S0-09", "Three ways out when memory runs out",
        remark="bytes that the repeated steps of a training hold: activations and their gradients"),
)  # fmt: skip


def why_convolutions() -> dict[str, Any]:
    """Few weights, since all places share them; and what moves in the image moves in the map."""
    dense = tinynet.Sequential([layers.Input((28, 28, 1)), layers.Flatten(), layers.Dense(100)])
    convolution = tinynet.Sequential([layers.Input((28, 28, 1)), layers.Conv2D(7, 3, padding="same")])
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 8:14, 8:14, 0] = np.random.default_rng(0).random((6, 6))
    moved = np.roll(image, (3, 5), axis=(1, 2))  # three down, five to the right
    maps, maps_of_moved = (convolution(x).numpy() for x in (image, moved))
    units, units_of_moved = (dense(x).numpy() for x in (image, moved))
    small = tinynet.Sequential([layers.Input((56, 56, 1)), layers.Conv2D(7, 3, padding="same")])
    return {
        "parameters of Dense(100) on 28x28": dense.count_params(),
        "parameters of Conv2D(7, 3) on 28x28": convolution.count_params(),
        "parameters of Conv2D(7, 3) on 56x56": small.count_params(),
        "pixels that one result of the convolution sees": 3 * 3,
        "does the map move with the image?": bool(
            np.allclose(np.roll(maps, (3, 5), axis=(1, 2)), maps_of_moved, atol=1e-6)
        ),
        "do the units of the dense layer stay?": bool(np.allclose(units, units_of_moved, atol=1e-3)),
    }


def three_convolutions(height: int = 200, width: int = 300) -> tinynet.Sequential:
    net = tinynet.Sequential([layers.Input((height, width, 3))])
    for filters in (100, 200, 400):
        net.add(layers.Conv2D(filters, 3, strides=2, padding="same"))
    return net


def count_parameters() -> dict[str, Any]:
    """Weights and biases of each layer, and the sizes of its maps: (H + 1) / 2, rounded down."""
    net = three_convolutions()
    values = {
        f"layer {number}": f"{layer.count_params():,} parameters, maps {layer.output.shape[1:]}"
        for number, layer in enumerate(net.layers, 1)
    }
    values["parameters on images of 32x32"] = three_convolutions(32, 32).count_params()
    return {"params": net.count_params(), "values": values}


def step_bytes(batch_size: int, filters: int = 16, stride: int = 1, **options: Any) -> int:
    """Bytes that the repeated steps of a small net's training hold."""
    tinynet.utils.set_random_seed(0)
    net = tinynet.Sequential([
        layers.Input((28, 28, 1)),
        layers.Conv2D(filters, 3, strides=stride, padding="same", activation="relu"),
        layers.Conv2D(filters, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    net.compile(tinynet.optimizers.SGD(0.1, **options), loss="sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    x, y = random.random((6 * batch_size, 28, 28, 1), np.float32), random.integers(0, 10, 6 * batch_size)
    net.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)
    return memory.usage(net)["steps"]


def accumulated_update() -> float:
    """Largest difference between the weights after one step of 64 samples, and after four of 16 whose
    gradients are collected.
    """
    random = np.random.default_rng(0)
    x, y = random.random((64, 20), np.float32), random.integers(0, 10, 64)
    kernels = []
    for batch_size, steps in ((64, None), (16, 4)):
        tinynet.utils.set_random_seed(0)
        net = tinynet.Sequential([layers.Input((20,)), layers.Dense(10, activation="softmax")])
        optimizer = tinynet.optimizers.SGD(0.5, gradient_accumulation_steps=steps)
        net.compile(optimizer, loss="sparse_categorical_crossentropy")
        net.fit(x, y, batch_size=batch_size, shuffle=False, epochs=1, verbose=0)
        kernels.append(net.get_weights()[0])
    return float(np.abs(kernels[0] - kernels[1]).max())


REMEDIES = {
    "as it is: 256 images, 16 filters": {"batch_size": 256},
    "a quarter of the batch": {"batch_size": 64},
    "stride 2 in the first layer": {"batch_size": 256, "stride": 2},
    "half the filters": {"batch_size": 256, "filters": 8},
}


def out_of_memory() -> dict[str, Any]:
    values: dict[str, Any] = {
        f"{name}: MiB": round(step_bytes(**settings) / 2**20, 1) for name, settings in REMEDIES.items()
    }
    images = np.zeros((256, 28, 28, 1))
    values["256 images in float32 and in float16: bytes"] = [
        images.astype(dtype).nbytes for dtype in ("float32", "float16")
    ]
    values["a batch of 64 against four of 16, collected: largest difference of a weight"] = (
        accumulated_update()
    )
    return values


def load(quick: bool = False) -> None:
    """Nothing: the quiz needs no images."""


def train(row: Row, data: Any, seed: int) -> dict[str, Any]:
    """The answer to a question."""
    if row.id == "S0-08":
        return count_parameters()
    return {"values": why_convolutions() if row.id == "S0-07" else out_of_memory()}


def picture(values: dict[str, Any]) -> Any:
    """Memory of each remedy."""
    found = {name: values[f"{name}: MiB"] for name in REMEDIES}
    return plotting.dots(
        found, xlabel="MiB that the steps of a training hold", title="When memory runs out",
        percent=False, log=True,
    )  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    study = Study("quiz", ROWS, parser(ROWS, __doc__ or "", "quiz").parse_args(argv))
    for row, seed in study.to_run():
        study.keep(row, seed, train(row, None, seed))
    for row in study.rows:
        for run in study.runs(row):
            print(f"\n{row.id} {row.title}: {run.get('params') or ''}")
            for name, value in run["values"].items():
                print(f"  {name}: {value}")
            if row.id == "S0-09":
                study.picture("memory", picture(run["values"]), ["S0-09"])
    study.write()


if __name__ == "__main__":
    main()
