"""Settings of the process, with Keras's names and defaults (public as `tinynet.config`)."""

import os
from functools import cache
from typing import Any

from tinynet import missing_names

missing_names.namespace(__name__)

_FLOATS = ("float32", "float64")
_FORMATS = ("channels_last", "channels_first")
_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "eagerly": False,
}
_settings["filtering"] = os.environ.get("TINYNET_FULL_TRACEBACKS", "0") in ("", "0")


def floatx() -> str:
    """Default number format of parameters and inputs: "float32" or "float64".

    >>> config.floatx()
    'float32'
    """
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Sets the default number format to `value`; raises ValueError unless it is "float32" or "float64"."""
    if value not in _FLOATS:
        raise ValueError(f"set_floatx expects one of {_FLOATS}, got {value!r}")
    _settings["floatx"] = value


def settings() -> tuple[Any, ...]:
    """All settings, in one value that can be compared.

    >>> "float32" in config.settings()
    True
    """
    return tuple(_settings.values())


def run_functions_eagerly(value: bool) -> None:
    """With `value` True, every step of every model runs its Python; with False,
    as the model's `run_eagerly` says.

    >>> config.run_functions_eagerly(True)
    >>> config.functions_run_eagerly()
    True
    >>> config.run_functions_eagerly(False)
    """
    _settings["eagerly"] = bool(value)


def functions_run_eagerly() -> bool:
    """Whether every step runs its Python, as a debugger needs it.

    >>> config.functions_run_eagerly()
    False
    """
    return bool(_settings["eagerly"])


def epsilon() -> float:
    """The small number that losses clip probabilities with (1e-7).

    >>> config.epsilon()
    1e-07
    """
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets the small number to `value`; raises ValueError unless it lies strictly between 0 and 0.5."""
    if not 0.0 < value < 0.5:
        raise ValueError(f"set_epsilon expects a number strictly between 0 and 0.5, got {value!r}")
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """Default axis order of images: "channels_last" (N, H, W, C) or "channels_first" (N, C, H, W).

    >>> config.image_data_format()
    'channels_last'
    """
    return str(_settings["image_data_format"])


def set_image_data_format(value: str) -> None:
    """Sets the default axis order of images to `value`; raises ValueError for another than those two."""
    _settings["image_data_format"] = check_data_format(value)


def enable_traceback_filtering() -> None:
    """From now on errors leave `fit`, `predict`, calls of layers and the like
    without the frames inside of tinynet.

    An error keeps them in its attribute `full_traceback`.
    """
    _settings["filtering"] = True


def disable_traceback_filtering() -> None:
    """From now on tracebacks show the frames inside of tinynet too.
    TINYNET_FULL_TRACEBACKS=1 does so from the start.
    """
    _settings["filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether tracebacks go without the frames inside of tinynet."""
    return bool(_settings["filtering"])


def check_data_format(value: str | None) -> str:
    """`value` in lower case, or the default for None; raises ValueError for any other string.

    >>> config.check_data_format("Channels_First")
    'channels_first'
    """
    return known_format(image_data_format() if value is None else value)


@cache
def known_format(value: str) -> str:
    """`value` in lower case; raises ValueError unless it is one of the two axis orders."""
    name = str(value).lower()
    if name not in _FORMATS:
        raise ValueError(f"data_format must be one of {_FORMATS}, got {value!r}")
    return name
