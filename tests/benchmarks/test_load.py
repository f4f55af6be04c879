"""Busy processes and quotas: they are there within the block, and gone after it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks import load
from tinynet.kernels import quota

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs Linux's list of processes"
)


def running(parent: int) -> list[int]:
    """The busy processes that `parent` has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if load.WORK.encode() in words and words[-2] == str(parent).encode():
                found.append(int(folder.name))
    return found


def wait(condition, what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def work(process: int) -> int:
    """Its processor time in ticks."""
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_they_work_within_the_block(count):
    with load.busy(count, 1):
        processes = running(os.getpid())
        assert len(processes) == count
        wait(lambda: all(work(process) >= 2 for process in processes), "they do not work")
    assert running(os.getpid()) == []


def test_an_error_ends_them():
    with pytest.raises(ValueError, match="an error"), load.busy(2, 1):
        raise ValueError("an error")
    assert running(os.getpid()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_they_end_when_their_parent_does(sent):
    # not so in a shell's background
    handled = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    held = "with load.busy(2, 1):\n    print('there', flush=True); time.sleep(60)"
    code = f"{handled}\nimport time; from benchmarks import load\n{held}"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout.readline() == b"there\n"
        assert len(running(parent.pid)) == 2
        parent.send_signal(sent)
        parent.wait(30)
        wait(lambda: running(parent.pid) == [], "they are still there")


@pytest.fixture
def limited():
    """load.limited, where control groups can be made."""
    try:
        with load.limited(1.0):
            return load.limited
    except load.QuotaError as error:
        pytest.skip(f"no control group can be made here: {error}")


@pytest.mark.parametrize(("cores", "threads"), [(0.5, 1), (1.0, 1), (1.5, 2), (3.0, 3)])
def test_a_process_knows_the_quota_of_its_group(limited, cores, threads):
    code = "from tinynet.kernels import quota; print(min(quota.quotas()), quota.cores())"
    with limited(cores) as enter:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, preexec_fn=enter, capture_output=True, text=True, check=True, timeout=120
        )
    assert done.stdout.split() == [str(cores), str(min(threads, len(os.sched_getaffinity(0))))]


def test_a_group_has_no_more_than_its_quota(limited):
    code = (
        "import time\nend = time.monotonic() + 2\nwhile time.monotonic() < end: "
        "pass\nprint(time.process_time())"
    )
    with limited(0.25) as enter:
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, preexec_fn=enter, capture_output=True, text=True, check=True, timeout=120
        )
    assert 0 < float(done.stdout) < 1.0


def test_groups_do_not_stay(limited):
    ended = subprocess.Popen(["true"])
    ended.wait()
    with limited(1.0):
        (parent,) = {
            parent for parent, _ in quota.around() for group in parent.glob(f"{load.NAME}{os.getpid()}-1")
        }
    assert not list(parent.glob(f"{load.NAME}{os.getpid()}-*"))
    left = parent / f"{load.NAME}{ended.pid}-1.5"  # as a run that was killed leaves it
    left.mkdir()
    with limited(1.0):
        assert not left.exists()


@pytest.mark.parametrize(
    ("groups", "words"),
    [([], "no control groups"), ([(Path("/proc/self"), quota.version_1)], "/proc/self: ")],
)
def test_where_no_group_can_be_made_it_says_why(monkeypatch, groups, words):
    monkeypatch.setattr(quota, "around", lambda: iter(groups))
    with pytest.raises(load.QuotaError, match=words), load.limited(1.0):
        pass
