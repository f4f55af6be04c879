"""The stand-in for CuPy keeps CuPy's rules. These are no GPU tests: they say what other tests may rely on."""

import importlib
import threading

import numpy as np
import pytest

from tinynet.kernels.common import xp

import cupy_stand_in
from cupy_stand_in import machine


@pytest.fixture
def cupy():
    with cupy_stand_in.installed() as module:
        yield module


@pytest.fixture
def x(cupy):
    return cupy.asarray(np.arange(6.0, dtype=np.float32).reshape(2, 3))


def test_import_finds_it_and_no_longer(cupy):
    assert importlib.import_module("cupy") is cupy
    assert importlib.import_module("cupy.cuda.runtime").getDeviceCount() == 1
    assert xp(cupy.zeros(2)) is cupy
    assert not hasattr(cupy, "errstate")


def test_it_leaves_nothing_behind():
    before = importlib.util.find_spec("cupy")
    with cupy_stand_in.installed():
        pass
    assert importlib.util.find_spec("cupy") == before


@pytest.mark.parametrize(
    "attempt",
    [
        np.asarray,
        np.exp,
        np.sum,
        memoryview,
        lambda x: np.ones(3) + x,
        lambda x: x + np.ones(3),
        lambda x: x * [1.0, 2.0, 3.0],
        lambda x: x.__iadd__(np.ones(3)),
        lambda x: xp(x).maximum(x, np.ones(3)),
        lambda x: x[np.array([0, 1])],
        lambda x: x.__setitem__(0, np.ones(3)),
        lambda x: np.ones((2, 3)).__setitem__(0, x),
        lambda x: xp(x).concatenate([x, np.ones((2, 3))]),
        lambda x: xp(x).where(x > 0, x, np.zeros(())),
    ],
)
def test_it_refuses_numpy_arrays(x, attempt):
    with pytest.raises((TypeError, ValueError)):
        attempt(x)


def test_results_lie_in_c_order_and_casts_keep_theirs(cupy, x):
    turned = x.T
    assert turned.strides == (4, 12)
    assert (turned.flags.f_contiguous, turned.flags.c_contiguous, turned.flags.owndata) == (
        True,
        False,
        False,
    )
    results = [turned + 1, cupy.exp(turned), turned.copy(), cupy.where(turned > 1, turned, 0), -turned]
    results += [cupy.concatenate([turned, turned]), x.reshape(2, 3, 1).transpose(2, 1, 0).sum(0)]
    for result in results:
        assert result.flags.c_contiguous
        assert result.flags.owndata
    for kept in (turned.astype(np.float64), cupy.zeros_like(turned), cupy.full_like(turned, 3)):
        assert kept.flags.f_contiguous
    out = cupy.empty((2, 3)).T
    assert cupy.add(turned, 1, out=out) is out
    assert out.flags.f_contiguous
    assert out.get().tolist() == [[1, 4], [2, 5], [3, 6]]


def test_what_comes_in_keeps_c_and_f_order_alone(cupy):
    a = np.zeros((2, 3, 4))
    assert cupy.asarray(a).flags.c_contiguous
    assert cupy.asarray(a.T).flags.f_contiguous
    assert cupy.asarray(a.transpose(1, 2, 0)).flags.c_contiguous
    assert cupy.asarray(a.transpose(1, 2, 0)).get().flags.c_contiguous


def test_views_write_through_and_know_their_base(cupy, x):
    window = x.transpose(1, 0)[1:]
    assert window.base is x
    window += 10
    window[0, 0] = 7
    assert x.get().tolist() == [[0, 7, 12], [3, 14, 15]]
    assert x[1, 2].base is x
    assert x[:, cupy.asarray([0])].base is None
    assert x.T.reshape(6).base is None


def test_full_reductions_stay_arrays_and_repeated_indices_add_up(cupy, x):
    assert isinstance(x.sum(), cupy.ndarray)
    assert isinstance(cupy.max(x), cupy.ndarray)
    sums = cupy.zeros(3)
    cupy.add.at(sums, cupy.asarray([0, 0, 2]), cupy.asarray([1.0, 2.0, 3.0]))
    assert sums.tolist() == [3, 0, 3]


def test_copies_are_counted(cupy, x):
    before = machine.counts["to host"], machine.counts["to device"]
    float(x.sum()), x.tolist(), bool(x[0, 0] == 0), cupy.asarray([1]), cupy.asarray(x)
    assert (machine.counts["to host"], machine.counts["to device"]) == (before[0] + 3, before[1] + 1)


def test_devices_belong_to_the_thread():
    with cupy_stand_in.installed(devices=2) as cupy:
        first = cupy.ones(2)
        with cupy.cuda.Device(1):
            second, seen = cupy.ones(2), []
            thread = threading.Thread(target=lambda: seen.append(cupy.ones(2).device.id))
            thread.start()
            thread.join()
        assert (first.device.id, second.device.id, seen) == (0, 1, [0])
        for attempt in (lambda: first + second, lambda: second.sum(), lambda: first.__iadd__(second)):
            with pytest.raises(ValueError, match="Peer access is unavailable"):
                attempt()
        moved = cupy.asarray(second)
        assert moved is not second
        assert (first + moved).tolist() == [2, 2]
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="InvalidDevice"):
            cupy.cuda.Device(2).use()
    with cupy_stand_in.installed(devices=2, peer_access=True) as cupy:
        with cupy.cuda.Device(1):
            second = cupy.ones(2)
        with pytest.warns(RuntimeWarning, match="Peer"):
            total = second + cupy.ones(2)
        assert total.device.id == 0


def test_streams_belong_to_the_thread_and_the_device(cupy):
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        assert cupy.cuda.get_current_stream() is stream
        seen = []
        thread = threading.Thread(target=lambda: seen.append(cupy.cuda.get_current_stream()))
        thread.start()
        thread.join()
        assert seen == [cupy.cuda.Stream.null]
    assert cupy.cuda.get_current_stream() is not stream
    with pytest.raises(RuntimeError, match="legacy"):
        cupy.cuda.Stream.null.begin_capture()
    with cupy_stand_in.installed(devices=2) as two:
        other = two.cuda.Stream(non_blocking=True)
        with two.cuda.Device(1), pytest.raises(RuntimeError, match="device 0"):
            other.use()


def test_the_end_of_a_with_block_brings_back_the_stream_that_was_entered_before(cupy, x):
    """Not the one that was in use: `use` notes nothing. CuPy's own `get` has such a block."""
    one, other = (cupy.cuda.Stream(non_blocking=True) for _ in range(2))
    before = (machine.entered.get(0) or [cupy.cuda.Stream.null])[-1]
    for leave in (lambda: other.__enter__().__exit__(), x.T.get, x[:, 1].tolist):
        one.use()
        leave()
        assert cupy.cuda.get_current_stream() is before
    with one:
        other.use()
        for leave in (x.get, lambda: x.T.get(order="F"), lambda: float(x[1, 1])):
            leave()
            assert cupy.cuda.get_current_stream() is other
        x.T.get()
        assert cupy.cuda.get_current_stream() is one


def test_streams_and_events_have_a_device():
    with cupy_stand_in.installed(devices=2) as cupy:
        stream = cupy.cuda.Stream(non_blocking=True).use()
        with cupy.cuda.Device(1):
            x, event = cupy.zeros((2, 3)), cupy.cuda.Event()
            stream.wait_event(cupy.cuda.Stream(non_blocking=True).record())
        for attempt in (x.T.get, lambda: stream.record(event)):
            with pytest.raises(RuntimeError, match=r"device|ResourceHandle"):
                attempt()


def test_memory_goes_with_its_pool(cupy):
    """An array does not keep the pool that it came from."""
    pool = cupy.cuda.MemoryPool()
    with cupy.cuda.using_allocator(pool.malloc):
        y = cupy.ones(4)
    assert y.tolist() == [1] * 4
    del pool
    for attempt in (y.get, lambda: y + 1, lambda: y.fill(2)):
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="IllegalAddress"):
            attempt()


def test_a_capture_runs_nothing_and_a_graph_all_of_it(cupy, x):
    total, stream = cupy.zeros(3, np.float32), cupy.cuda.Stream(non_blocking=True).use()
    index = cupy.asarray([1, 0])
    stream.begin_capture()
    rows = x[index]
    doubled = rows * 2
    total += doubled.sum(0)
    assert stream.is_capturing()
    graph = stream.end_capture()
    assert [name for name, _ in graph.launches] == ["getitem", "__mul__", "sum", "__iadd__"]
    assert np.isnan(doubled.get()).all()
    assert total.tolist() == [0, 0, 0]
    graph.launch()
    assert doubled.tolist() == [[6, 8, 10], [0, 2, 4]]
    assert total.tolist() == [6, 10, 14]
    x[...] = 1
    graph.launch()
    assert total.tolist() == [10, 14, 18]
    assert graph.count == 2


@pytest.mark.parametrize(
    "attempt",
    [
        lambda x: xp(x).asarray(np.ones(3)),
        lambda x: x.get(),
        lambda x: float(x.sum()),
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        lambda x: xp(x).nonzero(x),
        lambda x: xp(x).cuda.runtime.deviceSynchronize(),
        lambda x: x @ x.T,
        lambda x: xp(x).matmul(x, x.T),
        lambda x: xp(x).tensordot(x, x),
        lambda x: x.dot(x.T),
    ],
)
def test_a_capture_refuses_what_waits_and_cublas(cupy, x, attempt):
    attempt(x)
    stream = cupy.cuda.Stream(non_blocking=True).use()
    stream.begin_capture()
    with pytest.raises(RuntimeError, match="captur"):
        attempt(x)
    if stream.invalid:
        with pytest.raises(RuntimeError, match="invalidated"):
            stream.is_capturing()
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="Invalidated"):
            stream.end_capture()
    else:
        assert len(stream.end_capture().launches) <= 2
    assert not stream.is_capturing()


def test_a_graph_keeps_no_memory(cupy):
    """Temporaries of a capture go back to their pool: the default one gives them to others, whom the graph
    disturbs; one of the graph's own is there for it alone. Where the pool is gone, the graph raises.
    """
    stream, x = cupy.cuda.Stream(non_blocking=True).use(), cupy.ones(4)
    own, found = cupy.cuda.MemoryPool(), []
    for pool in (cupy.get_default_memory_pool(), own):
        stream.begin_capture()
        with cupy.cuda.using_allocator(pool.malloc):
            y = (x + 1) * 3
        graph = stream.end_capture()
        other = cupy.zeros(4)
        graph.launch()
        found.append((y.tolist(), other.tolist()))
    assert found == [([6] * 4, [2] * 4), ([6] * 4, [0] * 4)]
    del own, pool
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="IllegalAddress"):
        graph.launch()


def test_memory_given_back_holds_nan(cupy):
    stream = cupy.cuda.Stream(non_blocking=True).use()
    x, y = cupy.ones(4), cupy.zeros(4)
    stream.begin_capture()
    y += x
    graph = stream.end_capture()
    del x
    graph.launch()
    assert np.isnan(y.get()).all()


def test_memory_comes_from_the_pool_and_goes_back(cupy):
    pool, own = cupy.get_default_memory_pool(), cupy.cuda.MemoryPool()
    a = cupy.zeros(100, np.float32)
    assert (pool.used_bytes(), pool.total_bytes()) == (512, 512)
    view = a[1:]
    del a
    assert pool.used_bytes() == 512
    del view
    assert (pool.used_bytes(), pool.free_bytes()) == (0, 512)
    pool.free_all_blocks()
    assert pool.total_bytes() == 0
    with cupy.cuda.using_allocator(own.malloc):
        kept = cupy.zeros(200, np.float32)
    assert (own.used_bytes(), pool.used_bytes(), kept.nbytes) == (1024, 0, 800)
    own.set_limit(1024)
    with cupy.cuda.using_allocator(own.malloc), pytest.raises(MemoryError, match="Out of memory"):
        cupy.zeros(1)


def test_what_is_missing_is_noticed_where_cupy_notices():
    with cupy_stand_in.installed(driver=False) as cupy:
        for attempt in (cupy.cuda.runtime.getDeviceCount, lambda: cupy.zeros(2)):
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="driver"):
                attempt()
    with cupy_stand_in.installed(devices=0) as cupy, pytest.raises(RuntimeError, match="no CUDA-capable"):
        cupy.cuda.runtime.getDeviceCount()
    with cupy_stand_in.installed(nvrtc=False) as cupy, pytest.raises(RuntimeError, match="libnvrtc"):
        cupy.cuda.nvrtc.getVersion()


def test_kernels_run_through_the_shim(cupy):
    from cuda_shim import shim

    if shim.missing:
        pytest.skip(shim.missing)
    code = """
    template <class T> __global__ void scale(T* __restrict__ y, const T* __restrict__ x, T factor, int n) {
        const int i = blockIdx.x * blockDim.x + threadIdx.x;
        if (i < n) y[i] = factor * x[i];
    }
    """
    module = cupy.RawModule(code=code, options=("-std=c++17",), name_expressions=["scale<float>"])
    x, y = cupy.asarray(np.arange(5, dtype=np.float32)), cupy.zeros(5, np.float32)
    stream = cupy.cuda.Stream(non_blocking=True).use()
    stream.begin_capture()
    module.get_function("scale<float>")((2,), (4,), (y, x, np.float32(3), np.int32(5)))
    graph = stream.end_capture()
    assert y.tolist() == [0] * 5
    graph.launch()
    assert y.tolist() == [0, 3, 6, 9, 12]
