"""The pane with all that is known of one entry."""

import os

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from spacemap.render.text import display_name
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.links import other_links
from spacemap.tree.measure import Measure
from spacemap.tree.omissions import SKIP_TEXT
from spacemap.tree.snapshot import Snapshot
from spacemap.tree.tree import Tree
from spacemap.tui.cells import (
    FLAGS,
    Writing,
    flag_of,
    folded_files,
    items_of,
    moment,
    mtime_of,
    problem_text,
    shared_of,
    size_of,
)
from spacemap.tui.jobs import mode_text, owner_text
from spacemap.units import Units, format_count, format_size

MAX_LINKS = 20
"""Other links of a file that are named; the rest are counted."""
_KINDS = {Kind.DIRECTORY: "directory", Kind.FILE: "file", Kind.SYMLINK: "symlink", Kind.OTHER: "special file"}

Fact = tuple[str, str]


class InfoPane(VerticalScroll, can_focus=False):
    """Facts below one another, a label before each."""

    DEFAULT_CSS = """
    InfoPane { display: none; height: auto; max-height: 45%; background: $surface; padding: 0 1; }
    """

    def show(self, facts: list[Fact], writing: Writing) -> None:
        """Show facts in the place of those before."""
        text = Text(no_wrap=False, overflow="fold")
        width = max((len(label) for label, _ in facts), default=0)
        for number, (label, value) in enumerate(facts):
            text.append("\n" if number else "")
            text.append(label.ljust(width + 2) if label else " " * (width + 2), "bold" if label else "")
            text.append(writing.cut(value, 4096))
        self.query_one(Static).update(text)

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(markup=False)


def entry_facts(snapshot: Snapshot, entry: int, units: Units) -> list[Fact]:
    """Return what a snapshot knows of an entry."""
    tree = snapshot.tree
    is_directory = tree.kind[entry] == Kind.DIRECTORY
    disk, apparent = size_of(tree, entry, Measure.DISK), size_of(tree, entry, Measure.APPARENT)
    facts = [("Path", display_name(tree.path(entry)))]
    facts.append(("Disk usage", _bytes(disk, units)))
    facts.append(("Apparent", _bytes(apparent, units)))
    shared = shared_of(tree, entry)
    if shared or is_directory:
        stays = f"; {_bytes(shared, units)} stay, hard-linked from elsewhere" if shared else ""
        facts.append(("If deleted", f"{_bytes(disk - shared, units)} are freed{stays}"))
    kind = _KINDS[Kind(int(tree.kind[entry]))]
    if count := folded_files(tree, entry):
        kind = f"{format_count(count)} small files of this directory, folded to save memory"
    elif is_directory:
        kind = f"directory with {format_count(items_of(tree, entry))} entries below it"
    facts.append(("Kind", kind))
    if snapshot.facts.options.get("times") != "leave":
        facts.append(("Newest" if is_directory else "Modified", moment(mtime_of(tree, entry))))
    facts.append(("Inode", _inode(tree, entry)))
    facts += _link_facts(tree, entry)
    facts += [("Why flagged", text) for text in _reasons(tree, entry)]
    return facts


def status_facts(result: os.stat_result | OSError) -> list[Fact]:
    """Return what the file system says now."""
    if isinstance(result, OSError):
        return [("Now", f"cannot be looked at: {result.strerror}")]
    times = f"modified {moment(int(result.st_mtime))}, changed {moment(int(result.st_ctime))}"
    return [
        ("Owner", owner_text(result)),
        ("Mode", mode_text(result)),
        ("Times now", f"{times}, read {moment(int(result.st_atime))}"),
    ]


def _bytes(size: int, units: Units) -> str:
    exact = format_size(size, Units.BYTES)
    return exact if units is Units.BYTES or size < 1000 else f"{format_size(size, units)} ({exact})"


def _inode(tree: Tree, entry: int) -> str:
    device = None
    if tree.kind[entry] == Kind.DIRECTORY:
        device = int(tree.directories.device[tree.directory_row(entry)])
    number = str(int(tree.inode[entry]))
    return number if device is None else f"{number} on device {os.major(device)}:{os.minor(device)}"


def _link_facts(tree: Tree, entry: int) -> list[Fact]:
    if not tree.flags[entry] & Flag.LINKED:
        return []
    others = other_links(tree, entry)
    at = int(tree.links.entry.searchsorted(np.uint32(entry)))
    count = int(tree.links.link_count[at])
    known = len(others) + 1
    facts = [("Hard links", f"{known} of {count} are in this tree" if known < count else f"{count}, all in this tree")]
    shown = [("", display_name(tree.path(other))) for other in others[:MAX_LINKS].tolist()]
    if len(others) > MAX_LINKS:
        shown.append(("", f"and {format_count(len(others) - MAX_LINKS)} more"))
    return facts + shown


def _reasons(tree: Tree, entry: int) -> list[str]:
    reasons = []
    flag = flag_of(tree, entry)
    if flag:
        reasons.append(f"{flag}  {FLAGS[flag]}")
    if tree.kind[entry] == Kind.DIRECTORY:
        skip = Skip(int(tree.directories.skip[tree.directory_row(entry)]))
        if skip is not Skip.NONE:
            reasons.append(SKIP_TEXT[skip])
    problem = problem_text(tree, entry)
    return [*reasons, problem] if problem else reasons
