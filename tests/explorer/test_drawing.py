"""Drawing in the page: what it computes is what `predict` says; the badge is red for one wrong number."""

import numpy as np
import pytest

import tinynet
from tinynet import Sequential, explorer, layers
from tinynet.datasets import digits

from explorer.browser import Opened, axe

(X, LABELS), _ = digits.load_data()
X, LABELS = X[:200], LABELS[:200]


def net(shape):
    """A net with all that predicts otherwise than it trains; of images of a shape."""
    tinynet.utils.set_random_seed(0)
    model = Sequential(
        [
            layers.Input(shape),
            layers.Rescaling(1 / 16, name="scale"),
            layers.Reshape((8, 8, -1), name="image"),
            layers.Conv2D(6, 3, padding="same", activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(0.3, name="drop"),
            layers.Conv2D(4, 3, name="second"),
            layers.Flatten(name="flat"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="drawn",
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def images(shape):
    return (np.repeat(X[..., None], 3, axis=3) if shape[-1] == 3 else X).reshape(len(X), *shape)


ANSWER = "() => { takeImage(%d); return Array.from(quantities[index.drawn.output].data); }"


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 8, 3), (64,)])
def test_stored_digits_get_the_answer_of_predict(browser, shape, tmp_path):
    model, x = net(shape), images(shape)
    model.fit(x, LABELS, epochs=3, verbose=0)
    path = tinynet.explore(model, x, LABELS, tmp_path / "step.html", images=[5, 9, 17])
    opened = Opened(browser, path)
    opened.page.get_by_role("tab", name="Draw").click()
    for n, expected in enumerate(model.predict(x[[5, 9, 17]], verbose=0)):
        opened.page.get_by_role("button", name=f"image {n}", exact=True).click()
        found = opened.ask(ANSWER % n)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert opened.page.locator("#answer p b").inner_text() == str(expected.argmax())
    opened.close()


def test_the_numbers_of_a_drawing_can_be_checked(browser, tmp_path):
    model = net((8, 8, 1))
    opened = Opened(browser, tinynet.explore(model, images((8, 8, 1)), LABELS, tmp_path / "step.html"))
    opened.page.get_by_role("tab", name="Draw").click()
    opened.page.locator("#answer button.number").nth(3).click()
    assert opened.page.locator("#check .verdict").inner_text().endswith("✓")
    opened.page.locator("#check table button.number").first.click()
    assert opened.page.locator("#check .verdict").inner_text().endswith("✓")
    opened.close()


def test_ink_is_put_down_by_pointer_and_keys_and_centred(browser, tmp_path):
    """A dot in a corner; `centre it` moves its centre of mass into the middle, in a box of 20/28."""
    model = net((8, 8, 1))
    opened = Opened(browser, tinynet.explore(model, images((8, 8, 1)), LABELS, tmp_path / "step.html"))
    opened.page.get_by_role("tab", name="Draw").click()
    opened.page.get_by_role("button", name="clear").click()
    image = "() => Array.from(quantities[index.drawn.input].data)"
    assert not any(opened.ask(image))
    paper = opened.page.locator("#paper")
    paper.focus()
    for key in ("ArrowRight", "ArrowDown", " "):
        paper.press(key)
    inked = np.reshape(opened.ask(image), (8, 8))
    assert inked.argmax() == 9
    assert inked[1, 1] == 16  # as dark as the darkest of the images
    paper.click(position={"x": 280 * 2.5 / 8, "y": 280 * 1.5 / 8})
    assert np.reshape(opened.ask(image), (8, 8))[1, 2] == 16
    opened.page.get_by_role("button", name="centre it").click()
    centred = np.reshape(opened.ask(image), (8, 8))
    middle = [(np.arange(8) * centred.sum(axis=1 - axis)).sum() / centred.sum() for axis in (0, 1)]
    np.testing.assert_allclose(middle, 3.5, atol=0.3)
    columns = np.flatnonzero(centred.max(axis=0) > 1)  # it was wider than high
    assert 5 <= np.ptp(columns) + 1 <= 7
    opened.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_keeps_people_from_drawing(browser, width, tmp_path):
    path = tinynet.explore(net((8, 8, 1)), images((8, 8, 1)), LABELS, tmp_path / "step.html")
    opened = Opened(browser, path, width)
    opened.ask(axe())
    opened.page.get_by_role("tab", name="Draw").click()
    assert opened.ask("() => document.documentElement.scrollWidth") <= width
    assert opened.ask("async () => (await axe.run()).violations.map((v) => [v.id, v.nodes[0].html])") == []
    opened.close()


def test_a_wrong_number_turns_the_badge_red(browser, tmp_path):
    path = tinynet.explore(net((8, 8, 1)), images((8, 8, 1)), LABELS, tmp_path / "step.html")
    opened = Opened(browser, path)
    opened.page.wait_for_selector("html[data-compared=true]")
    index, _ = explorer.load(path)
    conv = next(op for op in index["operations"] if op["name"] == "rectified_convolution")["outputs"][0]
    opened.ask("async (q) => { quantities[q].data[123] += 0.01; await compareAll(); }", conv)
    words = opened.page.locator("#badge").inner_text()
    assert words == f"JS ≠ tinynet ✗: conv: y [{', '.join(map(str, np.unravel_index(123, (4, 8, 8, 6))))}]"
    opened.close()


def test_nets_of_other_inputs_have_no_paper(browser, tmp_path):
    model = Sequential([layers.Input((5,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    path = tinynet.explore(
        model, rng.normal(size=(6, 5)).astype("float32"), np.zeros((6, 2)), tmp_path / "step.html"
    )
    opened = Opened(browser, path)
    assert not opened.page.locator("#tab-draw").is_visible()
    opened.close()
