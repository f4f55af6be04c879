"""Pictures of a file of results: the times of each net, a roofline,
and how speed scales with batch, channels and threads.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .nets import NETS
from .process import TITLES
from .results import named
from .roof import floor
from .table import count

Record = dict[str, Any]
# M. Okabe and K. Ito's, as tinynet.plotting has them
COLOURS = {
    "tinynet": "#0072B2", "before": "#56B4E9", "torch": "#D55E00", "keras-tensorflow": "#009E73",
    "keras-jax": "#CC79A7",
}  # fmt: skip
MARKERS = {"tinynet": "o", "before": "v", "torch": "s", "keras-tensorflow": "^", "keras-jax": "D"}
SCALES = 4  # thread counts below which a curve over them says nothing
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
            figure.supxlabel(machine(content), fontsize=7.5, color="#5F6770")
            made.append(folder / f"{name}.png")
            figure.savefig(made[-1])
            plt.close(figure)
    return made


def machine(content: dict[str, Any]) -> str:
    """The machine that a picture belongs to."""
    about = content["machine"]
    return f"{named(about)}, {about['cores']} cores, {about['vectors']}"


def steps(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """Milliseconds a step of each library's fastest mode, with their quartiles: a panel for each batch size,
    a group of rows for each net.
    """
    best = fastest(records, "net", "batch", "library", value=step)
    batches = sorted({batch for _, batch, _ in best})
    nets = [net for net in NETS if any(net == n for n, _, _ in best)]
    libraries = [name for name in TITLES if any(name == library for _, _, library in best)]
    size = (4.6 * len(batches) + 1.2, 0.2 * len(nets) * (len(libraries) + 1) + 1.3)
    figure, panels = plt.subplots(1, len(batches), figsize=size, squeeze=False, sharey=True)
    for ax, batch in zip(panels[0], batches, strict=True):
        for i, library in enumerate(libraries):
            found = [(y, best[net, batch, library]["step_s"]) for y, net in enumerate(nets)
                     if (net, batch, library) in best]  # fmt: skip
            places = [y + (i - (len(libraries) - 1) / 2) * 0.8 / len(libraries) for y, _ in found]
            medians = [1e3 * time["median"] for _, time in found]
            quartiles = [[1e3 * abs(time[q] - time["median"]) for _, time in found] for q in ("q1", "q3")]
            ax.errorbar(
                medians, places, xerr=quartiles, fmt=MARKERS[library], ms=5, capsize=2.5, lw=1.2,
                color=COLOURS[library], label=TITLES[library],
            )  # fmt: skip
            for median, beyond, place in zip(medians, quartiles[1], places, strict=True):
                ax.annotate(f"{median:.3g}", (median + beyond, place), (8, 0), textcoords="offset points",
                            va="center", fontsize=7)  # fmt: skip
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.margins(x=0.12)
        ax.set_xlabel("milliseconds a training step (median, quartiles)")
        ax.set_title(f"Batch {batch}", loc="left")
        ax.grid(axis="y", visible=False)
    panels[0, 0].set_yticks(range(len(nets)), [_short(NETS[net].title) for net in nets], fontsize=7.5)
    panels[0, 0].set_ylim(len(nets) - 0.5, -0.5)
    for ax in panels[0]:
        for y in range(1, len(nets)):
            ax.axhline(y - 0.5, color="#cccccc", lw=0.8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=len(libraries), fontsize=8, loc="outside upper center")
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
    ax.set_title(f"Convolutions of the nets at a batch of 128, {count(threads, 'thread')}", loc="left")
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
                line = f"{MARKERS[library]}-"
                ax.plot(*zip(*points, strict=True), line, ms=4, color=COLOURS[library], label=TITLES[library])
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
    """tinynet's training step: with more threads at a batch of 128, where there are a few of these, and the
    cost of an image at other batch sizes.
    """
    counts = {r["threads"] for r in records if r["batch"] == 128}
    most = max(r["threads"] for r in records)
    many = len(counts) >= SCALES
    figure, panels = plt.subplots(1, 1 + many, figsize=(9 if many else 5.5, 3.6), squeeze=False)
    right = panels[0, -1]
    for net, colour in zip(sorted({r["net"] for r in records}), COLOURS.values(), strict=False):
        mine = [r for r in records if r["net"] == net]
        if many:
            by_threads = sorted((r["threads"], step(r)) for r in mine if r["batch"] == 128)
            gains = [(threads, by_threads[0][1] / time) for threads, time in by_threads]
            panels[0, 0].plot(*zip(*gains, strict=True), "o-", color=colour, label=NETS[net].title)
        by_batch = sorted((r["batch"], 1e6 * step(r) / r["batch"]) for r in mine if r["threads"] == most)
        right.plot(*zip(*by_batch, strict=True), "o-", color=colour, label=NETS[net].title)
    if many:
        _dress_threads(panels[0, 0], sorted(counts))
    right.set_xscale("log", base=2)
    sizes = sorted({r["batch"] for r in records})
    right.set_xticks(sizes, [str(size) for size in sizes])
    right.minorticks_off()
    right.set_ylim(0, 1.1 * right.get_ylim()[1])
    right.set_xlabel("images in a batch")
    right.set_ylabel("microseconds an image")
    right.set_title(f"Batch, {count(most, 'thread')}", loc="left")
    right.legend(fontsize=8)
    return figure


def predict(plt: Any, records: list[Record], content: dict[str, Any]) -> Any:
    """Microseconds an image when a net is asked for more and more of them, in each library's fastest way."""
    best = fastest(records, "net", "batch", "library", value=seconds)
    nets = [net for net in NETS if any(net == n for n, _, _ in best)]
    figure, panels = plt.subplots(1, len(nets), figsize=(5.6 * len(nets), 3.9), squeeze=False, sharey=True)
    for ax, net in zip(panels[0], nets, strict=True):
        for library in TITLES:
            mine = [(b, r) for (n, b, name), r in best.items() if (n, name) == (net, library)]
            points = sorted((b, 1e6 * seconds(r) / b) for b, r in mine)
            if points:
                line = f"{MARKERS[library]}-"
                ax.plot(*zip(*points, strict=True), line, ms=4, color=COLOURS[library], label=TITLES[library])
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_major_formatter("{x:g}")
        ax.set_title(f"Answers of {NETS[net].title}", loc="left")
        ax.set_xlabel("images asked for at once")
    panels[0, 0].set_ylabel("microseconds an image")
    panels[0, -1].legend(fontsize=8)
    return figure


def _dress_threads(ax: Any, counts: list[int]) -> None:
    ax.plot([1, counts[-1]], [1, counts[-1]], ":", color="#999999", label="as many times as threads")
    ax.set_xticks(counts)
    ax.set_xlabel("threads")
    ax.set_ylabel(f"times as fast as {counts[0]} thread{'s' * (counts[0] > 1)}")
    ax.set_title("Threads, batch 128", loc="left")
    ax.legend(fontsize=8)


PICTURES: dict[str, tuple[str, Callable[[Any, list[Record], dict[str, Any]], Any]]] = {
    "steps": ("steps", steps),
    "roofline": ("kernels", roofline),
    "channels": ("kernels", channels),
    "batch": ("kernels", batch),
    "scaling": ("scaling", scaling),
    "predict": ("predict", predict),
}
