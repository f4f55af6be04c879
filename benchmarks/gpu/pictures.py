"""Pictures of a run on a GPU: kernels under the roof, steps beside paper and PyTorch, accuracy by seconds."""

from pathlib import Path
from typing import Any

from ..nets import NETS
from .paper import Assumed

# M. Okabe and K. Ito's colours; each kind has a mark of its own too
KINDS = {
    "tinynet, recorded": ("#0072B2", "o"), "tinynet, eager": ("#56B4E9", "v"), "on paper": ("#000000", "|"),
    "PyTorch, eager": ("#E69F00", "s"), "PyTorch, CUDA graph": ("#D55E00", "D"),
    "PyTorch, compiled": ("#CC79A7", "^"),
}  # fmt: skip
OPERATIONS = {
    "convolution": ("#0072B2", "o"), "its input gradient": ("#D55E00", "s"),
    "its weight gradient": ("#009E73", "^"),
    "Dense layers": ("#CC79A7", "D"), "other operations": ("#999999", "x"),
}  # fmt: skip
NAMES = {
    "conv2d": "convolution", "conv2d_input_grad": "its input gradient",
    "conv2d_weight_grad": "its weight gradient",
    "dense": "Dense layers", "dense_grad": "Dense layers",
}  # fmt: skip
STYLE = {
    "figure.constrained_layout.use": True, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#e6e6e6", "axes.axisbelow": True,
}  # fmt: skip
Content = dict[str, dict[str, Any]]


def draw(content: Content, folder: Path, gpu: str, assumed: Assumed) -> list[Path]:
    """Writes what there are results for."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    made = []
    with plt.rc_context(STYLE):
        for name, figure in (
            ("roofline", roofline(plt, content, assumed)), ("steps", steps(plt, content)),
            ("accuracy", accuracy(plt, content)),
        ):  # fmt: skip
            if figure is not None:
                figure.supxlabel(gpu, fontsize=8, color="#5F6770")
                made.append(folder / f"{name}.png")
                figure.savefig(made[-1], dpi=110)
                plt.close(figure)
    return made


def roofline(plt: Any, content: Content, assumed: Assumed) -> Any:
    """TFLOP/s over FLOPs per byte, under what this GPU reached."""
    records = [r for r in content["kernels"]["records"] if r.get("us")]
    if not records:
        return None
    figure, ax = plt.subplots(figsize=(9, 5.5))
    for kind, (colour, mark) in OPERATIONS.items():
        mine = [r for r in records if NAMES.get(r["op"], "other operations") == kind]
        places = [r["flops"] / r["bytes"] for r in mine]
        rates = [r["flops"] / r["us"] / 1e6 for r in mine]
        if mine:
            ax.plot(places, rates, mark, color=colour, ms=5, alpha=0.85, ls="", label=kind)
    peak = 2 * assumed.clock * assumed.lanes * assumed.multiprocessors / 1e12
    intensities = [2 ** (i / 4) for i in range(-12, 37)]
    for name, rate, dashes in (("memory", assumed.memory, "-"), ("cache", assumed.cache, "--")):
        roof = [min(peak, i * rate / 1e12) for i in intensities]
        ax.plot(
            intensities, roof, dashes, color="#555555", lw=1, label=f"roof: {name}, {rate / 1e12:.1f} TB/s"
        )
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("FLOPs for each byte of all arrays")
    ax.set_ylabel("TFLOP/s of float32")
    ax.set_title("Kernels of the nets at a batch of 128", loc="left", fontsize=11)
    ax.legend(fontsize=8)
    return figure


def kinds(content: Content) -> dict[tuple[str, int, str], float]:
    """{(net, batch, kind): milliseconds a step}; of PyTorch's modes in float32 the fastest of each kind."""
    found: dict[tuple[str, int, str], float] = {}
    for r in [*content["steps"]["records"], *content["torch"]["records"]]:
        if "step_s" not in r or r.get("tf32"):
            continue
        kind = {"fit": "tinynet, recorded", "eager": "tinynet, eager"}.get(r["mode"], "")
        if r["library"] == "torch":
            first = r["mode"].partition(",")[0]
            kind = {"eager": "PyTorch, eager", "graph": "PyTorch, CUDA graph"}.get(first, "PyTorch, compiled")
        key, time = (r["net"], r["batch"], kind), 1e3 * r["step_s"]["median"]
        found[key] = min(time, found.get(key, time))
    measured = {(net, batch) for net, batch, _ in found}
    for r in content["paper"]["records"]:
        if (r["net"], r["batch"]) in measured:
            found[r["net"], r["batch"], "on paper"] = r["us"] / 1e3
    return found


def steps(plt: Any, content: Content) -> Any:
    """Milliseconds a step: a panel for each batch size, a group of rows for each net."""
    found = kinds(content)
    if not found:
        return None
    batches = sorted({batch for _, batch, _ in found})
    nets = [net for net in NETS if any(net == n for n, _, _ in found)]
    used = [kind for kind in KINDS if any(kind == k for _, _, k in found)]
    size = (3.8 * len(batches) + 1.8, 0.24 * len(nets) * (len(used) + 1) + 1.6)
    figure, panels = plt.subplots(1, len(batches), figsize=size, squeeze=False, sharey=True)
    for ax, batch in zip(panels[0], batches, strict=True):
        for i, kind in enumerate(used):
            points = [(found[net, batch, kind], y + (i - (len(used) - 1) / 2) * 0.8 / len(used))
                      for y, net in enumerate(nets) if (net, batch, kind) in found]  # fmt: skip
            colour, mark = KINDS[kind]
            ax.plot(*(zip(*points, strict=True) if points else ([], [])), mark, color=colour, ms=6, mew=1.5,
                    label=kind)  # fmt: skip
            for x, y in points:
                ax.annotate(f"{x:.2g}", (x, y), (7, 0), textcoords="offset points", va="center", fontsize=7)
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.margins(x=0.15)
        ax.set_xlabel("milliseconds a training step")
        ax.set_title(f"Batch {batch}", loc="left", fontsize=11)
        ax.grid(axis="y", visible=False)
        for y in range(1, len(nets)):
            ax.axhline(y - 0.5, color="#cccccc", lw=0.8)
    panels[0, 0].set_yticks(
        range(len(nets)), [NETS[net].title.replace(" (", "\n(") for net in nets], fontsize=8
    )
    panels[0, 0].set_ylim(len(nets) - 0.5, -0.5)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=3, fontsize=8, loc="outside upper center", frameon=False)
    return figure


def accuracy(plt: Any, content: Content) -> Any:
    """Wrong test images over seconds of training, a line for each seed."""
    records = [r for r in content["accuracy"]["records"] if r.get("curve")]
    if not records:
        return None
    figure, ax = plt.subplots(figsize=(7, 4))
    styles = dict(
        zip(sorted({r["batch"] for r in records}), (("#0072B2", "o"), ("#D55E00", "s")), strict=False)
    )
    for r in records:
        _, times, shares = zip(*r["curve"], strict=True)
        colour, mark = styles[r["batch"]]
        label = f"batch {r['batch']}" if r["seed"] == 0 else None
        ax.plot(
            times,
            [100 - 100 * share for share in shares],
            mark,
            ls="-",
            color=colour,
            ms=3,
            lw=1,
            label=label,
        )
    goal = 100 - 100 * records[0]["goal"]
    ax.axhline(goal, color="#555555", lw=1, ls="--", label=f"goal: {100 - goal:g} % right")
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("seconds of training")
    ax.set_ylabel("wrong test images, %")
    ax.set_title(f"{NETS[records[0]['net']].title}, {records[0]['data']}", loc="left", fontsize=11)
    ax.legend(fontsize=8)
    return figure
