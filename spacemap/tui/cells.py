"""Rows as text: pieces of a line with the names of their styles, cut to the cells there are. No terminal."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spacemap.analyze.breakdown import Bucket
from spacemap.render.bars import BarStyle, share_bar
from spacemap.render.text import cell_width, display_name, display_text, encodable, shorten
from spacemap.tree.columns import Flag, Kind, Skip
from spacemap.tree.measure import Measure, sizes, subtree_sizes
from spacemap.tree.omissions import describe_problem
from spacemap.tree.subtree import names_below_root
from spacemap.tree.tree import Tree
from spacemap.tui.look import Graph, Sharing, Sort, View
from spacemap.tui.marks import Mark
from spacemap.tui.session import Session
from spacemap.units import Units, format_count, format_moment, format_percent, format_size

FLAGS = {
    "!": "could not be read: what is shown is less than there is",
    ".": "something below could not be read",
    "~": "not listed yet, or not to the end",
    "<": "not entered: excluded, pruned, tagged as a cache, or at the depth limit",
    ">": "not entered: another file system",
    "^": "not entered: a kernel file system",
    "=": "not entered: counted where it is seen first",
    "|": "another mount begins here",
    "H": "one of several hard links",
    "@": "neither a file nor a directory: symlink, socket, device",
    "*": "many small files, folded into one row to save memory",
    "e": "an empty directory",
    "-": "ignored for now: left out of rows, and counted in sums",
}
"""What the flag before a row says."""
MARKS = {
    "✓": Mark.MARKED,
    "·": Mark.BELOW,
    "+": Mark.ABOVE,
}
"""What the mark behind the flag says."""
_PLAIN_MARKS = {"✓": "x", "·": "-"}
_MARK_OF = {mark: character for character, mark in MARKS.items()} | {Mark.NONE: " "}
_SKIP_FLAGS = {
    Skip.UNREADABLE: "!",
    Skip.TIMED_OUT: "!",
    Skip.WORKER_LOST: "!",
    Skip.UNLISTED: "~",
    Skip.EXCLUDED: "<",
    Skip.PRUNED: "<",
    Skip.CACHE_TAGGED: "<",
    Skip.DEPTH_LIMIT: "<",
    Skip.OTHER_DEVICE: ">",
    Skip.KERNEL_FS: "^",
    Skip.SECOND_VIEW: "=",
}
_AMOUNT = {Units.IEC: 11, Units.SI: 11, Units.BYTES: 19}
_ITEMS, _MTIME, _PERCENT = 9, 16, 6
_NAME = 24
"""Cells that a name has before another column gives way."""
_REASON = 34
_BUCKETS = {View.TYPES: "Category", View.AGES: "Last modified", View.OWNERS: "Owner"}
MEASURE_HEADING = {Measure.DISK: "Disk usage", Measure.APPARENT: "Apparent"}


class Piece(NamedTuple):
    """A part of a line."""

    text: str
    style: str
    """A style of the list: its name, or a colour where it begins with `#` or is that of a terminal."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How text is written."""

    units: Units = Units.IEC
    encoding: str = "utf-8"

    @property
    def bars(self) -> BarStyle:
        """What bars are made of."""
        return BarStyle.BLOCKS if self.is_unicode else BarStyle.ASCII

    @property
    def is_unicode(self) -> bool:
        """Whether every character can be shown."""
        return self.encoding == "utf-8"

    @property
    def ellipsis(self) -> str:
        """What stands for what was left out."""
        return "…" if self.is_unicode else "..."

    def mark(self, mark: str) -> str:
        """Return one of `MARKS` as it can be shown."""
        return mark if self.is_unicode else _PLAIN_MARKS.get(mark, mark)

    def amount(self, size: int) -> str:
        """Return a number of bytes."""
        return format_size(size, self.units)

    def name(self, name: bytes, cells: int) -> str:
        """Return a name or path as inert text of at most so many cells."""
        return self.cut(display_name(name), cells)

    def cut(self, text: str, cells: int) -> str:
        """Return text that can be shown, of at most so many cells."""
        return shorten(encodable(text, self.encoding), max(cells, 0), self.ellipsis)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns there is room for, and their cells; 0: left out."""

    amount: int
    sharing: int
    bar: int
    percent: int
    items: int
    mtime: int
    name: int


def fit_columns(session: Session, width: int, units: Units) -> Columns:
    """Return the columns that fit; the name keeps its room, the least important gives way first."""
    look, place = session.look, session.place
    sharing = sharing_of(session)
    has_items = look.shows_items and place.view is not View.LARGEST and not place.bucket
    amount = _AMOUNT[units]
    wanted = {
        "mtime": _MTIME if look.shows_mtime else 0,
        "items": _ITEMS if has_items else 0,
        "sharing": amount if sharing is not Sharing.OFF else 0,
        "percent": _PERCENT if look.graph in (Graph.PERCENT, Graph.BOTH) else 0,
        "bar": min(max(width // 7, 6), 24) if look.graph in (Graph.BAR, Graph.BOTH) else 0,
    }
    room = width - 2 - amount - 1
    for name in list(wanted):
        if room - sum(cells + 1 for cells in wanted.values() if cells) >= _NAME:
            break
        wanted[name] = 0
    rest = room - sum(cells + 1 for cells in wanted.values() if cells)
    return Columns(amount=amount, name=max(rest, 1), **wanted)


def heading(session: Session, width: int, writing: Writing) -> list[Piece]:
    """Return the line above the rows: the columns, and which of them the rows are ordered by."""
    look, place = session.look, session.place
    if place.view is View.PROBLEMS and place.shows_buckets:
        return [Piece("Entries".rjust(_ITEMS + 2) + "  Reason", "heading")]
    if place.view is View.PROBLEMS:
        return [Piece("  " + "Reason".ljust(_reason_cells(width)) + " Path", "heading")]
    columns = fit_columns(session, width, writing.units)
    arrow = ("▲" if look.is_reversed else "▼") if writing.is_unicode else ("^" if look.is_reversed else "v")
    if look.sort is Sort.NAME:
        arrow = {"▲": "▼", "▼": "▲", "^": "v", "v": "^"}[arrow]

    def cell(title: str, cells: int, sort: Sort | None = None) -> Piece:
        is_key = sort is look.sort
        text = title + arrow if is_key and cell_width(title + arrow) <= cells else title
        return Piece(shorten(text, cells, "").rjust(cells) + " ", "heading-key" if is_key else "heading")

    pieces = [Piece("  ", "heading"), cell(MEASURE_HEADING[look.measure], columns.amount, Sort.SIZE)]
    if columns.sharing:
        pieces.append(cell(sharing_of(session).value.capitalize(), columns.sharing))
    if columns.percent:
        pieces.append(cell("Share", columns.percent))
    if columns.bar:
        pieces.append(Piece("".ljust(columns.bar + 1), "heading"))
    if columns.items:
        pieces.append(cell("Files" if place.shows_buckets else "Items", columns.items, Sort.ITEMS))
    if columns.mtime:
        pieces.append(cell("Modified", columns.mtime, Sort.MTIME))
    title = _BUCKETS[place.view] if place.shows_buckets else "Path" if place.is_flat else "Name"
    name = cell(title, columns.name, Sort.NAME)
    return [*pieces, Piece(" " + name.text.strip(), name.style)]


def row_pieces(session: Session, row: int, width: int, writing: Writing) -> list[Piece]:
    """Return the pieces of a row."""
    rows = session.rows()
    if rows.has_parent and row == 0:
        columns = fit_columns(session, width, writing.units)
        return [Piece(" " * (width - columns.name), ""), Piece("/..", "directory")]
    if session.place.shows_buckets:
        return _bucket_pieces(session, rows.buckets[row], width, writing)
    entry = rows.entry(row)
    if entry is None:
        raise AssertionError("unreachable: neither a bucket nor an entry")
    if session.place.view is View.PROBLEMS:
        return _problem_pieces(session, entry, width, writing)
    return _entry_pieces(session, entry, width, writing)


def sharing_of(session: Session) -> Sharing:
    """Return what the column about hard links tells; in the basket always what removing each row alone would free."""
    return Sharing.EXCLUSIVE if session.place.view is View.MARKED else session.look.sharing


def flag_of(tree: Tree, entry: int) -> str:
    """Return the flag of an entry, a space for nothing to say; `FLAGS` explains them."""
    flags = int(tree.flags[entry])
    if tree.kind[entry] == Kind.DIRECTORY:
        row = tree.directory_row(entry)
        skip = Skip(int(tree.directories.skip[row]))
        if skip is not Skip.NONE:
            return _SKIP_FLAGS[skip]
        if tree.totals.problems[row]:
            at = tree.problems.entry.searchsorted(np.uint32(entry))
            return "!" if at < len(tree.problems) and tree.problems.entry[at] == entry else "."
        if flags & Flag.MOUNT:
            return "|"
        return "" if tree.directories.child_count[row] else "e"
    if flags & Flag.UNMEASURED:
        return "!"
    if flags & Flag.FOLDED:
        return "*"
    if tree.kind[entry] != Kind.FILE:
        return "@"
    return "H" if flags & Flag.LINKED else ""


def size_of(tree: Tree, entry: int, measure: Measure) -> int:
    """Return the bytes of one entry, of a directory those of its subtree."""
    if tree.kind[entry] == Kind.DIRECTORY:
        return int(subtree_sizes(tree, measure)[tree.directory_row(entry)])
    return int(sizes(tree, measure, slice(entry, entry + 1))[0])


def shared_of(tree: Tree, entry: int) -> int:
    """Return the bytes of disk usage that deleting one entry would not free."""
    if tree.kind[entry] == Kind.DIRECTORY:
        return int(tree.totals.shared[tree.directory_row(entry)])
    return size_of(tree, entry, Measure.DISK) if tree.flags[entry] & Flag.LINKED else 0


def items_of(tree: Tree, entry: int) -> int:
    """Return how many entries are below a directory; 1 for anything else, for an aggregate the files behind it."""
    if tree.kind[entry] == Kind.DIRECTORY:
        row = tree.directory_row(entry)
        return int(tree.totals.files[row]) + int(tree.totals.directories[row]) - 1
    return folded_files(tree, entry) or 1


def folded_files(tree: Tree, entry: int) -> int:
    """Return how many files an aggregate stands for; 0 for what is none."""
    if not tree.flags[entry] & Flag.FOLDED:
        return 0
    return int(tree.folded.file_count[tree.folded.entry.searchsorted(np.uint32(entry))])


def mtime_of(tree: Tree, entry: int) -> int:
    """Return when an entry was modified, seconds; of a directory the newest time below it."""
    if tree.kind[entry] == Kind.DIRECTORY:
        return int(tree.totals.newest_mtime[tree.directory_row(entry)])
    return int(tree.mtime[entry])


def moment(seconds: int) -> str:
    """Return a time; what no calendar holds comes out as its number."""
    try:
        return format_moment(seconds * 1_000_000_000)
    except (ValueError, OverflowError, OSError):
        return f"@{seconds}"


def shown_name(tree: Tree, entry: int, *, is_flat: bool) -> bytes:
    """Return what a row calls an entry: its name, in a flat list its path below the root."""
    if not is_flat:
        return tree.name(entry)
    return b"/".join(names_below_root(tree, entry)) or tree.name(0)


def _entry_pieces(session: Session, entry: int, width: int, writing: Writing) -> list[Piece]:
    tree, amounts, look = session.tree, session.amounts, session.look
    columns = fit_columns(session, width, writing.units)
    size = size_of(amounts, entry, look.measure)
    flag = "-" if session.ignored.holds(tree, entry) else flag_of(tree, entry)
    pieces = [Piece(flag.ljust(1), "flag"), _mark(session, entry, writing)]
    pieces.append(Piece(writing.amount(size).rjust(columns.amount) + " ", "amount"))
    if columns.sharing:
        shared = shared_of(amounts, entry)
        value = shared if sharing_of(session) is Sharing.SHARED else size_of(amounts, entry, Measure.DISK) - shared
        pieces.append(Piece(writing.amount(value).rjust(columns.sharing) + " ", "amount" if value else "faint"))
    pieces += _graph(columns, size, session, writing, "bar")
    is_directory = tree.kind[entry] == Kind.DIRECTORY
    if columns.items:
        items = format_count(items_of(amounts, entry)) if is_directory or folded_files(tree, entry) else ""
        pieces.append(Piece(items.rjust(columns.items)[-columns.items :] + " ", "items"))
    if columns.mtime:
        pieces.append(Piece(moment(mtime_of(amounts, entry)).rjust(columns.mtime)[: columns.mtime] + " ", "items"))
    if count := folded_files(tree, entry):
        return [*pieces, Piece(writing.cut(f" ({format_count(count)} small files)", columns.name), "other")]
    name = shown_name(tree, entry, is_flat=session.place.is_flat)
    # A root's name is its whole path and begins with a slash already; a path from here must not look like a whole one.
    before = "/" if is_directory and not session.place.is_flat and not name.startswith(b"/") else " "
    if is_directory and session.place.is_flat and not name.endswith(b"/"):
        name += b"/"
    style = "directory" if is_directory else "file" if tree.kind[entry] == Kind.FILE else "other"
    return [*pieces, Piece(before + writing.name(name, columns.name - 1), style)]


def _graph(columns: Columns, size: int, session: Session, writing: Writing, style: str) -> list[Piece]:
    pieces = []
    if columns.percent:
        pieces.append(Piece(format_percent(size, session.whole()).rjust(columns.percent) + " ", "items"))
    if columns.bar:
        pieces.append(Piece(share_bar(size, session.largest(), columns.bar, writing.bars), style))
        pieces.append(Piece(" ", ""))
    return pieces


def _bucket_pieces(session: Session, bucket: Bucket, width: int, writing: Writing) -> list[Piece]:
    if session.place.view is View.PROBLEMS:
        count = Piece("! ".ljust(2) + format_count(bucket.file_count).rjust(_ITEMS) + "  ", "amount")
        return [count, Piece(writing.cut(display_text(bucket.label), max(width - _ITEMS - 4, 1)), "directory")]
    columns = fit_columns(session, width, writing.units)
    pieces = [Piece("  ", ""), Piece(writing.amount(bucket.bytes).rjust(columns.amount) + " ", "amount")]
    if columns.sharing:
        pieces.append(Piece(" " * (columns.sharing + 1), ""))
    pieces += _graph(columns, bucket.bytes, session, writing, bucket.color)
    if columns.items:
        pieces.append(Piece(format_count(bucket.file_count).rjust(columns.items) + " ", "items"))
    if columns.mtime:
        pieces.append(Piece(" " * (columns.mtime + 1), ""))
    return [*pieces, Piece(" " + writing.cut(display_text(bucket.label), columns.name - 1), "file")]


def _mark(session: Session, entry: int, writing: Writing) -> Piece:
    return Piece(mark_text(session.marks.of(entry), writing), "mark")


def mark_text(mark: Mark, writing: Writing) -> str:
    """Return the letter of a mark, a blank for none."""
    return writing.mark(_MARK_OF[mark])


def _problem_pieces(session: Session, entry: int, width: int, writing: Writing) -> list[Piece]:
    tree = session.tree
    cells = _reason_cells(width)
    reason = writing.cut(problem_text(tree, entry), cells)
    name = writing.name(shown_name(tree, entry, is_flat=True), max(width - cells - 4, 1))
    return [
        Piece("!", "flag"),
        _mark(session, entry, writing),
        Piece(reason + " " * (cells - cell_width(reason)) + " ", "amount"),
        Piece(name, "directory" if tree.kind[entry] == Kind.DIRECTORY else "file"),
    ]


def problem_text(tree: Tree, entry: int) -> str:
    """Return why an entry could not be read; empty when it could."""
    at = int(tree.problems.entry.searchsorted(np.uint32(entry)))
    if at == len(tree.problems) or tree.problems.entry[at] != entry:
        return ""
    return describe_problem(int(tree.problems.operation[at]), int(tree.problems.errno[at]))


def _reason_cells(width: int) -> int:
    return min(_REASON, width // 2)
