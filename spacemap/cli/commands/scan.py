"""`spacemap [PATH...]`: scan, then report."""

import os
import sys
from importlib import import_module
from threading import Thread

from spacemap.analyze.by import By, parse_age_bounds, parse_size_bounds
from spacemap.cli import output
from spacemap.cli.arguments import Arguments
from spacemap.errors import ExitCode, SpacemapError
from spacemap.scan import Progress, scan
from spacemap.scan.space import disk_space
from spacemap.units import Units

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.analyze.breakdown import BreakdownOptions
    from spacemap.cli.report import Findings, ReportOptions
    from spacemap.config import Settings
    from spacemap.tree.measure import Measure
    from spacemap.tree.snapshot import Snapshot

JSON_MODULES = ("spacemap.analyze.breakdown", "spacemap.analyze.top", "spacemap.export.json_report", "orjson")
TEXT_MODULES = ("spacemap.analyze.breakdown", "spacemap.analyze.top", "spacemap.cli.report", "rich.table")


def run(arguments: Arguments) -> ExitCode:
    """Scan and report; the exit status says how complete the result is."""
    ranges = _ranges(arguments)
    preparation = _Preparation(arguments)
    snapshot = _scan(arguments, preparation)
    settings = preparation.settings()

    from spacemap.tree.measure import Measure  # noqa: PLC0415 - imports numpy, which waits until workers list

    measure = Measure.APPARENT if arguments.apparent_size or settings.display.apparent_size else Measure.DISK
    options = _report_options(arguments, settings, measure)
    top = settings.display.top if arguments.top is None else arguments.top
    findings = _findings(snapshot, _breakdown_options(snapshot, settings, options, ranges), top)
    _output(arguments, snapshot, findings, options)
    return _exit_code(snapshot)


class _Preparation:
    """What the report needs beside the tree, made ready while workers list: settings and modules."""

    def __init__(self, arguments: Arguments) -> None:
        self._config = arguments.config
        self._modules = JSON_MODULES if arguments.json or arguments.output else TEXT_MODULES
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

    def _prepare(self) -> None:
        from spacemap.config import load_settings  # noqa: PLC0415 - not before the workers have started

        try:
            self._settings = load_settings(self._config)
        except SpacemapError as error:
            self._error = error
            return
        for module in self._modules:
            import_module(module)


def _scan(arguments: Arguments, preparation: _Preparation) -> "Snapshot":
    is_shown = arguments.progress or (not arguments.quiet and sys.stderr.isatty())
    line = output.ProgressLine(sys.stderr, Units.IEC)

    def on_progress(progress: Progress) -> None:
        preparation.advance()
        if is_shown:
            line.update(progress)

    try:
        return scan(arguments.paths, arguments.scan, on_progress)
    finally:
        line.clear()


def _ranges(arguments: Arguments) -> dict[str, tuple[int, ...]]:
    """Return the boundaries that were given, by the name of their option."""
    ranges = {}
    if arguments.size_buckets is not None:
        ranges["size_bounds"] = parse_size_bounds(arguments.size_buckets)
    if arguments.age_buckets is not None:
        ranges["age_bounds"] = parse_age_bounds(arguments.age_buckets)
    return ranges


def _report_options(arguments: Arguments, settings: "Settings", measure: "Measure") -> "ReportOptions":
    from spacemap.cli.report import ReportOptions  # noqa: PLC0415 - not before the workers have started

    is_terminal = output.stdout_is_terminal()
    allowed = settings.display.color and not arguments.no_color and not os.environ.get("NO_COLOR")
    units = Units.BYTES if arguments.bytes else Units.SI if arguments.si else settings.display.units
    return ReportOptions(
        by=By(arguments.by),
        measure=measure,
        units=units,
        verbose=arguments.verbose,
        color=is_terminal and allowed and os.environ.get("TERM") != "dumb",
        width=output.stdout_width(os.environ.get("COLUMNS")),
        encoding=output.stdout_encoding(),
        whole_paths=not is_terminal,
    )


def _breakdown_options(
    snapshot: "Snapshot", settings: "Settings", options: "ReportOptions", ranges: dict[str, tuple[int, ...]]
) -> "BreakdownOptions":
    from spacemap.analyze.breakdown import BreakdownOptions  # noqa: PLC0415 - imports numpy

    return BreakdownOptions(
        by=options.by,
        measure=options.measure,
        categories=settings.categories,
        now_seconds=snapshot.facts.started_ns // 1_000_000_000,
        extension_colors=settings.extension_colors,
        units=options.units,
        **ranges,
    )


def _findings(snapshot: "Snapshot", options: "BreakdownOptions", top: int) -> "Findings":
    from spacemap.analyze.breakdown import breakdown  # noqa: PLC0415 - imports numpy
    from spacemap.analyze.top import largest_directories, largest_files  # noqa: PLC0415 - as above
    from spacemap.cli.report import Findings  # noqa: PLC0415 - as above

    return Findings(
        buckets=breakdown(snapshot.tree, options),
        top_files=largest_files(snapshot.tree, top, options.measure).tolist(),
        top_directories=largest_directories(snapshot.tree, top, options.measure).tolist(),
        disk=disk_space(snapshot.roots[0]),
    )


def _output(arguments: Arguments, snapshot: "Snapshot", findings: "Findings", options: "ReportOptions") -> None:
    """Write the report where it was asked for: JSON to a file, JSON or text to stdout."""
    if not arguments.json and arguments.output is None:
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
    )
    document = report_json(snapshot, report)
    if arguments.output is not None:
        output.write_file(arguments.output, document)
    if arguments.json:
        output.write_bytes(document)


def _exit_code(snapshot: "Snapshot") -> ExitCode:
    from spacemap.tree.snapshot import Completeness  # noqa: PLC0415 - imports numpy

    if snapshot.facts.completeness is Completeness.INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if len(snapshot.tree.problems) else ExitCode.COMPLETE
