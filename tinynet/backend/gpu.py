"""The GPU, through CuPy: found, or a sentence that says what is missing; and what of it a thread uses.

CuPy is imported here, when a GPU is first asked for, and in kernels/cuda. A thread has one stream on each
GPU, which does not wait for the default stream: of the default one no CUDA graph can be made. Work on one
stream runs in order; where a thread goes on with what another one began, `after` orders them.
"""

import importlib
import importlib.metadata
import sys
import threading
import weakref
from typing import Any

from tinynet.backend import gpu_memory

LEAST = 14  # of CuPy's versions: numbers are promoted as NumPy 2 promotes them
DRIVER = 580  # the first driver for CUDA 13


class _Thread(threading.local):
    """What a thread uses: the number of a GPU, or None before its first; and its stream on each."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.streams: dict[int, Any] = {}


_thread = _Thread()
_streams: dict[int, Any] = {}  # those of all threads, by the number of their GPU
_lock = threading.Lock()


def missing(number: int) -> str:
    """What keeps this machine from using its GPU of this number, as a sentence; "" if nothing does."""
    try:
        cupy = importlib.import_module("cupy")
    except ModuleNotFoundError as error:
        if error.name != "cupy":
            return _broken(error)
        return (
            f"CuPy is not installed: {_install(13)}, or {_install(12)} where `nvidia-smi` shows a version of "
            "CUDA below 13"
        )
    except Exception as error:  # whatever a broken installation raises
        return _broken(error)
    if int(cupy.__version__.partition(".")[0]) < LEAST:
        return f"CuPy {cupy.__version__} is too old: {_install(_release(cupy))}"
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except Exception as error:  # CuPy raises errors of its own kinds for a missing driver or library
        count, why = 0, f" ({error})"
    else:
        why = ""
    if not count:
        return (
            f"CuPy finds no NVIDIA driver, or no GPU{why}: check that `nvidia-smi` lists one. CUDA 13 takes "
            f"a driver of release {DRIVER} or later; with an older one, {_install(12)} in place of it"
        )
    if number >= count:
        return f"this machine has {count} GPU{'s' if count > 1 else ''}, the last one is 'gpu:{count - 1}'"
    try:
        cupy.cuda.nvrtc.getVersion()
    except Exception as error:
        said = " ".join(str(error).split())  # there are line breaks in it
        return f"CuPy finds no NVRTC, which compiles kernels ({said}): {_install(_release(cupy))}"
    return ""


def enter(number: int, anew: bool = False) -> Any:
    """CuPy, with the GPU of this number and a stream of this thread's own current; `anew`: in any case."""
    cupy = sys.modules.get("cupy") or importlib.import_module("cupy")
    if _thread.number != number or anew:
        cupy.cuda.Device(number).use()
        if number not in _thread.streams:
            # entered, and never left: where a `with` of another stream ends, in CuPy's `get` of an array that
            # is not in C order too, the stream entered before is current again, not the one in use
            _thread.streams[number] = _new_stream(cupy, number).__enter__()
        _thread.streams[number].use()
        _thread.number = number
        gpu_memory.watch(cupy)
    return cupy


def stream() -> Any:
    """The stream that this thread uses; None before it used a GPU."""
    return None if _thread.number is None else _thread.streams[_thread.number]


def makes_graph() -> bool:
    """Whether this thread's stream is taking down what it is given, for a CUDA graph."""
    return (own := stream()) is not None and _makes_graph(own)


def fetched(array: Any) -> Any:
    """An array of CuPy as one of NumPy, over this thread's stream on the GPU where it lies."""
    before = _thread.number
    enter(array.device.id)
    try:
        return array.get()
    finally:
        if before is not None:
            enter(before)


def after(other: Any) -> None:
    """What this thread does from now on comes after all that the stream `other` has been given so far."""
    own = stream()
    if own is not None and other is not None and other is not own:
        cupy = sys.modules["cupy"]
        with cupy.cuda.Device(other.device_id):  # where its events belong
            done = other.record()
        own.wait_event(done)


def _makes_graph(stream: Any) -> bool:
    try:
        return stream.is_capturing()
    except RuntimeError:  # it was refused something, and there will be no graph
        return True


def _new_stream(cupy: Any, number: int) -> Any:
    """A stream whose work comes after all that was begun on that GPU: arrays are there already."""
    made = cupy.cuda.Stream(non_blocking=True)
    with _lock:
        known = _streams.setdefault(number, weakref.WeakSet())
        # a stream of which a graph is made begins nothing
        others = [cupy.cuda.Stream.null, *[one for one in known if not _makes_graph(one)]]
        known.add(made)
    for other in others:
        made.wait_event(other.record())
    return made


def _install(release: int) -> str:
    return f"`pip install 'cupy-cuda{release}x[ctk]>={LEAST}'`"


def _release(cupy: Any) -> int:
    """The release of CUDA that CuPy was built for."""
    try:
        return max(12, cupy.cuda.runtime.runtimeGetVersion() // 1000)
    except Exception:
        return 13


def _broken(error: Exception) -> str:
    """The same of a CuPy that cannot be imported: often there are two."""
    found = sorted({name for name in _distributions() if name.partition("-")[0] == "cupy"})
    text = f"CuPy cannot be imported ({type(error).__name__}: {error})"
    if len(found) > 1:
        both = f"{' and '.join(found)} overwrite each other"
        return f"{text}; {both}: `pip uninstall {' '.join(found)}`, then {_install(13)}"
    release = 12 if "cupy-cuda12x" in found else 13
    return f"{text}: `pip install --force-reinstall 'cupy-cuda{release}x[ctk]>={LEAST}'`"


def _distributions() -> list[str]:
    return [str(one.metadata["Name"]).lower() for one in importlib.metadata.distributions()]
