"""A snapshot brought before its reader: settings, what was found, and the text, JSON or file that was asked for."""

import os
import time
from importlib import import_module
from threading import Thread
from typing import NamedTuple

from spacemap.analyze.by import By, parse_age_bounds, parse_size_bounds
from spacemap.cli import output
from spacemap.cli.arguments import Arguments, OutputForm
from spacemap.errors import SpacemapError
from spacemap.render.text import display_name
from spacemap.scan.space import disk_space
from spacemap.units import Units, format_number, format_size

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.analyze.breakdown import BreakdownOptions
    from spacemap.cli.filtered import Narrowed
    from spacemap.cli.report import Findings, ReportOptions
    from spacemap.config import Settings
    from spacemap.store.facts import RootTotals
    from spacemap.tree.measure import Measure
    from spacemap.tree.snapshot import Facts, Snapshot

JSON_MODULES = ("spacemap.analyze.breakdown", "spacemap.analyze.top", "spacemap.export.json_report", "orjson")
TEXT_MODULES = ("spacemap.analyze.breakdown", "spacemap.analyze.top", "spacemap.cli.report", "rich.table")
DUPLICATE_MODULES = ("spacemap.analyze.duplicates", "spacemap.analyze.hashing", "spacemap.cli.duplicate_report")
FILE_MODULES = ("spacemap.store.snapshot", "spacemap.store.columns")

Ranges = dict[str, tuple[int, ...]]


class Origin(NamedTuple):
    """Where a snapshot was kept that did not come from a scan just now."""

    path: bytes
    when: str
    """As in `as of 2026-11-24 10:00, 3 hours ago`."""


def present(
    snapshot: "Snapshot", arguments: Arguments, settings: "Settings", ranges: Ranges, *, origin: Origin | None = None
) -> None:
    """Write what was asked for: files, JSON or text. `origin` is that of a snapshot that was kept."""
    if arguments.output is not None and arguments.output_form is OutputForm.SNAPSHOT:
        from spacemap.store.snapshot import write_snapshot  # noqa: PLC0415 - only for such a file

        write_snapshot(arguments.output, snapshot)
    if arguments.summary:
        _summary(snapshot, arguments, settings, origin)
    if _needs_report(arguments):
        _report(snapshot, arguments, settings, ranges, origin)


def _summary(snapshot: "Snapshot", arguments: Arguments, settings: "Settings", origin: Origin | None) -> None:
    from spacemap.store.columns import root_totals  # noqa: PLC0415 - imports numpy

    if arguments.filter is None:
        show_summary(snapshot.roots, root_totals(snapshot.tree), snapshot.facts, arguments, settings, origin)
        return
    from spacemap.cli.filtered import describe_filter, narrowed  # noqa: PLC0415 - most reports have no filter

    part = narrowed(snapshot, arguments.filter, measure_of(arguments, settings), settings)
    totals = root_totals(part.snapshot.tree)._replace(directories=part.applied.directories)
    described = describe_filter(part.applied, units(arguments, settings))
    show_summary(snapshot.roots, totals, snapshot.facts, arguments, settings, origin, described)


def check_output(arguments: Arguments) -> None:
    """Raise SpacemapError where a snapshot could not be kept: better before a long scan than after it."""
    if arguments.output is None or arguments.output_form is OutputForm.REPORT:
        return
    if reason := why_unwritable(arguments.output):
        raise SpacemapError(f"{display_name(os.fsencode(arguments.output))}: {reason}; name another place")


def why_unwritable(path: str) -> str:
    """Return why no file can be made at a path; empty when it probably can."""
    place = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(place):
        return "there is no such directory"
    return "" if os.access(place, os.W_OK | os.X_OK) else "its directory cannot be written to"


def _needs_report(arguments: Arguments) -> bool:
    if arguments.output is not None and arguments.output_form is not OutputForm.SNAPSHOT:
        return True
    return arguments.json or (arguments.output is None and not arguments.summary)


def _report(
    snapshot: "Snapshot", arguments: Arguments, settings: "Settings", ranges: Ranges, origin: Origin | None
) -> None:
    measure = measure_of(arguments, settings)
    options = _report_options(arguments, settings, measure, origin, _reused(snapshot, units(arguments, settings)))
    part = None
    if arguments.filter is not None:
        from spacemap.cli.filtered import narrowed  # noqa: PLC0415 - most reports have no filter

        part = narrowed(snapshot, arguments.filter, measure, settings)
        snapshot = part.snapshot
    top = settings.display.top if arguments.top is None else arguments.top
    findings = _findings(snapshot, _breakdown_options(snapshot, settings, options, ranges), top, origin, part)
    _output(arguments, snapshot, findings, options)


def measure_of(arguments: Arguments, settings: "Settings") -> "Measure":
    """Return in which size everything is counted."""
    from spacemap.tree.measure import Measure  # noqa: PLC0415 - imports numpy, which waits until workers list

    return Measure.APPARENT if arguments.apparent_size or settings.display.apparent_size else Measure.DISK


def _modules(arguments: Arguments) -> tuple[str, ...]:
    """Return what the output will import."""
    if arguments.duplicates is not None:
        return DUPLICATE_MODULES
    modules: tuple[str, ...] = ()
    if arguments.output is not None and arguments.output_form is OutputForm.SNAPSHOT:
        modules += FILE_MODULES
    if _needs_report(arguments):
        modules += JSON_MODULES if arguments.json or arguments.output is not None else TEXT_MODULES
    return modules


def show_summary(  # noqa: PLR0913 - what there is to say, and how
    roots: tuple[bytes, ...],
    totals: "RootTotals",
    facts: "Facts",
    arguments: Arguments,
    settings: "Settings",
    origin: Origin | None,
    filtered: str = "",
) -> None:
    """Write the totals of a tree as two lines. Imports no numpy: they may come from a file without its tree.

    `filtered` says what a filter hides.
    """
    is_apparent = arguments.apparent_size or settings.display.apparent_size
    size, name = (totals.apparent_bytes, "apparent size") if is_apparent else (totals.disk_bytes, "disk usage")
    parts = [
        f"{format_size(size, units(arguments, settings))} {name} in {format_number(totals.files, 'file')}, "
        f"{format_number(totals.directories, 'directory', 'directories')}"
    ]
    if filtered:
        parts.append(filtered[:1].lower() + filtered[1:])
    if facts.completeness.value == "interrupted":
        parts.append("partial: the scan was interrupted")
    if totals.unreadable_paths:
        parts.append(f"{format_number(totals.unreadable_paths, 'path')} could not be read")
    if facts.base is not None:
        from spacemap.cli.reused import describe_base  # noqa: PLC0415 - most scans use none

        described = describe_base(facts.base, totals.directories, time.time_ns(), units(arguments, settings))
        parts.append(described[:1].lower() + described[1:])
    kept = f" ({origin.when}, from {display_name(origin.path)})" if origin is not None else ""
    output.write_text(f"{', '.join(map(display_name, roots))}{kept}\n{'; '.join(parts)}\n")


class Preparation:
    """What the report needs beside the tree, made ready while workers list: settings and modules."""

    def __init__(self, arguments: Arguments) -> None:
        self._config = arguments.config
        self._filter = arguments.filter
        self._modules = _modules(arguments)
        self._thread: Thread | None = None
        self._settings: Settings | None = None
        self._error: SpacemapError | None = None

    def advance(self) -> None:
        """Begin, when called first. Raises the ConfigError that was found since: no scan is worth waiting for then."""
        if self._thread is None:
            self._thread = Thread(target=self._prepare, daemon=True)
            self._thread.start()
        if self._error is not None:
            raise self._error

    def settings(self) -> "Settings":
        """Return the settings. Raises ConfigError."""
        if self._thread is None:
            self._prepare()
        else:
            self._thread.join()
        if self._error is not None:
            raise self._error
        if self._settings is None:
            raise AssertionError("unreachable: preparation ended without a result")
        return self._settings

    @property
    def is_ready(self) -> bool:
        """Whether `settings` returns at once."""
        return self._thread is not None and not self._thread.is_alive()

    def _prepare(self) -> None:
        from spacemap.config import load_settings  # noqa: PLC0415 - not before the workers have started

        try:
            self._settings = load_settings(self._config)
            if self._filter is not None:
                from spacemap.analyze.matching import check_query  # noqa: PLC0415 - as above

                check_query(self._filter, self._settings.categories)
        except SpacemapError as error:
            self._error = error
            return
        for module in self._modules:
            import_module(module)


def ranges(arguments: Arguments) -> Ranges:
    """Return the boundaries that were given, by the name of their option."""
    given = {}
    if arguments.size_buckets is not None:
        given["size_bounds"] = parse_size_bounds(arguments.size_buckets)
    if arguments.age_buckets is not None:
        given["age_bounds"] = parse_age_bounds(arguments.age_buckets)
    return given


def units(arguments: Arguments, settings: "Settings") -> Units:
    """Return the units that sizes are written in."""
    return Units.BYTES if arguments.bytes else Units.SI if arguments.si else settings.display.units


def may_color(arguments: Arguments, settings: "Settings") -> bool:
    """Return whether what goes to stdout may have colours."""
    allowed = settings.display.color and not arguments.no_color and not os.environ.get("NO_COLOR")
    return output.stdout_is_terminal() and allowed and os.environ.get("TERM") != "dumb"


def _report_options(
    arguments: Arguments, settings: "Settings", measure: "Measure", origin: Origin | None, reused: str
) -> "ReportOptions":
    from spacemap.cli.report import ReportOptions  # noqa: PLC0415 - not before the workers have started

    is_terminal = output.stdout_is_terminal()
    return ReportOptions(
        by=By(arguments.by),
        measure=measure,
        units=units(arguments, settings),
        verbose=arguments.verbose,
        color=may_color(arguments, settings),
        width=output.stdout_width(os.environ.get("COLUMNS")),
        encoding=output.stdout_encoding(),
        whole_paths=not is_terminal,
        origin=origin,
        reused=reused,
    )


def _reused(snapshot: "Snapshot", units: Units) -> str:
    """Return what to say of an earlier scan that was used; empty when none was."""
    tree, base = snapshot.tree, snapshot.facts.base
    if base is None:
        return ""
    from spacemap.cli.reused import describe_base  # noqa: PLC0415 - most scans use none

    directories = int(tree.totals.directories[0]) - (not tree.name(0))
    return describe_base(base, directories, time.time_ns(), units)


def _breakdown_options(
    snapshot: "Snapshot", settings: "Settings", options: "ReportOptions", ranges: Ranges
) -> "BreakdownOptions":
    from spacemap.analyze.breakdown import BreakdownOptions  # noqa: PLC0415 - imports numpy
    from spacemap.analyze.owner import naming_owners  # noqa: PLC0415 - as above

    return BreakdownOptions(
        by=options.by,
        measure=options.measure,
        categories=settings.categories,
        now_seconds=snapshot.facts.started_ns // 1_000_000_000,
        extension_colors=settings.extension_colors,
        units=options.units,
        name_owner=naming_owners(snapshot.facts.host),
        **ranges,
    )


def _findings(
    snapshot: "Snapshot", options: "BreakdownOptions", top: int, origin: Origin | None, part: "Narrowed | None"
) -> "Findings":
    from spacemap.analyze.breakdown import breakdown  # noqa: PLC0415 - imports numpy
    from spacemap.analyze.top import largest_directories, largest_files  # noqa: PLC0415 - as above
    from spacemap.cli.report import Findings  # noqa: PLC0415 - as above

    tree, measure = snapshot.tree, options.measure
    matching = None if part is None else part.selection.matching
    holds = None if part is None else part.selection.holds(tree.directories.entry)
    return Findings(
        buckets=breakdown(tree, options, matching),
        top_files=largest_files(tree, top, measure, matching=matching).tolist(),
        top_directories=largest_directories(tree, top, measure, holds).tolist(),
        # What is kept tells of the past, the file system of now.
        disk=disk_space(snapshot.roots[0]) if origin is None else None,
        filter=None if part is None else part.applied,
    )


def _output(arguments: Arguments, snapshot: "Snapshot", findings: "Findings", options: "ReportOptions") -> None:
    """Write the report where it was asked for: JSON to a file, JSON or text to stdout."""
    is_file = arguments.output is not None and arguments.output_form is not OutputForm.SNAPSHOT
    if not arguments.json and not is_file:
        from spacemap.cli.report import render_report  # noqa: PLC0415 - as above

        output.write_text(render_report(snapshot, findings, options))
        return
    from spacemap.export.json_report import JsonReport, report_json  # noqa: PLC0415 - only for JSON

    report = JsonReport(
        mode=options.by.value,
        measure=options.measure,
        buckets=findings.buckets,
        top_files=findings.top_files,
        top_directories=findings.top_directories,
        disk=findings.disk,
        filter=findings.filter,
    )
    document = report_json(snapshot, report)
    if arguments.json:
        output.write_bytes(document)
    if arguments.output is None or not is_file:
        return
    if arguments.output_form is OutputForm.ENTRIES:
        from spacemap.export.json_snapshot import write_json  # noqa: PLC0415 - only for such a file

        write_json(arguments.output, snapshot, document)
    else:
        output.write_file(arguments.output, document)
