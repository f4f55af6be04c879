"""The batch norm study: its rules on made-up histories, its nets, and a quick run of all of it."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from tinynet import layers

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import batchnorm_answers as answers
import batchnorm_rules as rules
import batchnorm_study as study

from shared.intervals import better, interval


def history(loss, val_loss, accuracy=0.99):
    epochs = len(loss)
    shares = [accuracy] * epochs if isinstance(accuracy, float) else accuracy
    return {"loss": loss, "val_loss": val_loss, "accuracy": shares, "val_accuracy": shares}


@pytest.mark.parametrize(
    ("made_up", "said", "from_epoch"),
    [
        (history([0.5, 0.2, 0.1, 0.05], [0.3, 0.2, 0.18, 0.17]), "fits", None),
        (history([0.5, 0.2, 0.1, 0.05], [0.3, 0.2, 0.3, 0.4]), "over-fits", None),
        (history([0.5, 0.2, 0.1, 0.05], [0.3, 0.20, 0.21, 0.24]), "fits", None),  # 1.2 times the lowest
        (history([0.5, 0.2, 0.4, 0.6], [0.3, 0.2, 0.5, 0.6]), "jumps", None),
        (history([0.5, 0.2, 2.3, 2.3], [0.3, 0.2, 2.3, 2.3], [0.9, 0.9, 0.11, 0.11]), "collapsed", 11),
        (history([2.3] * 4, [2.3] * 4, [0.1124, 0.1124, 0.1123, 0.1124]), "collapsed", 1),
        (history([0.5, 2.3, 0.4, 0.3], [0.5, 2.3, 0.4, 0.3], [0.9, 0.11, 0.9, 0.95]), "fits", None),
        (history([0.5, math.nan], [0.5, math.nan]), "collapsed", 6),
    ],
)
def test_a_history_is_told_from_the_others(made_up, said, from_epoch):
    stretched = {name: [value for value in values for _ in range(5)] for name, values in made_up.items()}
    assert rules.verdict(stretched) == said
    assert rules.collapse_epoch(stretched) == from_epoch


def test_a_rise_is_told_of_20_epochs_or_more_and_a_collapse_of_any():
    falling, rising = [1 / epoch for epoch in range(1, 21)], [0.1 * epoch for epoch in range(1, 21)]
    assert rules.verdict(history(falling, rising)) == "over-fits"
    assert rules.verdict(history(falling[:19], rising[:19])) == rules.TOO_SHORT
    assert rules.verdict(history([2.3, 2.3], [2.3, 2.3], 0.11)) == "collapsed"


def test_one_epoch_that_jumps_is_no_over_fitting():
    falling = [1 / epoch for epoch in range(1, 51)]
    jump = [*falling[:-1], 5 * falling[-1]]  # as the mean of five: 1.8 times the lowest
    assert rules.verdict(history(falling, [0.1 + x for x in jump])) == "fits"
    rising = [0.1 + 0.004 * abs(epoch - 20) for epoch in range(50)]
    assert rules.verdict(history(falling, rising)) == "over-fits"


def test_the_interval_is_student_s():
    # Student's "sleep" data (1908): the paired differences of ten patients. R's t.test gives 1.58 and
    # (0.7001142, 2.4598858).
    differences = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert np.allclose(interval(differences), (1.58, 0.7001142, 2.4598858), atol=2e-4)
    with pytest.raises(ValueError, match="two differences"):
        interval([0.1])


def test_a_verdict_needs_three_seeds_and_an_interval_without_0():
    assert better([0.02, 0.03]) == "+2.50% of accuracy, ahead in 2 of 2 seeds: too few to tell"
    # mean 2, deviation 1: 4.303 / sqrt(3) = 2.484
    assert better([0.01, 0.02, 0.03]) == (
        "not shown: +2.00% of accuracy, ahead in 3 of 3 seeds, 95 % interval -0.48% to +4.48%"
    )
    assert better([0.02, 0.03, 0.04]).startswith("yes: +3.00% of accuracy")
    assert better([-0.02, -0.03, -0.04]).startswith("no: -3.00% of accuracy, ahead in 0 of 3")


def runs(*accuracies, first=0):
    return [
        {"seed": seed, "history": history([0.1], [0.1], accuracy)}
        for seed, accuracy in enumerate(accuracies, first)
    ]


def test_the_claim_is_answered_from_runs_of_the_same_seeds():
    before = runs(0.990, 0.991, 0.992)
    assert rules.paired(before, runs(0.993, 0.990, first=1)) == pytest.approx([0.002, -0.002])
    said = rules.claim(before, runs(0.9949, 0.9961, 0.9970))
    assert said["as good or better"] == "yes, better"
    assert said["test error, before"] == "0.90% (lowest 0.80%)"
    assert (said["below 0.5 %, before"], said["below 0.5 %, after"]) == ("no", "yes")
    # 0.1, -0.1, 0 points: 4.303 * 0.1 / sqrt(3) = 0.248.
    said = rules.claim(before, runs(0.991, 0.990, 0.992))
    assert said["95 % confidence interval"] == "-0.25% to +0.25%, 3 seeds"
    assert said["as good or better"] == "no difference shown; if it is worse, then by 0.25% at most"
    assert rules.claim(before, runs(0.980, 0.981, 0.9821))["as good or better"] == "no, worse"
    assert rules.claim(before, runs(0.980))["as good or better"] == "one seed cannot say"


def test_the_highest_rate_is_the_highest_that_fits():
    loss, rising = [0.3] * 10 + [0.1] * 10, [0.1] * 10 + [0.3] * 10
    over, fits = history(loss, rising, 0.995), history(loss, loss, 0.99)
    sweep = {rate: [{"history": h}] for rate, h in ((0.01, over), (0.003, fits), (0.001, fits))}
    said = answers.highest_rate(sweep)
    assert said["learning rate 0.01"] == "over-fits, 99.50%"
    assert (said[answers.HIGHEST], said["its accuracy"]) == (0.003, "99.00%")
    assert said["rate of the highest accuracy"] == 0.01
    assert answers.highest_rate({0.01: [{"history": over}]})[answers.HIGHEST] == "none of these"
    short = {name: values[8:12] for name, values in over.items()}
    assert answers.highest_rate({0.01: [{"history": short}]})[answers.HIGHEST] == rules.TOO_SHORT


def test_dropout_is_compared_seed_by_seed():
    class Made:
        def sweep(self, number):
            accuracies = (0.98, 0.985, 0.981) if number == "S0-04" else (0.99, 0.995, 0.992)
            seconds = [4.0, 1.0, 1.0] if number == "S0-04" else [4.0, 1.5, 1.5]
            return {0.001: [{**run, "epoch_seconds": seconds} for run in runs(*accuracies)]}

    said = answers.with_dropout(Made())
    assert said["longer at 0.001"] == "+50%"
    assert said["better at 0.001"].startswith("yes: +1.03% of accuracy, ahead in 3 of 3 seeds")
    assert said["verdict with dropout at 0.001"] == rules.TOO_SHORT


def names(net):
    return [type(layer).__name__ for layer in net.layers]


def test_where_batch_norm_stands_in_the_net_of_notebook_000():
    for place, expected in (("before", ["BatchNormalization", "Activation"]), ("after", None)):
        found = names(study.vgg(place))
        linear = [at for at, name in enumerate(found[:-1]) if name in ("Conv2D", "Dense")]
        assert len(linear) == 6
        for at in linear:
            assert found[at + 1 : at + 3] == (expected or ["Activation", "BatchNormalization"])
    assert not {"BatchNormalization", "Dropout"} & set(names(study.vgg()))
    # By hand: 80 + 584 + 1,168 + 2,320 + 100,480 + 8,256 + 650, and 4 for each of 240 channels.
    assert study.vgg().count_params() == study.vgg(dropout=True).count_params() == 113_538
    assert study.vgg("before").count_params() == study.vgg("after").count_params() == 113_538 + 4 * 240


def test_the_two_nets_of_notebook_002():
    pixels = np.array([0, 255], "uint8")
    plain, normed = study.two_convolutions(False, pixels), study.two_convolutions(True, pixels)
    assert (plain.count_params(), normed.count_params()) == (1_630_090, 1_632_522)
    assert sum(int(np.prod(w.shape)) for w in normed.non_trainable_variables) == 1_216
    found = names(normed)
    after = [found[at - 1 : at + 2] for at, name in enumerate(found) if name == "BatchNormalization"]
    assert after == [
        ["Conv2D", "BatchNormalization", "MaxPooling2D"],
        ["Conv2D", "BatchNormalization", "MaxPooling2D"],
        ["Dense", "BatchNormalization", "Dropout"],
    ]
    assert [layer.activation.__name__ for layer in normed.layers if isinstance(layer, layers.Conv2D)] == [
        "relu"
    ] * 2


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    out = tmp_path_factory.mktemp("batchnorm")
    study.main(["--quick", "--out", str(out)])
    return out


def test_a_quick_run_writes_runs_and_pictures(quick):
    content = json.loads((quick / "results.json").read_text())
    assert {row["id"] for row in content["rows"]} == {
        *(f"S0-{number:02d}" for number in (1, 2, 3, 4, 5, 6, 10)),
        *(f"S2-{number:02d}" for number in range(7)),
    }  # fmt: skip
    pictures = {path.name for path in quick.glob("*.png")}
    assert len(pictures) == 9
    for row in content["rows"]:
        (run,) = row["runs"]
        assert run["values"] if "values" in run else run["params"] == row["params"]
        assert set(row["pictures"]) <= pictures
    for picture in pictures:
        assert (quick / picture).read_bytes().startswith(b"\x89PNG")


def test_intended_and_executed_differ_in_the_rates_that_the_optimizer_had(quick):
    for number, first in (("S2-01", 0.001), ("S2-02", 0.01), ("S2-03", 0.001), ("S2-04", 0.01)):
        for arm, second in (("as-intended", first / 10), ("as-executed", first)):
            run = json.loads((quick / "runs" / f"{number}-{arm}-seed0.json").read_text())["run"]
            assert run["rates"] == pytest.approx([first, second, second])
            assert len(run["history"]["loss"]) == 3


def test_the_four_runs_are_those_of_the_runs(quick):
    content = json.loads((quick / "results.json").read_text())
    by_name = {(row["id"], row["arm"]): row["runs"][0] for row in content["rows"]}
    for arm in ("as intended", "as executed"):
        table = by_name["S2-05", arm]["values"]
        last = [
            by_name["S2-04", arm]["history"][key][-1]
            for key in ("loss", "accuracy", "val_loss", "val_accuracy")
        ]
        assert table["BN, lr=0.01 -> 0.001"] == pytest.approx(last, abs=1e-4)
        assert table["batch norm better at 0.01"].endswith("of 1 seed: too few to tell")  # --quick has one


def test_the_notebook_s_numbers_stand_beside_what_it_executed():
    for row in study.ROWS:
        if row.id in study.TABLE or row.id == "S2-05":
            printed = row.notebook.values or row.notebook.accuracy
            assert bool(printed) == (row.arm == study.EXECUTED), row.name


def test_a_second_run_takes_all_from_the_first(quick, capsys):
    study.main(["--quick", "--out", str(quick)])
    printed = capsys.readouterr().out
    assert "Epoch" not in printed
    assert "[1 of" not in printed  # what is answered from runs is not announced as one
    assert "S2-05, as executed" in printed


def test_an_answer_without_its_runs_says_so(tmp_path, capsys):
    study.main(["--quick", "--rows", "S0-10", "S2-05", "S2-06", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert printed.count("the runs that this is about are not there yet") == 4
    assert "0 pictures" in printed
