"""The folder of compiled kernels: what is read from it was written by this user,
and what is deleted from it is its own.
"""

import ast
import contextlib
import errno
import hashlib
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pytest

from tinynet.kernels import cache, cache_folder

ROOT = Path(__file__).parents[2]
DAY = 86400
NAMES = [hashlib.sha256(bytes([i])).hexdigest() + suffix for i in range(8) for suffix in (".nbc", ".o")]
NAME, OTHER = NAMES[:2]
CONTENTS = b"machine code" * 50
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX's owners and modes")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
NOBODY = 65534


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty cache, and the folder it will be in."""
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_state", {"pruned": False, "warned": False})
    return tmp_path / "cache" / "kernels"


@pytest.fixture(autouse=True)
def nothing_waits():
    """A test that waits for a pipe ends by a signal instead."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(number, frame):
        raise AssertionError("waited for 60 s")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


def aged(path, days):
    then = time.time() - days * DAY
    os.utime(path, (then, then), follow_symlinks=os.utime not in os.supports_follow_symlinks)


def age_link(path, days):
    then = time.time() - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)


def warnings_of(function, *arguments):
    """What is said when a function is called twice."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            function(*arguments)
    return [str(warning.message) for warning in caught]


def prune():
    """Writes a kernel, as the first one of a process."""
    cache._state["pruned"] = False
    cache.write(OTHER, CONTENTS)


def listing(path):
    return sorted(entry.name for entry in path.iterdir() if entry.name != cache.TAG)


def test_what_is_written_is_read(place):
    assert cache.read(NAME) is None
    cache.write(NAME, CONTENTS)
    assert cache.read(NAME) == CONTENTS
    assert cache.read(OTHER) is None
    assert listing(place) == [NAME]
    cache.write(NAME, b"")
    assert cache.read(NAME) == b""


def test_backup_tools_know_the_folder(place):
    cache.write(NAME, CONTENTS)
    tag = (place / "CACHEDIR.TAG").read_bytes()
    assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55")  # https://bford.info/cachedir
    assert hashlib.md5(b".IsCacheDirectory").hexdigest().encode() in tag
    assert b"tinynet" in tag


# Nothing is deleted that is not its own


FOREIGN = [
    "my_source.cu", "results.o", "a" * 63 + ".o", "a" * 65 + ".o", "A" * 64 + ".o", "g" * 64 + ".o", "a" * 64,
    "a" * 64 + ".obj", "x" + "a" * 64 + ".o", "a" * 64 + ".o.txt", "a" * 64 + ".nbc~", "a" * 64 + ".o\n",
    "tmpabcd1234.tmp",
    "x.tmp", "writing-.tmp", "writing-" + "0" * 15 + ".tmp", "writing-" + "0" * 16 + ".tmp.txt", ".hidden",
    "README.md",
    "WRITING-" + "0" * 16 + ".tmp", "größe.o",
]  # fmt: skip


def put_foreign_things(folder, outside):
    """Files, folders and links of every name and age, those of the cache's own names among them.
    Their paths.
    """
    made = []
    for i, name in enumerate(FOREIGN):
        path = folder / name
        path.write_bytes(b"mine" * (i + 1))
        aged(path, (0, 1, 89, 91, 4000)[i % 5])
        made.append(path)
    for i, suffix in enumerate((".o", ".nbc")):  # folders and links under its own names
        path = folder / (f"{i}" * 64 + suffix)
        path.mkdir()
        (path / "inner.o").write_text("mine")
        aged(path, 4000)
        made += [path, path / "inner.o"]
        outside.mkdir(exist_ok=True)
        target = outside / f"target{i}"
        target.write_text("mine")
        aged(target, 4000)
        for name in (f"{i + 2}" * 64 + suffix, f"writing-{i}{'0' * 15}.tmp"):
            (folder / name).symlink_to(target)
            age_link(folder / name, 4000)
            made += [folder / name, target]
    (folder / ("c" * 64 + ".o")).symlink_to(outside, target_is_directory=True)
    (folder / ("d" * 64 + ".o")).symlink_to("nowhere")
    pipe = folder / ("e" * 64 + ".nbc")
    os.mkfifo(pipe)
    aged(pipe, 4000)
    return [*made, folder / ("c" * 64 + ".o"), folder / ("d" * 64 + ".o"), pipe]


@posix
@pytest.mark.parametrize("was_there", [False, True])
def test_what_is_not_its_own_survives(place, tmp_path, monkeypatch, was_there):
    monkeypatch.setattr(cache, "LARGEST", 1)  # everything is too much
    if was_there:
        place.mkdir(parents=True, mode=0o755)
        (place / "first.txt").write_text("this folder was there before")
    else:
        cache.write(NAME, CONTENTS)
    foreign = put_foreign_things(place, tmp_path / "outside")
    before = {path: (path.lstat().st_ino, path.lstat().st_size, path.lstat().st_mtime) for path in foreign}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(100):
            prune()
    assert {
        path: (path.lstat().st_ino, path.lstat().st_size, path.lstat().st_mtime) for path in foreign
    } == before
    if not was_there:
        assert not (place / NAME).exists(), "its own file went"


@posix
@pytest.mark.parametrize("name", [NAME, "writing-" + "0" * 16 + ".tmp"])
def test_in_a_folder_that_was_there_nothing_is_deleted_at_all(place, name):
    place.mkdir(parents=True, mode=0o755)
    (place / name).write_bytes(b"an old file with a name like that")
    aged(place / name, 4000)
    prune()
    assert (place / name).exists()
    assert not (place / cache.TAG).exists()
    assert cache.read(OTHER) == CONTENTS, "it is used nevertheless"


@posix
@pytest.mark.parametrize(
    "contents", [b"", b"Signature: 8a477f597d28d172789f06886806bc55\n# another program's cache\n"]
)
def test_anothers_tag_is_not_its_own(place, contents):
    place.mkdir(parents=True, mode=0o700)
    (place / cache.TAG).write_bytes(contents)
    (place / NAME).write_bytes(b"old")
    aged(place / NAME, 4000)
    prune()
    assert (place / NAME).exists()
    assert (place / cache.TAG).read_bytes() == contents


def test_a_folder_that_is_empty_is_its_own(place):
    """As one is that a process made before it was killed."""
    place.mkdir(parents=True, mode=0o700)
    cache.write(NAME, CONTENTS)
    aged(place / NAME, 91)
    prune()
    assert listing(place) == [OTHER]


@pytest.mark.parametrize(
    ("days", "stays"), [(0, True), (89.9, True), (90.1, False), (4000, False), (-1, True)]
)
def test_kernels_that_nobody_reads_go_after_90_days(place, days, stays):
    cache.write(NAME, CONTENTS)
    aged(place / NAME, days)
    prune()
    assert (place / NAME).exists() == stays


def test_of_more_than_the_limit_the_oldest_go(place, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 3 * (32 + 100))
    cache._state["pruned"] = True
    for i, days in enumerate((1, 3, 2, 5, 4)):
        cache.write(NAMES[2 + i], bytes(100))
        aged(place / NAMES[2 + i], days)
    (place / "large.bin").write_bytes(bytes(10_000))  # does not count
    cache._state["pruned"] = False
    cache.write(NAME, bytes(100))
    assert listing(place) == sorted([NAME, NAMES[2], NAMES[4], "large.bin"])
    monkeypatch.setattr(cache, "LARGEST", 3 * (32 + 100) - 1)
    cache._state["pruned"] = False
    cache.write(NAME, bytes(100))
    assert listing(place) == sorted([NAME, NAMES[2], "large.bin"])


def test_a_process_prunes_once(place):
    cache.write(NAME, CONTENTS)
    aged(place / NAME, 91)
    cache.write(OTHER, CONTENTS)
    assert (place / NAME).exists()


@pytest.mark.parametrize(("minutes", "stays"), [(0, True), (59, True), (61, False), (100_000, False)])
def test_what_a_killed_compiler_left_goes_after_an_hour(place, minutes, stays):
    cache.write(NAME, CONTENTS)
    left = place / "writing-0123456789abcdef.tmp"
    left.write_bytes(b"half of it")
    aged(left, minutes / (24 * 60))
    prune()
    assert left.exists() == stays


@posix
def test_a_process_killed_while_it_writes_leaves_a_file_that_goes(place):
    """Killed by SIGKILL between writing and renaming; the next process does not see its file,
    and later deletes it.
    """
    code = f"""
import os, signal
from tinynet.kernels import cache, cache_folder
cache_folder.Folder.rename = lambda *names: os.kill(os.getpid(), signal.SIGKILL)
cache.write({NAME!r}, b"contents")
"""
    cache.write(OTHER, CONTENTS)
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    (left,) = set(listing(place)) - {OTHER}
    assert cache.read(NAME) is None
    aged(place / left, 2 / 24)
    prune()
    assert listing(place) == [OTHER]


def test_reading_keeps_a_kernel(place):
    cache.write(NAME, CONTENTS)
    for days, renewed in ((0.9, False), (1.1, True), (89, True)):
        aged(place / NAME, days)
        cache.read(NAME)
        age = (time.time() - (place / NAME).stat().st_mtime) / DAY
        assert age == pytest.approx(0 if renewed else days, abs=0.01)


# Only code of the user's own runs


@posix
@pytest.mark.parametrize("umask", [0, 0o002, 0o022, 0o077])
def test_what_it_makes_is_the_users_alone(tmp_path, monkeypatch, umask):
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path / "above" / "cache"))
    before = os.umask(umask)
    try:
        cache.write(NAME, CONTENTS)
        assert cache.read(NAME) == CONTENTS
    finally:
        os.umask(before)
    made = tmp_path / "above" / "cache" / "kernels"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (made.parent.parent, made.parent, made)] == [
        0o700
    ] * 3
    assert [stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()] == [0o600] * 2


MODES = [0o700, 0o755, 0o750, 0o500, 0o770, 0o775, 0o777, 0o707, 0o702, 0o720, 0o1777]


@posix
@pytest.mark.parametrize("of", ["folder", "file"])
@pytest.mark.parametrize("mode", MODES, ids=oct)
def test_what_others_may_write_does_not_run(place, mode, of):
    cache.write(NAME, CONTENTS)
    path = place if of == "folder" else place / NAME
    path.chmod(mode)
    if not mode & 0o022:
        assert cache.read(NAME) == CONTENTS
        return
    (said,) = warnings_of(cache.read, NAME)
    assert f"other users can write to {path} (mode {mode:04o}); run `chmod go-w` on it" in said
    assert cache.read(NAME) is None
    before = listing(place)
    cache.write(NAME, b"compiled anew")
    if of == "file":
        assert cache.read(NAME) == b"compiled anew", "it is replaced by one of the user's own"
    else:
        cache.write(OTHER, CONTENTS)
        assert listing(place) == before, "nothing is written there"


@as_root
@pytest.mark.parametrize("of", ["folder", "file", "tag"])
def test_what_belongs_to_another_user_does_not_run(place, of):
    cache.write(NAME, CONTENTS)
    path = {"folder": place, "file": place / NAME, "tag": place / cache.TAG}[of]
    os.chown(path, NOBODY, NOBODY)
    if of == "tag":  # says nothing any more: nothing is deleted
        aged(place / NAME, 4000)
        prune()
        assert (place / NAME).exists()
        return
    with pytest.warns(
        UserWarning,
        match=f"belongs to another user .{NOBODY}.; set TINYNET_CACHE_DIR to a folder of your own",
    ):
        assert cache.read(NAME) is None


@as_root
@pytest.mark.parametrize("days", [0, 40])
def test_what_belongs_to_root_is_read_by_everybody(monkeypatch, days):
    """Also where it is old: another user cannot renew its time, and need not."""
    with tempfile.TemporaryDirectory() as above:
        monkeypatch.setenv("TINYNET_CACHE_DIR", above)
        cache.write(NAME, CONTENTS)
        for path, mode in (
            (Path(above), 0o755),
            (cache.directory(), 0o755),
            (cache.directory() / NAME, 0o644),
        ):
            path.chmod(mode)
        aged(cache.directory() / NAME, days)
        child = os.fork()
        if not child:
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                warnings.simplefilter("error")
                os._exit(0 if cache.read(NAME) == CONTENTS else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def environment(folder):
    return {**os.environ, "TINYNET_CACHE_DIR": str(folder)}


@posix
@pytest.mark.parametrize("what", ["folder", "file"])
def test_links_are_not_followed(place, tmp_path, what):
    cache.write(NAME, CONTENTS)
    path = place if what == "folder" else place / NAME
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    if what == "folder":
        with pytest.warns(UserWarning, match="is a link"):
            assert cache.read(NAME) is None
        cache.write(OTHER, CONTENTS)
        assert not (tmp_path / "elsewhere" / OTHER).exists()
    else:
        assert cache.read(NAME) is None
        cache.write(NAME, b"new")
        assert cache.read(NAME) == b"new"
        assert hashlib.sha256((tmp_path / "elsewhere").read_bytes()).digest() != b"new", (
            "what the link led to is left alone"
        )
        assert CONTENTS in (tmp_path / "elsewhere").read_bytes()


def test_a_link_above_the_folder_is_the_users_choice(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    monkeypatch.setenv("TINYNET_CACHE_DIR", str(tmp_path / "link"))
    cache.write(NAME, CONTENTS)
    assert cache.read(NAME) == CONTENTS


@posix
def test_a_folder_put_in_its_place_is_not_looked_into(place, tmp_path):
    """Once opened, the folder is the one that was checked, whatever its path leads to meanwhile."""
    cache.write(NAME, CONTENTS)
    with cache_folder.Folder.opened(place) as opened:
        place.rename(tmp_path / "moved")
        place.mkdir()
        (place / NAME).write_bytes(b"forged")
        assert CONTENTS in opened.read(NAME, 10_000)[0]
        opened.write_new("file", b"")
        opened.delete("file")
    assert listing(place) == [NAME]


@as_root
def test_a_pickle_of_another_user_is_not_executed(tmp_path):
    """The attack: a folder that anybody can write to, with a file whose loading runs a command."""
    code = "import numpy as np, tinynet; tinynet.ops.relu(tinynet.Tensor(np.ones(5, 'f4')))"
    run = [sys.executable, "-c", code]
    subprocess.run(run, env=environment(tmp_path), check=True, capture_output=True)
    evil = b"cposix\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR."
    kernels = [path for path in (tmp_path / "kernels").iterdir() if path.suffix == ".nbc"]
    assert kernels
    for mode, owner in ((0o777, 0), (0o755, NOBODY), (0o777, NOBODY)):
        for path in kernels:
            path.unlink(missing_ok=True)
            path.write_bytes(hashlib.sha256(path.name.encode() + b"\n" + evil).digest() + evil)
            path.chmod(0o644)
            os.chown(path, owner, owner)
        (tmp_path / "kernels").chmod(mode)
        os.chown(tmp_path / "kernels", owner, owner)
        done = subprocess.run(run, env=environment(tmp_path), check=True, capture_output=True, text=True)
        assert done.stderr.count("UserWarning") == 1, done.stderr
        assert not (tmp_path / "ran").exists()


def test_code_is_loaded_in_two_places_that_ask_the_cache():
    """Whatever turns bytes into something that runs is called where the bytes come from `cache.read`."""
    loaders = {"loads", "from_data", "add_object_file", "load_library_permanently", "CDLL", "LoadLibrary"}
    found = set()
    for path in sorted((ROOT / "kernels").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                if name in loaders or ast.unparse(node.func) in (
                    "pickle.load",
                    "marshal.load",
                    "np.load",
                    "exec",
                    "eval",
                ):
                    found.add((path.relative_to(ROOT / "kernels").as_posix(), name))
    assert found == {
        ("loops.py", "loads"),
        ("emit/objects.py", "from_data"),
        ("emit/objects.py", "add_object_file"),
    }


# Whatever is in the folder


def test_a_file_under_anothers_name_is_not_read(place):
    cache.write(NAME, CONTENTS)
    (place / NAME).rename(place / OTHER)
    assert cache.read(OTHER) is None
    cache.write(NAME, b"first")
    cache.write(OTHER, b"second")
    (place / NAME).rename(place / "between")
    (place / OTHER).rename(place / NAME)
    (place / "between").rename(place / OTHER)
    assert cache.read(NAME) is cache.read(OTHER) is None


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_is_read(place, seed):
    draw = random.Random(seed)
    cache.write(NAME, CONTENTS)
    good = (place / NAME).read_bytes()
    for _ in range(250):
        bad = bytearray(good)
        match draw.randrange(5):
            case 0:
                bad[draw.randrange(len(bad))] ^= 1 << draw.randrange(8)
            case 1:
                del bad[draw.randrange(len(bad)) :]
            case 2:
                bad += bytes(draw.randrange(1, 40))
            case 3:
                bad = bytearray(draw.randbytes(draw.randrange(200)))
            case 4:
                start = draw.randrange(len(bad))
                bad[start : start + 40] = bytes(len(bad[start : start + 40]))
        if bytes(bad) == good:
            continue
        (place / NAME).write_bytes(bytes(bad))
        assert cache.read(NAME) is None
    cache.write(NAME, CONTENTS)
    assert cache.read(NAME) == CONTENTS


def fifo(path, tmp_path):
    os.mkfifo(path)


def endless(path, tmp_path):
    path.symlink_to("/dev/zero")


def device(path, tmp_path):
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero


def huge(path, tmp_path):
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no space on the disk


def unix_socket(path, tmp_path):
    before = os.getcwd()
    os.chdir(path.parent)  # the path of a socket may have about a hundred characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("s")
        os.rename("s", path.name)
    finally:
        os.chdir(before)


def inner_folder(path, tmp_path):
    path.mkdir()


def nowhere(path, tmp_path):
    path.symlink_to("nowhere")


def itself(path, tmp_path):
    path.symlink_to(path)


def unreadable(path, tmp_path):
    path.write_bytes(b"")
    path.chmod(0)


@posix
@pytest.mark.parametrize(
    "put", [fifo, endless, device, huge, unix_socket, inner_folder, nowhere, itself, unreadable]
)
def test_what_is_no_file_of_its_own_is_not_waited_for(place, tmp_path, put):
    cache.write(OTHER, CONTENTS)
    if put is device and os.geteuid():
        pytest.skip("only root makes devices")
    try:
        put(place / NAME, tmp_path)
    except OSError as error:
        pytest.skip(f"not on this file system: {error}")
    open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert cache.read(NAME) is None
    if open_before:
        assert len(os.listdir("/proc/self/fd")) == open_before, "no descriptor stays open"
    if put is inner_folder:
        with pytest.warns(UserWarning, match="cannot be kept.*irectory"):
            cache.write(NAME, b"new")
        assert listing(place) == sorted([NAME, OTHER]), "nothing temporary stays"
    else:
        cache.write(NAME, b"new")
        assert cache.read(NAME) == b"new"


def test_a_file_larger_than_memory_is_not_read(place, monkeypatch):
    cache.write(NAME, CONTENTS)
    monkeypatch.setattr(cache, "LARGEST_FILE", len(CONTENTS) + 32)
    assert cache.read(NAME) == CONTENTS
    monkeypatch.setattr(cache, "LARGEST_FILE", len(CONTENTS) + 31)
    assert cache.read(NAME) is None
    monkeypatch.setattr(cache, "LARGEST_FILE", 1 << 20)
    # MemoryError or OverflowError
    monkeypatch.setattr(cache_folder.Folder, "read", lambda *arguments: bytes(1 << 62))
    with contextlib.suppress(OverflowError):
        assert cache.read(NAME) is None


# A folder that can be read but not written, and none at all


@posix
@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_kernel_whose_time_cannot_be_renewed_is_used(place, monkeypatch, error):
    cache.write(NAME, CONTENTS)
    aged(place / NAME, 40)

    def refuse(*arguments, **settings):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "utime", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.read(NAME) == CONTENTS


@posix
@pytest.mark.parametrize("call", ["open", "replace", "mkdir"])
@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT])
def test_where_nothing_can_be_written_it_is_said_once(place, monkeypatch, call, error):
    real = getattr(os, call)

    def refuse(*arguments, **settings):
        if call != "open" or arguments[1] & os.O_CREAT:
            raise OSError(error, os.strerror(error))
        return real(*arguments, **settings)

    if call != "mkdir":
        place.mkdir(parents=True, mode=0o700)
    monkeypatch.setattr(os, call, refuse)
    (said,) = warnings_of(cache.write, NAME, CONTENTS)
    assert re.search(f"cannot be kept .*{os.strerror(error)}.*set TINYNET_CACHE_DIR to a folder", said)
    assert not place.exists() or not listing(place)


@posix
@pytest.mark.parametrize(
    "variables",
    [
        {"TINYNET_CACHE_DIR": "~no-such-user-at-all/x"},
        {"XDG_CACHE_HOME": "~no-such-user-at-all/x"},
        {"TINYNET_CACHE_DIR": "/proc/nothing/x"},
        {"TINYNET_CACHE_DIR": "x" * 5000},
    ],
)
def test_no_place_at_all_is_said_once(monkeypatch, variables):
    monkeypatch.delenv("TINYNET_CACHE_DIR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cache, "_state", {"pruned": False, "warned": False})
    assert cache.read(NAME) is None
    (said,) = warnings_of(cache.write, NAME, CONTENTS)
    assert "set TINYNET_CACHE_DIR" in said


# Where it is


@posix
@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "HOME/.cache/tinynet/kernels"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/tinynet/kernels"),
        ("linux", {"XDG_CACHE_HOME": "~/x"}, "HOME/x/tinynet/kernels"),
        ("linux", {"XDG_CACHE_HOME": ""}, "HOME/.cache/tinynet/kernels"),
        ("darwin", {"XDG_CACHE_HOME": "/x"}, "HOME/Library/Caches/tinynet/kernels"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/tinynet/kernels"),
        ("win32", {}, "HOME/AppData/Local/tinynet/kernels"),
        ("linux", {"TINYNET_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x"}, "/c/kernels"),
        ("linux", {"TINYNET_CACHE_DIR": "~/c"}, "HOME/c/kernels"),
        ("darwin", {"TINYNET_CACHE_DIR": "~"}, "HOME/kernels"),
        ("win32", {"TINYNET_CACHE_DIR": "~/c"}, "HOME/c/kernels"),
        ("linux", {"TINYNET_CACHE_DIR": ""}, "HOME/.cache/tinynet/kernels"),
    ],
)
def test_the_folder(tmp_path, monkeypatch, platform, variables, expected):
    for name in ("TINYNET_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert str(cache.directory()) == expected.replace("HOME", str(tmp_path))


def test_without_owners_and_descriptors_it_works_too(place, monkeypatch):
    """As on Windows, where `os.open` takes no folder and files have no owners in numbers."""
    monkeypatch.setattr(cache_folder, "POSIX", False)
    monkeypatch.delattr(os, "geteuid")
    cache.write(NAME, CONTENTS)
    assert cache.read(NAME) == CONTENTS
    aged(place / NAME, 91)
    (place / "foreign.o").write_text("mine")
    prune()
    assert listing(place) == sorted([OTHER, "foreign.o"])
    (place / NAME).symlink_to(place / OTHER)
    with pytest.warns(UserWarning, match="is a link"):
        assert cache.read(NAME) is None
