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


def owner_number(name: str) -> int | None:
    """Return the uid of a user by name, or by number whether this machine knows it or not; None for no user."""
    if name.isascii() and name.isdigit():
        return int(name)
    from pwd import getpwnam  # noqa: PLC0415 - absent on some platforms

    try:
        return getpwnam(name).pw_uid
    except (KeyError, ValueError):  # the latter: a name that no system can have
        return None


def naming_owners(host: str) -> Callable[[int], str]:
    """Return what names the owners of a tree that was scanned on a host: numbers are other users elsewhere."""
    return owner_name if host == os.uname().nodename else str
