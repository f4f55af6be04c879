"""Compiled: what `compile` says about a model, kept, described and taken from a description."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Never

import numpy as np

from tinynet import losses, metrics, optimizers, registry
from tinynet.backend import tracebacks
from tinynet.layers.base import Layer
from tinynet.layers.overridable import overridable
from tinynet.models.objective import Objective
from tinynet.models.step_lock import StepLock
from tinynet.old_names import MODEL_METHODS, refuse
from tinynet.ops.placing import move
from tinynet.replay.model import Replay


class Compiled(Layer):
    """Base of Trainer: an optimizer, and an Objective of losses and metrics."""

    _not_searched: ClassVar = {"_flags_at_compile"}
    optimizer: optimizers.Optimizer = None  # type: ignore[assignment]  # until `compile`
    loss: Any = None  # what was given to `compile`
    _compiled_objective: Any = None  # an Objective once compiled
    run_eagerly = False
    _names_of_outputs: Any = None  # known of models that are graphs of layers
    _own_step_lock: StepLock | None = None
    _own_replay: Replay | None = None

    @tracebacks.entry
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **unknown: Never,
    ) -> None:
        """Says how to train: an optimizer, a loss, and metrics to report, each by name or as an object.

        optimizer                   a name, which makes a new one, or an instance, which keeps its state
        loss                        a name, a Loss, or a function (y_true, y_pred) -> losses;
                                    loss_weights factors of several
        metrics, weighted_metrics   lists of names, Metrics, or functions;
                                    the latter see the weights of samples
        run_eagerly                 every step runs its Python;
                                    otherwise repeated steps are replayed, with the same bits
        steps_per_execution, jit_compile, auto_scale_loss   Keras's, of no effect: steps run one by one,
                                                            losses are not scaled

        For several outputs loss, loss_weights and metrics are lists or dictionaries. Compile again after
        changing what is trainable. Raises ValueError for what is no optimizer, loss or metric.

        >>> model.compile("adam", loss="mse", metrics=["mae"])
        >>> sorted(model.evaluate(x, y, verbose=0, return_dict=True))
        ['loss', 'mae']
        """
        refuse(self.compile, unknown)
        if isinstance(loss_weights, int | float) and not isinstance(loss_weights, bool):
            loss_weights = [float(loss_weights)]  # of a single output
        self.optimizer = optimizers.get(optimizer)
        self._compiled_objective = Objective(
            loss, metrics, weighted_metrics, loss_weights, self._names_of_outputs
        )
        self.loss = loss
        self.run_eagerly = bool(run_eagerly)
        self._flags_at_compile = _trainable_flags(self)

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled_objective is not None

    @property
    def metrics(self) -> list[Any]:
        """The running means that are reported: the loss, the metrics,
        then those that layers hold in their attributes.
        """
        own = [] if self._compiled_objective is None else self._compiled_objective.all_metrics
        return own + self._metrics_of_layers()

    def _metrics_of_layers(self) -> list[Any]:
        return super().metrics

    @property
    def metrics_names(self) -> list[str]:
        """Names of what is reported, in the order of `evaluate`."""
        with self._step_lock.lock:  # between two steps
            return [] if self._compiled_objective is None else list(self._compiled_objective.results())

    @property
    def _step_lock(self) -> StepLock:
        """The lock of the model's steps."""
        if self._own_step_lock is None:
            vars(self).setdefault("_own_step_lock", StepLock())  # one, whichever threads come first
        assert self._own_step_lock is not None
        return self._own_step_lock

    @property
    def _replay_of_steps(self) -> Replay:
        if self._own_replay is None:
            vars(self).setdefault("_own_replay", Replay(self))
        assert self._own_replay is not None
        return self._own_replay

    @property
    def _programs_of_steps(self) -> list[Any]:
        return [] if self._own_replay is None else self._own_replay.programs

    replay = overridable(
        lambda self: self._replay_of_steps, doc="Its steps; replay.why() says why, or why not."
    )

    def _notice_of_steps(self) -> str:
        """What `fit` says once if steps are not replayed that could be; else ""."""
        text, said = self._replay_of_steps.notice(), self._compiled_objective.said
        if not text or "steps" in said:
            return ""
        said.add("steps")
        return text

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameters, none of them in the middle of a step that another thread runs."""
        with self._step_lock.lock:
            return super().get_weights()

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Copies the arrays `weights` into the parameters; raises ValueError,
        changing nothing, if number or shapes differ.
        """
        with self._step_lock.lock:
            super().set_weights(weights)

    def to_device(self, name: str) -> Any:
        """Moves all parameters to a device, the optimizer's state and the metrics too; returns the model.

        name   "cpu", "gpu" or "gpu:1", else ValueError; RuntimeError for a GPU that cannot be used

        >>> model.to_device("cpu") is model
        True
        """
        with self._step_lock.lock:
            super().to_device(name)
            if self._compiled_objective is not None:
                self.optimizer.to_device(name)
                for metric in self._compiled_objective.all_metrics:
                    move(metric.variables, name)
        return self

    if not TYPE_CHECKING:  # as in Module

        def __getattr__(self, name: str) -> Any:
            if name in MODEL_METHODS:
                raise AttributeError(f"{name} is an older spelling: use {MODEL_METHODS[name]}")
            return super().__getattr__(name)

    def get_compile_config(self) -> dict[str, Any] | None:
        """The arguments of `compile`, for `compile_from_config`; None if it was not called."""
        if self._compiled_objective is None:
            return None
        given = {name: registry.describe(value) for name, value in self._compiled_objective.given.items()}
        return {"optimizer": registry.describe(self.optimizer), **given, "run_eagerly": self.run_eagerly}

    def compile_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Compiles as `config`, which `get_compile_config` gave, says, with a new optimizer."""
        if config:
            made = {
                "optimizer": optimizers.get(config["optimizer"]),
                "loss": _made(losses.get, config.get("loss")),
                "metrics": _made(metrics.get, config.get("metrics")),
                "weighted_metrics": _made(metrics.get, config.get("weighted_metrics")),
            }
            rest = {name: config[name] for name in ("loss_weights", "run_eagerly") if name in config}
            self.compile(**made, **rest)

    def _check_compiled(self, method: str) -> None:
        """Raises ValueError unless `compile` was called; warns if layers were frozen or unfrozen since."""
        if self._compiled_objective is None:
            raise ValueError(f"{self}: call compile(optimizer, loss) before {method}")
        if self._flags_at_compile != (now := _trainable_flags(self)):
            changed = [name for name, flag in now if (name, flag) not in self._flags_at_compile]
            tracebacks.warn(
                f"{self}: `trainable` of {', '.join(changed[:3]) or 'a layer'} was changed since compile. "
                "Training goes by what is trainable "
                f"now{'' if self.trainable_weights else ', which is nothing: no weight will change'}. If "
                "that is meant to last, compile again, "
                "so that the optimizer knows which parameters it trains. If this model "
                "is part of another one that keeps it frozen, as a discriminator in a GAN, "
                "set trainable = True before its own steps and False before those of the other"
            )


def _made(get: Any, value: Any) -> Any:
    """Objects from their descriptions; names stay names, which metrics are reported under."""
    if isinstance(value, Mapping) and "class_name" not in value and "function" not in value:
        return {key: _made(get, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_made(get, item) for item in value]
    return get(value) if isinstance(value, Mapping) else value


def _trainable_flags(model: Layer) -> list[Any]:
    """What is trainable: the flag of every layer, in order."""
    return [(layer.name, layer.trainable) for layer in model._with_all_within()]
