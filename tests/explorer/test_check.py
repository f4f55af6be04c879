"""Check this number: what the page computes, and what its Python computes, is what the kernels gave."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinynet
from tinynet import explorer, optimizers
from tinynet.explorer.page import DRAWING, SCRIPTS, scripts_of_page
from tinynet.optimizers import Adam

from explorer.browser import Opened
from explorer.nets import IMAGES, LABELS, convolutional, of_many_kinds, strided

ROOT = Path(__file__).resolve().parent.parent.parent
ASK = """([q, at]) => { const check = checkOf({q, at});
return typeof check === "string" ? check : [check.value, tolerance(check), pythonOf(check, "0")]; }"""
NOT_MADE = ("It was there before", "The walk back begins here")
# what has no panel: (phase, operation, which result): the bits of a mask, and the mean that RMS norm has not
WITHOUT = {("forward", "drop", 1), ("forward", "standardise", 1)}


def printed_by(code, **names):
    """The first number that a piece of Python prints."""
    printed = []
    exec(code, {"print": lambda *values: printed.extend(values), **names})
    return float(printed[0])


def trained(make):
    tinynet.utils.set_random_seed(0)
    model = make()
    model.fit(IMAGES, LABELS, epochs=2, batch_size=4, verbose=0)
    return model


@pytest.mark.parametrize("make", [convolutional, strided, of_many_kinds])
def test_every_panel_gives_the_number_that_is_stored(browser, make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tinynet.explore(trained(make), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    opened, rng, without, asked = Opened(browser, path), np.random.default_rng(0), set(), 0
    monkeypatch.setattr(explorer, "load", lambda name: (index, q) if name == "step.html" else None)
    for number, quantity in enumerate(index["quantities"]):
        array = q[f"q{number}"]
        for _ in range(4):
            at = [int(rng.integers(size)) for size in array.shape]
            found = opened.ask(ASK, [number, at])
            if isinstance(found, str):
                if not found.startswith(NOT_MADE):
                    by = quantity["by"]
                    without.add((by[0], index["operations"][by[1]]["name"], by[2]))
                continue
            value, tolerance, code = found
            stored = float(array[tuple(at)])
            assert abs(value - stored) <= tolerance, (quantity, at, found)
            assert abs(printed_by(code) - stored) <= 2 * tolerance + 1e-6 * abs(stored), (
                quantity,
                at,
                found,
            )
            asked += 1
    opened.close()
    assert without <= WITHOUT
    assert asked > 150


def test_every_number_of_the_page_of_the_digits(browser, tmp_path):
    """All places that have a panel, by the scripts as they are now: of some sums little is left."""
    text = (ROOT / "examples/pages/digits.html").read_text(encoding="utf-8")
    head, _, rest = text.rpartition("<script>")
    scripts = f'\n"use strict";\n{scripts_of_page([*DRAWING, *SCRIPTS])}'
    head = re.sub(r"<meta http-equiv.*", "", head)  # its policy names the scripts that it came with
    path = tmp_path / "digits.html"
    path.write_text(f"{head}<script>{scripts}</script>{rest.partition('</script>')[2]}", encoding="utf-8")
    opened = Opened(browser, path)
    checked, wrong = opened.ask(
        """() => { let checked = 0; const wrong = [];
        for (const quantity of quantities) for (const at of placesOf(quantity.shape)) {
            const check = checkOf({q: quantity.number, at});
            if (typeof check === "string") continue;
            checked++;
            const [difference, most] = [Math.abs(check.value - quantity.get(...at)), tolerance(check)];
            if (!(difference <= most)) wrong.push([quantity.name, at, difference, most]);
        }
        return [checked, wrong]; }"""
    )
    opened.close()
    assert wrong == []
    assert checked > 23_000


RULES = [
    optimizers.SGD(0.1, momentum=0.9),
    optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    optimizers.Adamax(0.01),
    optimizers.Nadam(0.01),
    optimizers.Lion(0.01),
    optimizers.Adagrad(0.01),
    optimizers.RMSprop(0.01),
]


@pytest.mark.parametrize("optimizer", RULES, ids=lambda one: one.name)
def test_updates_of_many_rules(browser, optimizer, tmp_path):
    """The new weight and every new slot, by the lines of the rule."""
    path = tinynet.explore(trained(lambda: convolutional(optimizer)), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    opened = Opened(browser, path)
    new = [number for op in index["operations"] if op["phase"] == "update" for number in op["outputs"]]
    for number in new:
        at = [0] * q[f"q{number}"].ndim
        value, tolerance, code = opened.ask(ASK, [number, at])
        stored = float(q[f"q{number}"][tuple(at)])
        assert abs(value - stored) <= tolerance
        lines = "\n".join(line for line in code.splitlines() if "explorer" not in line)
        assert abs(printed_by(lines, q=q) - stored) <= tolerance
    assert len(new) >= 12
    opened.close()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_targets_as_rows(browser, smoothing, tmp_path):
    """Cross-entropy of one-hot rows, and of smoothed ones: the loss, and its derivative by the logits."""

    def make():
        model = convolutional()
        loss = tinynet.losses.CategoricalCrossentropy(label_smoothing=smoothing)
        model.compile("adam", loss)
        return model

    tinynet.utils.set_random_seed(0)
    path = tinynet.explore(make(), IMAGES, np.eye(3, dtype="float32")[LABELS], tmp_path / "step.html")
    index, q = explorer.load(path)
    opened = Opened(browser, path)
    op = next(op for op in index["operations"] if op["name"] == "softmax_crossentropy")
    for number, at in (
        (op["outputs"][0], [2]),
        (op["rule"]["returned"][0], [1, 2]),
        (op["outputs"][1], [0, 1]),
    ):
        value, tolerance, code = opened.ask(ASK, [number, at])
        stored = float(q[f"q{number}"][tuple(at)])
        assert abs(value - stored) <= tolerance
        code = "\n".join(line for line in code.splitlines() if "explorer" not in line)
        assert abs(printed_by(code, q=q) - stored) <= 2 * tolerance
    opened.close()


def test_an_adam_of_several_rates(browser, tmp_path):
    """Five lines of arithmetic, with the rate of this very weight."""
    model = trained(lambda: convolutional(Adam(0.01, learning_rate_multipliers={"bias": 8.0})))
    index, q = explorer.load(path := tinynet.explore(model, IMAGES, LABELS, tmp_path / "step.html"))
    opened = Opened(browser, path)
    rates = set()
    for op in index["operations"]:
        if op["phase"] == "update":
            rates.add(op["settings"]["learning_rate"])
            at = [0] * q[f"q{op['outputs'][0]}"].ndim
            value, tolerance, _ = opened.ask(ASK, [op["outputs"][0], at])
            assert abs(value - q[f"q{op['outputs'][0]}"][tuple(at)]) <= tolerance
            assert op["settings"]["t"] == model.optimizer.iterations + 1 == 7
    assert rates == {0.01, 0.08}
    opened.close()


def test_a_weight_of_which_more_is_known_than_the_rule_is_left_alone(browser, tmp_path):
    """With weight decay or clipping the rule is not all there is: rather no panel than a wrong one."""
    model = trained(lambda: convolutional(Adam(0.01, clipnorm=0.1)))
    index, _ = explorer.load(path := tinynet.explore(model, IMAGES, LABELS, tmp_path / "step.html"))
    opened = Opened(browser, path)
    new = next(op for op in index["operations"] if op["phase"] == "update")["outputs"][0]
    assert opened.ask(ASK, [new, [0, 0, 0, 0]]).startswith("There is no panel")
    opened.close()


def test_a_walk_by_hand_from_a_logit_to_a_pixel(browser, tmp_path):
    """Every number leads to those it was made from: clicking the largest factor ends at the image."""
    path = tinynet.explore(trained(convolutional), IMAGES, LABELS, tmp_path / "step.html")
    index, _ = explorer.load(path)
    opened = Opened(browser, path)
    logits = next(op for op in index["operations"] if op["name"] == "dense")["outputs"][0]
    opened.ask("(q) => checkNumber({q, at: [1, 2]})", logits)
    names = []
    for _ in range(12):
        names.append(opened.ask("() => quantities[shown.number.q].name"))
        if names[-1] == "x":
            break
        assert "differs" not in opened.page.locator("#check").inner_html()
        numbers = opened.page.locator("#check table button.number")
        images = [
            b
            for b in numbers.all()
            if b.get_attribute("title").startswith(("conv:", "pool:", "norm:", "drop: y", "flat:", "x ["))
        ]
        by_size = sorted(images, key=lambda b: -abs(float(b.inner_text().replace("−", "-"))))

        by_size[0].click()
    assert names[0] == "last: y"
    assert names[-1] == "x"
    assert [name.partition(":")[0] for name in names] == ["last", "flat", "drop", "norm", "pool", "conv", "x"]
    for _ in names[1:]:
        opened.page.get_by_role("button", name="← back").click()
    assert opened.ask("() => quantities[shown.number.q].name") == "last: y"
    opened.close()


def test_a_wrong_number_is_noticed(browser, tmp_path):
    """The verdict is not green by itself: one weight changed in the page, and it is red."""
    path = tinynet.explore(trained(convolutional), IMAGES, LABELS, tmp_path / "step.html")
    index, _ = explorer.load(path)
    opened = Opened(browser, path)
    conv = next(op for op in index["operations"] if op["name"] == "rectified_convolution")
    opened.ask(
        """([q, w]) => { const big = quantities[q]; const place = big.where(big.data.indexOf(big.stats.max));
        quantities[w].data.fill(0.5); checkNumber({q, at: place}); }""",
        [conv["outputs"][0], conv["inputs"][1]["q"]],
    )
    verdict = opened.page.locator("#check .verdict")
    assert "more than rounding" in verdict.inner_text()
    assert "differs" in verdict.get_attribute("class")
    opened.close()


@pytest.mark.parametrize("name", ['it\'s "one".html', "a#b;c.html", "100%25.html"])
def test_names_of_files_in_python(browser, name, tmp_path):
    """The line that loads the file is Python, and names it, whatever it is called."""
    path = tinynet.explore(convolutional(), IMAGES, LABELS, tmp_path / name)
    opened = Opened(browser, path)
    code = opened.ask("() => pythonOf({code: () => ['0']}, '0')")
    opened.close()
    line = next(line for line in code.splitlines() if "load(" in line)
    assert eval(line.partition("load(")[2].rstrip(")")) == name


def test_a_sum_says_where_relu_was_closed(browser, tmp_path):
    """The gradient of a weight: how many places there are, and at how many y is 0 and holds g back."""
    path = tinynet.explore(trained(convolutional), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    conv = next(op for op in index["operations"] if op["name"] == "rectified_convolution")
    y = q[f"q{conv['outputs'][0]}"][..., 3]
    met = y[:, :-1, 1:]  # those where the lower left corner of a filter of 3x3 met a pixel
    opened = Opened(browser, path)
    opened.ask("(q) => checkNumber({q, at: [2, 0, 0, 3]})", conv["rule"]["returned"][1])
    words = opened.page.locator("#check").inner_text()
    assert "dw = Σ x · g · (y > 0)" in words
    said = "{} of {} places; at {} relu was closed (y = 0), so its slope is 0"
    assert said.format((met > 0).sum(), met.size, (met == 0).sum()) in words
    for one in met:
        assert f"{(one > 0).sum()} of {one.size} places" in words
    assert 0 < (met > 0).sum() < met.size
    opened.close()


def test_both_sums_of_a_norm_have_headings(browser, tmp_path):
    path = tinynet.explore(trained(convolutional), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    norm = next(op for op in index["operations"] if op["name"] == "normalise")
    count = q[f"q{norm['outputs'][0]}"][..., 0].size
    opened = Opened(browser, path)
    opened.ask("(q) => checkNumber({q, at: [0, 0, 0, 0]})", norm["rule"]["returned"][0])
    headings = opened.page.locator("#check h3").all_inner_texts()
    assert headings == [f"Σ g, which is dbeta: {count} terms", f"Σ g x̂, which is dgamma: {count} terms"]
    opened.close()


def test_a_gradient_says_what_it_means_and_leads_to_its_update(browser, tmp_path):
    path = tinynet.explore(trained(convolutional), IMAGES, LABELS, tmp_path / "step.html")
    index, q = explorer.load(path)
    weight = next(i for i, one in enumerate(index["quantities"]) if one["name"] == "last/kernel")
    number = next(i for i, one in enumerate(index["quantities"]) if one["of"] == weight)
    updates = [op for op in index["operations"] if op["phase"] == "update"]
    update = next(op for op in updates if number in [one["q"] for one in op["inputs"]])
    opened = Opened(browser, path)
    opened.ask("(q) => checkNumber({q, at: [3, 1]})", number)
    words = opened.page.locator("#check").inner_text().replace("\N{MINUS SIGN}", "-")
    change = re.search(r"by 0.001, and the loss changes by about (\S+?)\.\n", words)[1]
    assert float(change) == pytest.approx(q[f"q{number}"][3, 1] / 1000, rel=6e-3)
    opened.page.locator("p", has_text="adam used it; the new weight").locator("button").click()
    assert opened.ask("() => shown.number") == {"q": update["outputs"][0], "at": [3, 1]}
    opened.close()
