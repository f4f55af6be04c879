"""The small nets: their sizes as the notebook printed them, its learning rates, the grid, and a quick run."""

import itertools
import json

import pytest
import small_nets
from small_nets_grid import answers, differences
from small_nets_rows import ALIKE, GRID, NEEDED, OVERFITS, OVERKILL, RATES, ROWS

# total, trainable, non-trainable; widths up to the last convolution: as printed, or added up by hand
SIZES = {
    "S3-01": (49_220, 49_220, 0, "26 24 24 12 10 8 6 4"),
    "S3-02": (10_524, 10_524, 0, "26 24 24 12 10 8 6 4"),
    "S3-03": (13_880, 13_688, 192, "26 24 24 12 10 8 6 4"),
    "S3-04": (20_010, 19_742, 268, "26 24 22 22 11 9 7 7 5"),
    "S3-05": (12_664, 12_436, 228, "26 24 24 22 11 9 7 7 5 3"),
    "S3-06": (15_958, 15_650, 308, "26 26 24 22 11 9 7 7 5"),
    "S3-07": (10_844, 10_684, 160, "26 24 24 12 10 8 6 4"),
}


@pytest.mark.parametrize("number", SIZES)
def test_a_net_has_the_size_that_the_notebook_printed(number):
    total, trainable, non_trainable, maps = SIZES[number]
    net = small_nets.build(small_nets.LISTINGS[number])
    row = next(row for row in ROWS if row.id == number)
    assert net.count_params() == row.params == total
    expected = {"trainable": trainable, "non-trainable": non_trainable, "maps": maps}
    assert small_nets.described(net) == expected
    assert net.output_shape == (None, 10)


def test_the_net_of_ours_is_under_15000_parameters_and_trained_without_dropout(monkeypatch):
    trained = []

    def look(net, batches, **options):
        trained.append(net)
        images, labels = next(batches)
        assert (images.shape, labels.shape) == ((128, 28, 28, 1), (128, 10))
        return {}

    monkeypatch.setattr(small_nets, "fit", look)
    small_nets.train_better(small_nets.load(quick=True), 0)
    (net,) = trained
    row = next(row for row in ROWS if row.id == "S3-best")
    # of the six batch norms each has 4 numbers a channel: 120 + 2,180 + 210 + 1,456 + 3 * 2,320 + 2,570
    assert net.count_params() == row.params == 13_496 + 4 * (12 + 20 + 4 * 16) < 15_000
    kinds = [type(layer).__name__ for layer in net.layers]
    assert (kinds.count("BatchNormalization"), kinds.count("Dropout")) == (6, 0)
    momenta = {layer.momentum for layer in net.layers if type(layer).__name__ == "BatchNormalization"}
    assert momenta == {0.9}


def test_the_grid_switches_layers_off():
    def kinds(**switches):
        net = small_nets.build(small_nets.LISTINGS["10K"], **switches)
        return [type(layer).__name__ for layer in net.layers].count

    assert (kinds()("BatchNormalization"), kinds()("Dropout")) == (6, 6)
    assert kinds(batch_norm=False)("BatchNormalization") == 0
    assert kinds(dropout=0)("Dropout") == 0
    plain = small_nets.build(small_nets.LISTINGS["49K"], batch_norm=False, dropout=0)
    assert plain.count_params() == 49_220
    assert len(GRID) == 16


def test_the_20_learning_rates_are_those_printed():
    rates = [small_nets.scheduler(epoch) for epoch in range(20)]
    assert rates == RATES
    assert (len(RATES), rates[1], rates[19]) == (20, 0.0022744503, 0.000424869)


def made_up(size=0.0, batch_norm=0.01, dropout=0.002, schedule=0.003, start=0.97):
    """Accuracies to which each factor adds its own; the second seed is better by 0.001 wherever it is."""
    steps = (size, batch_norm, dropout, schedule)
    return {
        on: [start + sum(itertools.compress(steps, on)) + extra for extra in (0, 0.001)]
        for on in itertools.product((False, True), repeat=4)
    }


def as_runs(table, learned=0.0):
    return {
        on: [{"history": {"accuracy": [a + learned], "val_accuracy": [a]}} for a in seeds]
        for on, seeds in table.items()
    }


def test_main_effects_are_those_that_the_table_was_made_of():
    found = differences(made_up())
    assert {len(pairs) for pairs in found.values()} == {16}
    for factor, step in zip(found, (0.0, 0.01, 0.002, 0.003), strict=True):
        assert found[factor] == pytest.approx([step] * 16)


def test_the_claims_are_answered_from_the_numbers():
    # with everything 0.9805 + 0.015 = 0.9955 and 0.9965; without the weakest 0.9935 and 0.9945: mean 0.994
    table = made_up(start=0.9804)
    answered = answers(as_runs(table, learned=0.002))
    assert (answered["batch norm: points"], answered["batch norm: standard deviation"]) == (1.0, 0.0)
    assert answered[OVERFITS] == "8 epochs do not tell; +0.20 points on images learned from"
    reached = ["10K, batch norm + dropout + schedule", "49K, batch norm + dropout + schedule"]
    assert answered["combinations whose best epoch reaches 99.4 %"] == reached
    assert answered[NEEDED] == "open: with all three it was reached, otherwise not in 8 epochs"
    assert answered[OVERKILL].startswith("not asked: 16 to 64 filters in place of 8 to 16 add +0.000 points")

    # 0.9775, as the mean of two seeds, and 0.004 + 0.01 + 0.003 without dropout; 0.9935 without a schedule
    other = answers(as_runs(made_up(size=0.004, start=0.977), learned=-0.001))
    assert "-0.10 points" in other[OVERFITS]
    assert other[NEEDED] == "no: 49K, batch norm + schedule reached it"
    assert other[OVERKILL].endswith("add +0.400 points")
    assert answers(as_runs(made_up()))[NEEDED] == "open: nothing reached it in 8 epochs"


def test_plain_nets_are_alike_if_their_difference_is_surely_small():
    table = made_up()  # the plain nets know 0.97 and 0.971

    def said(*large):
        return answers(as_runs({**table, (True, False, False, False): list(large)}))[ALIKE]

    assert said(0.9701, 0.9711) == "yes: +0.01 points, 95 % interval +0.01 to +0.01, 2 seeds"
    assert said(0.975, 0.976) == "no: +0.50 points, 95 % interval +0.50 to +0.50, 2 seeds"
    # 0.1 and 0.3 points: 12.706 * 0.1 = 1.27
    assert said(0.971, 0.974) == "not shown: +0.20 points, 95 % interval -1.07 to +1.47, 2 seeds"
    one = {on: seeds[:1] for on, seeds in table.items()}
    assert answers(as_runs(one))[ALIKE] == "+0.00 points, one seed: too few to tell"


def test_a_quick_run_writes_rows_and_pictures(tmp_path, capsys):
    small_nets.main(["--quick", "--out", str(tmp_path)])
    rows = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert [(row["id"], row["arm"]) for row in rows] == [(row.id, row.arm) for row in ROWS]
    by_id = {row["id"]: row["runs"][0] for row in rows if not row["arm"]}
    values = {"images": "600x28x28x1", "classes": 10, "map after (16, 3, 3)": 9, "map after (16, 3)": 26}
    assert by_id["S3-00"]["values"] == values
    expected = next(row for row in rows if row["id"] == "S3-00")["expected"]
    assert expected == {**values, "images": "60000x28x28x1"}
    assert by_id["S3-03"]["values"]["rates"] == RATES
    assert by_id["S3-03"]["history"]["learning_rate"] == [0.003, 0.00227445]
    assert len(by_id["S3-best"]["history"]["val_accuracy"]) == 2
    claims = next(row for row in rows if row["arm"] == "claims")["runs"][0]["values"]
    assert {ALIKE, OVERFITS, NEEDED, OVERKILL} <= claims.keys()
    assert claims[ALIKE].endswith("one seed: too few to tell")  # --quick has one
    for name in ("sizes", "epochs", "rates", "grid"):
        assert (tmp_path / f"small_nets_{name}.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()

    small_nets.main(["--quick", "--rows", "S3-02", "S3-08", "--out", str(tmp_path)])
    assert "seed 0" not in capsys.readouterr().out  # all was there
