"""What layers were called in Keras 1 and 2, in which order Keras 1 had their arguments,
and what these are called today.
"""

from typing import Any

CONVOLUTION = (
    "activation weights border_mode subsample dim_ordering W_regularizer b_regularizer "
    "activity_regularizer W_constraint b_constraint bias"
)
SEQUENCE = (
    "activation weights border_mode subsample_length W_regularizer b_regularizer "
    "activity_regularizer W_constraint b_constraint bias input_dim input_length"
)

# {name in Keras 1: (name today, arguments by position)};
# nb_row and nb_col have become kernel_size before it is used.
KERAS1 = {
    "ActivityRegularization": ("ActivityRegularization", "l1 l2"),
    "AtrousConvolution2D": (
        "Conv2D",
        "nb_filter kernel_size init " + CONVOLUTION.replace("dim_", "atrous_rate dim_"),
    ),
    "AveragePooling1D": ("AveragePooling1D", "pool_length stride border_mode"),
    "AveragePooling2D": ("AveragePooling2D", "pool_size strides border_mode dim_ordering"),
    "BatchNormalization": (
        "BatchNormalization",
        "epsilon mode axis momentum weights beta_init gamma_init gamma_regularizer beta_regularizer",
    ),
    "Conv1D": ("Conv1D", "nb_filter filter_length init " + SEQUENCE),
    "Conv2D": ("Conv2D", "nb_filter kernel_size init " + CONVOLUTION),
    "Convolution1D": ("Conv1D", "nb_filter filter_length init " + SEQUENCE),
    "Convolution2D": ("Conv2D", "nb_filter kernel_size init " + CONVOLUTION),
    "Cropping2D": ("Cropping2D", "cropping dim_ordering"),
    "Deconvolution2D": ("Conv2DTranspose", "nb_filter kernel_size output_shape init " + CONVOLUTION),
    "Dense": (
        "Dense",
        "output_dim init activation weights W_regularizer b_regularizer activity_regularizer "
        "W_constraint b_constraint bias input_dim",
    ),
    "Dropout": ("Dropout", "p noise_shape seed"),
    "ELU": ("ELU", "alpha"),
    "Embedding": (
        "Embedding",
        "input_dim output_dim init input_length W_regularizer activity_regularizer "
        "W_constraint mask_zero weights dropout",
    ),
    "Flatten": ("Flatten", ""),
    "GaussianDropout": ("GaussianDropout", "p"),
    "GaussianNoise": ("GaussianNoise", "sigma"),
    "GlobalAveragePooling2D": ("GlobalAveragePooling2D", "dim_ordering"),
    "GlobalMaxPooling2D": ("GlobalMaxPooling2D", "dim_ordering"),
    "Lambda": ("Lambda", "function output_shape arguments"),
    "LeakyReLU": ("LeakyReLU", "alpha"),
    "MaxPooling1D": ("MaxPooling1D", "pool_length stride border_mode"),
    "MaxPooling2D": ("MaxPooling2D", "pool_size strides border_mode dim_ordering"),
    "PReLU": ("PReLU", "init weights shared_axes"),
    "SeparableConvolution2D": (
        "SeparableConv2D",
        "nb_filter kernel_size init activation weights border_mode subsample depth_multiplier dim_ordering "
        "depthwise_regularizer pointwise_regularizer b_regularizer activity_regularizer depthwise_constraint "
        "pointwise_constraint b_constraint bias",
    ),
    "SpatialDropout1D": ("SpatialDropout1D", "p"),
    "SpatialDropout2D": ("SpatialDropout2D", "p dim_ordering"),
    "ThresholdedReLU": ("ReLU", "theta"),
    "UpSampling1D": ("UpSampling1D", "length"),
    "UpSampling2D": ("UpSampling2D", "size dim_ordering"),
    "ZeroPadding2D": ("ZeroPadding2D", "padding dim_ordering"),
}

# Names of Keras 2 that are gone; their arguments come in today's order.
KERAS2 = {
    "AtrousConvolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "ThresholdedReLU": "ReLU",
}

# {argument then: argument today}; one that today's layer has itself keeps its name.
RENAMED = {
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "alpha": "negative_slope",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "length": "size",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "pool_length": "pool_size",
    "sigma": "stddev",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
    "theta": "threshold",
}
RENAMED_FOR = {  # of one layer alone, by its name today
    "Embedding": {
        "W_constraint": "embeddings_constraint", "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer"
    },
    "InputLayer": {"input_shape": "shape", "batch_input_shape": "batch_shape"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "PReLU": {"init": "alpha_initializer"},
}  # fmt: skip
# today's names of what was called (filters, rows, columns)
KERNELS = ("Conv2D", "Conv2DTranspose", "SeparableConv2D")
PRESET: dict[str, dict[str, Any]] = {  # what was there unless given, where that has changed
    "AveragePooling1D": {"pool_size": 2},
    "AveragePooling2D": {"pool_size": (2, 2)},
    "ThresholdedReLU": {"threshold": 1.0},
}
