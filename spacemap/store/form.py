"""Which form a file has that may hold a snapshot, told by its first bytes. Cheap: every scan asks it of its paths."""

import os
import stat
from enum import Enum

MAGIC = b"\x89smap\r\n\x1a"
"""The first bytes of a snapshot file; a transfer as text damages them visibly. Stable on disk."""
SUFFIX = ".smap"

_HEAD_SIZE = 256
_JSON_HEAD = b'{"schema_version":'


class Form(Enum):
    """How a snapshot is kept in a file."""

    BLOCKS = "smap"
    JSON = "json"


def stored_form(path: str | bytes | os.PathLike[str]) -> Form | None:
    """Return the form of a file, or None for what is no regular file, cannot be read, or is something else.

    What is called `*.smap` counts as one whatever is in it, so that a damaged file is told to be that.
    """
    name = os.fsencode(path)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):
            return None
        with open(name, "rb", buffering=0) as file:
            head = file.read(_HEAD_SIZE)
    except OSError:
        return None
    if name.lower().endswith(SUFFIX.encode()) or head.startswith(MAGIC):
        return Form.BLOCKS
    return Form.JSON if b"".join(head.split()).startswith(_JSON_HEAD) else None
