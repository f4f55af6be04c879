"""Augmentation layers: their transformations against Keras's, their draws by statistics,
their place in a training step.
"""


import numpy as np
import pytest

import tinynet
from tinynet import layers
from tinynet.utils import set_random_seed

from fixtures import augmentation_cases as cases
from layer_tools import assert_uniform, check_layer
from layer_tools import images as normal_images

ALL = {
    "flip": lambda **settings: layers.RandomFlip(**settings),
    "rotation": lambda **settings: layers.RandomRotation(0.1, **settings),
    "translation": lambda **settings: layers.RandomTranslation(0.2, 0.3, **settings),
    "zoom": lambda **settings: layers.RandomZoom(0.3, **settings),
    "shear": lambda **settings: layers.RandomShear(0.3, 0.1, **settings),
}
every_layer = pytest.mark.parametrize("make", ALL.values(), ids=ALL)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("data_format", cases.FORMATS)
@pytest.mark.parametrize("case", cases.WARPS, ids=lambda case: cases.name_of(case, ""))
def test_against_keras(case, data_format, dtype):
    """Every outcome that Keras had, and no other."""
    layer = getattr(layers, case.layer)(**case.arguments, data_format=data_format, dtype=dtype, seed=3)
    x = cases.images(case.shape, data_format)
    outcomes = cases.stored()[cases.name_of(case, data_format)]
    found = set()
    for y in layer(np.repeat(x, case.draws, axis=0)).numpy():  # training=True is the default
        errors = [np.abs(y - outcome).max() for outcome in outcomes]
        assert min(errors) < 5e-6
        found.add(int(np.argmin(errors)))
    assert len(found) == len(outcomes)
    assert y.dtype == dtype


def test_half_a_turn():
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    y = layers.RandomRotation((0.5, 0.5), dtype="float64")(x).numpy()
    np.testing.assert_allclose(y, x[:, ::-1, ::-1], rtol=0, atol=1e-12)


def test_directions():
    """A quarter turn is counter-clockwise, shifts go down and right, a positive zoom makes things smaller."""
    corner = np.zeros((1, 5, 5, 1))
    corner[0, 0, 4] = 1  # upper right
    turned = layers.RandomRotation((0.25, 0.25))(corner).numpy()
    assert turned[0, 0, 0, 0] == pytest.approx(1)
    shifted = layers.RandomTranslation((0.4, 0.4), (-0.2, -0.2), fill_mode="constant")(corner).numpy()
    assert shifted[0, 2, 3, 0] == pytest.approx(1)
    assert layers.RandomZoom((0.5, 0.5), fill_mode="constant")(np.ones((1, 9, 9, 1))).numpy().sum() < 50


@every_layer
def test_nothing_happens_at_inference(make):
    x = normal_images(30, 6, 5, 2)
    layer = make(dtype="float64", seed=1)
    np.testing.assert_array_equal(layer(x, training=False).numpy(), x)
    assert layer._draw_count == 0
    assert (layer(x).numpy() != x).any()
    assert layer._draw_count == 1


@every_layer
def test_every_image_and_every_call_has_its_own_draw(make):
    x = np.repeat(normal_images(1, 6, 5, 2), 40, axis=0)
    layer = make(seed=1)
    first, second = layer(x).numpy(), layer(x).numpy()
    assert len({image.tobytes() for image in first}) == (2 if isinstance(layer, layers.RandomFlip) else 40)
    assert (first != second).any()
    layer._draw_count = 0
    np.testing.assert_array_equal(layer(x).numpy(), first)
    np.testing.assert_array_equal(make(seed=1)(x).numpy(), first)
    assert (make(seed=2)(x).numpy() != first).any()
    drawn = []
    for _ in range(2):
        set_random_seed(9)
        drawn.append(make()(x).numpy())
    np.testing.assert_array_equal(*drawn)


def drawn(layer, images=20000, height=11, width=21):
    return [
        np.broadcast_to(part, images) for part in layer.draw(np.random.default_rng(0), images, height, width)
    ]


def test_what_is_drawn():
    cos, _, _, sin, _, _ = drawn(layers.RandomRotation((-0.1, 0.2)))
    assert_uniform(np.arctan2(sin, cos) / (2 * np.pi), -0.1, 0.2)
    _, _, dx, _, _, dy = drawn(layers.RandomTranslation(0.2, (0.1, 0.3)))
    assert_uniform(-dy / 11, -0.2, 0.2)
    assert_uniform(-dx / 21, 0.1, 0.3)
    assert abs(np.corrcoef(dx, dy)[0, 1]) < 0.04
    zx, _, _, _, zy, _ = drawn(layers.RandomZoom(0.3, (-0.2, 0.1)))
    assert_uniform(zy - 1, -0.3, 0.3)
    assert_uniform(zx - 1, -0.2, 0.1)
    zx, _, _, _, zy, _ = drawn(layers.RandomZoom(0.3))
    np.testing.assert_array_equal(zx, zy)
    _, sx, _, sy, _, _ = drawn(layers.RandomShear((0.1, 0.3), (0.2, 0.4)))
    assert_uniform(np.abs(sx), 0.1, 0.3)
    assert_uniform(np.abs(sy), 0.2, 0.4)
    np.testing.assert_array_equal(np.sign(sx), np.sign(sy))
    assert abs(np.mean(sx > 0) - 0.5) < 0.02
    x, _, _, _, y, _ = drawn(layers.RandomFlip())
    np.testing.assert_array_equal(x, y)
    assert abs(np.mean(x < 0) - 0.5) < 0.02


def test_flips_copy():
    """Not a number stays where it is, and does not spread."""
    x = np.full((1, 3, 4, 1), np.inf)
    x[0, 0, 0, 0] = np.nan
    assert np.isnan(layers.RandomFlip(seed=1)(x).numpy()).sum() == 1


@every_layer
def test_one_image_without_a_batch_axis(make):
    x = normal_images(6, 5, 2)
    y = make(seed=4, dtype="float64")(x).numpy()
    np.testing.assert_array_equal(y, make(seed=4, dtype="float64")(x[None]).numpy()[0])


@every_layer
@pytest.mark.parametrize("data_format", cases.FORMATS)
def test_gradients(make, data_format):
    check_layer(make(seed=2, dtype="float64", data_format=data_format), normal_images(2, 4, 3, 4))


@every_layer
def test_shapes_configurations_and_symbolic_calls(make):
    layer = make(seed=5, name="changed")
    assert layer.compute_output_shape((None, None, 6, 3)) == (None, None, 6, 3)
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    x = normal_images(3, 6, 5, 2)
    np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())
    inputs = layers.Input((6, 5, 2))
    model = tinynet.Model(inputs, layers.Flatten()(make(seed=5)(inputs)))
    assert model.output_shape == (None, 60)
    assert (model(x, training=True).numpy() != x.reshape(3, 60)).any()
    np.testing.assert_array_equal(model.predict(x, verbose=0), x.reshape(3, 60).astype(np.float32))


def test_integers_become_floats():
    x = np.arange(50, dtype=np.uint8).reshape(2, 5, 5, 1)
    assert layers.RandomRotation(0.1)(x).dtype == np.float32


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RandomRotation(1.5), "factor must be a number between -1 and 1"),
        (lambda: layers.RandomRotation((0.1, 0.2, 0.3)), "factor"),
        (lambda: layers.RandomRotation("much"), "factor"),
        (lambda: layers.RandomTranslation(0.1, -2), "width_factor"),
        (lambda: layers.RandomZoom(-1), "height_factor must be above -1"),
        (lambda: layers.RandomZoom((-1, 0)), "above -1"),
        (lambda: layers.RandomZoom(0.1, 1.1), "width_factor"),
        (lambda: layers.RandomShear(-0.1), "x_factor must be a number between 0 and 1"),
        (lambda: layers.RandomShear(y_factor=(0, 2)), "y_factor"),
        (lambda: layers.RandomFlip("diagonal"), "mode must be one of 'horizontal'"),
        (lambda: layers.RandomRotation(0.1, fill_mode="mirror"), "fill_mode must be one of 'reflect'"),
        (lambda: layers.RandomZoom(0.1, interpolation="cubic"), "interpolation must be one of 'bilinear'"),
        (lambda: layers.RandomShear(0.1, data_format="first"), "data_format"),
        (lambda: layers.RandomFlip(seed=-1), "seed"),
        (lambda: layers.RandomFlip()(np.zeros((2, 3))), "a batch of images"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
