"""Small helpers: one-hot labels, vectors of unit length, one seed for everything,
files written whole or not at all.
"""

import importlib
import os
import random as python_random
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinynet import missing_names
from tinynet.backend import random as backend_random

try:
    import fcntl
except ImportError:  # where there is none, what is being written cannot be told from what was left
    fcntl = None  # type: ignore[assignment]

UNFINISHED = ".writing-"  # folders of files that are being written begin so

# What Keras has at this address and tinynet elsewhere, imported when it is asked for:
# rooms above this one use it.
_ELSEWHERE = {
    "CustomObjectScope": "tinynet.registry.custom_object_scope",
    "PyDataset": "tinynet.data.PyDataset",
    "clear_session": "tinynet.layers.naming.reset_names",
    "custom_object_scope": "tinynet.registry.custom_object_scope",
    "deserialize_keras_object": "tinynet.saving.deserialize_keras_object",
    "get_registered_name": "tinynet.registry.registered_name",
    "get_registered_object": "tinynet.saving.get_registered_object",
    "plot_model": "tinynet.plotting.plot_model",
    "register_keras_serializable": "tinynet.registry.register_keras_serializable",
    "serialize_keras_object": "tinynet.saving.serialize_keras_object",
}


if TYPE_CHECKING:  # the same, for editors and type checkers; tests/test_editor.py compares the two
    from tinynet import registry, saving
    from tinynet.data import PyDataset as PyDataset
    from tinynet.layers.naming import reset_names
    from tinynet.plotting import plot_model as plot_model

    CustomObjectScope = custom_object_scope = registry.custom_object_scope
    clear_session = reset_names
    deserialize_keras_object = saving.deserialize_keras_object
    get_registered_name = registry.registered_name
    get_registered_object = saving.get_registered_object
    register_keras_serializable = registry.register_keras_serializable
    serialize_keras_object = saving.serialize_keras_object
else:

    def __getattr__(name: str) -> Any:
        if name not in _ELSEWHERE:
            raise missing_names.missing(__name__, name)
        module, _, attribute = _ELSEWHERE[name].rpartition(".")
        return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted([*_ELSEWHERE, *missing_names.public(__name__)])


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of a batch `data` of the form x, (x,),
    (x, y) or (x, y, sample_weight); None for what is not there.

    Raises ValueError for more parts. For `train_step`, `test_step` and `predict_step` of one's own.

    >>> utils.unpack_x_y_sample_weight(([1.0], [0.0]))
    ([1.0], [0.0], None)
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(f"a batch is x, (x,), (x, y) or (x, y, sample_weight), got {len(data)} parts")
    return (*data, None, None)[:3]  # type: ignore[return-value]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The batch that `unpack_x_y_sample_weight` takes apart: x alone unless it is a list or tuple,
    (x, y) or all three.

    y, sample_weight   None: not there

    >>> utils.pack_x_y_sample_weight([1.0], [0.0])
    ([1.0], [0.0])
    """
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """One-hot rows of integer labels: y[n, x[n]] = 1.

    x (N,), (N, 1) or any other shape, of integers in 0..num_classes - 1; a last axis of size 1 is dropped.
    y (*x.shape, num_classes) float64, as in Keras. num_classes None: max(x) + 1. Raises ValueError for a
    label out of range, naming it.

    >>> utils.to_categorical([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    labels = np.asarray(x)
    if labels.size and not np.array_equal(labels, labels.astype(np.int64)):
        raise ValueError("to_categorical: labels must be whole numbers, got a value with a fraction")
    labels = labels.astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if not num_classes:
        if not labels.size:
            raise ValueError(
                "to_categorical: pass num_classes, it cannot be found from an empty array of labels"
            )
        num_classes = int(labels.max()) + 1
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise ValueError(f"to_categorical: expected labels in 0..{num_classes - 1}, got {outside.flat[0]}")
    return np.eye(num_classes)[labels]


def normalize(x: Any, axis: int = -1, order: float = 2) -> np.ndarray:
    """x / |x| along `axis`, |x| the norm of that order: (sum |x|^order)^(1 / order);
    vectors of length 0 stay as they are.

    >>> utils.normalize([[3.0, 4.0]])
    array([[0.6, 0.8]])
    """
    x = np.asarray(x)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return x / np.where(norm == 0, np.ones_like(norm), norm)


def set_random_seed(seed: int) -> None:
    """Seed tinynet's keys (initial weights, shuffles, dropout),
    Python's `random` and NumPy's global generator.

    Raises ValueError unless `seed` is an integer in 0..2**32 - 1,
    which is what NumPy's global generator takes.

    >>> utils.set_random_seed(0)
    >>> first = random.normal((3,)).numpy()
    >>> utils.set_random_seed(0)
    >>> bool((random.normal((3,)).numpy() == first).all())
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed: expected an integer in 0..2**32 - 1, got {seed!r}")
    python_random.seed(int(seed))
    np.random.seed(int(seed))
    backend_random.set_seed(int(seed))


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; at the end the file takes the name `path`,
    after an error it is deleted.

    A reader, or a run that is killed, therefore sees the old file or the whole new one. Missing folders are
    created. A file that is replaced hands on its permissions. An OSError names `path`.

    >>> with utils.atomic_write("notes.txt") as temporary:
    ...     count = temporary.write_text("whole or not at all")
    >>> open("notes.txt").read()
    'whole or not at all'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder of its own lets the temporary file have the final name,
    # so whoever writes it sees the right suffix.
    with (
        named_in_errors(path),
        tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=path.parent) as folder,
        _held(folder),
    ):
        temporary = Path(folder) / path.name
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())  # so that a power cut does not leave the new name with old contents
        if path.is_file():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        os.replace(temporary, path)


@contextmanager
def named_in_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """An OSError of a number, such as that of a full disk, names `path` and no other.

    >>> try:
    ...     with utils.named_in_errors("notes.txt"):
    ...         raise OSError(28, "No space left on device")
    ... except OSError as error:
    ...     print(error.filename)
    notes.txt
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or not (error.filename is None or UNFINISHED in str(error.filename)):
            raise
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error


def remove_unfinished(folder: str | os.PathLike[str]) -> None:
    """Removes from `folder` what runs that were killed while they wrote a file left;
    not what is being written.

    >>> utils.remove_unfinished(".")
    """
    for left in Path(folder).glob(f"{UNFINISHED}*"):
        with suppress(OSError), _held(left, alone=True):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _held(folder: str | os.PathLike[str], alone: bool = False) -> Iterator[None]:
    """A lock on a folder until the end, or until the process ends;
    with `alone` an OSError where another one has it.
    """
    if fcntl is None:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a file system without locks, or another has it
            if alone:
                raise
        yield
    finally:
        os.close(number)


def save_arrays(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> None:
    """Write named arrays to the safetensors file `path`, atomically;
    `metadata` is a mapping of strings to strings.

    >>> utils.save_arrays("a.safetensors", {"w": np.ones(2)}, {"made": "today"})
    >>> utils.load_arrays("a.safetensors")
    ({'w': array([1., 1.])}, {'made': 'today'})
    """
    from safetensors.numpy import save

    with atomic_write(path) as temporary:
        # safetensors writes the buffer as it lies in memory, whatever the strides say.
        contiguous = {
            name: np.ascontiguousarray(array).reshape(np.shape(array)) for name, array in arrays.items()
        }
        temporary.write_bytes(save(contiguous, metadata=dict(metadata) if metadata else None))


def load_arrays(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays by name, metadata) of the safetensors file `path`.

    The format holds numbers and strings only, so loading a file cannot run code. Raises ValueError naming the
    path if the file is truncated or something else.

    >>> utils.save_arrays("a.safetensors", {"w": np.ones(2)})
    >>> utils.load_arrays("a.safetensors")[0]["w"]
    array([1., 1.])
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(os.fspath(path), framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            return arrays, dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path}: not a whole safetensors file ({error})") from error
