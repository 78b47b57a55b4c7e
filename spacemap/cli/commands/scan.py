"""`spacemap [PATH...]`: scan, then report."""

import sys

from spacemap.cli import output, present
from spacemap.cli.arguments import Arguments
from spacemap.errors import ExitCode
from spacemap.scan import Progress, scan
from spacemap.units import Units

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.snapshot import Snapshot


def run(arguments: Arguments) -> ExitCode:
    """Scan and report; the exit status says how complete the result is."""
    ranges = present.ranges(arguments)
    present.check_output(arguments)
    preparation = present.Preparation(arguments)
    snapshot = _scan(arguments, preparation)
    present.present(snapshot, arguments, preparation.settings(), ranges)
    return _exit_code(snapshot)


def _scan(arguments: Arguments, preparation: present.Preparation) -> "Snapshot":
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


def _exit_code(snapshot: "Snapshot") -> ExitCode:
    from spacemap.tree.snapshot import Completeness  # noqa: PLC0415 - imports numpy

    if snapshot.facts.completeness is Completeness.INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if len(snapshot.tree.problems) else ExitCode.COMPLETE
