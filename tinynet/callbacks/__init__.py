"""Callbacks: what `fit`, `evaluate` and `predict` call at the beginning and end of a run,
an epoch and a batch.
"""

from tinynet import missing_names
from tinynet.callbacks.backup_and_restore import BackupAndRestore
from tinynet.callbacks.callback import Callback
from tinynet.callbacks.callback_list import CallbackList, python_logs
from tinynet.callbacks.csv_logger import CSVLogger
from tinynet.callbacks.early_stopping import EarlyStopping
from tinynet.callbacks.history import History
from tinynet.callbacks.lambda_callback import LambdaCallback
from tinynet.callbacks.learning_rate_finder import LearningRateFinder
from tinynet.callbacks.learning_rate_scheduler import LearningRateScheduler
from tinynet.callbacks.live_curves import LiveCurves
from tinynet.callbacks.lookahead import Lookahead
from tinynet.callbacks.model_checkpoint import ModelCheckpoint
from tinynet.callbacks.monitor import MonitorCallback
from tinynet.callbacks.progbar_logger import ProgbarLogger
from tinynet.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from tinynet.callbacks.swap_ema_weights import SwapEMAWeights
from tinynet.callbacks.tensorboard import TensorBoard
from tinynet.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateFinder",
    "LearningRateScheduler",
    "LiveCurves",
    "Lookahead",
    "ModelCheckpoint",
    "MonitorCallback",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "python_logs",
]

missing_names.namespace(__name__)
