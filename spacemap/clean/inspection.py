"""Looking at planned entries once more, so that what is odd can be told before anything is done."""

import os
from dataclasses import dataclass
from itertools import groupby

from spacemap.clean.known import compare, compare_directory, known_entries
from spacemap.clean.outcome import StaysError
from spacemap.clean.places import open_directory
from spacemap.clean.plan import Plan
from spacemap.tree.columns import Kind


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is found where planned entries were; of directories only themselves are looked at."""

    changed: int
    """Planned entries that are gone, were replaced or modified, or cannot be looked at: they will stay."""
    other_owner: int
    """Planned entries that belong to another user than the one who asks."""


def inspect(plan: Plan) -> Inspection:
    """Return what is found; a call or two for each planned entry."""
    tree, user = plan.tree, os.getuid()
    changed = other = 0
    for parent, group in groupby(plan.entries.tolist(), lambda entry: int(tree.parent[entry])):
        entries = list(group)
        try:
            place = open_directory(plan, parent)
        except StaysError:
            changed += len(entries)
            continue
        try:
            for entry in entries:
                owner = _owner(plan, place, parent, entry)
                changed += owner is None
                other += owner is not None and owner != user
        finally:
            os.close(place)
    return Inspection(changed, other)


def _owner(plan: Plan, place: int, parent: int, entry: int) -> int | None:
    """Return whose an entry is; None where it is not what is planned."""
    try:
        found = os.stat(plan.tree.name(entry), dir_fd=place, follow_symlinks=False)
        if plan.tree.kind[entry] == Kind.DIRECTORY:
            compare_directory(found, plan.tree, entry)
        else:
            compare(found, known_entries(plan.snapshot, parent, [entry])[0])
    except (OSError, StaysError):
        return None
    return found.st_uid
