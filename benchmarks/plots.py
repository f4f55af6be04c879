"""Pictures of a file of results: bars for each net, a roofline,
and how speed scales with batch, channels and threads.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .nets import NETS
from .process import TITLES
from .roof import floor

Record = dict[str, Any]
COLOURS = {"tinynet": "#d1495b", "torch": "#edae49", "keras-tensorflow": "#00798c", "keras-jax": "#6c8ead"}
MARKS = {"conv2d": "o", "conv2d_input_grad": "s", "conv2d_weight_grad": "^"}
WORDS = {"conv2d": "forward", "conv2d_input_grad": "input gradient", "conv2d_weight_grad": "weight gradient"}


def fastest(
    records: list[Record], *key: str, value: Callable[[Record], float]
) -> dict[tuple[Any, ...], Record]:
    """For each combination of the fields `key` the record of the smallest value."""
    best: dict[tuple[Any, ...], Record] = {}
    for record in records:
        place = tuple(record[name] for name in key)
        if place not in best or value(record) < value(best[place]):
            best[place] = record
    return best


def step(record: Record) -> float:
    return record["step_s"]["median"]


def seconds(record: Record) -> float:
    return record["seconds"]["median"]


def draw(content: dict[str, Any], folder: Path) -> list[Path]:
    """Draws what the file has results for; the pictures' paths."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({
        "figure.dpi": 110, "savefig.dpi": 110, "font.size": 10, "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True, "grid.color": "#e6e6e6", "axes.axisbelow": True, "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "figure.constrained_layout.use": True, "legend.frameon": False,
    })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, (level, paint) in PICTURES.items():
        records = content["levels"].get(level, [])
        figure = paint(plt, records, content) if records else None
        if figure is not None:
            made.append(folder / f"{name}.png")
            figure.savefig(made[-1])
            plt.close(figure)
    return made


def bars(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """Milliseconds a step of each library's fastest mode,
    one panel for each batch size, a group for each net.
    """
    best = fastest(records, "net", "batch", "library", value=step)
    batches = sorted({batch for _, batch, _ in best})
    nets = [net for net in NETS if any(net == n for n, _, _ in best)]
    libraries = [name for name in TITLES if any(name == library for _, _, library in best)]
    figure, axes = plt.subplots(len(batches), 1, figsize=(10, 3.4 * len(batches)), squeeze=False)
    width = 0.8 / len(libraries)
    for ax, batch in zip(axes[:, 0], batches, strict=True):
        for i, library in enumerate(libraries):
            found = [
                (x, step(best[net, batch, library]))
                for x, net in enumerate(nets)
                if (net, batch, library) in best
            ]
            places = [x + (i - (len(libraries) - 1) / 2) * width for x, _ in found]
            drawn = ax.bar(
                places,
                [1e3 * t for _, t in found],
                0.92 * width,
                color=COLOURS[library],
                label=TITLES[library],
            )
            ax.bar_label(drawn, fmt="%.3g", fontsize=7, padding=1)
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter("")
        ax.set_xticks(range(len(nets)), [_short(NETS[net].title) for net in nets], fontsize=7.5)
        ax.set_xlim(-0.6, len(nets) - 0.4)
        ax.set_ylabel("ms a training step")
        ax.set_title(f"One training step, batch {batch}", loc="left")
        ax.grid(axis="x", visible=False)
        ax.margins(y=0.15)
    axes[0, 0].legend(ncols=len(libraries), fontsize=8, loc="lower right", bbox_to_anchor=(1, 1))
    return figure


def _short(title: str) -> str:
    """A title on two or three lines."""
    return re.sub(r" \(|, ", "\n", title).replace(")", "")


def roofline(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """GFLOP/s over FLOPs per byte for the nets' convolutions in tinynet and PyTorch,
    under the machine's roof.
    """
    chosen = [r for r in records if r["op"] in MARKS and r["group"] == "nets"]
    peaks = content["levels"].get("peak", [])
    if not chosen or not peaks:
        return None
    threads = max(r["threads"] for r in chosen)
    peak = next((p for p in peaks if p["threads"] == threads), peaks[-1])
    best = fastest(chosen, "op", "name", "batch", "library", value=seconds)
    figure, ax = plt.subplots(figsize=(9, 5.5))
    for (op, _, _, library), r in best.items():
        if library in ("tinynet", "torch"):
            ax.plot(
                r["flops"] / r["bytes"],
                r["flops"] / seconds(r) / 1e9,
                MARKS[op],
                color=COLOURS[library],
                alpha=0.8,
                ms=5,
            )
    intensities = [2 ** (i / 4) for i in range(-4, 37)]
    for mebibytes, dashes in ((1, "-"), (16, "--"), (256, ":")):
        size = mebibytes << 20
        roof = [size * i / floor(peak, size * i, size)[0] / 1e9 for i in intensities]
        ax.plot(intensities, roof, dashes, color="#555555", lw=1, label=f"roof for arrays of {mebibytes} MiB")
    for library in ("tinynet", "torch"):
        ax.plot([], [], "o", color=COLOURS[library], label=TITLES[library])
    for op, mark in MARKS.items():
        ax.plot([], [], mark, color="#999999", label=WORDS[op])
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("FLOPs for each byte of image, weights and output")
    ax.set_ylabel("GFLOP/s")
    ax.set_title(f"Convolutions of the nets at a batch of 128, {threads} threads", loc="left")
    ax.legend(fontsize=8, ncols=2)
    return figure


def _line(plt: Any, records: list[Record], number: Callable[[Record], float], title: str, label: str) -> Any:
    """GFLOP/s of the three convolutions over a number of the shape, one panel each."""
    best = fastest(records, "op", "name", "batch", "library", value=seconds).values()
    if not best:
        return None
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True)
    for ax, op in zip(axes, MARKS, strict=True):
        for library in TITLES:
            mine = [r for r in best if (r["op"], r["library"]) == (op, library)]
            points = sorted((number(r), r["flops"] / seconds(r) / 1e9) for r in mine)
            if points:
                ax.plot(*zip(*points, strict=True), "o-", ms=4, color=COLOURS[library], label=TITLES[library])
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_title(WORDS[op], loc="left")
        ax.set_xlabel(label)
    axes[0].set_ylabel("GFLOP/s")
    axes[0].set_ylim(0)
    axes[-1].legend(fontsize=8)
    figure.suptitle(title, fontsize=11)
    return figure


def channels(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """Speed over the number of channels."""
    chosen = [r for r in records if r["batch"] == 128 and re.fullmatch(r"(\d+)->\1 3x3 same @14", r["name"])]
    title = "3x3 'same' convolution of a 14x14 map, as many filters as channels, batch 128"
    return _line(plt, chosen, lambda r: int(r["name"].split("->")[0]), title, "channels")


def batch(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """Speed over the batch size."""
    chosen = [r for r in records if r["name"] == "14->14 3x3 same @14"]
    title = "3x3 'same' convolution of a 14x14 map, 14 channels and 14 filters"
    return _line(plt, chosen, lambda r: r["batch"], title, "images in a batch")


def scaling(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """tinynet's training step: with more threads at a batch of 128,
    and the cost of an image at other batch sizes.
    """
    most = max(r["threads"] for r in records)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for net, colour in zip(
        sorted({r["net"] for r in records}), ("#d1495b", "#00798c", "#edae49", "#6c8ead"), strict=False
    ):
        mine = [r for r in records if r["net"] == net]
        by_threads = sorted((r["threads"], step(r)) for r in mine if r["batch"] == 128)
        if by_threads:
            threads, gains = zip(*((t, by_threads[0][1] / s) for t, s in by_threads), strict=True)
            left.plot(threads, gains, "o-", color=colour, label=NETS[net].title)
        by_batch = sorted((r["batch"], 1e6 * step(r) / r["batch"]) for r in mine if r["threads"] == most)
        right.plot(*zip(*by_batch, strict=True), "o-", color=colour, label=NETS[net].title)
    left.plot([1, most], [1, most], ":", color="#999999", label="as many times as threads")
    left.set_xticks(range(1, most + 1))
    left.set_xlabel("threads")
    left.set_ylabel("times as fast as one thread")
    left.set_title("Threads, batch 128", loc="left")
    left.legend(fontsize=8)
    right.set_xscale("log", base=2)
    sizes = sorted({r["batch"] for r in records})
    right.set_xticks(sizes, [str(size) for size in sizes])
    right.minorticks_off()
    right.set_ylim(0, 1.1 * right.get_ylim()[1])
    right.set_xlabel("images in a batch")
    right.set_ylabel("microseconds an image")
    right.set_title(f"Batch, {most} threads", loc="left")
    return figure


PICTURES: dict[str, tuple[str, Callable[[Any, list[Record], dict[str, Any]], Any]]] = {
    "steps": ("steps", bars),
    "roofline": ("kernels", roofline),
    "channels": ("kernels", channels),
    "batch": ("kernels", batch),
    "scaling": ("scaling", scaling),
}
