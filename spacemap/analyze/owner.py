"""What owners are called: by the users that this machine knows, elsewhere by number."""

import os
from collections.abc import Callable
from functools import cache


@cache
def owner_name(uid: int) -> str:
    """Return the name of a user, or the number of one that this machine does not know; each is looked up once."""
    from pwd import getpwuid  # noqa: PLC0415 - absent on some platforms

    try:
        return getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def naming_owners(host: str) -> Callable[[int], str]:
    """Return what names the owners of a tree that was scanned on a host: numbers are other users elsewhere."""
    return owner_name if host == os.uname().nodename else str
