"""Duplicates for people: what is wasted where, the groups with the most waste first, and what was left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spacemap.analyze.categories import Category
from spacemap.analyze.duplicates import Progress
from spacemap.analyze.overlap import largest_overlaps, waste_by_category
from spacemap.export.duplicate_lists import Listed, told_copies
from spacemap.render.text import cell_width, display_name, display_text, encodable, shorten
from spacemap.tree.duplicates import Duplicates, LeftOut, Proof
from spacemap.tree.snapshot import Snapshot
from spacemap.units import Units, format_count, format_duration, format_number, format_percent, format_size

_MIN_WIDTH = 20
_OVERLAPS = 10
_MOST_PATHS = 8
"""Paths that a group shows unless everything was asked for."""
_BOLD, _DIM, _YELLOW, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[33m", "\x1b[0m"
_REASONS = {
    LeftOut.UNREADABLE: "could not be read",
    LeftOut.CHANGED: "vanished or changed since they were scanned",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How the list looks."""

    units: Units
    color: bool
    width: int
    """Cells of a line."""
    encoding: str
    whole_paths: bool
    """Longer than a line if need be: for a pipe."""
    verbose: bool
    """With every path, and every file that was left out."""
    top: int
    """How many groups."""


def listed(snapshot: Snapshot, found: Duplicates, categories: Sequence[Category], top: int | None) -> Listed:
    """Return what a list has; `top` groups, all by default."""
    return Listed(
        snapshot=snapshot,
        found=found,
        groups=found.told()[:top],
        directories=range(len(found.directories))[:top],
        categories=waste_by_category(snapshot.tree, found, categories),
        overlaps=largest_overlaps(snapshot.tree, found, _OVERLAPS),
    )


def describe_progress(progress: Progress, units: Units, width: int) -> str:
    """Return the progress as one line of at most so many cells: how far, how fast, how much longer, what was found."""
    seconds = progress.elapsed_ns / 1e9
    rate = int(progress.bytes_done / seconds) if seconds > 0 else 0
    parts = [
        f"{progress.phase} {format_percent(progress.bytes_done, progress.of_bytes)}",
        f"{format_size(progress.bytes_done, units)} of {format_size(progress.of_bytes, units)}",
        f"{format_size(rate, units)}/s",
    ]
    if rate and progress.bytes_done < progress.of_bytes:
        left = (progress.of_bytes - progress.bytes_done) * 1_000_000_000 // rate
        parts.append(f"{format_duration(left)} left")
    parts.append(f"{format_number(progress.groups, 'group')}, {format_size(progress.wasted, units)}")
    line = parts.pop(0)
    for part in parts:
        if cell_width(line) + 2 + cell_width(part) <= width:
            line += f"  {part}"
    return shorten(line, width, "...")


def render(snapshot: Snapshot, found: Duplicates, categories: Sequence[Category], style: Style) -> str:
    """Return the list, with escape sequences only when `style.color`; every name in it is inert."""
    report = _Report(snapshot, found, listed(snapshot, found, categories, style.top), style)
    return "".join(f"{line}\n" for line in report.lines())


class _Report:
    """One list on its way to lines."""

    def __init__(self, snapshot: Snapshot, found: Duplicates, listed: Listed, style: Style) -> None:
        self._tree = snapshot.tree
        self._roots = snapshot.roots
        self._found = found
        self._listed = listed
        self._style = style
        self._width = max(style.width, _MIN_WIDTH)
        self._ellipsis = encodable("…", style.encoding) if style.encoding.lower().startswith("utf") else "..."

    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield from self._directories()
        yield from self._groups()
        if self._listed.categories:
            yield from self._categories()
            yield from self._overlaps()
        yield from self._remarks()

    def _size(self, size: int) -> str:
        return format_size(size, self._style.units)

    def _text(self, text: str, style: str = "") -> str:
        shown = encodable(text, self._style.encoding)
        if not self._style.whole_paths:
            shown = shorten(shown, self._width, self._ellipsis)
        return f"{style}{shown}{_PLAIN}" if style and self._style.color else shown

    def _path(self, before: str, entry: int) -> str:
        shown = before + encodable(display_name(self._tree.path(entry)), self._style.encoding)
        return shown if self._style.whole_paths else shorten(shown, self._width, self._ellipsis)

    def _head(self) -> Iterator[str]:
        found, effort = self._found, self._found.effort
        for root in self._roots:
            yield self._text(display_name(root), _BOLD)
        copies = len(found.copies.entry) - len(found.groups)
        if found.wasted or copies:
            yield self._text(
                f"{self._size(found.wasted)} wasted by {format_number(copies, 'copy', 'copies')} "
                f"of {format_number(len(found.groups), 'file')}",
                _BOLD,
            )
        else:
            yield "No duplicates"
        read = f"{format_count(effort.candidates)} of equal size, {self._size(effort.bytes_read)} read"
        known = f", {format_count(effort.known)} known" if effort.known else ""
        yield self._text(f"{read}{known} ({format_duration(effort.elapsed_ns)})", _DIM)

    def _directories(self) -> Iterator[str]:
        directories = self._found.directories
        for number in self._listed.directories:
            begin, end = directories.first[number : number + 2].tolist()
            files = format_number(int(directories.files[number]), "file")
            wasted, size = self._size(int(directories.wasted[number])), self._size(int(directories.size[number]))
            yield ""
            yield self._text(f"{wasted}  {end - begin} equal directories of {files}, {size}", _BOLD)
            yield from (self._path("  ", entry) for entry in directories.entries[begin:end].tolist())
        yield from self._more(len(directories) - len(self._listed.directories), " of directories")

    def _groups(self) -> Iterator[str]:
        found, groups = self._found, self._found.groups
        for number in self._listed.groups.tolist():
            copies = told_copies(found, number)
            wasted, size = self._size(int(groups.wasted[number])), self._size(int(groups.size[number]))
            kept = ", by hash" if groups.proof[number] == Proof.HASHED else ""
            yield ""
            yield self._text(f"{wasted}  {len(copies)} equal files of {size}{kept}", _BOLD)
            shown = copies if self._style.verbose or len(copies) <= _MOST_PATHS + 1 else copies[:_MOST_PATHS]
            for copy in shown:
                first, *others = found.links(copy).tolist()
                note = " (shares its blocks)" if found.copies.is_shared[copy] else ""
                yield self._path("  ", first) + note
                yield from (self._path("    also ", entry) for entry in others)
            if len(shown) < len(copies):
                yield self._text(f"  and {format_number(len(copies) - len(shown), 'file')} more (-v lists them)", _DIM)
        yield from self._more(len(found.told()) - len(self._listed.groups), "")

    def _more(self, count: int, of_what: str) -> Iterator[str]:
        if count > 0:
            yield ""
            yield self._text(f"{format_number(count, 'more group')}{of_what} (--top N lists N)", _DIM)

    def _categories(self) -> Iterator[str]:
        rows = self._listed.categories
        width = max(cell_width(self._size(row.wasted)) for row in rows)
        yield ""
        yield self._text("Wasted by category", _BOLD)
        for row in rows:
            groups = format_number(row.groups, "group")
            yield self._text(f"{self._size(row.wasted):>{width}}  {display_text(row.label)}, {groups}")

    def _overlaps(self) -> Iterator[str]:
        rows = self._listed.overlaps[: self._style.top]
        if rows:
            yield ""
            yield self._text("Directories with most in common", _BOLD)
        for row in rows:
            yield self._text(f"{self._size(row.bytes)} in {format_number(row.files, 'file')}")
            yield self._path("  ", row.one)
            if row.other != row.one:
                yield self._path("  ", row.other)

    def _remarks(self) -> Iterator[str]:
        found, left = self._found, self._found.not_compared
        remarks = []
        if not found.is_complete:
            remarks.append("Interrupted: there may be more")
        if len(found.empty):
            remarks.append(f"{format_number(len(found.empty), 'empty file')}, which waste nothing")
        for reason, words in _REASONS.items():
            if count := int((left.reason == reason).sum()):
                hint = "" if self._style.verbose else " (-v lists them)"
                remarks.append(f"{format_number(count, 'file')} {words}{hint}")
        if len(self._tree.problems):
            remarks.append(f"{format_number(len(self._tree.problems), 'path')} could not be read while scanning")
        remarks += map(display_text, found.notes)
        if remarks:
            yield ""
        yield from (self._text(remark, _YELLOW) for remark in remarks)
        if self._style.verbose:
            yield from (self._path("  ", entry) for entry in left.entry.tolist())
