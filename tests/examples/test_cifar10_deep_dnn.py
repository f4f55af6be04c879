"""The deep dense nets: parameters as in the table, SELU fed what it needs, every row in a quick run."""

import json

import cifar10_deep_dnn as study
import numpy as np
import pytest


def test_a_quick_run_has_every_row_and_writes_the_pictures(folder, rows):
    assert {path.stem for path in folder.glob("*.png")} == {"cifar10_curves", "cifar10_dots"}
    assert [(row["id"], row["arm"]) for row in rows] == [(row.id, row.arm) for row in study.ROWS]
    assert all(len(row["runs"]) == 1 for row in rows)
    assert all(row["runs"][0]["params"] == row["params"] for row in rows if row["params"])


def made(validation, test, epochs=3):
    history = {"val_accuracy": [0.9, validation], "loss": [1.0] * epochs}
    return {"history": history, "values": {"test loss": 1.0, "test accuracy": test}}


def test_the_best_variant_is_chosen_by_the_validation_images_and_then_asked():
    runs = {
        "S4-40 Adam": [made(0.45, 0.60), made(0.46, 0.61, 4)],
        "S4-41 batch norm": [made(0.50, 0.47), made(0.48, 0.48)],  # the best, though not on the test images
    }
    assert study.best_of(runs) == {
        "best variant": "S4-41 batch norm", "chosen among": "S4-40 Adam, S4-41 batch norm",
        "validation accuracy": 0.49, "test accuracy": 0.475,
        "epochs, S4-40 Adam": 3.5, "epochs, S4-41 batch norm": 3.0,
    }  # fmt: skip


def test_the_best_of_all_is_the_best_of_all_even_when_few_rows_are_chosen(folder, rows):
    best = rows[-1]["runs"][0]["values"]
    shares = [row["runs"][0]["history"]["val_accuracy"][-1] for row in rows[:-1]]
    assert best["validation accuracy"] == pytest.approx(max(shares), abs=1e-4)
    assert len(best["chosen among"].split(", ")) == len(rows) - 1
    study.main(["--quick", "--epochs", "1", "--rows", "S4-42", "--out", str(folder)])
    content = json.loads((folder / "results.json").read_text())
    assert content["rows"][-1]["runs"][0]["values"] == best
    file = folder / "runs" / "S4-42-best-variant-seed0.json"
    before = file.read_bytes()
    study.main(["--quick", "--epochs", "1", "--rows", "S4-41", "--out", str(folder)])
    assert file.read_bytes() == before


def test_monte_carlo_dropout_has_a_dot_of_its_own(rows):
    row = next(row for row in rows if row["arm"] == "AlphaDropout")
    values = row["runs"][0]["values"]
    assert study.on_test_images({row["arm"]: row["runs"]}) == {
        "AlphaDropout": [values["test accuracy"]],
        "AlphaDropout, Monte Carlo dropout": [values["test accuracy, Monte Carlo dropout"]],
    }


def test_the_nets_have_the_parameters_of_the_notebook():
    assert study.elu_net().count_params() == 3_073 * 100 + 19 * 10_100 + 1_010 == 500_210
    net = study.batch_norm_net()
    assert net.count_params() == 520_498
    assert (study.size(net.trainable_weights), study.size(net.non_trainable_weights)) == (510_354, 10_144)


def test_the_selu_net_standardises_each_pixel_and_keeps_its_signal():
    x = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype="uint8")
    x[:, :, :, 0] //= 2  # another scale
    net = study.selu_net(x)
    assert net.count_params() == 506_355
    standardised = net.layers[2](x.reshape(200, -1).astype("float32")).numpy()
    np.testing.assert_allclose(standardised.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(standardised.std(axis=0), 1, atol=1e-4)
    signal = standardised
    for layer in net.layers[3:-1]:
        signal = layer(signal)
    assert 0.5 < signal.numpy().std() < 1.5  # after 20 layers


def shares_of(logits):
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_monte_carlo_dropout_asks_with_dropout():
    x = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), dtype="uint8")
    net = study.selu_net(x, 0.5)
    shares = study.monte_carlo(net, x)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
    assert np.abs(shares - shares_of(net.predict(x, verbose=0))).max() > 1e-3
    assert np.abs(shares - study.monte_carlo(net, x)).max() > 1e-3
    without = study.selu_net(x)
    expected = shares_of(without.predict(x, verbose=0))
    np.testing.assert_allclose(study.monte_carlo(without, x), expected, atol=1e-5)
