"""Names of Keras 1 and 2 that are no longer used, and what they are called today: words for errors.

`compat` understands them; the main API says how they are written.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tinynet.suggestions import nearest

# Addresses of modules, and of what was in them.
_LAYERS = (
    "advanced_activations",
    "convolutional",
    "core",
    "embeddings",
    "merge",
    "normalization",
    "noise",
    "experimental",
)
ADDRESSES = {
    **{f"tinynet.layers.{room}": "its layers are in tinynet.layers" for room in _LAYERS},
    "tinynet.layers.Merge": "use Add()([x, y]), Concatenate()([x, y]) and the like",
    "tinynet.layers.AtrousConvolution2D": "use Conv2D(dilation_rate=...)",
    "tinynet.layers.Deconvolution2D": "use Conv2DTranspose",
    "tinynet.layers.merge": "use add([x, y]), concatenate([x, y]) and the like, which are in tinynet.layers",
    "tinynet.backend.get_value": "use float(optimizer.learning_rate), or variable.numpy()",
    "tinynet.backend.image_dim_ordering": "use tinynet.config.image_data_format()",
    "tinynet.backend.set_image_dim_ordering": (
        "use tinynet.config.set_image_data_format: 'th' is 'channels_first', 'tf' is 'channels_last'"
    ),
    "tinynet.backend.set_value": "use variable.assign(x), or optimizer.learning_rate = x",
    "tinynet.callbacks.callbacks": "its classes are in tinynet.callbacks",
    "tinynet.engine": "its classes are in tinynet.layers and tinynet.models",
    "tinynet.initializations": "it is called tinynet.initializers",
    "tinynet.objectives": "it is called tinynet.losses",
    "tinynet.utils.np_utils": "use tinynet.utils.to_categorical",
}

# Arguments of layers, in notebooks and books to this day: what is written instead, or "nothing: why".
LAYER_ARGUMENTS = {
    "alpha": "negative_slope",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "batch_input_shape": "Input(batch_shape=...) as the first element of Sequential",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format ('th' is 'channels_first', 'tf' is 'channels_last')",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "length": "size",
    "mode": "nothing: statistics are always taken over the batch",
    "nb_col": "kernel_size=(rows, columns)",
    "nb_filter": "filters",
    "nb_row": "kernel_size=(rows, columns)",
    "output_dim": "units",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "weights": "set_weights() after the layer was built",
}

# Arguments of optimizers.
OPTIMIZER_ARGUMENTS = {
    "decay": "learning_rate=InverseTimeDecay(rate, 1, decay)",
    "lr": "learning_rate",
    "schedule_decay": "nothing: Nadam's momentum schedule is fixed",
}

# Arguments of a model's methods, and methods.
MODEL_ARGUMENTS = {
    "decay": "learning_rate=InverseTimeDecay(rate, 1, decay) of the optimizer",
    "lr": "learning_rate of the optimizer",
    "max_q_size": "nothing: batches are made when they are needed",
    "max_queue_size": "nothing: batches are made when they are needed",
    "nb_epoch": "epochs",
    "nb_val_samples": "validation_steps, which counts batches",
    "nb_worker": "nothing: batches are made when they are needed",
    "pickle_safe": "nothing: batches are made when they are needed",
    "samples_per_epoch": "steps_per_epoch, which counts batches: ceil(samples / batch size)",
    "sample_weight_mode": "nothing: the shape of the weights says it",
    "show_accuracy": "metrics=['accuracy'] of compile",
    "use_multiprocessing": "nothing: batches are made when they are needed",
    "val_samples": "steps, which counts batches",
    "workers": "nothing: batches are made when they are needed",
}
MODEL_METHODS = {
    "evaluate_generator": "evaluate(generator, steps=...)",
    "fit_generator": "fit(generator, steps_per_epoch=..., epochs=...); steps count batches, not samples",
    "predict_classes": "predict(x).argmax(axis=-1)",
    "predict_generator": "predict(generator, steps=...)",
    "predict_proba": "predict(x)",
}


def unknown_arguments(
    words: str, unknown: Iterable[str], accepted: Iterable[str], older: Mapping[str, str]
) -> str:
    """`words` of an error about arguments that do not exist, and what to write instead of each.

    >>> unknown_arguments("Dense has no argument 'init'", ["init"], ["kernel_initializer"], LAYER_ARGUMENTS)
    "Dense has no argument 'init': it is written kernel_initializer today"
    """
    names, unknown = list(accepted), list(unknown)
    hints = [_argument_hint(name, names, older) for name in unknown]
    if len(unknown) > 1 or words.endswith("]"):
        hints = [f"{name!r}: {hint}" for name, hint in zip(unknown, hints, strict=True)]
    return f"{words}: {'; '.join(hints)}"


def _argument_hint(name: str, accepted: list[str], older: Mapping[str, str]) -> str:
    if name not in older or name in accepted:
        near = nearest(name, accepted, 1)
        return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(accepted)}"
    today = older[name]
    if today.startswith("nothing: "):
        return f"it is gone: {today.removeprefix('nothing: ')}"
    lacking = today.isidentifier() and today not in accepted
    return f"it is written {today} today" + (", which is not accepted here" if lacking else "")


def refuse(method: Callable[..., Any], unknown: Mapping[str, Any]) -> None:
    """Raises TypeError for arguments that `method` does not have,
    with today's spelling of old ones, or the nearest.
    """
    import inspect  # only errors need it, and `import tinynet` reads this file

    for name in unknown:
        parameters = inspect.signature(method).parameters.values()
        accepted = [one.name for one in parameters if one.kind is not one.VAR_KEYWORD]
        words = f"{method.__name__}() got an unexpected argument {name!r}"
        raise TypeError(unknown_arguments(words, [name], accepted, MODEL_ARGUMENTS))
