"""The chapter on training deep nets: one quick run holds every number that the table of experiments has."""

import json

import deep_nets_optimizers
import deep_nets_schedules
import numpy as np
import pytest
import training_deep_nets as chapter

IDS = {f"S4-{number:02}" for number in (*range(10), *range(17, 37))}
PICTURES = {
    "signals_by_layer", "activations", "self_normalisation", "batch_norm", "bowl", "optimizers", "schedules",
    "plateau", "one_cycle", "pre_training", "weights", "uncertainty",
}  # fmt: skip


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The folder of one quick run."""
    folder = tmp_path_factory.mktemp("chapter")
    chapter.main(["--quick", "--out", str(folder)])
    return folder


@pytest.fixture(scope="module")
def values(quick):
    """{name of a row: its computed values}"""
    rows = json.loads((quick / "results.json").read_text())["rows"]
    return {
        ", ".join(part for part in (row["id"], row["arm"]) if part): row["runs"][0]["values"] for row in rows
    }


def test_a_quick_run_has_every_row_and_writes_every_picture(quick, values):
    assert {row.id for row in chapter.ROWS} == IDS
    assert values.keys() == {row.name for row in chapter.ROWS}
    assert {path.stem for path in quick.glob("*.png")} == PICTURES


def test_what_was_printed_is_computed(values):
    wrong = {"S4-00", "S4-01"}  # another library; the wrong fan
    for row in chapter.ROWS:
        told = {**(row.notebook.values if row.id not in wrong else {}), **row.expected}
        close = 0.02 if row.id == "S4-01" else 1e-5  # variances of 235,200 random numbers
        for what, printed in told.items():
            computed = values[row.name][what]
            if isinstance(printed, str):
                assert computed == printed
            else:
                np.testing.assert_allclose(computed, printed, rtol=close, err_msg=f"{row.name}: {what}")


def test_the_variance_of_an_initializer_does_not_go_by_the_fan_of_the_notebook(values):
    row = next(row for row in chapter.ROWS if row.id == "S4-01")
    assert set(row.expected.values()) == {1, 2}
    for what, printed in row.notebook.values.items():
        assert values["S4-01"][what] == pytest.approx(printed * 542 / 784, rel=0.02)  # fan_avg / fan_in


def test_selu_keeps_mean_0_and_deviation_1_through_100_layers(values):
    found = values["S4-04"]
    assert found["selu: largest mean of a layer"] < 0.2
    assert found["selu: smallest deviation of a layer"] > 0.8
    assert found["selu: largest deviation of a layer"] < 1.25
    assert found["elu: largest deviation of a layer"] > 2
    assert found["relu: smallest deviation of a layer"] < 0.5


def test_norms_are_those_of_a_variable_or_of_all(values):
    # (3, 4) has the norm 5, (3, 4, 12) the norm 13
    assert values["S4-09"]["clipnorm, of [3, 4] and [12]"] == [[0.6, 0.8], [1.0]]
    several = values["S4-09"]["global_clipnorm, of [3, 4] and [12]"]
    np.testing.assert_allclose(np.concatenate(several), np.array([3, 4, 12]) / 13, rtol=1e-6)


@pytest.mark.parametrize("name", deep_nets_optimizers.RACE)
def test_an_optimizer_follows_its_formula(name):
    (distance,) = deep_nets_optimizers.follow(name, 50).values()
    assert distance < 1e-13
    assert not np.array_equal(*deep_nets_optimizers.path(deep_nets_optimizers.RACE[name][0](0.1), 1))


def test_a_schedule_goes_on_after_a_stop_only_with_the_epoch(values):
    assert list(values["S4-26"].values()) == [True, True, False, False]


def test_the_undefined_name_is_noticed_when_it_is_asked(values):
    assert values["S4-25, as executed"] == {"when called": "NameError: name 'lr' is not defined"}
    intended = deep_nets_schedules.exponential_decay(0.01, 20)
    assert [intended(epoch) for epoch in (0, 20, 40)] == pytest.approx([0.01, 0.001, 0.0001])


def test_weights_and_dropout_keep_their_bounds(values):
    assert values["S4-36"]["longest weight vector of a unit"] <= 1.0001 < 1.2
    assert values["S4-31, no penalty"]["longest weight vector of a unit"] > 1.2
    assert values["S4-31, L2(0.01)"]["penalty / (0.01 x sum of squares)"] == pytest.approx(1, abs=1e-5)
    assert values["S4-33"]["share that is left"] == pytest.approx(0.8, abs=0.002)
    assert values["S4-33"]["largest, 1 / 0.8"] == 1.25


def test_monte_carlo_dropout_is_random_and_less_sure_where_it_is_wrong(values):
    assert values["S4-34"]["mean spread where wrong"] > values["S4-34"]["mean spread where right"] > 0
    row = next(row for row in chapter.ROWS if row.id == "S4-35")
    assert values["S4-35"] == row.expected  # the mean is that of training=True, batch norm is left alone
    assert list(row.expected.values()) == [True, False, True, True, False]


def test_gradients_vanish_through_sigmoids_and_survive_where_initializer_and_activation_fit(values):
    found = values["S4-02"]
    assert found["sigmoid, Glorot: of the first gradient"] < 1e-10
    for fitting in ("relu, He", "selu, LeCun"):
        assert 0.1 < found[f"{fitting}: of the first gradient"] < 10


def test_adam_as_printed_begins_a_hundred_times_too_fast(values):
    # m / (1 - 0.999) instead of m / (1 - 0.9), where m = 0.1 g: 100 g
    assert values["S4-22"]["first step / learning rate, as intended"] == pytest.approx(1, abs=1e-4)
    assert values["S4-22"]["first step / learning rate, as printed"] == pytest.approx(100, abs=0.01)
