"""Why an entry is as large as it is, and where its other hard links are, in words. No terminal."""

from enum import Enum

import numpy as np

from spacemap.render.text import display_name
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.links import other_links
from spacemap.tree.measure import Measure
from spacemap.tree.tree import Tree
from spacemap.tui.cells import folded_files, shared_of, size_of
from spacemap.tui.order import entry_bytes
from spacemap.tui.session import Session
from spacemap.tui.tiles import largest_positions
from spacemap.units import Units, format_count, format_number, format_percent, format_size

MAX_LINKS = 200
"""Other links of a file that are named; the rest are counted."""
_LARGEST = 5
Fact = tuple[str, str]
"""A label, and what is said; without a label it goes on with the one before."""


class Tab(Enum):
    """A page about an entry."""

    INFO = "Info"
    LINKS = "Links"
    SIZE = "Why this size"


def exact_bytes(size: int, units: Units) -> str:
    """Return bytes rounded, and every one of them."""
    exact = format_size(size, Units.BYTES)
    return exact if units is Units.BYTES or size < 1000 else f"{format_size(size, units)} ({exact})"


def links_of(tree: Tree, entry: int) -> list[int]:
    """Return the other links of an entry in its tree, at most `MAX_LINKS`."""
    return other_links(tree, entry)[:MAX_LINKS].tolist() if tree.flags[entry] & Flag.LINKED else []


def links_text(tree: Tree, entry: int) -> str:
    """Return how many links an entry has and where; empty when it is the only one."""
    if not tree.flags[entry] & Flag.LINKED:
        return ""
    count = int(tree.links.link_count[int(tree.links.entry.searchsorted(np.uint32(entry)))])
    known = len(other_links(tree, entry)) + 1
    if known < count:
        return f"{format_count(known)} of {format_count(count)} are in this tree"
    return f"{format_count(count)}, all in this tree"


def size_facts(session: Session, entry: int, units: Units) -> list[Fact]:
    """Return what the disk usage of an entry is made of, and what of it would be free without the entry."""
    tree = session.tree
    disk, shared = size_of(tree, entry, Measure.DISK), shared_of(tree, entry)
    facts = [("Total", exact_bytes(disk, units) + _shares(tree, entry, disk))]
    facts.append(("Shared", f"{exact_bytes(shared, units)}{'; hard-linked from elsewhere' if shared else ''}"))
    facts.append(("Exclusive", f"{exact_bytes(disk - shared, units)}; so much is free when this is deleted"))
    facts += _difference(tree, entry, disk, units)
    if tree.kind[entry] == Kind.DIRECTORY:
        facts += _parts(tree, entry, disk, units)
        facts += _missing(tree, entry)
    if count := folded_files(tree, entry):
        facts.append(("Made of", format_number(count, "small file")))
    return facts


def _shares(tree: Tree, entry: int, disk: int) -> str:
    parent = int(tree.parent[entry])
    if entry == 0:
        return ""
    share = f", {format_percent(disk, size_of(tree, parent, Measure.DISK))} of its directory"
    return share if parent == 0 else f"{share}, {format_percent(disk, size_of(tree, 0, Measure.DISK))} of everything"


def _difference(tree: Tree, entry: int, disk: int, units: Units) -> list[Fact]:
    """Return why the two sizes of an entry differ, where they do."""
    apparent = size_of(tree, entry, Measure.APPARENT)
    if apparent > disk:
        return [("Apparent", f"{exact_bytes(apparent, units)}: more than it takes, as with sparse or compressed files")]
    if apparent < disk:
        return [("Apparent", f"{exact_bytes(apparent, units)}: less than it takes, since disks are filled in blocks")]
    return []


def _parts(tree: Tree, directory: int, disk: int, units: Units) -> list[Fact]:
    children = tree.children(directory)
    entries = np.arange(children.start, children.stop)
    amounts = entry_bytes(tree, entries, Measure.DISK)
    facts: list[Fact] = []
    for at in largest_positions(amounts, _LARGEST).tolist():
        size = int(amounts[at])
        text = f"{format_size(size, units)}, {format_percent(size, disk)}  {display_name(tree.name(children[at]))}"
        facts.append(("" if facts else "Largest", text))
    own = int(tree.disk_usage(slice(directory, directory + 1))[0])
    facts.append(("Itself", f"{exact_bytes(own, units)} for the directory's own entries"))
    return facts


def _missing(tree: Tree, directory: int) -> list[Fact]:
    """Return what makes the size of a directory a lower bound."""
    row = tree.directory_row(directory)
    facts: list[Fact] = []
    if count := int(tree.totals.problems[row]):
        facts.append(("At least", f"{format_number(count, 'entry', 'entries')} in it could not be read"))
    if tree.directories.skip[row] == Skip.UNLISTED:
        facts.append(("At least", "it is not listed yet"))
    return facts
