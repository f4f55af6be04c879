"""The page of the digits: written by the example, and the one that is there to be opened."""

from pathlib import Path

import explore_mnist
import numpy as np

from tinynet import explorer

PAGE = Path(explore_mnist.__file__).parent / "pages" / "digits.html"


def test_it_writes_a_page_of_the_images_that_are_learned_worst(tmp_path):
    explore_mnist.main(["--data", "digits", "--epochs", "1", "--limit", "200", "--out", str(tmp_path)])
    index, q = explorer.load(tmp_path / "digits.html")
    assert (index["kind"], index["batch"], index["given"]) == ("training step", 4, 200)
    assert index["losses"] == sorted(index["losses"], reverse=True)
    assert q["q0"].shape == (4, 8, 8, 1)


def test_the_page_that_is_there_is_small_and_whole():
    assert PAGE.stat().st_size <= 1_000_000
    index, q = explorer.load(PAGE)
    blocks = [quantity["block"] for quantity in index["quantities"]]
    made = [
        quantity["by"][0] for quantity, block in zip(index["quantities"], blocks, strict=True) if not block
    ]
    assert set(made) == {"predicted"}  # nothing was left out but what the page computes for a drawing
    assert not any("lo" in block for block in blocks if block)
    dense = next(op for op in index["operations"] if op["layer"] == "digits/digit")
    x, w, b = (q[f"q{one['q']}"].astype(float) for one in dense["inputs"])
    np.testing.assert_allclose(q[f"q{dense['outputs'][0]}"], x @ w + b, rtol=1e-4, atol=1e-5)
    text = PAGE.read_text(encoding="utf-8")
    assert "/home" not in text
    assert "/work" not in text
