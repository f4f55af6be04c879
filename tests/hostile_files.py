"""What the tests of hostile files share: files to damage, ways to damage them,
and an attempt to load one, watched.
"""

import copy
import hashlib
import io
import json
import os
import signal
import sys
import warnings
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

import tinynet
from tinynet import layers
from tinynet.backend import random as keys
from tinynet.layers import naming
from tinynet.saving import FileError, load_model

KERAS = Path(__file__).parent / "fixtures" / "keras_files"
SECONDS = 20  # for one file; most take a millisecond
WATCHED = (
    "os.",
    "subprocess.",
    "pickle.",
    "marshal.",
    "exec",
    "code.__new__",
    "ctypes.",
    "socket.",
    "shutil.",
    "import",
)
HARMLESS = {"os.listdir", "os.scandir", "os.remove", "os.mkdir", "os.rename"}
_events: list[str] | None = None


def _watch(event, _):
    if _events is not None and event.startswith(WATCHED) and event not in HARMLESS and not _compiling():
        _events.append(event)


def _compiling():
    """Whether a kernel is being compiled, or read from the cache of compiled ones:
    a model may be the first to use it.
    """
    frame = sys._getframe()
    while frame is not None:
        if f"{os.sep}numba{os.sep}" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


sys.addaudithook(_watch)


def sequential():
    model = tinynet.Sequential([
        layers.Input((5, 5, 1)), layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Flatten(), layers.Dropout(0.3, seed=1), layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    schedule = tinynet.schedules.ExponentialDecay(0.01, 10, 0.5)
    model.compile(tinynet.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, np.ones((4, 5, 5, 1), np.float32), np.array([0, 1, 0, 1])


def functional():
    x, shared = layers.Input((4,)), layers.Dense(3, activation="tanh")
    inner = tinynet.Sequential([layers.Input((3,)), layers.Dense(3)])
    y = layers.Add()([shared(x), inner(shared(x))]) * 2.0
    model = tinynet.Model(x, layers.Concatenate()([y, layers.Dense(1)(y)]))
    model.compile(
        tinynet.optimizers.SGD(0.1, momentum=0.9),
        tinynet.losses.Huber(0.5),
        metrics=[tinynet.metrics.AUC(10)],
    )
    return model, np.ones((4, 4), np.float32), np.ones((4, 4), np.float32)


def saved(make, path):
    """The bytes of a trained model's file."""
    model, x, y = make()
    model.fit(x, y, epochs=1, verbose=0)
    model.save(path)
    return path.read_bytes()


# The format, written once more


def taken_apart(data):
    """(header, description, bytes of the arrays) of a .tinynet file."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    return header, json.loads(header["__metadata__"]["tinynet"]), data[8 + size :]


def put_together(header, description, arrays):
    """The bytes of a file, with the digest that belongs to them."""
    rest = (
        {key: value for key, value in description.items() if key != "sha256"}
        if isinstance(description, dict)
        else None
    )
    sealed = json.dumps(
        {"sha256": "0" * 64, **rest} if rest is not None else description, separators=(",", ":")
    )
    entries = {key: value for key, value in header.items() if key != "__metadata__"}
    text = json.dumps({"__metadata__": {"tinynet": sealed}, **entries}, separators=(",", ":")).encode()
    return signed(len(text).to_bytes(8, "little") + text + arrays)


def signed(data):
    """`data` with the digest that belongs to them, where a digest has its place."""
    at = data.find(b'sha256\\":\\"') + 11
    if at < 11 or len(data) < at + 64:
        return data
    blank = data[:at] + b"0" * 64 + data[at + 64 :]
    return data[:at] + hashlib.sha256(blank).hexdigest().encode() + data[at + 64 :]


def damaged(data, rng, first=0, last=None):
    """`data` with bytes changed, cut off, put in, taken out or exchanged,
    somewhere from `first` to `last`.
    """
    data, last = bytearray(data), len(data) if last is None else last
    kind = rng.integers(6)
    a, b = sorted(int(i) for i in rng.integers(first, last, 2))
    if kind == 0:
        data[a] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        for i in rng.integers(first, last, 4):
            data[i] = int(rng.choice([0, 255, 34, 48, 57, 125, rng.integers(256)]))
    elif kind == 2:
        del data[a:]
    elif kind == 3:
        data[a:a] = rng.bytes(int(rng.integers(1, 20)))
    elif kind == 4:
        del data[a : min(b, a + 30)]
    else:
        n = min(16, b - a)
        data[a : a + n], data[b : b + n] = data[b : b + n], data[a : a + n]
    return bytes(data)


# An attempt


@contextmanager
def watched():
    """Within it nothing may run code, start programs, import modules or take longer than SECONDS."""
    global _events

    def late(*_):
        raise AssertionError(f"it took more than {SECONDS} seconds")

    _events, old = [], signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
        assert not _events, _events
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
        _events = None


def attempt(path, data, load=load_model):
    """What came of loading `data`: the model, or the FileError, which has changed nothing."""
    path.write_bytes(data)
    names, drawn = dict(naming._used), dict(keys._state)
    beside = sorted(path.parent.iterdir())
    with watched(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            outcome = load(path)
        except FileError as error:
            outcome = error
    if isinstance(outcome, FileError):
        assert str(path) in str(outcome)
        assert len(str(outcome)) < 4000
        assert (dict(naming._used), dict(keys._state)) == (names, drawn)
    assert sorted(path.parent.iterdir()) == beside
    assert path.read_bytes() == data
    return outcome


# Descriptions with other values in them

HOSTILE = st.one_of(
    st.sampled_from([
        None, True, False, -1, 0, 1, 2, 10**12, 2**31, 2**63, 2**64, 10**400, -(10**12), 0.5, -0.5, 1e308,
        1e-320, "", "relu",
        "os.system", "builtins>eval",
        "../../etc/passwd", "\x00", "__import__", "x" * 5000, [], {}, [[]], [None], [-1, -1], [10**9] * 4,
        {"class_name": "os.system", "config": "true"}, {"class_name": "Lambda",
                                                        "config": {"function": "eval"}},
        {"class_name": "Dense", "config": {"units": 10**12}},
        {"class_name": "Sequential", "config": {"layers": []}},
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 10**9, 10**9]}},
        {"function": "os>system"},
        {"class_name": "__lambda__", "config": {"code": "4wAAAA=="}},
        {"class_name": "__keras_tensor__", "config": {}},
        {"class_name": "AUC", "config": {"num_thresholds": 10**12}},
        {"class_name": "Orthogonal", "config": {"gain": "x"}},
    ]),
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.lists(st.integers(-3, 3), max_size=4),
)  # fmt: skip


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(tree, path, how, value):
    """`tree` with the place replaced, removed, doubled, or buried in lists."""
    tree = copy.deepcopy(tree)
    if not path:
        return value
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    key = path[-1]
    if how == "remove":
        del holder[key]
    elif how == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif how == "bury":
        for _ in range(150):
            holder[key] = [holder[key]]
    elif how == "rename" and isinstance(holder, dict):
        holder[str(value)[:40]] = holder.pop(key)
    else:
        holder[key] = value
    return tree


HOW = st.sampled_from(["replace", "replace", "replace", "replace", "remove", "double", "bury", "rename"])


# Keras's archives


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


def members_of(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}
