"""The pane with all that is known of one entry, on three pages."""

import os
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from spacemap.analyze.owner import naming_owners
from spacemap.render.text import display_name
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.measure import Measure
from spacemap.tree.omissions import SKIP_TEXT
from spacemap.tree.owners import UNKNOWN_OWNER
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
from spacemap.tui.facts import MAX_LINKS, Fact, Tab, exact_bytes, links_of, links_text
from spacemap.tui.jobs import mode_text, owner_text
from spacemap.units import Units, format_count

_KINDS = {Kind.DIRECTORY: "directory", Kind.FILE: "file", Kind.SYMLINK: "symlink", Kind.OTHER: "special file"}


class InfoPane(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Pages about one entry. The one with links takes the keys that move, where there are any, to choose one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "choose(-1)", "the link above", show=False),
        Binding("down,j", "choose(1)", "the link below", show=False),
        Binding("enter,right,l", "jump", "go to the link", show=False),
    ]
    DEFAULT_CSS = """
    InfoPane { display: none; height: auto; max-height: 45%; background: $surface; padding: 0 1; }
    """

    class Jumped(Message):
        """Another link of the entry is to be shown."""

        def __init__(self, entry: int) -> None:
            self.entry = entry
            super().__init__()

    class TabClicked(Message):
        """Another page is to be shown."""

        def __init__(self, tab: Tab) -> None:
            self.tab = tab
            super().__init__()

    def __init__(self, writing: Writing) -> None:
        super().__init__()
        self._writing = writing
        self._tab = Tab.INFO
        self._facts: list[Fact] = []
        self._links: list[int] = []
        self._chosen = 0

    def show(self, tab: Tab, facts: list[Fact], links: list[int]) -> None:
        """Show a page; on the one with links their paths are the facts without a label, in the order of `links`."""
        if links != self._links:
            self._chosen = 0
        if tab is not self._tab:
            self.scroll_to(y=0, animate=False)
        self._tab, self._facts, self._links = tab, facts, links
        self.can_focus = tab is Tab.LINKS and bool(links)
        self._paint()

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(markup=False)

    def action_choose(self, steps: int) -> None:
        """Choose another link."""
        self._chosen = max(min(self._chosen + steps, len(self._links) - 1), 0)
        self._paint()
        # Two lines are above the first link.
        self.scroll_to(y=max(self._chosen + 2 - self.size.height // 2, 0), animate=False)

    def action_jump(self) -> None:
        """Go to the link that is chosen."""
        if self._links:
            self.post_message(self.Jumped(self._links[self._chosen]))

    def on_click(self, event: events.Click) -> None:
        """Show the page whose title was clicked, or go to the link that was."""
        meta = event.style.meta
        if "tab" in meta:
            self.post_message(self.TabClicked(Tab[meta["tab"]]))
        elif "link" in meta:
            self.post_message(self.Jumped(self._links[meta["link"]]))

    def _paint(self) -> None:
        text = Text(no_wrap=False, overflow="fold")
        for number, tab in enumerate(Tab, 1):
            style = Style(bold=True, reverse=tab is self._tab, meta={"tab": tab.name})
            text.append(f" {number} {tab.value} ", style if tab is self._tab else style + Style(bold=False))
            text.append(" ")
        width = max((len(label) for label, _ in self._facts), default=0)
        link = 0
        for label, value in self._facts:
            text.append("\n")
            is_link = self._tab is Tab.LINKS and not label
            text.append(label.ljust(width + 2), "bold" if label else "")
            shown = self._writing.cut(value, 4096)
            if is_link and link < len(self._links):
                text.append(shown, Style(reverse=link == self._chosen, meta={"link": link}))
                link += 1
            else:
                text.append(shown)
        self.query_one(Static).update(text)


def entry_facts(snapshot: Snapshot, entry: int, units: Units) -> list[Fact]:
    """Return what a snapshot knows of an entry."""
    tree = snapshot.tree
    is_directory = tree.kind[entry] == Kind.DIRECTORY
    disk, apparent = size_of(tree, entry, Measure.DISK), size_of(tree, entry, Measure.APPARENT)
    facts = [("Path", display_name(tree.path(entry)))]
    facts.append(("Disk usage", exact_bytes(disk, units)))
    facts.append(("Apparent", exact_bytes(apparent, units)))
    shared = shared_of(tree, entry)
    if shared or is_directory:
        stays = f"; {exact_bytes(shared, units)} stay, hard-linked from elsewhere" if shared else ""
        facts.append(("If deleted", f"{exact_bytes(disk - shared, units)} are freed{stays}"))
    kind = _KINDS[Kind(int(tree.kind[entry]))]
    if count := folded_files(tree, entry):
        kind = f"{format_count(count)} small files of this directory, folded to save memory"
    elif is_directory:
        kind = f"directory with {format_count(items_of(tree, entry))} entries below it"
    facts.append(("Kind", kind))
    if snapshot.facts.options.get("times") != "leave":
        facts.append(("Newest" if is_directory else "Modified", moment(mtime_of(tree, entry))))
    facts.append(("Inode", _inode(tree, entry)))
    if links := links_text(tree, entry):
        facts.append(("Hard links", links))
    return facts + reason_facts(tree, entry)


def stored_facts(snapshot: Snapshot, entry: int) -> list[Fact]:
    """Return, of a kept snapshot, what else the file system tells where there is one: whose an entry was."""
    tree = snapshot.tree
    uid = int(tree.owners[tree.owner[entry]])
    return [] if uid == UNKNOWN_OWNER else [("Owner", naming_owners(snapshot.facts.host)(uid))]


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


def _inode(tree: Tree, entry: int) -> str:
    device = None
    if tree.kind[entry] == Kind.DIRECTORY:
        device = int(tree.directories.device[tree.directory_row(entry)])
    number = str(int(tree.inode[entry]))
    return number if device is None else f"{number} on device {os.major(device)}:{os.minor(device)}"


def link_facts(tree: Tree, entry: int) -> list[Fact]:
    """Return the page of links: how many there are, and the paths of the others."""
    if not tree.flags[entry] & Flag.LINKED:
        is_directory = tree.kind[entry] == Kind.DIRECTORY
        return [("Hard links", "directories have none" if is_directory else "this is the only one")]
    known = links_of(tree, entry)
    facts = [("Hard links", links_text(tree, entry))]
    facts += [("", display_name(tree.path(other))) for other in known]
    if len(known) == MAX_LINKS:
        facts.append(("", f"the first {MAX_LINKS} of the others"))
    return facts


def reason_facts(tree: Tree, entry: int) -> list[Fact]:
    """Return why an entry is marked, in words."""
    facts = []
    flag = flag_of(tree, entry)
    if flag:
        facts.append(("Why flagged", f"{flag}  {FLAGS[flag]}"))
    if tree.kind[entry] == Kind.DIRECTORY:
        skip = Skip(int(tree.directories.skip[tree.directory_row(entry)]))
        if skip is not Skip.NONE:
            facts.append(("Why flagged", SKIP_TEXT[skip]))
    problem = problem_text(tree, entry)
    return [*facts, ("Why flagged", problem)] if problem else facts
