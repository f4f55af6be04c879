"""Callbacks: what `fit`, `evaluate` and `predict` call at the beginning and end of a run, an epoch and a batch."""

from tinynet.callbacks.callback import Callback
from tinynet.callbacks.callback_list import CallbackList, python_logs
from tinynet.callbacks.early_stopping import EarlyStopping
from tinynet.callbacks.history import History
from tinynet.callbacks.lambda_callback import LambdaCallback
from tinynet.callbacks.learning_rate_scheduler import LearningRateScheduler
from tinynet.callbacks.progbar_logger import ProgbarLogger

__all__ = [
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ProgbarLogger",
    "python_logs",
]
