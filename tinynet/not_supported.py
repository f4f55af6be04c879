"""What tinynet leaves out on purpose, and what it calls the things that others know by another name:
words for errors.
"""

_README = "(README.md says what is left out)"
_IMAGES = "ImageDataGenerator and tinynet.layers.Random... are the augmentations there are"

# {room: {reason: names of Keras's}}
LEFT_OUT: dict[str, dict[str, str]] = {
    "": {
        (
            f"nets that were trained by others are left out on purpose {_README}; "
            "load_model reads Keras's files"
        ): "applications",
        f"mixed precision is left out on purpose {_README}": (
            "mixed_precision dtype_policies DTypePolicy FloatDTypePolicy"
        ),
        f"distribution over devices is left out on purpose {_README}": "distribution",
        f"quantization is left out on purpose {_README}": "quantizers Quantizer",
        f"distillation is left out on purpose {_README}": "distillation",
        f"functions of `ops` between symbolic tensors are left out on purpose {_README}": (
            "Function Operation StatelessScope"
        ),
        f"Keras's own wrappers and viewers are left out on purpose {_README}": (
            "wrappers visualization legacy estimator"
        ),
    },
    "layers": {
        f"recurrent layers are left out on purpose {_README}": (
            "LSTM GRU SimpleRNN RNN LSTMCell GRUCell SimpleRNNCell StackedRNNCells "
            "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D"
        ),
        f"attention is left out on purpose {_README}": (
            "Attention AdditiveAttention MultiHeadAttention GroupQueryAttention GroupedQueryAttention"
        ),
        (
            f"masks are left out on purpose {_README}; weights of samples, time step by step, "
            "can take their place"
        ): "Masking",
        f"layers over three dimensions are left out on purpose {_README}": (
            "AdaptiveAveragePooling3D AdaptiveMaxPooling3D AveragePooling3D AvgPool3D Conv3D "
            "Conv3DTranspose Convolution3D "
            "Convolution3DTranspose Cropping3D GlobalAveragePooling3D GlobalAvgPool3D "
            "GlobalMaxPool3D GlobalMaxPooling3D "
            "MaxPool3D MaxPooling3D SpatialDropout3D UpSampling3D ZeroPadding3D"
        ),
        (
            f"layers that read text, tables and sound are left out on purpose {_README}; "
            "make arrays of numbers before"
        ): (
            "TextVectorization StringLookup IntegerLookup Hashing HashedCrossing "
            "CategoryEncoding Discretization MelSpectrogram STFTSpectrogram"
        ),
        f"it is left out on purpose {_README}; {_IMAGES}": (
            "AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization "
            "MaxNumBoundingBoxes MixUp "
            "RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter "
            "RandomContrast RandomCrop "
            "RandomElasticTransform RandomErasing RandomGaussianBlur RandomGrayscale RandomHue "
            "RandomInvert RandomPerspective "
            "RandomPosterization RandomSaturation RandomSharpness Solarization Pipeline"
        ),
        "it is not part of tinynet; GlobalAveragePooling2D and AveragePooling2D are": (
            "AdaptiveAveragePooling1D AdaptiveAveragePooling2D AdaptiveMaxPooling1D AdaptiveMaxPooling2D"
        ),
        "it is not part of tinynet; use Conv1D(groups=...)": (
            "DepthwiseConv1D SeparableConv1D SeparableConvolution1D"
        ),
        "it is not part of tinynet; use Conv2DTranspose on an image of one row": (
            "Conv1DTranspose Convolution1DTranspose"
        ),
        "it is not part of tinynet; Dense works on the last axis of any input": "EinsumDense TimeDistributed",
        "it is not part of tinynet; use Cropping2D": "CenterCrop",
        "it is not part of tinynet; use UpSampling2D, or ops.resize_images": "Resizing",
        (
            "it is not part of tinynet; it is the weight's constraint or regularizer here"
        ): "SpectralNormalization",
        "layers of other libraries are left out on purpose": (
            "FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper"
        ),
        "write a Layer that holds the other one in an attribute": "Wrapper ReversibleEmbedding",
        "use tinynet.saving.serialize_keras_object and deserialize_keras_object": "serialize deserialize",
    },
    "losses": {
        (
            "it is not part of tinynet; write a function loss(y_true, y_pred) of tinynet.ops, "
            "or a subclass of Loss"
        ): (
            "BinaryFocalCrossentropy CTC CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy "
            "Circle Dice Tversky "
            "binary_focal_crossentropy categorical_focal_crossentropy categorical_generalized_cross_entropy "
            "circle ctc dice tversky"
        ),
    },
    "metrics": {
        "it is not part of tinynet; write a function metric(y_true, y_pred), or a subclass of Metric": (
            "ConcordanceCorrelation PearsonCorrelation binary_focal_crossentropy "
            "categorical_focal_crossentropy concordance_correlation pearson_correlation"
        ),
    },
    "optimizers": {
        "it is not part of tinynet; write a subclass of Optimizer with its update_step": (
            "Adafactor Ftrl Lamb MultiOptimizer Muon OptimizerMap ScheduleFreeAdamW"
        ),
        "it is the argument loss_scale_factor of every optimizer": "LossScaleOptimizer",
    },
    "initializers": {"it is not part of tinynet": "STFT STFTInitializer stft"},
    "callbacks": {
        "use ModelCheckpoint or BackupAndRestore": "OrbaxCheckpoint",
        "use LambdaCallback(on_epoch_end=...) with a function that sends the logs": "RemoteMonitor",
    },
    "datasets": {
        "only mnist, fashion_mnist, cifar10 and digits are part of tinynet": (
            "boston_housing california_housing cifar100 imdb reuters"
        ),
    },
}

# {room: {a name of PyTorch's or NumPy's: what is here}}
ELSEWHERE: dict[str, dict[str, str]] = {
    "": {
        "Module": "use tinynet.Layer or tinynet.Model, and write call() for forward()",
        "Variable": "a variable is a tinynet.Parameter; layers make theirs with add_weight",
        "cuda": "tinynet.set_device('gpu') chooses the GPU",
        "from_numpy": "use tinynet.Tensor(array)",
        "load": "use tinynet.saving.load_model, or model.load_weights",
        "manual_seed": "use tinynet.utils.set_random_seed",
        "nn": (
            "layers are in tinynet.layers (nn.Linear is Dense, nn.Conv2d is Conv2D), losses in tinynet.losses"
        ),
        "optim": "it is tinynet.optimizers; an update is optimizer.apply(gradients, variables)",
        "rand": "use tinynet.random.uniform",
        "randn": "use tinynet.random.normal",
        "save": "use model.save, or model.save_weights",
        "tensor": "use tinynet.Tensor",
    },
}

_DEVICE = (
    "tinynet.set_device('gpu') chooses the device for all that is made from then on; model.to_device('gpu') "
    "moves a model, and tinynet.to_device(x, 'gpu') a Tensor"
)
_GRADIENTS = (
    "no gradients are kept that it could forget: tinynet.grad and model.gradients return new ones each time"
)
METHODS: dict[str, dict[str, str]] = {
    "all": {"cuda": _DEVICE, "to": _DEVICE, "cpu": _DEVICE},
    "layer": {
        "children": "use layers",
        "eval": "call it with training=False; predict and evaluate do",
        "forward": "call it: layer(x); the code is in call()",
        "half": "tinynet.config.set_floatx, or dtype=, says the number format",
        "load_state_dict": "use set_weights, or load_weights for a file",
        "modules": "use layers",
        "named_parameters": "use weights: each has a name",
        "parameters": "use trainable_weights, or weights for all of them",
        "register_buffer": "use add_weight(..., trainable=False)",
        "requires_grad_": "set layer.trainable = False, and compile again",
        "state_dict": "use get_weights, or save_weights for a file",
        "step": "an optimizer updates weights: optimizer.apply(gradients, variables); fit does",
        "train": "call it with training=True; fit does",
        "zero_grad": _GRADIENTS,
    },
    "optimizer": {
        "load_state_dict": "use set_weights",
        "minimize": "use apply(tinynet.grad(loss, variables), variables)",
        "param_groups": "set optimizer.learning_rate",
        "state_dict": "use get_weights and get_config",
        "step": "use apply(gradients, variables); gradients = tinynet.grad(loss, variables)",
        "zero_grad": _GRADIENTS,
    },
    "tensor": {
        "argmax": "use tinynet.ops.argmax(x, axis=...)",
        "argmin": "use tinynet.ops.argmin(x, axis=...)",
        "clone": "use tinynet.Tensor(x.numpy())",
        "contiguous": "operations take any memory order: leave it out",
        "copy": "use x.numpy(), a copy as an array",
        "dim": "use x.ndim",
        "double": "use x.astype('float64')",
        "expand": "use tinynet.ops.broadcast_to(x, shape)",
        "float": "use x.astype('float32')",
        "int": "use x.astype('int32')",
        "long": "use x.astype('int64')",
        "norm": "use tinynet.ops.norm(x)",
        "permute": "use x.transpose(axes)",
        "std": "use tinynet.ops.std(x)",
        "t": "use x.T",
        "tolist": "use x.numpy().tolist()",
        "unsqueeze": "use tinynet.ops.expand_dims(x, axis)",
        "view": "use x.reshape(shape)",
    },
}
