"""What is mounted where, and which mounts show what another place already shows.

Source: /proc/self/mountinfo, as described in proc(5). Elsewhere the table is empty and boundaries are told by
device numbers alone.
"""

import os
import re
from collections.abc import Callable
from typing import NamedTuple

MOUNTINFO = "/proc/self/mountinfo"

KERNEL_FILE_SYSTEMS = frozenset(
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts efivarfs fusectl hugetlbfs mqueue nsfs proc "
    "pstore resctrl rpc_pipefs securityfs selinuxfs smackfs sysfs tracefs".split()
)
REMOTE_FILE_SYSTEMS = frozenset("9p afs ceph cifs glusterfs lustre ncpfs nfs nfs4 smb3 smbfs virtiofs".split())
"""Types whose server may not answer; anything by FUSE counts as one of them."""
VOLATILE_FILE_SYSTEMS = frozenset("devtmpfs ramfs rootfs squashfs erofs iso9660".split())
"""Types that are never filled by their user: in memory for the system, or made once and only read."""
_OF_THE_SYSTEM = (b"/dev", b"/proc", b"/run", b"/sys", b"/boot/efi")
"""Directories with file systems that belong to the system alone; what users mount is in /run/media."""


class Mount(NamedTuple):
    """One line of mountinfo."""

    point: bytes
    device: int
    """As in st_dev."""
    root: bytes
    """The directory of the file system that is visible at `point`."""
    kind: str
    """Type of the file system."""
    options: dict[str, bytes]
    """Of the file system itself, such as `upperdir`."""


class MountTable:
    """The mounts that can be reached: the topmost at each point."""

    def __init__(self, mounts: list[Mount]) -> None:
        self._at: dict[bytes, Mount] = {mount.point: mount for mount in mounts}
        self._deciding: set[bytes] = set()

    def at(self, path: bytes) -> Mount | None:
        """Return the mount that begins exactly at an absolute path."""
        return self._at.get(path)

    def of(self, path: bytes) -> Mount | None:
        """Return the mount that an absolute path lies on."""
        while True:
            if path in self._at:
                return self._at[path]
            if path in (b"/", b""):
                return None
            path = os.path.dirname(path)

    def is_kernel(self, path: bytes) -> bool:
        """Return whether a kernel file system begins here."""
        mount = self._at.get(path)
        return mount is not None and mount.kind in KERNEL_FILE_SYSTEMS

    def may_hang(self, root: bytes) -> bool:
        """Return whether a directory, or something mounted below it, depends on somebody who may not answer."""
        holder = self.of(root)
        mounts = [mount for mount in self._at.values() if mount is holder or _is_within(mount.point, root)]
        return any(is_remote(mount) for mount in mounts)

    def points_below(self, root: bytes) -> list[bytes]:
        """Return the mount points below a directory."""
        return [point for point in self._at if point != root and _is_within(point, root)]

    def file_systems(self) -> list[Mount]:
        """Return the mounts that a user may want to look at, by path: each file system once, at its shortest path, and
        none of the kernel's or the system's own."""
        found: dict[int, Mount] = {}
        for mount in sorted(self._at.values(), key=lambda each: (len(each.root), len(each.point), each.point)):
            if mount.kind not in KERNEL_FILE_SYSTEMS | VOLATILE_FILE_SYSTEMS and not _is_of_the_system(mount.point):
                found.setdefault(mount.device, mount)
        return sorted(found.values(), key=lambda each: each.point)

    def second_view(self, point: bytes, is_scanned: Callable[[bytes], bool]) -> bytes | None:
        """Return the path, among those that are scanned, that already shows what the mount at `point` shows.

        A plain directory wins against a mount of it; of two equal mounts the lower path wins. The upper layer of
        an overlay wins against the overlay.
        """
        mount = self._at.get(point)
        if mount is None or point in self._deciding:
            return None
        self._deciding.add(point)
        found = next((view for view in self._views(mount) if is_scanned(view) and self._shows(view, is_scanned)), None)
        self._deciding.discard(point)
        return found

    def _views(self, mount: Mount) -> list[bytes]:
        """Return the paths that show the directory of a mount, whether or not something hides them."""
        if mount.kind == "overlay":
            return [mount.options[key] for key in ("upperdir",) if key in mount.options]
        return [
            _join(other.point, mount.root[len(other.root.rstrip(b"/")) :])
            for other in self._at.values()
            if other.device == mount.device
            and other.point != mount.point
            and _is_within(mount.root, other.root)
            and (other.root != mount.root or other.point < mount.point)
            and self.of(_join(other.point, mount.root[len(other.root.rstrip(b"/")) :])) is other
        ]

    def _shows(self, view: bytes, is_scanned: Callable[[bytes], bool]) -> bool:
        """Return whether a scan gets to a path: neither it nor a directory above it is a second view."""
        holder = self.of(view)
        # A mount that holds a root is never judged: the scan begins there.
        while holder is not None and holder.point != b"/" and is_scanned(os.path.dirname(holder.point)):
            if self.second_view(holder.point, is_scanned) is not None:
                return False
            holder = self.of(os.path.dirname(holder.point))
        return True


def is_remote(mount: Mount) -> bool:
    """Return whether a mount depends on somebody who may not answer."""
    return mount.kind in REMOTE_FILE_SYSTEMS or mount.kind.startswith("fuse")


def read_mounts(source: str = MOUNTINFO) -> MountTable:
    """Return the table of this process; empty where the system has none."""
    try:
        with open(source, "rb") as file:
            text = file.read()
    except OSError:
        return MountTable([])
    return MountTable([mount for line in text.splitlines() if (mount := _parse(line)) is not None])


def _parse(line: bytes) -> Mount | None:
    left, separator, right = line.partition(b" - ")
    fields, tail = left.split(b" "), right.split(b" ")
    if not separator or len(fields) < 6 or len(tail) < 3:
        return None
    major, _, minor = fields[2].partition(b":")
    options = dict(option.partition(b"=")[::2] for option in tail[2].split(b","))
    return Mount(
        point=_unescape(fields[4]),
        device=os.makedev(int(major), int(minor)),
        root=_unescape(fields[3]),
        kind=tail[0].decode("ascii", "replace"),
        options={key.decode("ascii", "replace"): _unescape(value) for key, value in options.items()},
    )


def _unescape(field: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), field)


def _is_of_the_system(point: bytes) -> bool:
    return any(_is_within(point, place) for place in _OF_THE_SYSTEM) and not _is_within(point, b"/run/media")


def _is_within(path: bytes, directory: bytes) -> bool:
    return path == directory or path.startswith(directory.rstrip(b"/") + b"/")


def _join(point: bytes, below: bytes) -> bytes:
    below = below.strip(b"/")
    return point.rstrip(b"/") + b"/" + below if below else point
