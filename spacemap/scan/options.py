"""What a scan is told: one frozen dataclass, built by its callers only."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class EngineName(Enum):
    """Who lists directories."""

    AUTO = "auto"
    NATIVE = "native"
    PYTHON = "python"
    SCANDIR_RS = "scandir-rs"


class MountBoundary(Enum):
    """What to do where another file system begins."""

    CROSS = "cross"
    STAY = "stay"


class Symlinks(Enum):
    """What a symlink stands for."""

    NEVER = "never"
    FOLLOW = "follow"


class KernelFileSystems(Enum):
    """What to do with /proc, /sys and their like below a root."""

    SKIP = "skip"
    ENTER = "enter"


class Times(Enum):
    """Whether modification times are asked of the kernel."""

    READ = "read"
    LEAVE = "leave"


class CacheTagged(Enum):
    """What to do with a directory that holds a valid CACHEDIR.TAG."""

    ENTER = "enter"
    EXCLUDE = "exclude"


class ScanOptions(NamedTuple):
    """How to scan."""

    engine: EngineName = EngineName.AUTO
    threads: int = 0
    """Directories listed at the same time; 0: chosen for this machine and engine."""
    boundary: MountBoundary = MountBoundary.CROSS
    symlinks: Symlinks = Symlinks.NEVER
    kernel_fs: KernelFileSystems = KernelFileSystems.SKIP
    max_depth: int | None = None
    """Directories this deep are listed by their parents and not entered; a root has depth 0."""
    exclude: tuple[str, ...] = ()
    """Patterns; see `spacemap.scan.exclude`."""
    prune: tuple[str, ...] = ()
    cache_tagged: CacheTagged = CacheTagged.ENTER
    times: Times = Times.READ
    stall_timeout: float = 60.0
    """Seconds without a sign of life after which a directory is given up."""
    max_memory: int | None = None
    """Bytes for all processes of the scan; small files are folded when the entries no longer fit."""

    def shaping(self) -> dict[str, str | int | bool | list[str] | None]:
        """Return the options that decide what the tree holds, as plain values."""
        return {
            "one_file_system": self.boundary is MountBoundary.STAY,
            "follow_symlinks": self.symlinks is Symlinks.FOLLOW,
            "kernel_fs": self.kernel_fs.value,
            "max_depth": self.max_depth,
            "exclude": list(self.exclude),
            "prune": list(self.prune),
            "exclude_caches": self.cache_tagged is CacheTagged.EXCLUDE,
            "times": self.times.value,
            "max_memory": self.max_memory,
        }

    def shaped(self, shaping: Mapping[str, object]) -> "ScanOptions":
        """Return these options with those that decide what the tree holds taken from what `shaping` returned.

        Raises ValueError for what it cannot have returned.
        """
        result = self._replace(
            boundary=MountBoundary.STAY if shaping.get("one_file_system") else MountBoundary.CROSS,
            symlinks=Symlinks.FOLLOW if shaping.get("follow_symlinks") else Symlinks.NEVER,
            kernel_fs=KernelFileSystems(shaping.get("kernel_fs")),
            max_depth=_number(shaping.get("max_depth")),
            exclude=_texts(shaping.get("exclude")),
            prune=_texts(shaping.get("prune")),
            cache_tagged=CacheTagged.EXCLUDE if shaping.get("exclude_caches") else CacheTagged.ENTER,
            times=Times(shaping.get("times")),
            max_memory=_number(shaping.get("max_memory")),
        )
        if result.shaping() != shaping:
            raise ValueError("there are options that this version does not know")
        return result


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
