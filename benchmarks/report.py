"""RESULTS.md and pictures, from the files in results/: numbers in tables, with the machine they belong to."""

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import busy_table, plots, quiet, results, table
from .epochs import reached
from .nets import NETS
from .plots import WORDS, fastest, seconds, step
from .process import TITLES
from .steps import ABLATION

PAGE = Path(__file__).parent / "RESULTS.md"
EXHIBIT = "14->14 3x3 same @14"  # a convolution of Models 7 and 9
Record = dict[str, Any]


def plot(file: Path, folder: Path | None) -> None:
    """Writes the pictures of one file, beside it unless a folder is given."""
    made = plots.draw(results.load(file), folder or file.with_suffix(""))
    print("\n".join(map(str, made)) if made else f"{file} has nothing to draw")


def write(file: Path | None, page: Path | None) -> None:
    """Writes the page of all files in results/, or of one file, with the pictures beside the file."""
    files = [file] if file else sorted(results.FOLDER.glob("*.json"))
    if not files:
        raise SystemExit(f"there is no JSON in {results.FOLDER}: run `python -m benchmarks steps` first")
    page = page or PAGE
    parts = [HEAD]
    for path in files:
        content = results.load(path)
        pictures = plots.draw(content, page.parent / "results" / path.stem)
        parts.append(machine_part(content, [picture.relative_to(page.parent) for picture in pictures]))
    page.write_text("\n".join(parts), encoding="utf-8")
    print(page)


HEAD = """# Results

Written by `python -m benchmarks report` from the files in `results/`; `python -m benchmarks --help` says \
how they are made
and what makes them fair, `SCHEMA.md` what is in them. Times are medians. A peer's number is that of its \
fastest mode. In
brackets stand the lowest and the highest ratio of a single round.
"""


def machine_part(content: dict[str, Any], pictures: Sequence[Path]) -> str:
    """All that is known of one machine."""
    m, levels = content["machine"], content["levels"]
    caches = ", ".join(f"{level} {size}" for level, size in m["caches"].items())
    parts = [
        f"## {results.named(m)}\n",
        f"{m['cores']} cores ({m['vectors']}), caches of a core {caches}, "
        f"{m['memory_gib']} GiB of memory, {m['system']}.\n",
        _runs(content["runs"], levels),
    ]
    drawn = {picture.stem: f"![{picture.stem}]({picture.as_posix()})\n" for picture in pictures}
    for level, make in SECTIONS.items():
        if records := levels.get(level) or levels.get(INSTEAD.get(level, "")):
            names = [name for name, (source, _) in plots.PICTURES.items() if source == level]
            parts += [make(records), *_noise(level, records)]
            parts += [drawn[name] for name in names if name in drawn]
    return "\n".join(parts)


def _noise(level: str, records: Sequence[Record]) -> list[str]:
    """A sentence about measurements that others disturbed."""
    if not (noisy := quiet.noisy(records)):
        return []
    most = max(r["noise"]["others"] + r["noise"]["steal"] for r in noisy)
    which = "; ".join(dict.fromkeys(", ".join(str(r[key]) for key in results.KEYS[level]) for r in noisy[:8]))
    return [
        f"**Not quiet**: while {len(noisy)} of {len(records)} measurements were made, others had more than "
        f"{quiet.MOST:.0%} of the cores' time, up to {most:.0%}: {which}{' ...' * (len(noisy) > 8)}.\n"
    ]


def _runs(runs: Sequence[Record], levels: dict[str, list[Record]]) -> str:
    """Where the numbers come from: commit, date, versions of the runs that have records left."""
    used = {(level, record["run"]) for level, records in levels.items() for record in records}
    kept = [run for number, run in enumerate(runs) if (run["level"], number) in used]
    versions: dict[str, dict[str, str]] = {}
    for run in kept:
        versions.update(run["versions"])
    commits = ", ".join(dict.fromkeys(run["commit"] for run in kept))
    lines = [f"Measured {kept[0]['date']} to {kept[-1]['date']}, commit {commits}."] if kept else []
    for library, packages in versions.items():
        lines.append(
            f"{TITLES[library]}: " + ", ".join(f"{name} {number}" for name, number in packages.items()) + "."
        )
    failed = [entry for run in kept for entry in run.get("left_out", [])]
    lines += [
        f"Left out, because it failed: {level}, {net}, batch {batch}, {name}."
        for level, net, batch, name in failed
    ]
    return "  \n".join(lines) + "\n"


def steps_part(records: list[Record]) -> str:
    """tinynet against the fastest mode of each peer."""
    best = fastest(records, "net", "batch", "library", value=step)
    peers = [name for name in TITLES if name != "tinynet" and any(name == library for _, _, library in best)]
    head = ["net", "batch", "tinynet", *(TITLES[name] for name in peers), "times as fast as Keras / PyTorch"]
    head += ["than before"] if "before" in peers else []
    rows = []
    for net in NETS:
        for batch in sorted({b for n, b, _ in best if n == net}):
            mine = best.get((net, batch, "tinynet"))
            found = {name: best[net, batch, name] for name in peers if (net, batch, name) in best}
            cells = [_step_cell(found.get(name), True) for name in peers]
            gain = [_ratio(mine, found["before"]) if mine and "before" in found else "-"]
            ratios = [_ratios(mine, found), *gain * ("before" in peers)]
            rows.append([NETS[net].title, str(batch), _step_cell(mine, False), *cells, *ratios])
    different = [
        f"{r['net']}, batch {r['batch']}, {TITLES[r['library']]} {r['mode']}"
        for r in records
        if not r["same_loss"]
    ]
    same = "All mean losses agree within 10 %: all did the same work."
    if different:
        same = f"Mean losses that differ by over 10 % from the middle: {'; '.join(different)}."
    return f"### Training step through `fit`, ms\n\n{table.markdown(head, rows)}\n\n{same}\n"


def _step_cell(record: Record | None, mode: bool) -> str:
    if record is None:
        return "-"
    return table.milliseconds(step(record)) + (f" ({record['mode']})" if mode else "")


def _ratios(mine: Record | None, peers: dict[str, Record]) -> str:
    """How many times faster than the fastest Keras and than PyTorch, and in the rounds' extremes."""
    if mine is None:
        return "-"
    keras = [r for name, r in peers.items() if name.startswith("keras")]
    torch = [r for name, r in peers.items() if name == "torch"]
    return " / ".join(_ratio(mine, min(found, key=step)) if found else "-" for found in (keras, torch))


def _ratio(mine: Record, peer: Record) -> str:
    """The ratio of the medians; in brackets those of single rounds, where both took part in the same ones."""
    text = f"{step(peer) / step(mine):.2f}"
    a, b = mine.get("rounds_s", []), peer.get("rounds_s", [])
    if mine["run"] != peer["run"] or len(a) != len(b) or len(a) < 3:
        return text
    ratios = [theirs / ours for ours, theirs in zip(a, b, strict=True)]
    return f"{text} ({min(ratios):.2f}-{max(ratios):.2f})"


def memory_part(records: list[Record]) -> str:
    """Peak memory of the process, each library in the mode that needs least."""
    text = _each_library(
        records, "batch", lambda r: r["peak_bytes"], lambda r: table.size(r["peak_bytes"])
    )
    return f"### Peak memory of a training process\n\n{text}\n"


def _each_library(
    records: list[Record], batch: str, value: Callable[[Record], float], cell: Callable[[Record], str]
) -> str:
    """A row for each net and `batch`, with a cell of each library's record of the least value."""
    best = fastest(records, "net", "batch", "library", value=value)
    libraries = [name for name in TITLES if any(name == library for _, _, library in best)]
    rows = [
        [NETS[net].title, str(size), *(
            cell(best[net, size, name]) if (net, size, name) in best else "-" for name in libraries)]
        for net in NETS for size in sorted({b for n, b, _ in best if n == net})
    ]  # fmt: skip
    return table.markdown(["net", batch, *(TITLES[name] for name in libraries)], rows)


def scaling_part(records: list[Record]) -> str:
    rows = [
        [NETS[r["net"]].title, str(r["batch"]), str(r["threads"]), table.milliseconds(step(r)),
         f"{1e6 * step(r) / r['batch']:.1f}"]
        for r in sorted(records, key=lambda r: (r["net"], r["batch"], r["threads"]))
    ]  # fmt: skip
    return (
        "### Threads and "
        f"batch\n\n{table.markdown(['net', 'batch', 'threads', 'ms a step', 'us an image'], rows)}\n"
    )


def ablation_part(records: list[Record]) -> str:
    """A table for each net and batch, its lines in the order in which ideas are taken away."""
    order, parts = [*ABLATION, *(r["mode"] for r in records)], []
    for net, batch, threads in sorted({(r["net"], r["batch"], r["threads"]) for r in records}):
        mine = [r for r in records if (r["net"], r["batch"], r["threads"]) == (net, batch, threads)]
        rows = [
            [r["mode"], table.milliseconds(step(r))]
            for r in sorted(mine, key=lambda r: order.index(r["mode"]))
        ]
        where = f"{NETS[net].title}, batch {batch}, {table.count(threads, 'thread')}"
        title = f"### What the ideas bring: {where}"
        parts.append(f"{title}\n\n"
            f"{table.markdown(['each line has what the line above has, but', 'ms a step'], rows)}\n")
    return "\n".join(parts)


def kernels_part(records: list[Record]) -> str:
    """The nets' convolutions: share of the roofline, and the time against PyTorch's;
    then all other operations in short.
    """
    best = fastest(records, "op", "name", "batch", "library", value=seconds)
    groups = {(op, name, b): r["group"] for (op, name, b, _), r in best.items()}
    parts = ["### Kernels\n"]
    for convolution in (True, False):
        rows = []
        for place, group in groups.items():
            mine, torch = (best.get((*place, name)) for name in ("tinynet", "torch"))
            if (place[0] in WORDS) == convolution and mine is not None:
                rows.append(_kernel_row(place, group, mine, torch))
        if rows:
            title = f"{'Convolutions' if convolution else 'Other operations'}: {len(rows)} cases"
            text = table.markdown(KERNEL_HEAD, rows)
            parts.append(f"<details><summary>{title}</summary>\n\n{text}\n\n</details>\n")
    return "\n".join([parts[0], _kernel_summary(best), _ahead(best), _gallery(records), *parts[1:]])


KERNEL_HEAD = [
    "operation", "shape", "batch", "group", "tinynet", "GFLOP/s", "GB/s", "of its roofline", "bound by", (
        "PyTorch / "
        "tinynet"
    ),
]  # fmt: skip


def _kernel_row(place: tuple[Any, ...], group: str, mine: Record, torch: Record | None) -> list[str]:
    op, name, batch = place
    t = seconds(mine)
    return [
        WORDS.get(op, op), name, str(batch), group, table.time(t),
        f"{mine['flops'] / t / 1e9:.0f}", f"{mine['bytes'] / t / 1e9:.0f}",
        table.percent(mine["floor_s"] / t), mine["bound"], f"{seconds(torch) / t:.2f}" if torch else "-",
    ]  # fmt: skip


def _kernel_summary(best: dict[tuple[Any, ...], Record]) -> str:
    """A line for each of the three convolutions over the shapes of the nets."""
    rows = []
    for op, title in WORDS.items():
        mine = [
            (place, r)
            for place, r in best.items()
            if place[0] == op and place[3] == "tinynet" and r["group"] == "nets"
        ]
        if mine:
            shares = [r["floor_s"] / seconds(r) for _, r in mine]
            gains = [
                seconds(best[*place[:3], "torch"]) / seconds(r)
                for place, r in mine
                if (*place[:3], "torch") in best
            ]
            speed = f"{min(gains):.2f} / {statistics.median(gains):.2f}" if gains else "-"
            rows.append(
                [title, f"{table.percent(min(shares))} / {table.percent(statistics.median(shares))}", speed]
            )
    if not rows:
        return ""
    head = [
        "convolutions of the nets, batch 128",
        "of the roofline: least / median",
        "PyTorch / tinynet: least / median",
    ]
    return table.markdown(head, rows) + "\n"


def _ahead(best: dict[tuple[Any, ...], Record]) -> str:
    """In how many cases a peer is faster, operation by operation, with the one where it is most."""
    cases: dict[str, list[tuple[float, str]]] = {}
    for (op, name, batch, library), mine in best.items():
        theirs = [best[op, name, batch, peer] for peer in TITLES if (op, name, batch, peer) in best]
        if library == "tinynet" and len(theirs) > 1:
            least = min(seconds(r) for r in theirs if r is not mine)
            cases.setdefault(op, []).append((least / seconds(mine), f"{name}, batch {batch}"))
    rows = []
    for op, found in cases.items():
        if behind := [case for case in found if case[0] < 1]:
            ratio, where = min(behind)
            rows.append([WORDS.get(op, op), f"{len(behind)} of {len(found)}", f"{ratio:.2f}", where])
    if not rows:
        return ""
    every = [ratio for found in cases.values() for ratio, _ in found]
    head = ["operation", "cases", "peer's time / tinynet's, least", "there"]
    text = table.markdown(head, rows, left=(0, 3))
    return f"A peer is ahead in {sum(ratio < 1 for ratio in every)} of {len(every)} cases:\n\n{text}\n"


def _gallery(records: list[Record]) -> str:
    """One convolution in every implementation there is."""
    chosen = [r for r in records if (r["name"], r["batch"]) == (EXHIBIT, 128) and r["op"] in WORDS]
    names = dict.fromkeys((r["library"], r["implementation"]) for r in chosen)
    rows = []
    for library, implementation in names:
        found = {
            r["op"]: r for r in chosen if (r["library"], r["implementation"]) == (library, implementation)
        }
        cells = [table.time(seconds(found[op])) if op in found else "-" for op in WORDS]
        rows.append([f"{TITLES[library]}, {implementation}", *cells])
    return table.markdown([f"{EXHIBIT}, batch 128", *WORDS.values()], rows) + "\n" if rows else ""


def epochs_part(records: list[Record]) -> str:
    """Seconds to 98 % and 99 %, and of an epoch: medians over the seeds."""
    rows = []
    for library in TITLES:
        for task in ("accuracy", "epoch", "recipe"):
            mine = [r for r in records if (r["library"], r["task"]) == (library, task)]
            if mine:
                rows.append([
                    (
                        f"{TITLES[library]}, "
                        f"{mine[0]['mode']}"
                    ), task, str(len(mine)), _goal(mine, 0.98), _goal(mine, 0.99),
                    _median([r["seconds"] for r in mine]),
                    f"{statistics.fmean(r['accuracy'] for r in mine):.2%}",
                ])  # fmt: skip
    head = ["library", "task", "runs", "s to 98 %", "s to 99 %", "s of training", "mean accuracy"]
    return f"### Whole trainings on MNIST\n\n{table.markdown(head, rows)}\n"


def _goal(records: list[Record], goal: float) -> str:
    times = [reached(r, goal) for r in records if r["task"] == "accuracy"]
    missed = sum(t is None for t in times)
    return _median([t for t in times if t is not None]) + (
        f" ({missed} of {len(times)} did not)" if missed else ""
    )


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f}" if values else "-"


def predict_part(records: list[Record]) -> str:
    """Each library in its fastest way, for every number of images."""
    text = _each_library(
        records, "images", seconds, lambda r: f"{table.time(seconds(r))} ({r['mode']})"
    )
    return f"### Answers of `predict` and its like\n\n{text}\n"


def startup_part(records: list[Record]) -> str:
    rows = []
    for caches in ("empty", "full"):
        mine = [r for r in records if r["caches"] == caches]
        if mine:
            numbers = [statistics.median(r[name] for r in mine) for name in ("wall_s", "cpu_s", "end_s")]
            rows.append([f"caches {caches}", *(f"{number:.2f}" for number in numbers)])
    head = ["start of a process", "s to the first step", "s of processor time", "s to the end of a short run"]
    return f"### Start-up\n\n{table.markdown(head, rows)}\n"


INSTEAD = {"memory": "steps"}  # a process of `steps` notes its memory too
SECTIONS = {
    "steps": steps_part, "scaling": scaling_part, "memory": memory_part, "ablation": ablation_part,
    "epochs": epochs_part,
    "predict": predict_part, "startup": startup_part, "busy": busy_table.part, "kernels": kernels_part,
}  # fmt: skip
