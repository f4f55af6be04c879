import pytest

from tinynet.backend import config


@pytest.fixture(autouse=True)
def restored_settings():
    before = (config.floatx(), config.epsilon(), config.image_data_format())
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])


def test_defaults_are_keras():
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == (
        "float32",
        1e-7,
        "channels_last",
    )


def test_settings_change():
    config.set_floatx("float64")
    config.set_epsilon(1e-5)
    config.set_image_data_format("CHANNELS_FIRST")
    assert (config.floatx(), config.epsilon(), config.image_data_format()) == (
        "float64",
        1e-5,
        "channels_first",
    )
    assert config.check_data_format(None) == "channels_first"


@pytest.mark.parametrize(
    ("setter", "value", "words"),
    [
        (config.set_floatx, "int8", "float32"),
        (config.set_floatx, "float16", "float32"),
        (config.set_epsilon, 0.0, "between"),
        (config.set_epsilon, 0.5, "between"),
        (config.set_epsilon, -1e-7, "between"),
        (config.set_epsilon, float("nan"), "between"),
        (config.set_image_data_format, "NHWC", "channels_last"),
    ],
)
def test_bad_settings_say_what_is_expected(setter, value, words):
    with pytest.raises(ValueError, match=words):
        setter(value)


def test_epsilons_within_the_limits():
    for value in (1e-30, 0.499):
        config.set_epsilon(value)
        assert config.epsilon() == value


def test_names_at_keras_address():
    from tinynet import backend, layers

    assert backend.backend() == "tinynet"
    first = layers.Dense(1).name
    assert layers.Dense(1).name != first
    backend.clear_session()
    assert layers.Dense(1).name == "dense"
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = backend.no_such_thing
    assert {"floatx", "set_floatx", "epsilon", "device", "random"} <= set(dir(backend))
