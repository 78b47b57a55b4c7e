"""`spacemap [PATH...]`: scan, then report."""

import gc
import os
import sys
from typing import TYPE_CHECKING

from spacemap import locations
from spacemap.analyze.by import By, parse_age_bounds, parse_size_bounds
from spacemap.cli import output
from spacemap.cli.arguments import Arguments
from spacemap.errors import ExitCode
from spacemap.scan import scan
from spacemap.scan.space import disk_space
from spacemap.units import Units

if TYPE_CHECKING:
    from spacemap.cli.report import Findings, ReportOptions
    from spacemap.config import Settings
    from spacemap.tree.measure import Measure
    from spacemap.tree.snapshot import Snapshot


def run(arguments: Arguments) -> ExitCode:
    """Scan and report; the exit status says how complete the result is."""
    # One large array after the other and no cycles among them: looking for garbage only costs time.
    gc.disable()
    by = By(arguments.by)
    size_bounds = None if arguments.size_buckets is None else parse_size_bounds(arguments.size_buckets)
    age_bounds = None if arguments.age_buckets is None else parse_age_bounds(arguments.age_buckets)
    settings = _early_settings(arguments)
    snapshot = _scan(arguments)
    if settings is None:
        settings = _settings(arguments)
    measure = _measure(arguments, settings)
    units = _units(arguments, settings)

    from spacemap.analyze.breakdown import BreakdownOptions, breakdown  # noqa: PLC0415 - numpy, while workers list
    from spacemap.analyze.top import largest_directories, largest_files  # noqa: PLC0415 - as above
    from spacemap.cli.report import Findings  # noqa: PLC0415 - as above

    ranges = {"size_bounds": size_bounds, "age_bounds": age_bounds}
    options = BreakdownOptions(
        by=by,
        measure=measure,
        categories=settings.categories,
        now_seconds=snapshot.facts.started_ns // 1_000_000_000,
        extension_colors=settings.extension_colors,
        units=units,
        **{name: bounds for name, bounds in ranges.items() if bounds is not None},
    )
    top = settings.display.top if arguments.top is None else arguments.top
    findings = Findings(
        buckets=breakdown(snapshot.tree, options),
        top_files=largest_files(snapshot.tree, top, measure).tolist(),
        top_directories=largest_directories(snapshot.tree, top, measure).tolist(),
        disk=disk_space(snapshot.roots[0]),
    )
    _output(arguments, snapshot, findings, _report_options(arguments, settings, by, measure, units))
    return _exit_code(snapshot)


def _scan(arguments: Arguments) -> "Snapshot":
    line = None
    if arguments.progress or (not arguments.quiet and sys.stderr.isatty()):
        line = output.ProgressLine(sys.stderr, Units.IEC)
    try:
        return scan(arguments.paths, arguments.scan, None if line is None else line.update)
    finally:
        if line is not None:
            line.clear()


def _early_settings(arguments: Arguments) -> "Settings | None":
    """Return the settings of a configuration file, so that its errors come before a long scan; None without one."""
    if arguments.config is None and not locations.config_file().is_file():
        return None
    return _settings(arguments)


def _settings(arguments: Arguments) -> "Settings":
    from spacemap.config import load_settings  # noqa: PLC0415 - not before the workers have started

    return load_settings(arguments.config)


def _measure(arguments: Arguments, settings: "Settings") -> "Measure":
    from spacemap.tree.measure import Measure  # noqa: PLC0415 - imports numpy

    return Measure.APPARENT if arguments.apparent_size or settings.display.apparent_size else Measure.DISK


def _units(arguments: Arguments, settings: "Settings") -> Units:
    if arguments.bytes:
        return Units.BYTES
    return Units.SI if arguments.si else settings.display.units


def _report_options(
    arguments: Arguments, settings: "Settings", by: By, measure: "Measure", units: Units
) -> "ReportOptions":
    from spacemap.cli.report import ReportOptions  # noqa: PLC0415 - not before the workers have started

    is_terminal = output.stdout_is_terminal()
    allowed = settings.display.color and not arguments.no_color and not os.environ.get("NO_COLOR")
    return ReportOptions(
        by=by,
        measure=measure,
        units=units,
        verbose=arguments.verbose,
        color=is_terminal and allowed and os.environ.get("TERM") != "dumb",
        width=output.stdout_width(os.environ.get("COLUMNS")),
        encoding=output.stdout_encoding(),
        whole_paths=not is_terminal,
    )


def _output(arguments: Arguments, snapshot: "Snapshot", findings: "Findings", options: "ReportOptions") -> None:
    """Write the report where it was asked for: JSON to a file, JSON or text to stdout."""
    if arguments.json or arguments.output is not None:
        from spacemap.export.json_report import JsonReport, report_json  # noqa: PLC0415 - only for JSON

        document = report_json(
            snapshot,
            JsonReport(
                mode=options.by.value,
                measure=options.measure,
                buckets=findings.buckets,
                top_files=findings.top_files,
                top_directories=findings.top_directories,
                disk=findings.disk,
            ),
        )
        if arguments.output is not None:
            output.write_file(arguments.output, document)
        if arguments.json:
            output.write_bytes(document)
    if not arguments.json and arguments.output is None:
        from spacemap.cli.report import render_report  # noqa: PLC0415 - rich, for people only

        output.write_text(render_report(snapshot, findings, options))


def _exit_code(snapshot: "Snapshot") -> ExitCode:
    from spacemap.tree.snapshot import Completeness  # noqa: PLC0415 - imports numpy

    if snapshot.facts.completeness is Completeness.INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if len(snapshot.tree.problems) else ExitCode.COMPLETE
