"""The quick run on the embedded digits, and each idea of the recipe by itself."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "cifar10_record.py"
specification = importlib.util.spec_from_file_location("cifar10_record", SCRIPT)
record = importlib.util.module_from_spec(specification)
specification.loader.exec_module(record)

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (60, 8, 8, 3), np.uint8)
LABELS = np.arange(60)


@pytest.fixture
def digits(monkeypatch):
    monkeypatch.setattr(record.datasets.cifar10, "available", lambda: False)


def test_quick_run(tmp_path, capsys, digits):
    out = tmp_path / "new" / "folder"
    record.main(["--quick", "--seed", "3", "--seeds", "2", "--validate", "--out", str(out)])
    results = json.loads((out / "results.json").read_text())
    first, second = results["runs"]
    assert (first["seed"], second["seed"]) == (3, 4)
    assert first["curve"] != second["curve"]
    assert len(first["curve"]) == results["recipe"]["epochs"] == record.QUICK.epochs
    assert first["steps"] == record.QUICK.epochs * (1198 // record.QUICK.batch_size)  # 239 are held out
    for key in ("accuracy", "accuracy_with_views"):
        assert 0.7 < first[key] <= 1
        assert results["mean"][key] == pytest.approx((first[key] + second[key]) / 2)
    assert first["seconds"] > 0
    assert results["asked"] == "validation"
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    files = ["curves.png", "results.json", "seed3.json", "seed4.json"]
    assert sorted(file.name for file in out.iterdir()) == files
    assert "validation images of the embedded digits" in capsys.readouterr().out


def test_the_net_for_94_per_cent_is_the_published_one():
    """Kernels 2x2x3x24 and 24 shifts; 3x3 kernels from 24 to 64, 64, 256, 256, 256, 256 channels, each with
    its shift, mean and variance; 256 x 10."""
    x = RANDOM.integers(0, 256, (50, 32, 32, 3), np.uint8)
    net = record.build(record.RECIPES["94"].widths, x)
    pairs = [(24, 64), (64, 64), (64, 256), (256, 256), (256, 256), (256, 256)]
    assert net.count_params() == 288 + 24 + sum(9 * a * b + 3 * b for a, b in pairs) + 2560
    fixed = {weight.name for weight in net.non_trainable_weights}
    assert {name for name in fixed if "moving" not in name} == {"whiten/kernel"}
    sizes = [layer.output.shape[1] for layer in net.layers if "pool" in layer.name]
    assert sizes == [15, 7, 3, 256]


def test_patches_are_white_behind_the_kernels():
    smooth = np.cumsum(np.cumsum(RANDOM.normal(size=(400, 9, 9, 3)), axis=1), axis=2) / 20
    kernels = record.whitening(smooth, epsilon=0.0)
    assert kernels.shape == (2, 2, 3, 24)
    np.testing.assert_array_equal(kernels[..., 12:], -kernels[..., :12])
    seen = np.zeros((400, 8, 8, 12))
    for row in (0, 1):
        for column in (0, 1):
            seen += smooth[:, row : row + 8, column : column + 8] @ kernels[row, column, :, :12]
    seen = seen.reshape(-1, 12)
    np.testing.assert_allclose(seen.T @ seen / len(seen), np.eye(12), atol=1e-8)


def test_epsilon_keeps_small_eigenvalues_from_being_blown_up():
    flat = np.ones((5, 4, 4, 1))  # the covariance is all ones: eigenvalues 4, 0, 0, 0
    lengths = np.sqrt((record.whitening(flat, epsilon=0.25) ** 2).sum(axis=(0, 1, 2)))
    np.testing.assert_allclose(np.sort(lengths[:4]), [4.25**-0.5, 2, 2, 2], rtol=1e-6)


@pytest.mark.parametrize(("channels", "filters"), [(3, 5), (4, 4), (5, 3)])
def test_a_kernel_that_passes_its_input_on(channels, filters):
    kernel = record.passing((3, 3, channels, filters), "float32")
    assert kernel.dtype == np.float32
    same = min(channels, filters)
    x = RANDOM.normal(size=(2, 6, 6, channels)).astype("float32")
    convolution = record.layers.Conv2D(filters, 3, padding="same", kernel_initializer=kernel)
    np.testing.assert_array_equal(convolution(x).numpy()[..., :same], x[..., :same])
    drawn = kernel[..., same:]
    assert (abs(drawn) <= (9 * channels) ** -0.5).all()
    assert drawn.size == 0 or drawn.std() > 0.4 * (9 * channels) ** -0.5  # uniform: 0.577


def seen(moved):
    """{label: image} of one pass."""
    batches = [moved[i] for i in range(len(moved))]
    return {int(y[0]): x for xs, ys in batches for x, y in zip(xs, ys, strict=True)}


def test_every_image_is_mirrored_in_every_other_pass():
    moved = record.Moved(IMAGES, LABELS[:, None], 20, 0, seed=1)
    passes = []
    for _ in range(4):
        passes.append(seen(moved))
        moved.on_epoch_end()
    first = [np.array_equal(passes[0][i], IMAGES[i, :, ::-1]) for i in LABELS]
    assert 15 < sum(first) < 45  # a coin for each
    for number, images in enumerate(passes):
        assert sorted(images) == list(LABELS)
        for i in LABELS:
            mirrored = first[i] != (number % 2 == 1)
            np.testing.assert_array_equal(images[i], IMAGES[i, :, ::-1] if mirrored else IMAGES[i])
    assert list(passes[0]) != list(passes[1])  # another order


def test_images_are_shifted_by_two_pixels_at_most_and_the_border_is_mirrored():
    padded = np.pad(IMAGES, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    moved, found = record.Moved(IMAGES, LABELS[:, None], 20, 2, seed=1), set()
    for _ in range(10):
        for i, image in seen(moved).items():
            image = image[:, ::-1] if moved.mirrored[i] else image
            places = [(a, b) for a in range(5) for b in range(5)
                      if np.array_equal(image, padded[i, a : a + 8, b : b + 8])]  # fmt: skip
            assert len(places) == 1
            found.update(places)
        moved.on_epoch_end()
    assert len(found) == 25


def test_the_same_seed_draws_the_same_batches():
    batches = [record.Moved(IMAGES, LABELS[:, None], 25, 2, seed)[1] for seed in (1, 1, 2)]
    assert len(record.Moved(IMAGES, LABELS[:, None], 25, 2, 1)) == 2  # ten images wait
    np.testing.assert_array_equal(batches[0][0], batches[1][0])
    assert not np.array_equal(batches[0][1], batches[2][1])


def test_six_views():
    found = record.views(IMAGES)
    assert sum(weight for weight, _ in found) == 1
    assert [weight for weight, _ in found] == [0.25, 0.125, 0.125] * 2
    straight, up, down, mirrored, _, mirrored_down = [images for _, images in found]
    np.testing.assert_array_equal(straight, IMAGES)
    np.testing.assert_array_equal(up[:, 1:, 1:], IMAGES[:, :-1, :-1])
    np.testing.assert_array_equal(up[:, 0, 1:], IMAGES[:, 1, :-1])  # the border is mirrored
    np.testing.assert_array_equal(down[:, :-1, :-1], IMAGES[:, 1:, 1:])
    np.testing.assert_array_equal(mirrored, IMAGES[:, :, ::-1])
    np.testing.assert_array_equal(mirrored_down, down[:, :, ::-1])


def test_shares_are_those_of_the_mean_of_the_views():
    class Net:
        """Knows class 0 of an image as it is, and class 1 of all other views, twice as sure."""

        def predict(self, x, **settings):
            same = np.array([np.array_equal(a, b) for a, b in zip(x, IMAGES, strict=True)])
            return np.where(same[:, None], [1.0, 0.0], [0.0, 2.0])

    shares = record.ask(Net(), IMAGES, np.zeros(60, int))
    assert shares == {"accuracy": 1.0, "accuracy_with_views": 0.0}


def test_what_is_learned_and_when(digits):
    """The kernel of the first convolution never, its bias in the first passes alone."""
    _, x, y, _, _ = record.load(False, True)
    recipe = record.QUICK._replace(epochs=1, bias_epochs=1)
    one, two, other = (
        record.train(x[:160], y[:160], recipe._replace(epochs=epochs, bias_epochs=bias), 0, verbose=0)[0]
        for epochs, bias in ((1, 1), (2, 0), (2, 1))
    )
    whitening = one.get_layer("whiten").kernel.numpy()
    for net in (two, other):
        np.testing.assert_array_equal(net.get_layer("whiten").kernel.numpy(), whitening)
    assert one.get_layer("whiten").bias.numpy().any()
    assert not two.get_layer("whiten").bias.numpy().any()
    assert other.get_layer("whiten").bias.numpy().any()


def test_a_seed_gives_the_same_net_whatever_ran_before(digits):
    _, x, y, _, _ = record.load(False, True)
    recipe = record.QUICK._replace(epochs=1)
    nets = [record.train(x[:160], y[:160], recipe, seed, verbose=0)[0] for seed in (0, 1, 0)]
    first, other, again = ([weight.tobytes() for weight in net.get_weights()] for net in nets)
    assert first == again != other


def test_what_is_held_out_is_not_learned_from(digits):
    _, x, _, validation, _ = record.load(True, True)
    _, _, _, test, _ = record.load(False, True)
    learned = {image.tobytes() for image in x}
    assert not any(image.tobytes() in learned for images in (validation, test) for image in images)
    assert (len(x), len(validation), len(test)) == (1198, 239, 360)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--seeds", "0"], "at least 1"),
        (["--seed", "-1"], "at least 0"),
        (["--seed", str(2**32 - 1), "--seeds", "2"], "below 2**32"),
        (["--epochs", "0"], "at least 1"),
        (["--to", "99"], "invalid choice"),
        (["--out", "{file}/folder"], "cannot write"),
    ],
)
def test_an_option_that_cannot_work_is_refused_in_one_line(options, words, tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as refused:
        record.main(["--quick", *(option.format(file=file) for option in options)])
    assert refused.value.code not in (0, None)
    assert words in str(refused.value.code) + capsys.readouterr().err


def test_without_cifar10_it_says_what_to_do(tmp_path):
    # No folder, an empty cache and a proxy that refuses every connection: a machine without a network.
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    empty = {"TINYNET_DATA": "", "XDG_CACHE_HOME": str(tmp_path), **closed}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **empty},
    )
    assert done.returncode == 1
    assert "--quick needs no download" in done.stderr
    assert "Traceback" not in done.stderr
