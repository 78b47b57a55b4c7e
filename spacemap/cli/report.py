"""The report for people: what was scanned, what it is made of, and what could not be told."""

import codecs
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spacemap.analyze.breakdown import Bucket
from spacemap.analyze.by import By
from spacemap.cli.filtered import describe_filter
from spacemap.render.bars import BarStyle, share_bar
from spacemap.render.text import cell_width, display_name, display_text, encodable, shorten
from spacemap.scan.space import DiskSpace
from spacemap.tree.columns import Skip
from spacemap.tree.measure import Measure, root_size, sizes, subtree_sizes
from spacemap.tree.omissions import SKIP_TEXT, describe_problem, omissions
from spacemap.tree.selection import Applied
from spacemap.tree.snapshot import Completeness, Snapshot
from spacemap.units import Units, format_count, format_duration, format_number, format_percent, format_size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from spacemap.cli.present import Origin

_HEADINGS = {By.TYPE: "Category", By.SIZE: "Files by {measure}", By.AGE: "Last modified", By.OWNER: "Owner"}
_MAX_BAR = 60
_MIN_BAR = 4
_MIN_LABEL = 12
_MIN_WIDTH = 20
_GAP = 2


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a snapshot, to be reported."""

    buckets: Sequence[Bucket]
    top_files: Sequence[int]
    """Entry ids, the largest first; shown when verbose."""
    top_directories: Sequence[int]
    disk: DiskSpace | None
    filter: Applied | None = None
    """What the snapshot's tree was narrowed to; None: it is whole."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report looks."""

    by: By
    measure: Measure
    units: Units
    verbose: bool
    """With the largest entries, and every problem by name."""
    color: bool
    width: int
    """Cells of a line."""
    encoding: str
    """Of the stream that the report goes to."""
    whole_paths: bool
    """Longer than a line if need be: for a pipe, where a path is read by a program."""
    origin: "Origin | None" = None
    """Where the snapshot was kept and how old it is; None for a scan that has just ended."""
    reused: str = ""
    """What there is to say of an earlier scan that was used."""


def render_report(snapshot: Snapshot, findings: Findings, options: ReportOptions) -> str:
    """Return the whole report, with escape sequences only when `options.color`; every name in it is inert."""
    from rich.console import Console  # noqa: PLC0415  60 ms that a JSON report does not need

    width = max(options.width, _MIN_WIDTH)
    buffer = io.StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=options.color,
        color_system="auto" if options.color else None,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    _Report(snapshot, findings, options, console).print()
    return "".join(line.rstrip(" ") + "\n" for line in buffer.getvalue().splitlines())


class _Report:
    """One report on its way to a console."""

    def __init__(self, snapshot: Snapshot, findings: Findings, options: ReportOptions, console: "Console") -> None:
        self._snapshot = snapshot
        self._tree = snapshot.tree
        self._findings = findings
        self._options = options
        self._console = console
        self._total = root_size(snapshot.tree, options.measure)
        is_utf8 = codecs.lookup(options.encoding).name == "utf-8"
        self._bar_style = BarStyle.BLOCKS if is_utf8 else BarStyle.ASCII
        self._ellipsis = "…" if is_utf8 else "..."

    def print(self) -> None:
        self._head()
        self._line()
        self._console.print(self._table())
        if self._options.verbose:
            self._largest()
        remarks = list(self._remarks())
        if remarks:
            self._line()
        for remark in remarks:
            self._line(remark, "yellow")
        if self._options.verbose:
            self._problems()

    def _line(self, text: str = "", style: str = "") -> None:
        self._console.print(self._text(text, style))

    def _text(self, text: str, style: str = "") -> "Text":
        from rich.text import Text  # noqa: PLC0415  as in render_report

        return Text(encodable(text, self._options.encoding), style)

    def _size(self, size: int) -> str:
        return format_size(size, self._options.units)

    def _name(self, name: bytes, room: int) -> str:
        shown = encodable(display_name(name), self._options.encoding)
        return shown if self._options.whole_paths else shorten(shown, max(room, 1), self._ellipsis)

    def _head(self) -> None:
        tree, measure = self._tree, self._options.measure
        for root in self._snapshot.roots:
            self._path_line("", root, "bold")
        if self._options.origin is not None:
            when = self._options.origin.when
            self._path_line(f"{when[:1].upper()}{when[1:]}, from ", self._options.origin.path, "dim")
        applied = self._findings.filter
        directories = int(tree.totals.directories[0]) - (not tree.name(0)) if applied is None else applied.directories
        files = format_number(int(tree.totals.files[0]), "file")
        scanned = f"{self._size(self._total)} {measure.value} in {files}, "
        scanned += f"{format_number(directories, 'directory', 'directories')}"
        disk = self._findings.disk
        used = root_size(tree, Measure.DISK)
        if disk is not None and 0 < used <= disk.used:
            scanned += f"; {format_percent(used, disk.used)} of the used disk"
        self._line(f"{scanned} ({format_duration(self._snapshot.facts.elapsed_ns)})")
        if applied is not None:
            self._line(describe_filter(applied, self._options.units), "yellow")
        if self._options.reused:
            self._line(self._options.reused)
        if disk is not None:
            share = format_percent(disk.used, disk.used + disk.available)
            total, free = self._size(disk.total), self._size(disk.available)
            self._line(f"Disk: {total} total, {self._size(disk.used)} used ({share}), {free} free", "dim")

    def _table(self) -> "RenderableType":
        from rich.table import Table  # noqa: PLC0415  as in render_report

        measure = self._options.measure.value
        buckets = self._findings.buckets
        heading = _HEADINGS[self._options.by].format(measure=measure)
        amount_heading = measure.capitalize()
        labels = [encodable(display_text(bucket.label), self._options.encoding) for bucket in buckets]
        amounts = [self._size(bucket.bytes) for bucket in buckets]
        counts = [format_count(bucket.file_count) for bucket in buckets]
        files = sum(bucket.file_count for bucket in buckets)
        total, count = self._size(self._total), format_count(files)
        label_width, bar_width = self._widths(
            max(map(cell_width, (heading, *labels))),
            max(map(len, (amount_heading, total, *amounts))) + len("100.0%") + max(map(len, ("Files", count, *counts))),
        )
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
        table.add_column(self._text(shorten(heading, label_width, self._ellipsis)), no_wrap=True, width=label_width)
        table.add_column(amount_heading, justify="right", no_wrap=True)
        table.add_column("Share", justify="right", no_wrap=True)
        if bar_width:
            table.add_column("", no_wrap=True, width=bar_width)
        table.add_column("Files", justify="right", no_wrap=True)
        for bucket, label, amount, files_text in zip(buckets, labels, amounts, counts, strict=True):
            bar = self._text(share_bar(bucket.bytes, self._total, bar_width, self._bar_style), bucket.color)
            share = format_percent(bucket.bytes, self._total)
            bars = (bar,) if bar_width else ()
            table.add_row(self._text(shorten(label, label_width, self._ellipsis)), amount, share, *bars, files_text)
        table.add_row(
            "Total", total, format_percent(self._total, self._total), *([""] if bar_width else []), count, style="bold"
        )
        return table

    def _widths(self, label: int, numbers: int) -> tuple[int, int]:
        """Return the cells of the labels and of the bars; no bars where there is no room."""
        room = self._console.width - numbers - 4 * _GAP
        bar = min(room - label, _MAX_BAR)
        if bar < _MIN_BAR + _MIN_BAR:
            # Bars tell more than the ends of long labels do.
            bar = min(max(room - max(label * 2 // 3, _MIN_LABEL), 0), 2 * _MIN_BAR)
        if bar < _MIN_BAR:
            bar, room = 0, room + _GAP
        return max(min(label, room - bar), 1), bar

    def _largest(self) -> None:
        tree, measure = self._tree, self._options.measure
        files = self._findings.top_files
        directories = self._findings.top_directories
        file_sizes = [int(sizes(tree, measure, slice(entry, entry + 1))[0]) for entry in files]
        totals = subtree_sizes(tree, measure)
        directory_sizes = [int(totals[tree.directory_row(entry)]) for entry in directories]
        for heading, entries, values in (
            (f"Largest files by {measure.value}", files, file_sizes),
            (f"Largest directories by {measure.value}", directories, directory_sizes),
        ):
            amounts = {entry: self._size(value) for entry, value in zip(entries, values, strict=True) if value}
            if amounts:
                self._line()
                self._line(heading, "bold")
                width = max(map(len, amounts.values()))
                for entry, amount in amounts.items():
                    self._path_line(f"{amount:>{width}}  ", tree.path(entry))

    def _path_line(self, before: str, path: bytes, style: str = "") -> None:
        line = self._text(before + self._name(path, self._console.width - len(before)), style)
        self._console.print(line, no_wrap=True, overflow="ignore", crop=False)

    def _remarks(self) -> Iterator[str]:
        """Yield a line for everything that a reader of the totals has to know."""
        tree, facts = self._tree, self._snapshot.facts
        left_out = omissions(tree)
        if facts.completeness is Completeness.INTERRUPTED:
            unlisted = left_out.directories.get(Skip.UNLISTED, 0)
            rest = f", {format_number(unlisted, 'directory', 'directories')} not listed" if unlisted else ""
            yield f"Partial: the scan was interrupted{rest}"
        if len(tree.problems):
            hint = "" if self._options.verbose else " (-v lists them)"
            yield f"{format_number(len(set(tree.problems.entry.tolist())), 'path')} could not be read{hint}"
        told_elsewhere = {Skip.DEPTH_LIMIT, Skip.UNREADABLE}
        if facts.completeness is Completeness.INTERRUPTED:
            told_elsewhere.add(Skip.UNLISTED)
        skipped = {reason: n for reason, n in left_out.directories.items() if reason not in told_elsewhere}
        if skipped:
            reasons = ", ".join(f"{SKIP_TEXT[reason]} {format_count(count)}" for reason, count in skipped.items())
            number = format_number(sum(skipped.values()), "directory", "directories")
            yield f"{number} not descended into ({reasons})"
        if limited := left_out.directories.get(Skip.DEPTH_LIMIT):
            depth = facts.options.get("max_depth")
            where = f"depth {depth}" if depth is not None else "the depth limit"
            yield f"Totals stop at {where} for {format_number(limited, 'directory', 'directories')}"
        if len(tree.folded.entry):
            files = format_number(int(tree.folded.file_count.sum()), "small file")
            into = format_number(len(tree.folded.entry), "entry", "entries")
            # No name, size or age of theirs is known.
            known = "totals are exact" if self._findings.filter is None else "a filter knows only that they are files"
            yield f"{files} folded into {into} to save memory; {known}"
        if shared := int(tree.totals.shared[0]):
            outside = "outside" if self._findings.filter is None else "outside what matches"
            yield f"{self._size(shared)} disk usage is also hard-linked from {outside}"
        yield from map(display_text, facts.notes)

    def _problems(self) -> None:
        """Print the problems, the most frequent reason first."""
        problems = self._tree.problems
        if not len(problems):
            return
        rows = list(zip(problems.operation.tolist(), problems.errno.tolist(), problems.entry.tolist(), strict=True))
        by_reason = Counter((operation, errno) for operation, errno, _ in rows)
        for reason, count in by_reason.most_common():
            self._line()
            self._line(f"{format_number(count, 'path')} {describe_problem(*reason)}", "bold")
            for operation, errno, entry in rows:
                if (operation, errno) == reason:
                    self._path_line("  ", self._tree.path(entry))
