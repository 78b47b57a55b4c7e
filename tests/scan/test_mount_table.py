"""The mount table, from recorded mountinfo."""

import os
from pathlib import Path

import pytest

from spacemap.scan.mounts import MountTable, read_mounts

MOUNTS = Path(__file__).parents[2] / "fixtures" / "mountinfo"


def _everything(path: bytes) -> bool:
    return True


@pytest.fixture
def laptop() -> MountTable:
    """Return the mounts of a laptop with btrfs subvolumes, a bind mount, an automount, docker and sshfs."""
    return read_mounts(str(MOUNTS / "laptop.txt"))


def test_fields_are_unescaped() -> None:
    """Octal escapes in a mount point stand for bytes."""
    mount = read_mounts(str(MOUNTS / "laptop.txt")).at(b"/mnt/with space\n\\")

    assert mount is not None
    assert (os.makedev(0, 50), b"/", "tmpfs") == (mount.device, mount.root, mount.kind)


def test_a_damaged_line_is_passed_over() -> None:
    """Lines that are no mounts leave the others as they are."""
    assert [b"/proc"] == read_mounts(str(MOUNTS / "damaged.txt")).points_below(b"/")


def test_no_table() -> None:
    """Where there is no mountinfo, nothing is mounted."""
    assert [] == read_mounts("/nonexistent").points_below(b"/")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/proc", True),
        (b"/sys", True),
        (b"/sys/fs/cgroup", True),
        (b"/misc", True),
        (b"/proc/1", False),
        (b"/", False),
        (b"/home", False),
        (b"/dev/shm", False),
        (b"/dev", False),
    ],
    ids=repr,
)
def test_kernel_file_systems(laptop: MountTable, path: bytes, expected: bool) -> None:
    """Kernel file systems are told by their type, where they begin; tmpfs is none."""
    assert expected == laptop.is_kernel(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [(b"/", True), (b"/mnt", True), (b"/mnt/nas", True), (b"/home", False), (b"/mnt/na", False), (b"/fuse", True)],
    ids=repr,
)
def test_what_may_hang(laptop: MountTable, path: bytes, expected: bool) -> None:
    """A remote or fuse file system at or below a directory may hang."""
    assert expected == laptop.may_hang(path)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        pytest.param(b"/srv/data", b"/home/user/data", id="bind mount of a directory"),
        pytest.param(b"/home/user/data", None, id="plain directory"),
        pytest.param(b"/home", None, id="subvolume of the same device"),
        pytest.param(b"/var/lib/docker/overlay2/x/merged", b"/var/lib/docker/overlay2/x/diff", id="overlay"),
        pytest.param(b"/mnt/usb", None, id="device mounted once"),
        pytest.param(b"/mnt/usb2", b"/mnt/usb1", id="device mounted twice"),
        pytest.param(b"/mnt/usb1", None, id="the first of two"),
        pytest.param(b"/snap/bind", b"/mnt/usb1/deep/er", id="bind mount from a device mounted twice"),
    ],
)
def test_second_views(laptop: MountTable, point: bytes, expected: bytes | None) -> None:
    """A mount is a second view when a path that is scanned shows the same; plain directories and lower paths win."""
    assert expected == laptop.second_view(point, _everything)


def test_a_view_that_is_not_scanned_is_none(laptop: MountTable) -> None:
    """Where the original is left out of the scan, the mount of it counts."""
    assert laptop.second_view(b"/srv/data", lambda path: not path.startswith(b"/home")) is None


def test_a_hidden_original_is_none() -> None:
    """A directory that another mount covers shows nothing; the mount of it counts."""
    assert read_mounts(str(MOUNTS / "hidden.txt")).second_view(b"/srv/data", _everything) is None


def test_mounts_that_cover_each_others_original() -> None:
    """Two mounts of directories that the other one covers are both the only view of what they show."""
    table = read_mounts(str(MOUNTS / "mutual.txt"))

    actual = [table.second_view(point, _everything) for point in (b"/a/b", b"/c/d")]

    assert [None, None] == actual
