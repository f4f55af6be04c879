"""ImageDataGenerator with the arguments of Keras 1 and 2."""

import math
from typing import Any

from tinynet.compat.arguments import ORDERINGS, by_name
from tinynet.compat.warn import old
from tinynet.data import ImageDataGenerator as Today
from tinynet.data.image_flow import ImageFlow
from tinynet.signature import accepted

# Keras 1's order; interpolation and dtype came later.
ORDER = [
    "featurewise_center", "samplewise_center", "featurewise_std_normalization",
    "samplewise_std_normalization", "zca_whitening", "rotation_range", "width_shift_range",
    "height_shift_range", "shear_range", "zoom_range", "channel_shift_range", "fill_mode", "cval",
    "horizontal_flip", "vertical_flip", "rescale", "preprocessing_function", "dim_ordering",
]  # fmt: skip


class Flow(ImageFlow):
    """Batches, as `flow` gives them."""

    @property
    def N(self) -> int:  # noqa: N802 - Keras's name
        """Number of images, as Keras called it before 1.2.1."""
        old("flow.N", "flow.n")
        return self.n

    def next(self) -> Any:
        """next(flow), as Python 2 had it."""
        old("flow.next()", "next(flow)")
        return next(self)


class Older(Today):
    """What both eras add to today's class."""

    era: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = by_name("ImageDataGenerator", ORDER if self.era == 1 else accepted(Today), args, kwargs)
        if "dim_ordering" in given:
            value = given.pop("dim_ordering")
            if value is not None and value not in ORDERINGS:
                raise ValueError(
                    f"ImageDataGenerator: dim_ordering must be 'th', 'tf' or 'default', got {value!r}"
                )
            given["data_format"] = ORDERINGS.get(value)
            old(f"ImageDataGenerator(dim_ordering={value!r})", f"data_format={given['data_format']!r}")
        if self.era == 1 and given.get("shear_range"):
            degrees = math.degrees(given["shear_range"])
            old(
                f"ImageDataGenerator(shear_range={given['shear_range']}), in radians,",
                f"shear_range={degrees:.4g}, in degrees",
            )
            given["shear_range"] = degrees
        super().__init__(**given)

    def flow(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Today's flow; Keras 1 called x X, and had no sample_weight before seed."""
        if "X" in kwargs:
            old("flow(X=...)", "flow(x=...)")
            x = kwargs.pop("X")
        if self.era == 1:
            kwargs = by_name("flow", ["seed", "save_to_dir", "save_prefix", "save_format"], args, kwargs)
            args = ()
        made = super().flow(x, y, batch_size, shuffle, *args, **kwargs)
        arrays = made.x, made.y, made.sample_weight
        return Flow(self, *arrays, batch_size=made.batch_size, shuffle=made.shuffle, key=made.key)


def image_names(era: int) -> dict[str, Any]:
    """{name: class} of what `keras.preprocessing.image` had and tinynet has."""
    body = {
        "era": era,
        "__doc__": Today.__doc__,
        "__module__": f"tinynet.compat.keras{era}.preprocessing.image",
    }
    return {"ImageDataGenerator": type("ImageDataGenerator", (Older,), body), "NumpyArrayIterator": Flow}
