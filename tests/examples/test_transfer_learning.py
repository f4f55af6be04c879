"""Transfer learning: the split, layers that are shared, weights that are frozen, every row in a quick run."""

import os
from pathlib import Path

import numpy as np
import pytest
import transfer_learning as study

from tinynet import utils

from shared import training


def test_a_quick_run_has_every_row_and_writes_the_pictures(folder, rows):
    pictures = {"transfer_classes", "transfer_curves", "transfer_dots"}
    assert {path.stem for path in folder.glob("*.png")} == pictures
    assert {row["id"] for row in rows} == {f"S4-{number}" for number in range(10, 17)}
    assert all(len(row["runs"]) == 1 for row in rows)
    assert all(row["runs"][0]["params"] == row["params"] for row in rows if row["params"])


@pytest.mark.parametrize("row_id", ["S4-13", "S4-14", "S4-15"])
def test_what_the_chapter_says_of_layers_is_computed(rows, row_id):
    (row,) = (row for row in rows if row["id"] == row_id)
    computed = row["runs"][0]["values"]
    told = {**row["notebook"]["values"], **row["expected"]}
    assert told
    for what, printed in told.items():
        assert computed[what] == printed


def test_the_verdict_pairs_the_seeds_of_an_arm():
    scratch, on_a = [0.97, 0.96, 0.98, 0.5], [0.99, 0.98, 0.99]  # 2, 2 and 1 points; one seed is not there
    made = {("S4-12", study.ADVISED): scratch, ("S4-16", study.ADVISED): on_a}

    def runs(row):
        values = made.get((row.id, row.arm), [])
        return [{"seed": seed, "values": {"test accuracy": share}} for seed, share in enumerate(values)]

    said = study.verdict(runs)
    # mean 5 / 3, deviation 1 / sqrt(3): 4.303 / 3 = 1.434
    assert said == {
        "B on A better, as advised": "yes: +1.67% of accuracy, ahead in 3 of 3 seeds, "
        "95 % interval +0.23% to +3.10%"
    }


def test_the_verdict_is_kept_as_a_row(rows):
    verdict = next(row for row in rows if row["arm"] == "the verdict")
    said = verdict["runs"][0]["values"]
    assert set(said) == {f"B on A better, {arm}" for arm in (study.NOTEBOOK, study.ADVISED)}
    test = {
        row["id"]: row["runs"][0]["values"]["test accuracy"]
        for row in rows
        if row["arm"] == study.ADVISED and row["id"] in ("S4-12", "S4-16")
    }
    gain = test["S4-16"] - test["S4-12"]
    assert said[f"B on A better, {study.ADVISED}"].startswith(f"{gain:+.2%} of accuracy")


def test_each_arm_is_described_by_its_own_remark():
    for row in study.ROWS:
        if row.arm in (study.NOTEBOOK, study.ADVISED):
            assert ("glorot_uniform" in row.remark) == (row.arm == study.NOTEBOOK)
            assert ("lecun_normal" in row.remark) == (row.arm == study.ADVISED)


def test_the_split_moves_the_labels_of_a_and_asks_b_for_the_shirt():
    y = np.array([9, 5, 0, 6, 7, 8, 5, 4], "uint8")
    x = np.arange(8)
    (x_a, y_a), (x_b, y_b) = study.split_dataset(x, y)
    assert (x_a.tolist(), y_a.tolist()) == ([0, 2, 4, 5, 7], [7, 0, 5, 6, 4])
    assert (x_b.tolist(), y_b.tolist(), y_b.dtype) == ([1, 3, 6], [0, 1, 0], np.dtype("float32"))


def test_validation_comes_first_and_b_is_cut_to_200_images():
    y = np.tile(np.arange(10, dtype="uint8"), 360)  # of each ten, 8 are A's and 2 are B's
    x = np.zeros((3600, 28, 28), "uint8")
    a, b = study.tasks(((x, y), (x[:20], y[:20])))
    sizes = {name: (len(a[name][1]), len(b[name][1])) for name in a}
    assert sizes == {"training": (2640, 200), "validation": (240, 60), "test": (16, 4)}


def test_advised_pixels_have_mean_0_and_deviation_1():
    a, _ = study.tasks(study.load(True), study.ADVISED)
    assert abs(a["training"][0].mean()) < 1e-4
    assert abs(a["training"][0].std() - 1) < 1e-4


@pytest.mark.skipif(
    not Path(os.environ.get("TINYNET_DATA", "nowhere"), "fashion_mnist").is_dir(),
    reason="Fashion-MNIST is not in TINYNET_DATA",
)
def test_the_split_of_fashion_mnist_has_the_counts_of_the_notebook():
    assert study.counts(study.load(False)) == study.COUNTS


def test_the_nets_share_layers_and_have_the_parameters_of_the_notebook():
    a = study.net(8, "softmax", study.NOTEBOOK)
    assert a.count_params() == 276_158
    assert study.net(1, "sigmoid", study.ADVISED).count_params() == 275_801
    b = study.on_top_of(a)
    assert all(one is other for one, other in zip(b.layers[:-1], a.layers[:-1], strict=True))
    assert b.layers[-1] is not a.layers[-1]


def test_only_51_parameters_learn_while_the_others_are_frozen(monkeypatch):
    data = study.load(True)
    a = study.net(8, "softmax", study.NOTEBOOK)
    monkeypatch.setattr(study, "model_a", lambda *_: (a, {}))
    model, record = study.frozen(data, study.NOTEBOOK, 0)
    assert record["values"]["trainable parameters"] == 51
    for before, after in zip(a.layers[:-1], model.layers[:-1], strict=True):
        for one, other in zip(before.get_weights(), after.get_weights(), strict=True):
            assert one.tobytes() == other.tobytes()
    study.freeze(model, False)
    below = study.weights_below(model)
    study.learn(model, study.tasks(data)[1], "SGD", 1)
    assert not study.same(below, study.weights_below(model))


def test_a_run_is_the_same_whatever_ran_before():
    data = study.load(quick=True)
    rows = {row.name: row for row in study.ROWS}
    first, wanted = rows[f"S4-11, {study.NOTEBOOK}"], rows["S4-15"]
    found = []
    training.at_most(1)
    try:
        for before in ((), (first,)):
            study._weights_of_a.clear()
            for row in (*before, wanted):
                utils.set_random_seed(3)
                record = study.train(row, data, 3)
            found.append(record["history"])
    finally:
        training.at_most(None)
    assert found[0] == found[1]
