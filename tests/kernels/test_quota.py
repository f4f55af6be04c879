"""The quota of processor time, read from control groups as Linux writes them,
in a folder that stands for /sys/fs/cgroup.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynet.kernels import quota


class Groups:
    """A folder of control groups, and the file that says which ones the process is in."""

    def __init__(self, folder):
        self.folder, self.membership = folder / "cgroup", folder / "membership"
        self.folder.mkdir()

    def put(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def old(self, group, most, period="100000\n"):
        self.put(f"{group}/cpu.cfs_quota_us", most)
        self.put(f"{group}/cpu.cfs_period_us", period)

    def quotas(self, *lines):
        self.membership.write_text("".join(line + "\n" for line in lines))
        return quota.quotas(self.folder, self.membership)


@pytest.fixture
def groups(tmp_path):
    return Groups(tmp_path)


def test_version_2(groups):
    groups.put("cpu.max", "150000 100000\n")  # as a container sees its own group
    assert groups.quotas("0::/") == [1.5]
    groups.put("cpu.max", "max 100000\n")
    assert groups.quotas("0::/") == []


def test_version_2_beside_version_1(groups):
    groups.put("unified/a/cpu.max", "50000 100000\n")
    assert groups.quotas("4:memory:/", "0::/a") == [0.5]


def test_version_1(groups):
    groups.old("cpu,cpuacct", "300000\n")
    groups.old("memory", "100000\n")  # no controller of processor time
    assert groups.quotas("7:memory:/", "4:cpu,cpuacct:/") == [3.0]
    groups.old("cpu,cpuacct", "-1\n")
    assert groups.quotas("4:cpu,cpuacct:/") == []


def test_version_1_under_the_short_name(groups):
    """The line has the controllers in one order, the folder another; `cpu` is a link to it."""
    groups.old("cpu,cpuacct/a", "20000\n", "10000\n")
    (groups.folder / "cpu").symlink_to("cpu,cpuacct")
    assert groups.quotas("4:cpuacct,cpu:/a") == [2.0]


def test_groups_within_groups(groups):
    groups.put("a/b/c/cpu.max", "max 100000\n")
    groups.put("a/b/cpu.max", "400000 100000\n")
    groups.put("a/cpu.max", "250000 100000\n")
    groups.put("other/cpu.max", "1000 100000\n")
    assert groups.quotas("0::/a/b/c") == [4.0, 2.5]
    groups.old("cpu/a", "100000\n")
    groups.old("cpu", "50000\n", "50000\n")
    assert groups.quotas("3:cpu:/a/b", "0::/a") == [1.0, 1.0, 2.5]


def test_a_group_that_is_not_seen_from_within_a_container(groups):
    """The path is the host's; the container's own group is the outermost one that it sees."""
    groups.old("cpu", "150000\n")
    assert groups.quotas("4:cpu:/docker/0123abcd") == [1.5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "max",
        "100000 0",
        "0 100000",
        "-5 100000",
        "1e5 100000",
        "1 2 3",
        "9" * 400 + " 1",
        "\0",
        "größe 1",
    ],
)
def test_what_says_nothing_limits_nothing(groups, text):
    groups.put("cpu.max", text)
    groups.old("cpu", text, text)
    assert groups.quotas("0::/", "1:cpu:/") == []


def test_no_control_groups_at_all(tmp_path):
    assert quota.quotas(tmp_path, tmp_path / "missing") == []
    (tmp_path / "membership").write_text("0::/a\n")
    assert quota.quotas(tmp_path / "missing", tmp_path / "membership") == []


@settings(max_examples=200, deadline=None)
@given(
    membership=st.binary(max_size=60)
    | st.sampled_from([b"0::/", b"1:cpu:/", b"0:", b"1:cpu", b"::", b"2:cpu:/\xff/a:b"]),
    content=st.binary(max_size=40) | st.from_regex(rb"(max|-?[0-9]{1,30}) [0-9]{1,30}\n", fullmatch=True),
)
def test_nothing_in_the_files_is_an_error(tmp_path_factory, membership, content):
    folder = tmp_path_factory.mktemp("groups")
    (folder / "cpu").mkdir()
    for name in ("cpu.max", "cpu/cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"):
        (folder / name).write_bytes(content)
    (folder / "membership").write_bytes(membership)
    assert all(0 < found < 2**63 for found in quota.quotas(folder, folder / "membership"))


@pytest.mark.parametrize(
    ("found", "expected"), [([], 8), ([0.05], 1), ([1.0], 1), ([1.005], 1), ([1.5], 2), ([20.0, 3.2], 4)]
)
def test_cores_are_the_smallest_quota_rounded_up(monkeypatch, found, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(quota, "quotas", lambda: found)
    assert quota.cores() == expected
