"""The page and the pictures are made from the file alone."""

import pytest
import tiny

from benchmarks import __main__ as command
from benchmarks import report, results, steps


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.json"
    results.save(path, tiny.content())
    return path


def test_the_page_names_the_machine_and_holds_every_level(tmp_path, file):
    page = tmp_path / "page" / "RESULTS.md"
    page.parent.mkdir()
    command.main(["report", str(file), "--out", str(page)])
    text = page.read_text(encoding="utf-8")
    for words in (
        "## A processor", "2 cores (AVX2)", "commit abc", "numpy 2.0",
        "2.00 | 6.00 (compile) | 8.00 (graph) | 50.0 (jit) | 4.00 / 3.00", "200 MiB | 300 MiB", (
            "did the same "
            "work"
        ),
        "| tinynet, naive | 100 ms |", "40 % / 40 % | 2.00 / 2.00", "| 2.5 | 9.0 |", "caches empty | 16.00",
        "us an image", "| tinynet, default | 1.00 (2.00) | 1.20 (2.10) |", (
            "| time, of its limit | 0.77 "
            "| 0.62 |"
        ),
    ):  # fmt: skip
        assert words in text, words
    for picture in ("steps", "roofline", "channels", "batch", "scaling"):
        assert f"![{picture}](results/a/{picture}.png)" in text
        assert (page.parent / "results" / "a" / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


def test_different_losses_are_named(tmp_path):
    content = tiny.content()
    content["levels"] = {
        "steps": [tiny.step("tinynet", "fit", 0.002), tiny.step("torch", "eager", 0.009, same_loss=False)]
    }
    results.save(tmp_path / "a.json", content)
    command.main(["report", str(tmp_path / "a.json"), "--out", str(tmp_path / "page.md")])
    assert (
        "differ by over 10 % from the middle: model-9, batch 128, PyTorch eager"
        in (tmp_path / "page.md").read_text()
    )


def test_ideas_stand_in_the_order_in_which_they_are_taken_away(tmp_path):
    names = list(steps.ABLATION)
    times = [0.002, 0.003, 0.006, 0.05, 0.04, 0.2]
    records = [tiny.step("tinynet", name, seconds) for name, seconds in zip(names, times, strict=True)]
    text = report.ablation_part([*records[::-1], tiny.step("tinynet", names[0], 0.001, batch=32)])
    assert text.index("batch 32") < text.index("batch 128")
    lines = [line for line in text.splitlines() if line.startswith(tuple(f"| {name} " for name in names))]
    assert [line.split(" | ")[0][2:] for line in lines] == [names[0], *names]


def test_where_a_peer_is_ahead():
    seven = (("tinynet", "numpy", 0.004), ("tinynet", "numba", 0.002), ("torch", "eager", 0.001))
    eight = (("tinynet", "numba", 0.001), ("torch", "eager", 0.002))
    records = [tiny.kernel("relu", *rest, name="7") for rest in seven]
    records += [tiny.kernel("relu", *rest, name="8") for rest in eight]
    records += [tiny.kernel("elu", "tinynet", "numba", 0.001)]  # nobody else has it
    text = report.kernels_part(records)
    assert "A peer is ahead in 1 of 2 cases" in text
    assert "| relu | 1 of 2 | 0.50 | 7, batch 128 |" in text
    assert "A peer is ahead" not in report.kernels_part(records[3:])


def test_pictures_alone(tmp_path, file, capsys):
    command.main(["plot", str(file), "--out", str(tmp_path / "pictures")])
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 6
    content = {**tiny.content(), "levels": {}}
    results.save(tmp_path / "empty.json", content)
    command.main(["plot", str(tmp_path / "empty.json")])
    assert "nothing to draw" in capsys.readouterr().out


def test_the_page_in_the_repository_is_the_one_of_its_files(tmp_path):
    if not list(results.FOLDER.glob("*.json")):
        pytest.skip("no results are in the repository")
    page = tmp_path / "RESULTS.md"
    report.write(None, page)
    assert page.read_text(encoding="utf-8") == report.PAGE.read_text(encoding="utf-8")
