"""Two system calls that `os` has not: opening that stays below a directory, and renaming that never overwrites."""

import ctypes
import errno
import os
import stat
import sys
from contextlib import suppress

PLACE_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
"""How a directory is opened to work in it; where there is O_PATH, without the right to list it."""

_OPENAT2 = 437  # the number of this call on every processor
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 1, 2, 4, 8
_RENAME_NOREPLACE = 1
_NOT_HERE = (errno.ENOSYS, errno.EPERM)
"""What an old kernel, or a filter of system calls, says to a call that it does not have."""

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class _How(ctypes.Structure):
    """`struct open_how` of openat2(2)."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_below(place: int, path: bytes) -> int:
    """Return a descriptor of a directory below `place`, on the same mount, that no symlink leads to.

    The path is shorter than PATH_MAX and has no `..`. Raises OSError: EXDEV where another mount begins on the way.
    """
    if _libc is not None:
        how = _How(PLACE_FLAGS, 0, _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
        descriptor = int(_libc.syscall(_OPENAT2, place, path, ctypes.byref(how), ctypes.sizeof(how)))
        if descriptor >= 0:
            return descriptor
        error = ctypes.get_errno()
        if error not in _NOT_HERE:
            raise OSError(error, os.strerror(error))
    return open_by_steps(place, path)


def open_by_steps(place: int, path: bytes) -> int:
    """Do what `open_below` does without its system call: name by name. A mount of the same device passes unnoticed."""
    device = os.fstat(place).st_dev
    descriptor = os.dup(place)
    for name in path.split(b"/"):
        try:
            below = os.open(name, PLACE_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
        if os.fstat(descriptor).st_dev != device:
            os.close(descriptor)
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    return descriptor


def rename_exclusively(name: bytes, place: int, to: bytes, target: int) -> None:
    """Rename an entry of one directory to a free name of another. Raises OSError: EEXIST where the name is taken."""
    if _libc is not None and hasattr(_libc, "renameat2"):
        if _libc.renameat2(place, name, target, to, _RENAME_NOREPLACE) == 0:
            return
        error = ctypes.get_errno()
        if error not in (*_NOT_HERE, errno.EINVAL):
            raise OSError(error, os.strerror(error))
    rename_by_steps(name, place, to, target)


def rename_by_steps(name: bytes, place: int, to: bytes, target: int) -> None:
    """Do what `rename_exclusively` does where the system or the file system cannot.

    A directory takes the place of an empty one that is made for it; anything else gets a second link before it loses
    its first. Neither can overwrite.
    """
    if stat.S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
        os.mkdir(to, 0o700, dir_fd=target)
        try:
            os.rename(name, to, src_dir_fd=place, dst_dir_fd=target)
        except OSError:
            with suppress(OSError):  # somebody put something into it
                os.rmdir(to, dir_fd=target)
            raise
        return
    os.link(name, to, src_dir_fd=place, dst_dir_fd=target, follow_symlinks=False)
    os.unlink(name, dir_fd=place)
