"""Beating MNIST on the embedded digits: pictures and results, the demonstrations, pseudo-labels."""

import argparse
import importlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

import tinynet

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def study():
    sys.path.insert(0, str(EXAMPLES))
    yield importlib.import_module("beating_mnist")
    sys.path.remove(str(EXAMPLES))


@pytest.fixture(scope="module")
def several(study):
    return importlib.import_module("beating_mnist_nets")


@pytest.fixture(scope="module")
def digits(study):
    return study.load(quick=True)


@pytest.fixture(scope="module")
def quick(study, tmp_path_factory):
    """A quick run of everything, and the folder that it wrote to."""
    out = tmp_path_factory.mktemp("beating_mnist")
    study.main(["--quick", "--out", str(out)])
    return out


def results(out):
    return {(row["id"], row["arm"]): row for row in json.loads((out / "results.json").read_text())["rows"]}


def test_every_row_is_run_and_drawn(quick):
    rows = results(quick)
    assert {row_id for row_id, _ in rows} == {f"S1-{number:02}" for number in range(27)}
    assert all(len(row["runs"]) == 1 for row in rows.values())
    named = {name for row in rows.values() for name in row["pictures"]}
    assert named == {path.name for path in quick.glob("*.png")}
    assert {
        "ladder.png",
        "clipping.png",
        "augmented.png",
        "surest_right.png",
        "wrong_by_wrong_class.png",
    } <= named
    assert all((quick / name).read_bytes().startswith(b"\x89PNG") for name in named)


def test_parameters_are_those_of_the_table(study, quick):
    # convolutions 3x3 and their biases, dense layers; batch norm has four numbers a channel
    vgg = 70 + 448 + 896 + 1778 + 3556 + 2 * 7084 + 14168 + 2 * 28280 + 5700 + 1010
    norm = 4 * (7 + 14 + 28 + 56)
    expected = {
        "S1-03": 7850, "S1-04": 7850, "S1-06": 7850, "S1-07": 79510, "S1-08": 239410, "S1-09": 55856,
        "S1-11": 14136, "S1-12": vgg, "S1-13": vgg + norm, "S1-15": vgg + norm, "S1-17": vgg + norm,
        "S1-18": vgg + norm, "S1-19": vgg + norm, "S1-20": 5 * (vgg + norm), "S1-21": 3 * (vgg + norm),
    }  # fmt: skip
    assert (vgg, vgg + norm) == (98354, 98774)
    rows = results(quick)
    found = {row_id: row["runs"][0]["params"] for (row_id, _), row in rows.items() if row["params"]}
    assert found == expected
    net = study.net_for((np.array([0, 255]), None), 9)
    trained = sum(math.prod(weight.shape) for weight in net.trainable_weights)
    assert (net.count_params(), trained) == (98774, 98564)  # the notebook counted the latter


def test_a_stopped_study_goes_on_and_repeats_nothing(study, tmp_path, monkeypatch):
    calls = []
    train = study.train

    def counted(row, data, seed):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append((row.name, seed))
        return train(row, data, seed)

    options = ["--quick", "--rows", "S1-03", "S1-06", "--out", str(tmp_path)]
    monkeypatch.setattr(study, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        study.main(options)
    assert calls == [("S1-03", 0), ("S1-06", 0)]
    before = (tmp_path / "runs" / "S1-03-seed0.json").read_bytes()
    calls[:] = []
    study.main(options)
    assert calls == [("S1-06, improved", 0)]
    assert (tmp_path / "runs" / "S1-03-seed0.json").read_bytes() == before


def test_the_best_model_is_trained_once_and_its_probabilities_are_kept(study, quick, tmp_path, monkeypatch):
    with np.load(quick / "runs" / "S1-19-as-intended-seed0.npz") as arrays:
        kept = arrays["probabilities"]
    assert kept.shape == (360, 10)
    np.testing.assert_allclose(kept.sum(axis=1), 1, atol=1e-5)
    calls = []
    record = {"history": {"val_loss": [1.0, 0.5], "val_accuracy": [0.5, 0.8]}, "probabilities": kept}
    monkeypatch.setattr(study, "train", lambda row, *a: calls.append(row.name) or {**record})
    for options in (["--draw"], [], [], ["--draw", "--seed", "1"]):
        study.main(["--quick", "--rows", "S1-24", "--out", str(tmp_path), *options])
        assert (tmp_path / "read_wrongly.png").exists() == bool(calls)
    assert calls == ["S1-19, as intended"]
    rows = results(tmp_path)
    truth = study.load(quick=True)[1][1]
    assert rows["S1-24", ""]["runs"][0]["values"] == {
        "read wrongly": int((kept.argmax(axis=1) != truth).sum())
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "14"], "choose from"),
        (["--model", "9", "--all"], "not allowed with"),
        (["--model", "9", "--rows", "S1-03"], "give it or --rows"),
        (["--rows", "S1-99"], "choose from"),
        (["--seed", "-1"], "expected an integer of at least 0, got '-1'"),
        (["--epochs", "x"], "expected an integer of at least 1, got 'x'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(study, options, message, capsys):
    with pytest.raises(SystemExit):
        study.main(options)
    assert message in capsys.readouterr().err


def test_a_model_is_short_for_its_rows(study):
    assert study.chosen(["--model", "9"]).rows == ["S1-14", "S1-15"]
    assert len(study.chosen(["--all"]).rows) == len(study.chosen([]).rows) == 27
    every = {row for rows in study.MODELS.values() for row in rows}
    assert every == {f"S1-{number:02}" for number in range(2, 22)} - {"S1-02"}


def test_demonstrations_print_what_the_notebook_printed(study, quick):
    """Those that do not depend on which digits there are; the others on MNIST, below."""
    rows = results(quick)
    told = {"S1-02": {"both equal": True}, "S1-10": {"largest of [[1, 2], [1, 3]]": 3},
            "S1-14": {"the rest is": "as it was"}}  # fmt: skip
    for row_id, said in told.items():
        row = rows[row_id, ""]
        assert said.items() <= {**row["notebook"]["values"], **row["expected"]}.items()
        assert said.items() <= row["runs"][0]["values"].items()
    labels = study.load(quick=True)[0][1]
    first = rows["S1-02", ""]["runs"][0]["values"]
    assert first["first labels"] == labels[:10].tolist()
    assert first["one-hot of the first"] == [int(digit == labels[0]) for digit in range(10)]
    dropped = rows["S1-14", ""]["runs"][0]["values"]
    assert dropped["zeros of dropout(arange(10), 0.4)"] in (4, 5)  # 0 itself may be among those dropped
    assert rows["S1-16", ""]["runs"][0]["values"]["batch_gen.N"] == 719
    normalised = rows["S1-05", ""]["runs"][0]["values"]
    x = study.load(quick=True)[0][0].astype(np.float64)
    assert normalised["mean"] == pytest.approx(x.mean(), abs=1e-4)
    assert normalised["std"] == pytest.approx(np.sqrt(((x - x.mean()) ** 2).mean()), abs=1e-4)


def test_the_notebook_s_numbers_stand_beside_what_it_executed(study):
    for row in study.ROWS:
        if row.id in ("S1-04", "S1-18", "S1-19"):
            assert (row.notebook.accuracy is None) == (row.arm == "as intended"), row.name


def test_the_title_of_model_4_says_how_far_it_over_fits():
    from beating_mnist_pictures import over_the_lowest

    runs = {
        "Model 4": [{"val_loss": [0.3, 0.1, 0.15]}, {"val_loss": [0.2, 0.1, 0.11]}],  # 1.5 and 1.1
        "Model 4, improved": [{"val_loss": [0.3, 0.2, 0.1]}],
    }
    assert over_the_lowest(runs) == "1.30, improved 1.00"


def test_demonstrations_on_mnist(study):
    try:
        data = tinynet.datasets.mnist.load_data()
    except tinynet.datasets.DatasetUnavailable:
        pytest.skip("MNIST is not here")
    for row in study.ROWS:
        if row.id in ("S1-01", "S1-02", "S1-05", "S1-16"):
            computed = study.DEMOS[row.id](*data, None, 0)
            for what, printed in {**row.notebook.values, **row.expected}.items():
                close = pytest.approx(printed, abs=1e-5) if isinstance(printed, float) else printed
                assert computed[what] == close, what


def test_most_confident_right_and_wrong():
    from beating_mnist_demos import right_of, wrong_of

    y = np.array([1, 1, 1, 1, 0])
    p = np.array([[0.4, 0.6], [0.1, 0.9], [0.7, 0.3], [0.95, 0.05], [0.2, 0.8]])
    assert right_of(1, y, p).tolist() == [1, 0]
    assert wrong_of(1, y, p, by_true_class=True).tolist() == [2, 3]  # the least wrong first
    assert wrong_of(1, y, p, by_true_class=False).tolist() == [3, 2]
    assert wrong_of(0, y, p, by_true_class=True).tolist() == [4]


def test_model_1_pays_16_118_for_a_sure_miss_and_learns_nothing_from_it(study):
    from beating_mnist_models import build
    from beating_mnist_training import ready

    net = ready(build(1, 0.0, 1.0))
    net.layers[-1].set_weights([np.zeros((784, 10), np.float32), np.eye(10, dtype=np.float32)[3] * 1000])
    before = net.get_weights()
    x, y = np.zeros((4, 28, 28, 1), np.uint8), np.eye(10)[[3, 3, 3, 5]]  # three of four are right
    loss, accuracy = net.evaluate(x, y, verbose=0)
    assert accuracy == 0.75
    assert loss == pytest.approx(0.25 * -math.log(1e-7), rel=1e-4)
    net.fit(x, y, epochs=1, verbose=0)
    for a, b in zip(before, net.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_quarter_of_each_batch_is_pseudo_labelled(study, several, digits):
    (x, y), _ = digits
    learn = study.shaped(x, y)
    pseudo = (learn[0][:100], np.full((100, 10), 0.1, np.float32))
    batches, steps, seen = several.mixed(learn, pseudo, 128, seed=3), 719 // 96, []
    for _ in range(2 * steps):
        images, labels = next(batches)
        assert images.shape == (128, 28, 28, 1)
        np.testing.assert_array_equal((labels == np.float32(0.1)).all(axis=1), [False] * 96 + [True] * 32)
        seen.append(labels[:96].argmax(axis=1))
    first_epoch = np.bincount(np.concatenate(seen[:steps]), minlength=10)
    assert (first_epoch <= np.bincount(y, minlength=10)).all()  # none twice


class Hardly(argparse.Namespace):
    """What Nets takes from a study."""

    def __init__(self, out):
        super().__init__(out=out, settings={"quick": True}, args=argparse.Namespace(again=False))


def test_labels_that_are_held_out_are_never_read(study, several, digits, tmp_path, monkeypatch):
    (x, y), test = digits
    x, y = x[:240], y[:240]
    hidden = np.concatenate([y[:200], (y[200:] + 1) % 10])  # others for the last sixth
    monkeypatch.setattr(several, "EPOCHS", 1)
    found = []
    for name, labels in (("true", y), ("hidden", hidden)):
        nets = several.Nets(study.shaped(x, labels), study.shaped(*test), Hardly(tmp_path / name))
        found.append([several.model_13(nets, arm, 0) for arm in ("", "50,000 labels", "60,000 labels")])
    same = [
        np.array_equal(ours["probabilities"], theirs["probabilities"])  # to the last bit
        for ours, theirs in zip(*found, strict=True)
    ]
    assert same == [True, True, False]


def test_nets_are_shared_and_kept(study, several, digits, tmp_path, monkeypatch):
    (x, y), test = digits
    learn, test = study.shaped(x[:180], y[:180]), study.shaped(*test)
    trained = []

    def look(net, images, test, epochs, seed, improved):
        trained.append((len(images[0]), seed))
        return {"params": 1, "history": {"val_accuracy": [0.0]}, "epoch_seconds": [1.0]}

    monkeypatch.setattr(several, "augmented", look)
    monkeypatch.setattr(several, "fit", lambda net, batches, **k: look(net, next(batches), None, 1, -1, True))
    nets = several.Nets(learn, test, Hardly(tmp_path))
    first = several.model_12(nets, 0)
    several.model_13(nets, "60,000 labels", 0)
    assert trained == [(180, seed) for seed in range(5)]
    several.model_13(nets, "50,000 labels", 1)
    assert trained[5:] == [(128, -1)] * 3  # the images of a batch
    again = several.model_12(several.Nets(learn, test, Hardly(tmp_path)), 0)
    np.testing.assert_array_equal(first["probabilities"], again["probabilities"])
    assert again["each"] == [0.0] * 5
    assert len(trained) == 8
    (tmp_path / "runs" / "nets" / "every-label-0.npz").write_bytes(b"half a file")
    several.model_12(several.Nets(learn, test, Hardly(tmp_path)), 0)
    assert trained[8:] == [(180, 0)]
    anew = Hardly(tmp_path)
    anew.args.again = True
    nets = several.Nets(learn, test, anew)
    several.model_12(nets, 0)
    several.model_12(nets, 0)
    assert len(trained) == 14  # once, although --again


def test_held_out_images_take_the_place_of_the_test_images(study, monkeypatch):
    """The last 10,000, which are learned from otherwise; a folder of their own; never the embedded digits."""
    x = np.arange(12000)
    monkeypatch.setattr(study, "images_of", lambda name, quick: ((x, x + 1), (x[:5], x[:5])))
    (learn, _), (asked, labels) = study.load(validate=True)
    assert (len(learn), learn[-1]) == (2000, 1999)
    assert (len(asked), asked[0], labels[0]) == (10000, 2000, 2001)
    assert study.chosen(["--validate"]).out == Path("runs/beating_mnist/validate")
    with pytest.raises(SystemExit):
        study.chosen(["--validate", "--quick"])
