"""What the sections say together: a page of text, and pictures."""

from pathlib import Path
from typing import Any

from .. import table
from ..nets import NETS
from . import pictures as drawn
from .paper import Assumed, again

Content = dict[str, dict[str, Any]]  # {section: content of its file}


def text(content: Content) -> str:
    """Facts, outcomes of the tests, steps beside paper and PyTorch, time to the goal; and what failed."""
    parts = [part(content) for part in (facts, assumptions, tests, steps, kernels, accuracy)]
    for name, section in content.items():
        if section["error"]:
            parts.append(f"{name}: {section['error'].splitlines()[0][:200]}")
        errors = [r for r in section["records"] if r.get("error") or r.get("left_out")]
        parts += [f"{name}: {_key(r)}: {r.get('error') or r['left_out']}"[:200] for r in errors[:10]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _key(record: dict[str, Any]) -> str:
    return " ".join(
        str(record[name]) for name in ("fact", "op", "name", "net", "batch", "mode") if name in record
    )


def fact(content: Content, name: str) -> dict[str, Any]:
    """One that was found; {} if not."""
    found = (r for r in content["facts"]["records"] if r["fact"] == name and "error" not in r)
    return next(found, {})


def measured(content: Content) -> Assumed:
    """The assumptions of paper, with what was measured in their place."""
    assumed, launch, about = Assumed(), fact(content, "launch"), fact(content, "machine")
    if about:
        assumed = assumed._replace(multiprocessors=about["multiprocessors"], cache_bytes=about["cache_bytes"])
    if launch:
        assumed = assumed._replace(floor_s=1e-6 * launch["in_graph_us"], gap_s=0.0)
    if peak := fact(content, "peak"):
        assumed = assumed._replace(clock=peak["flops_per_s"] / 2 / assumed.lanes / assumed.multiprocessors)
    copies = [r for r in content["facts"]["records"] if "bytes_per_s" in r]
    if large := [r["bytes_per_s"] for r in copies if r["bytes"] > 4 * assumed.cache_bytes]:
        assumed = assumed._replace(memory=max(large))
    if small := [r["bytes_per_s"] for r in copies if r["bytes"] <= assumed.cache_bytes]:
        assumed = assumed._replace(cache=max(small))
    return assumed


def assumptions(content: Content) -> str:
    """What paper assumes, and what was found."""
    assumed, found = Assumed(), measured(content)
    if found == assumed:
        return ""
    rows = []
    for name, unit, value in (
        ("a launch in a graph, us", 1e-6, lambda a: a.floor_s + a.gap_s),
        ("memory, TB/s", 1e12, lambda a: a.memory),
        ("cache, TB/s", 1e12, lambda a: a.cache),
        ("multiply-adds, TFLOP/s", 1e12, lambda a: 2 * a.clock * a.lanes * a.multiprocessors),
    ):
        rows.append([name, f"{value(assumed) / unit:.2f}", f"{value(found) / unit:.2f}"])
    return table.text(["what paper assumes", "assumed", "measured"], rows)


def facts(content: Content) -> str:
    about, launch = fact(content, "machine"), fact(content, "launch")
    lines = [f"{name}: {value}" for name, value in about.items()]
    lines += [f"launch, {name}: {value:.2f}" for name, value in launch.items() if name != "fact"]
    if peak := fact(content, "peak"):
        lines.append(f"multiply-adds: {peak['flops_per_s'] / 1e12:.1f} TFLOP/s")
    for r in content["facts"]["records"]:
        if "bytes_per_s" in r:
            lines.append(f"copy of {r['bytes'] / 2**20:g} MiB: {r['bytes_per_s'] / 1e12:.2f} TB/s")
        if "allowed" in r:
            lines.append(f"{r['fact']}: {'yes' if r['allowed'] else 'no, ' + r['said'][:120]}")
    return "\n".join(lines)


def tests(content: Content) -> str:
    counts: dict[str, int] = {}
    for r in content["tests"]["records"]:
        counts[r["outcome"]] = counts.get(r["outcome"], 0) + 1
    failed = [r for r in content["tests"]["records"] if r["outcome"] == "failed"]
    lines = ["tests: " + (", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none")]
    return "\n".join(
        lines + [f"  {r['test']}: {r['said'].strip().splitlines()[-1][:150]}" for r in failed[:40]]
    )


def best(content: Content, net: str, batch: int, tf32: bool) -> dict[str, Any] | None:
    """PyTorch's fastest mode, in float32 or with TF32."""
    found = [
        r for r in content["torch"]["records"]
        if (r.get("net"), r.get("batch"), r.get("tf32")) == (net, batch, tf32) and "step_s" in r
    ]  # fmt: skip
    return min(found, key=lambda r: r["step_s"]["median"], default=None)


def steps(content: Content) -> str:
    """A row for each net and batch, in microseconds."""
    head = [
        "us a step",
        "batch",
        "recorded",
        "eager",
        "paper",
        "with facts",
        "recorded/paper",
        "PyTorch",
        "TF32",
    ]
    rows, assumed = [], measured(content)
    times = {
        (r["net"], r["batch"], r["mode"]): 1e6 * r["step_s"]["median"]
        for r in content["steps"]["records"] if "step_s" in r
    }  # fmt: skip
    for net, batch in dict.fromkeys((net, batch) for net, batch, _ in times):
        own = times.get((net, batch, "fit"))
        expected = next(
            (r for r in content["paper"]["records"] if (r["net"], r["batch"]) == (net, batch)), None
        )
        paper = expected and expected["us"]
        others = [best(content, net, batch, tf32) for tf32 in (False, True)]
        loss = first_loss(content, net, batch)
        rows.append([
            NETS[net].title, str(batch), _us(own), _us(times.get((net, batch, "eager"))), _us(paper),
            _us(expected and again(expected, assumed)), f"{own / paper:.2f}" if own and paper else "",
            *("" if r is None else f"{1e6 * r['step_s']['median']:.0f} ({r['mode']}{unlike(r, loss)})"
              for r in others),
        ])  # fmt: skip
    return table.text(head, rows) if rows else ""


def first_loss(content: Content, net: str, batch: int) -> float | None:
    """Mean loss of the first epoch in tinynet."""
    found = (r for r in content["steps"]["records"] if (r["net"], r["batch"]) == (net, batch) and r["losses"])
    return next((r["losses"][0] for r in found), None)


def unlike(record: dict[str, Any], loss: float | None) -> str:
    """A word if the loss of the first epoch is another one: from the same weights, on the same images."""
    other = loss is not None and abs(record["losses"][0] - loss) > 0.1 * loss
    return ", another loss!" if other else ""


def _us(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def kernels(content: Content) -> str:
    """The kernels that are furthest from the roof."""
    assumed = measured(content)
    peak = 2 * assumed.clock * assumed.lanes * assumed.multiprocessors
    rows = []
    for r in content["kernels"]["records"]:
        if "us" in r:
            rate = assumed.cache if r["bytes"] < assumed.cache_bytes else assumed.memory
            floor = 1e6 * max(r["flops"] / peak, r["bytes"] / rate)
            rows.append((r["us"] - floor, [f"{r['op']} {r['name']}", str(r["batch"]), f"{r['us']:.1f}",
                                           f"{floor:.1f}", f"{r['us'] / floor:.1f}", r["how"]]))  # fmt: skip
    head = ["kernels with most time above their roof", "batch", "us", "roof, us", "times", "as"]
    return table.text(head, [row for _, row in sorted(rows, key=lambda pair: -pair[0])[:15]]) if rows else ""


def accuracy(content: Content) -> str:
    lines = [
        f"{r['data']}, batch {r['batch']}, seed {r['seed']}: {100 * r['accuracy']:.2f} % after "
        f"{r['seconds']:.2f} s, {r['epochs']:.1f} epochs (goal {100 * r['goal']:.0f} %)"
        for r in content["accuracy"]["records"] if "seconds" in r
    ]  # fmt: skip
    return "\n".join(lines)


def pictures(content: Content, folder: Path) -> list[Path]:
    """Draws what there are results for; the pictures' paths."""
    gpu = fact(content, "machine").get("gpu", "a GPU")
    return drawn.draw(content, folder, str(gpu), measured(content))
