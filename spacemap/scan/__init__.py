"""From a file system to a Snapshot; the only user of processes. Importing this package imports no numpy."""

import sys
from types import ModuleType

from spacemap.scan.options import (
    CacheTagged,
    EngineName,
    KernelFileSystems,
    MountBoundary,
    ScanOptions,
    Symlinks,
    Times,
)
from spacemap.scan.progress import Progress
from spacemap.scan.run import scan

__all__ = [
    "CacheTagged",
    "EngineName",
    "KernelFileSystems",
    "MountBoundary",
    "Progress",
    "ScanOptions",
    "Symlinks",
    "Times",
    "scan",
]


class _CallablePackage(ModuleType):
    """`spacemap.scan` is this package and, for users of the library, the function: the one answers for the other."""

    __call__ = staticmethod(scan)


sys.modules[__name__].__class__ = _CallablePackage
