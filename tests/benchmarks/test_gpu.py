"""`python -m benchmarks gpu` and `paper`: every line runs, on the stand-in for CuPy. No number is a GPU's."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tiny_gpu
from PIL import Image

from benchmarks import __main__ as command
from benchmarks import nets
from benchmarks.gpu import command as level
from benchmarks.gpu import counted, paper, pictures, sections, suite, summary
from benchmarks.gpu.kept import Kept
from benchmarks.gpu.paper import Assumed
from benchmarks.gpu.torch_steps import Mode, todo
from benchmarks.shapes import NETS as CONVOLUTIONS
from tinynet.backend import gpu
from tinynet.kernels import gemm

import cupy_stand_in
from cuda_shim import shim

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """All of it, once: the folder, and what it printed."""
    if shim.missing:
        pytest.skip(shim.missing)
    folder = tmp_path_factory.mktemp("gpu")
    return folder, of_command(folder, 0)


def of_command(folder, status, *more):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "gpu", "--stand-in", "--out", str(folder), *more],
        cwd=ROOT, env={**os.environ, "TINYNET_NUM_THREADS": "1"}, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


def test_every_section_runs_and_says_what_it_found(run):
    folder, said = run
    content = json.loads((folder / "gpu.json").read_text())
    found = content["sections"]
    assert list(found) == [section.name for section in sections.SECTIONS]
    assert content["stand_in"] is True
    for name, section in found.items():
        assert section["done"], f"{name}: {section['error']}"
        assert [r for r in section["records"] if "error" in r] == [], name
    assert [r["outcome"] for r in found["tests"]["records"]] == ["passed"]
    facts = {r["fact"]: r for r in found["facts"]["records"]}
    assert facts["launch"]["in_graph_us"] > 0
    assert facts["peak"]["flops_per_s"] > 0
    allowed = {name: r["allowed"] for name, r in facts.items() if name.startswith("capture")}
    assert allowed == {  # by the rules of CuPy, which the stand-in keeps
        "capture: matrix product (cuBLAS)": False, "capture: elements and a sum over an axis": True,
        "capture: sum over everything": True, "capture: new arrays, and filling them": True,
        "capture: copy from the host": False, "capture: number read by Python": False,
    }  # fmt: skip
    assert {"graph"} <= {r["how"] for r in found["kernels"]["records"]} <= {"graph", "calls"}
    assert [r["mode"] for r in found["steps"]["records"]] == ["fit", "eager"]
    recorded, eager = (r["losses"] for r in found["steps"]["records"])
    assert recorded == eager, "the same bits"
    assert found["accuracy"]["records"][0]["curve"]
    assert "complete" in said
    assert "Softmax regression" in said
    assert {path.name for path in folder.glob("*.png")} == {"roofline.png", "steps.png", "accuracy.png"}
    assert (folder / "summary.txt").read_text() in said


def test_what_is_complete_is_not_measured_again(run):
    folder, _ = run
    before = {path.name: path.read_bytes() for path in folder.glob("*.json") if path.name != "gpu.json"}
    said = of_command(folder, 0)
    assert said.count("complete already") == len(sections.SECTIONS)
    for name, content in before.items():
        assert (folder / name).read_bytes() == content


def arguments(folder, *more):
    parser = argparse.ArgumentParser()
    level.add_arguments(parser)
    return parser.parse_args(["--stand-in", "--out", str(folder), *more])


def test_a_section_that_takes_too_long_is_stopped_and_goes_on_later(tmp_path, monkeypatch, capsys):
    """It keeps what it had; the sections after it run all the same."""
    args = arguments(tmp_path, "--sections", "facts", "tests")
    Kept(tmp_path, "facts").add({"fact": "peak", "flops_per_s": 1.0})
    monkeypatch.setattr(level, "SECTIONS", [one._replace(limit_s=0.2) for one in sections.SECTIONS])
    began = time.monotonic()
    assert level.run(args) == 1
    assert time.monotonic() - began < 30
    kept = Kept(tmp_path, "facts")
    assert not kept.content["done"]
    assert "stopped after 0 s" in kept.content["error"]
    assert kept.find(fact="peak")["flops_per_s"] == 1.0
    assert Kept(tmp_path, "tests").content["error"]
    assert "not complete; the same command continues" in capsys.readouterr().out


def test_a_section_that_fails_says_why(tmp_path, monkeypatch):
    failing = arguments(tmp_path, "--sections", "torch", "--peer-python", "/bin/false")
    monkeypatch.setattr(level, "SECTIONS", [one for one in sections.SECTIONS if one.name == "torch"])
    assert level._done(level.SECTIONS[0], failing) is False
    assert "ended with status 1" in Kept(tmp_path, "torch").content["error"]


def test_all_limits_together_are_less_than_seven_minutes():
    assert sum(section.limit_s for section in sections.SECTIONS) + sections.BETWEEN_S <= sections.MOST_S


@pytest.mark.skipif(not gpu.missing(0), reason="there is a GPU here")
def test_without_a_gpu_it_says_what_is_missing(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["gpu", "--out", str(tmp_path / "new")])
    assert ended.value.code == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line == f"python -m benchmarks gpu needs a GPU: {gpu.missing(0)}"
    assert not (tmp_path / "new").exists()


def test_outcomes_of_tests_are_collected_the_last_of_each(tmp_path):
    lines = [
        {"test": "a", "outcome": "failed"},
        {"test": "b", "outcome": "passed"},
        {"test": "a", "outcome": "passed"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"test": "c", "outc'  # it was stopped here
    (tmp_path / suite.OUTCOMES).write_text(text)
    kept = Kept(tmp_path, "tests")
    suite.collect(kept, tmp_path)
    assert kept.records == [{"test": "a", "outcome": "passed"}, {"test": "b", "outcome": "passed"}]


def test_modes_of_pytorch_that_compile_come_last():
    from benchmarks.gpu.options import options

    listed = list(todo(options(Path(), quick=False, stand_in=False), on_gpu=True))
    assert len(listed) == len(set(listed)) == 4 * 3 * 2 * 2 * 4
    compiled = [mode.execution.startswith("compile") for _, _, mode in listed]
    assert compiled == sorted(compiled)
    assert {batch for _, batch, _ in listed} == {32, 128, 1024}
    assert str(Mode("graph", True, True)) == "graph, channels_last, TF32"


# Paper


@pytest.fixture(scope="module")
def model_7():
    """The launches of a step of Model 7 with 4 images."""
    return counted.step("model-7", 4)


def test_the_step_that_is_counted_is_one_that_is_repeated():
    """The batch is chosen, the numbers of the host are sent in one launch, then comes the graph: the launches
    of an eager step, but for those that send numbers. Dropouts behind batch norms launch nothing.
    """
    names = [launch.name for launch in counted.step("model-9", 4).launches]
    assert [names.index(name) for name in ("gather<float, float>", "put")] == [0, 3]
    assert names.count("put") == 1
    forward = [name for name in names if name.startswith(("part_moments", "normalise<", "dropout"))]
    assert forward == ["part_moments<float, true>", "normalise<float, true>"] * 4 + ["dropout<float>"]
    assert [name for name in names if name.startswith("keep")] == ["keep<float>"]  # that of the Dense layer


def flops_of(step, kernel):
    return sum(launch.flops for launch in step.launches if launch.name.startswith(kernel))


def test_multiply_adds_are_those_of_the_convolutions_and_products(model_7):
    """shapes.py counts them in another way: tap by tap of each output."""
    convolutions = [
        conv for conv in CONVOLUTIONS if conv.padding == "same" and conv.filters in (7, 14, 28, 56)
    ]
    convolutions = [c for c in convolutions if c.filters != 28 or c.channels in (14, 28)]
    often = {(28, 28): 2, (56, 56): 2}  # Model 7 has these twice
    forward = sum(c.flops(4) * often.get((c.channels, c.filters), 1) for c in convolutions)
    products = 2 * 4 * (56 * 100 + 100 * 10)
    first = next(c for c in convolutions if c.channels == 1).flops(4)
    assert len(convolutions) == 8
    assert flops_of(model_7, "convolve<float, false") == forward + products
    assert flops_of(model_7, "convolve<float, true") == forward - first + products
    assert flops_of(model_7, "weight_grad") == forward + products


def test_multiply_adds_of_matrix_products_are_those_of_all_their_parts(monkeypatch):
    notes = counted._Notes()
    with cupy_stand_in.installed() as cupy:
        monkeypatch.setattr(type(cupy_stand_in.machine), "observer", notes)
        gemm.gemm(cupy.ones((3, 4, 300), np.float32), cupy.ones((300, 5), np.float32))
    (product,) = (launch for launch in notes.launches if launch.name.startswith("product<"))
    assert product.flops == 2 * 3 * 4 * 300 * 5


def test_bytes_are_those_of_the_arrays(model_7):
    sweeps = [launch for launch in model_7.launches if launch.name.startswith("sweep")]
    tables = 8 * 6 * sum(-(-size // 4096) + 1 for size in [98_354]) + 10_000  # rows of addresses, about
    assert 4 * 4 * 98_354 < sum(launch.bytes for launch in sweeps) < 4 * 4 * 98_354 + tables
    first = next(launch for launch in model_7.launches if launch.name.startswith("convolve"))
    assert first.bytes == 4 * (4 * 28 * 28 * (1 + 7) + 9 * 7 + 7)
    assert first.threads >= 4 * 28 * 28 * 7 / 14  # a thread has at most 7 filters of 2 pixels
    assert model_7.bytes < sum(launch.bytes for launch in model_7.launches)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        # 5 pixels, kernel 3, stride 2, one pixel of padding on the left: outputs at -1, 1, 3
        ({"kh": 3, "sh": 2, "dh": 1, "top": 1}, 2 + 3 + 2),
        ({"kh": 2, "sh": 1, "dh": 3, "top": 0}, 2 + 2 + 1),
    ],
)
def test_taps_at_the_border_do_not_count(sizes, expected):
    assert counted._pairs(sizes, "h", 5, 3) == expected


def test_time_on_paper_by_hand():
    assumed = Assumed(
        multiprocessors=2, lanes=100, clock=1e9, memory=1e9, cache=2e9, cache_bytes=1e5, floor_s=2e-6,
        gap_s=1e-6, useful=0.5,
    )  # fmt: skip
    small, long, few = (
        counted.Launch("k", *rest) for rest in ((1000, 10, 32), (8000, 10, 0), (100, 4000, 4))
    )
    assert paper.seconds(small, 2e9, assumed) == (pytest.approx(3e-6), "launch")
    assert paper.seconds(long, 2e9, assumed) == (pytest.approx(5e-6), "memory")
    time, bound = paper.seconds(few._replace(flops=40_000), 2e9, assumed)
    assert (time, bound) == (pytest.approx(1e-6 + 20_000 / (1e9 * 0.5 * 4)), "arithmetic")
    found = paper.estimate(counted.Step([small, long, long], 90_000), assumed)
    assert found["us"] == pytest.approx(13)
    assert found["bounds"] == {"launch": pytest.approx(3), "memory": pytest.approx(10), "arithmetic": 0}
    assert found["kernels"] == {"k": {"launches": 3, "bytes": 17_000, "flops": 30, "us": pytest.approx(13)}}
    past = paper.estimate(counted.Step([long], 200_000), assumed)
    assert past["us"] == pytest.approx(9), "arrays that the cache does not hold come from memory"
    record = {"counted": [list(small), list(long)], "array_bytes": 90_000}
    assert paper.again(record, assumed._replace(gap_s=0.0)) == pytest.approx(6)


def test_the_level_paper_prints_a_table_and_keeps_it(tmp_path, capsys):
    out = tmp_path / "paper.json"
    command.main(["paper", "--nets", "model-4", "--batches", "8", "--out", str(out)])
    said = capsys.readouterr().out
    assert "Nothing here was measured" in said
    assert nets.NETS["model-4"].title in said
    content = json.loads(out.read_text())
    assert content["assumed"]["multiprocessors"] == 132
    (record,) = content["steps"]
    assert record["launches"] == len(record["counted"]) > 20
    assert record["us"] == pytest.approx(sum(record["bounds"].values()))


# What is said in the end


def test_what_was_measured_takes_the_place_of_what_was_assumed():
    found = summary.measured(tiny_gpu.content())
    assert found.floor_s == pytest.approx(1.5e-6)
    assert found.gap_s == 0
    assert (found.memory, found.cache) == (4.2e12, 6e12)
    assert 2 * found.clock * found.lanes * found.multiprocessors == pytest.approx(6.2e13)
    nothing = {name: {**section, "records": []} for name, section in tiny_gpu.content().items()}
    assert summary.measured(nothing) == Assumed()
    assert summary.text(nothing)


def test_the_summary_sets_steps_beside_paper_and_pytorch():
    text = summary.text(tiny_gpu.content())
    (row,) = (line.split() for line in text.splitlines() if line.startswith("Model 9") and " 128 " in line)
    assert row[6:10] == ["128", "238", "3625", "188"]
    assert row[11:] == ["1.27", "800", "(graph)", "571", "(graph,", "TF32)"]
    assert "tests: 1 failed, 1 passed\n  b::c: AssertionError" in text
    assert "kernels: elu 100 128: E: no" in text
    assert "torch: stopped after 70 s" in text


def test_what_paper_assumes_stands_beside_what_was_found():
    text = summary.assumptions(tiny_gpu.content())
    rows = [line.rsplit(maxsplit=2)[1:] for line in text.splitlines()[2:]]
    assert rows == [["2.60", "1.50"], ["4.80", "4.20"], ["6.50", "6.00"], ["66.91", "62.00"]]


def test_a_step_that_learns_something_else_is_marked():
    content = tiny_gpu.content()
    for record in content["torch"]["records"]:
        if record["mode"] == "graph":
            record["losses"] = [1.7, 1.5]
    assert summary.steps(content).count("(graph, another loss!)") == 12
    assert summary.steps(content).count("(graph, TF32)") == 12


def test_pictures_show_every_kind_with_a_colour_and_a_mark_of_its_own(tmp_path):
    content = tiny_gpu.content()
    found = pictures.kinds(content)
    assert {kind for _, _, kind in found} == set(pictures.KINDS)
    assert found["model-9", 128, "PyTorch, eager"] == pytest.approx(2.0 * (1 + 128 / 900)), (
        "the faster layout"
    )
    for table in (pictures.KINDS, pictures.OPERATIONS):
        assert all(len(set(column)) == len(table) for column in zip(*table.values(), strict=True))
    made = summary.pictures(content, tmp_path)
    assert [path.name for path in made] == ["roofline.png", "steps.png", "accuracy.png"]
    for path in made:
        with Image.open(path) as image:
            assert image.width > 400
            assert np.asarray(image.convert("L")).std() > 5
