"""The page in Chromium: its numbers, its walk, its pictures, at three sizes; no error, no request."""

import re

import numpy as np
import pytest

import tinynet
from tinynet import Model, explorer, layers

from explorer.browser import Opened, axe
from explorer.nets import HOSTILE, IMAGES, LABELS, convolutional


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    tinynet.utils.set_random_seed(0)
    return tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path_factory.mktemp("page") / "step.html")


@pytest.fixture
def opened(browser, path):
    found = Opened(browser, path)
    yield found
    found.close()


def test_its_numbers_are_those_of_the_file(opened, path):
    index, q = explorer.load(path)
    for name, array in q.items():
        found = opened.ask("(i) => Array.from(quantities[i].data)", int(name[1:]))
        np.testing.assert_array_equal(np.array(found).astype(array.dtype), array.reshape(-1), err_msg=name)
    number = next(i for i, quantity in enumerate(index["quantities"]) if len(quantity["shape"]) == 4)
    at = (2, 3, 4, 1)
    assert opened.ask("([i, at]) => quantities[i].get(...at)", [number, at]) == q[f"q{number}"][at]


def test_the_walk_by_keys_visits_every_stop(opened, path):
    index, _ = explorer.load(path)
    opened.page.get_by_role("button", name="operations").click()
    opened.page.locator("body").press("ArrowLeft")
    seen = []
    for _ in index["order"]:
        seen.append(opened.ask("() => [stops[shown.stop].phase, stops[shown.stop].number]"))
        chosen = opened.page.locator("[role=treeitem][aria-selected=true]")
        assert chosen.count() == 1
        assert chosen.get_attribute("data-stop") == str(len(seen) - 1)
        assert opened.page.locator("#values .card").count() > 0
        opened.page.locator("body").press("ArrowRight")
    assert seen == index["order"]
    last = opened.page.locator("#transport output").inner_text()
    assert last.startswith(f"{len(seen)} of {len(seen)}: update adam of last/bias")


def test_play_stops_where_something_is_chosen(opened):
    player, tree = opened.page.locator("#player"), opened.page.locator("#tree [data-stop]")
    acts = {
        "a node": lambda: tree.nth(2).click(),
        "a tab": lambda: opened.page.locator("#tab-cost").click(),
        "an image": lambda: opened.page.locator("#images button").nth(1).click(),
        "a number": lambda: opened.page.locator("#values canvas.sheet").first.click(),
        "Escape": lambda: player.press("Escape"),
        "the button": player.click,
    }
    for name, act in acts.items():
        opened.ask("() => goTo(0)")
        player.click()
        assert opened.ask("() => timer !== null"), name
        act()
        assert opened.ask("() => timer === null"), name
        assert player.get_attribute("aria-label") == "play"


def test_the_operations_of_a_loss_are_stops_of_their_own(opened, path):
    """Also among layers; and the derivative of softmax and cross-entropy shows p, from which it is made."""
    index, _ = explorer.load(path)
    rows = [row["title"] for row in index["rows"]["layer"]]
    assert rows[rows.index("softmax_crossentropy") :][:3] == ["softmax_crossentropy", "sum", "divide"]
    stop = next(s for s in index["stops"] if s["title"] == "\N{PARTIAL DIFFERENTIAL} softmax_crossentropy")
    assert "softmax_crossentropy: p" in [index["quantities"][i]["name"] for i in stop["given"]]


def test_a_row_has_the_derivative_beside_its_forward(opened, path):
    index, _ = explorer.load(path)
    opened.page.get_by_role("button", name="operations").click()
    for row in opened.page.locator("#tree .row").all():
        items = row.locator("[data-stop]").all()
        if len(items) == 2:
            (forward, one), (backward, other) = (
                index["order"][int(x.get_attribute("data-stop"))] for x in items
            )
            assert (forward, backward) == ("forward", "backward")
            assert one == other
            assert abs(items[0].bounding_box()["y"] - items[1].bounding_box()["y"]) < 1
            assert items[0].bounding_box()["x"] < items[1].bounding_box()["x"]


def test_pointing_at_a_picture_tells_number_place_and_field(opened, path):
    _, q = explorer.load(path)
    index, _ = explorer.load(path)
    stop = next(
        i
        for i, (_, n) in enumerate(index["order"])
        if index["operations"][n]["name"] == "rectified_convolution"
    )
    number = index["operations"][index["order"][stop][1]]["outputs"][0]
    opened.ask("(stop) => show({stop, image: 1})", stop)
    canvas = opened.page.locator(f"[data-quantity='{number}'] canvas.sheet")
    canvas.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowRight"):
        canvas.press(key)
    expected = q[f"q{number}"][1, 2, 1, 0]
    words = opened.page.locator(f"[data-quantity='{number}'] .under").inner_text()
    place, _, shown = words.partition(" = ")
    assert place == "[1, 2, 1, 0]"
    assert np.float32(shown.replace("−", "-")) == expected
    assert (
        opened.page.locator("#field-words")
        .inner_text()
        .startswith("It depends on rows 1 to 3, columns 0 to 2")
    )


def test_a_click_on_the_input_asks_for_its_pixel(opened, path):
    index, _ = explorer.load(path)
    _, height, width, _ = index["quantities"][0]["shape"]
    opened.ask("() => show({stop: 0, image: 2})")
    field = opened.page.locator("#field")
    box = field.bounding_box()
    field.click(position={"x": 1 + box["width"] * 3.5 / width, "y": 1 + box["height"] * 5.5 / height})
    assert opened.ask("() => shown.number") == {"q": 0, "at": [2, 5, 3, 0]}


def test_fields_go_back_through_pooling(opened, path):
    index, _ = explorer.load(path)
    drop = next(op for op in index["operations"] if op["name"] == "drop")
    field = opened.ask("([q, at]) => fieldOf(quantities[q], at)", [drop["outputs"][0], [0, 1, 3, 2]])
    assert field == [1, 4, 5, 7]  # rows 2 and 3 of the convolution, and one around them; the right edge
    assert opened.ask("([q, at]) => fieldOf(quantities[q], at)", [index["loss"], []]) is None


def test_the_field_of_a_sum_holds_those_of_both(browser, tmp_path):
    """Of x + conv(x) the convolution sees more than x does, whichever is given first."""
    x = layers.Input((8, 8, 2))
    wide = layers.Conv2D(2, 3, padding="same", name="wide")(x)
    for both in ([x, wide], [wide, x]):
        model = Model(x, layers.Add(name="sum")(both))
        path = tinynet.explore(model, IMAGES, None, tmp_path / "step.html")
        index, _ = explorer.load(path)
        number = next(op for op in index["operations"] if op["name"] == "add")["outputs"][0]
        opened = Opened(browser, path)
        assert opened.ask("(q) => fieldOf(quantities[q], [0, 4, 5, 1])", number) == [3, 5, 4, 6]
        opened.close()


def test_the_field_of_a_gradient_is_that_of_its_value(opened, path):
    index, _ = explorer.load(path)
    name = "gradient of conv: y"
    stop, number = opened.ask(
        """(name) => { const q = quantities.find((one) => one.name === name).number;
        const makes = (one) => one.phase === 'backward' && one.operation.rule.returned.includes(q);
        const stop = stops.findIndex(makes);
        show({stop}); return [stop, q]; }""",
        name,
    )
    assert index["order"][stop][0] == "backward"
    canvas = opened.page.locator(f"[data-quantity='{number}'] canvas.sheet")
    canvas.focus()
    canvas.press("ArrowRight")
    assert opened.page.locator("#field-words").inner_text().startswith("Its value depends on rows")


def test_losses_by_which_images_were_chosen_say_so(opened, path):
    words = opened.page.locator("#images").inner_text()
    assert words.startswith("losses (in inference: no dropout, moving averages):")
    index, q = explorer.load(path)
    op = next(op for op in index["operations"] if op["name"] == "softmax_crossentropy")
    for now, before in zip(q[f"q{op['outputs'][0]}"], index["losses"], strict=True):
        found = re.search(r"([\d.]+) in this step \(([\d.]+)\)", words)
        assert [float(one) for one in found.groups()] == pytest.approx([now, before], rel=6e-3)
        words = words[found.end() :]
    notes = index["notes"]
    assert "The images are those of all 12 with the highest losses, in inference mode." in notes


def test_on_a_phone_what_is_chosen_comes_into_view(browser, path):
    opened = Opened(browser, path, 390, 844)
    assert opened.page.locator("#graph").bounding_box()["height"] <= 0.3 * 844 + 1
    assert opened.page.locator("#transport").bounding_box()["height"] < 52
    for act in ("() => goTo(3)", "() => checkNumber({q: operations[0].outputs[0], at: [0, 1, 1, 1]})"):
        opened.ask("() => scrollTo(0, 0)")
        opened.ask(act)
        assert abs(opened.page.locator("#centre").bounding_box()["y"]) < 20
    opened.close()


def test_colours_are_those_of_one_scale(opened, path):
    index, q = explorer.load(path)
    number = index["operations"][0]["outputs"][0]
    found = opened.ask(
        """(i) => { const scale = scaleOf(quantities[i]);
        return [scale.lo, scale.hi, colour(scale, scale.lo), colour(scale, scale.hi)] }""",
        number,
    )
    assert found[:2] == [float(q[f"q{number}"].min()), float(q[f"q{number}"].max())]
    assert found[2:] == [[0x44, 0x01, 0x54], [0xFD, 0xE7, 0x25]]  # viridis begins and ends so
    gradient = next(i for i, x in enumerate(index["quantities"]) if x["role"] == "gradient")
    most = float(np.abs(q[f"q{gradient}"]).max())
    assert opened.ask("(i) => [scaleOf(quantities[i]).lo, scaleOf(quantities[i]).hi]", gradient) == [
        -most,
        most,
    ]
    assert opened.ask("(i) => colour(scaleOf(quantities[i]), 0)", gradient) == pytest.approx(
        [0xF7] * 3, abs=5
    )


def test_costs_can_be_sorted(opened, path):
    index, _ = explorer.load(path)
    opened.page.get_by_role("tab", name="Cost").click()
    opened.page.get_by_role("button", name="FLOPs", exact=True).click()
    first = opened.page.locator("#cost tbody tr").first.inner_text().split("\t")
    rules = [op["rule"]["flops"] for op in index["operations"] if op["rule"]]
    most = max([op["flops"] for op in index["operations"]] + rules)
    assert first[2].strip() == f"{most / 1e3:.3g} k"
    assert opened.page.locator("#cost tbody tr").count() == len(index["order"])


def test_names_are_shown_as_they_are(browser, tmp_path):
    tinynet.utils.set_random_seed(0)
    model = convolutional(name=HOSTILE)
    model.layers[0].name = f"conv {HOSTILE}"
    opened = Opened(browser, tinynet.explore(model, IMAGES, LABELS, tmp_path / "step.html"))
    assert opened.page.locator("h1").inner_text() == HOSTILE
    assert f"conv {HOSTILE}"[:20] in opened.page.locator("#tree").inner_text()
    assert opened.page.locator("img").count() == 0
    opened.close()


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 800), (390, 844)])
def test_it_fits(browser, path, width, height):
    opened = Opened(browser, path, width, height)
    assert opened.ask("() => document.documentElement.scrollWidth") <= width
    for part in ("#tree", "#values", "#code", "#transport"):
        assert opened.page.locator(part).bounding_box()["width"] > 150
    opened.close()


def test_a_forward_pass_and_a_tape_have_pages_too(browser, tmp_path):
    tinynet.utils.set_random_seed(0)
    x = tinynet.Tensor([2.0], requires_grad=True, name="x")
    pages = [
        tinynet.explore(convolutional(), IMAGES, path=tmp_path / "forward.html"),
        tinynet.explore(x * x + x, path=tmp_path / "tape.html"),
    ]
    for path in pages:
        opened = Opened(browser, path)
        for _ in range(4):
            opened.page.locator("body").press("ArrowRight")
        assert opened.page.locator("#values .card").count() > 0
        opened.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_keeps_people_out(browser, path, width):
    index, _ = explorer.load(path)
    conv = next(i for i, op in enumerate(index["operations"]) if op["name"] == "rectified_convolution")
    opened = Opened(browser, path, width)
    opened.ask(axe())
    for act in (
        "() => goTo(0)",
        "() => goTo(stops.findIndex((stop) => stop.phase === 'backward'))",
        "() => goTo(stops.length - 1)",
        f"() => checkNumber({{q: operations[{conv}].outputs[0], at: [1, 2, 3, 1]}})",
        f"() => checkNumber({{q: operations[{conv}].rule.returned[1], at: [1, 1, 1, 1]}})",
        "() => show({tab: 'cost'})",
        "() => show({tab: 'health'})",
    ):
        opened.ask(act)
        found = opened.ask("async () => (await axe.run()).violations.map((v) => [v.id, v.nodes[0].html])")
        assert found == [], act
    opened.close()


def test_a_stop_is_shown_at_once(opened):
    times = opened.ask(
        """() => stops.map((_, i) => { const begin = performance.now(); goTo(i);
        document.body.offsetHeight; return performance.now() - begin; })"""
    )
    assert np.median(times) < 50  # milliseconds


def test_it_can_be_printed(opened):
    assert opened.page.pdf().startswith(b"%PDF")
