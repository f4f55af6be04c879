"""The deep dense nets: parameters as in the table, SELU fed what it needs, every row in a quick run."""


import cifar10_deep_dnn as study
import numpy as np


def test_a_quick_run_has_every_row_and_writes_the_pictures(folder, rows):
    assert {path.stem for path in folder.glob("*.png")} == {"cifar10_curves", "cifar10_dots"}
    assert [(row["id"], row["arm"]) for row in rows] == [(row.id, row.arm) for row in study.ROWS]
    assert all(len(row["runs"]) == 1 for row in rows)
    assert all(row["runs"][0]["params"] == row["params"] for row in rows if row["params"])


def test_the_best_variant_is_that_of_the_highest_mean(rows):
    *trained, best = rows
    values = [(key, value) for row in trained for key, value in row["runs"][0]["values"].items()]
    highest = max(value for key, value in values if key.startswith("test accuracy"))
    assert best["runs"][0]["values"]["test accuracy"] == highest
    assert "Monte Carlo" in " ".join(key for key, _ in values)


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


def test_monte_carlo_dropout_asks_with_dropout():
    x = np.random.default_rng(1).integers(0, 256, (6, 32, 32, 3), dtype="uint8")
    net = study.selu_net(x, 0.5)
    shares = study.monte_carlo(net, x)
    np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
    assert np.abs(shares - net.predict(x, verbose=0)).max() > 1e-3
    assert np.abs(shares - study.monte_carlo(net, x)).max() > 1e-3
    without = study.selu_net(x)
    np.testing.assert_allclose(study.monte_carlo(without, x), without.predict(x, verbose=0), atol=1e-5)
