"""`spacemap --find-duplicates [PATH...]`: scan, compare contents, and list what is equal."""

import os
import sys

from spacemap.cli import output, present
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import cache_directory
from spacemap.cli.commands.scan import exit_code, scan_visibly, shows_progress
from spacemap.cli.commands.stored import exit_code_of
from spacemap.cli.duplicating import Duplicating, ListForm
from spacemap.errors import ExitCode

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.analyze.duplicates import Progress
    from spacemap.config import Settings
    from spacemap.tree.columns import Mask
    from spacemap.tree.duplicates import Duplicates
    from spacemap.tree.snapshot import Snapshot

_SHOWN_AFTER_NS = 500_000_000
"""A shorter search has no progress line."""


def run(arguments: Arguments, duplicating: Duplicating) -> ExitCode:
    """Find and list; the exit status says how complete the list is."""
    preparation = present.Preparation(arguments)
    snapshot, code = _snapshot(arguments, preparation)
    settings = preparation.settings()
    found = _find(snapshot, arguments, duplicating, settings)
    _write(snapshot, found, arguments, duplicating, settings)
    if not found.is_complete:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if code is ExitCode.COMPLETE and len(found.not_compared) else code


def _snapshot(arguments: Arguments, preparation: present.Preparation) -> "tuple[Snapshot, ExitCode]":
    if not arguments.is_stored:
        snapshot = scan_visibly(arguments, preparation)
        return snapshot, exit_code(snapshot)
    from spacemap.export.json_snapshot import open_snapshot  # noqa: PLC0415 - imports numpy

    snapshot = open_snapshot(arguments.paths[0])
    return snapshot, exit_code_of(snapshot.facts, len(snapshot.tree.problems))


def _find(snapshot: "Snapshot", arguments: Arguments, duplicating: Duplicating, settings: "Settings") -> "Duplicates":
    from spacemap.analyze.duplicates import DuplicateOptions, find_duplicates  # noqa: PLC0415 - imports numpy
    from spacemap.analyze.hashing import raise_descriptor_limit  # noqa: PLC0415 - as above
    from spacemap.cli.duplicate_report import describe_progress  # noqa: PLC0415 - as above
    from spacemap.store.hashes import hashes_path  # noqa: PLC0415 - as above
    from spacemap.tree.memory import give_back_large_blocks  # noqa: PLC0415 - as above

    raise_descriptor_limit()
    give_back_large_blocks()

    hashes = None
    if duplicating.keeps_hashes:
        hashes = hashes_path(cache_directory(arguments, settings), os.uname().nodename)
    options = DuplicateOptions(duplicating.min_size, duplicating.max_size, duplicating.verifies, hashes)
    units = present.units(arguments, settings)
    line = output.ProgressLine(sys.stderr, units)
    is_shown = shows_progress(arguments)

    def on_progress(progress: "Progress") -> None:
        if is_shown and (arguments.progress or progress.elapsed_ns > _SHOWN_AFTER_NS):
            line.show(lambda width: describe_progress(progress, units, width))

    try:
        return find_duplicates(snapshot, options, on_progress, _matching(snapshot, arguments, settings))
    finally:
        line.clear()


def _matching(snapshot: "Snapshot", arguments: Arguments, settings: "Settings") -> "Mask | None":
    if arguments.filter is None:
        return None
    from spacemap.cli.filtered import matching  # noqa: PLC0415 - most command lines have no filter

    return matching(snapshot, arguments.filter, present.measure_of(arguments, settings), settings)


def _write(
    snapshot: "Snapshot", found: "Duplicates", arguments: Arguments, duplicating: Duplicating, settings: "Settings"
) -> None:
    from spacemap.cli import duplicate_report  # noqa: PLC0415 - not before the scan

    if duplicating.form is ListForm.TEXT:
        style = duplicate_report.Style(
            units=present.units(arguments, settings),
            color=present.may_color(arguments, settings),
            width=output.stdout_width(os.environ.get("COLUMNS")),
            encoding=output.stdout_encoding(),
            whole_paths=not output.stdout_is_terminal(),
            verbose=arguments.verbose,
            top=settings.display.top if arguments.top is None else arguments.top,
        )
        output.write_text(duplicate_report.render(snapshot, found, settings.categories, style))
        return
    from spacemap.export import duplicate_lists as lists  # noqa: PLC0415 - only for these

    data = {
        ListForm.JSON: lists.duplicates_json,
        ListForm.CSV: lists.duplicates_csv,
        ListForm.FDUPES: lists.duplicates_fdupes,
    }[duplicating.form](duplicate_report.listed(snapshot, found, settings.categories, arguments.top))
    if arguments.output is not None:
        output.write_file(arguments.output, b"".join(data))
        return
    for part in data:
        output.write_bytes(part)
