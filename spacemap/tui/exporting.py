"""What is browsed, written to a file as the command line writes it. No terminal."""

import os
from enum import Enum

from spacemap.analyze.breakdown import BreakdownOptions, breakdown
from spacemap.analyze.by import By
from spacemap.analyze.top import largest_directories, largest_files
from spacemap.config import Settings
from spacemap.export.json_report import JsonReport, report_json
from spacemap.export.json_snapshot import write_json
from spacemap.scan.space import disk_space
from spacemap.store.blocks import atomic_file
from spacemap.store.form import SUFFIX
from spacemap.store.snapshot import write_snapshot
from spacemap.tree.measure import Measure
from spacemap.tree.snapshot import Snapshot


class ExportForm(Enum):
    """What a file holds."""

    SNAPSHOT = "snapshot"
    ENTRIES = "entries"
    REPORT = "report"


FORM_TEXT = {
    ExportForm.SNAPSHOT: "snapshot, which spacemap opens again",
    ExportForm.ENTRIES: "JSON with every entry",
    ExportForm.REPORT: "JSON of the report alone",
}


def default_name(snapshot: Snapshot, form: ExportForm) -> bytes:
    """Return a name for a file, after the first root."""
    stem = os.path.basename(snapshot.roots[0]) or b"root"
    return stem + (SUFFIX if form is ExportForm.SNAPSHOT else ".json").encode()


def export(path: bytes, snapshot: Snapshot, form: ExportForm, settings: Settings, measure: Measure) -> None:
    """Write a file, whole, in the place of what may be there. Raises SpacemapError; then nothing was changed."""
    match form:
        case ExportForm.SNAPSHOT:
            write_snapshot(path, snapshot)
        case ExportForm.ENTRIES:
            write_json(path, snapshot, _report(snapshot, settings, measure))
        case ExportForm.REPORT:
            report = _report(snapshot, settings, measure)
            with atomic_file(path) as file:
                file.write(report)


def _report(snapshot: Snapshot, settings: Settings, measure: Measure) -> bytes:
    options = BreakdownOptions(
        by=By.TYPE,
        measure=measure,
        categories=settings.categories,
        now_seconds=snapshot.facts.started_ns // 1_000_000_000,
        extension_colors=settings.extension_colors,
        units=settings.display.units,
    )
    top = settings.display.top
    report = JsonReport(
        mode=By.TYPE.value,
        measure=measure,
        buckets=breakdown(snapshot.tree, options),
        top_files=largest_files(snapshot.tree, top, measure).tolist(),
        top_directories=largest_directories(snapshot.tree, top, measure).tolist(),
        disk=disk_space(snapshot.roots[0]),
    )
    return report_json(snapshot, report)
