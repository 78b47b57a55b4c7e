"""`spacemap [PATH...]`: scan, then report."""

import sys

from spacemap.cli import output, present
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import Automatic
from spacemap.errors import ExitCode
from spacemap.scan import Progress, scan
from spacemap.units import Units

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from collections.abc import Callable

    from spacemap.scan.checkpoint import Checkpointing
    from spacemap.scan.late import LateCheckpoint
    from spacemap.scan.rescan import Rescan
    from spacemap.tree.snapshot import Snapshot


def run(arguments: Arguments) -> ExitCode:
    """Scan and report; the exit status says how complete the result is."""
    ranges = present.ranges(arguments)
    present.check_output(arguments)
    preparation = present.Preparation(arguments)
    automatic = Automatic(arguments, preparation.settings)
    snapshot = scan_visibly(arguments, preparation, offer=automatic.offer, checkpoint=automatic.plan)
    automatic.tell(snapshot)
    present.present(snapshot, arguments, preparation.settings(), ranges)
    return exit_code(snapshot)


def scan_visibly(  # noqa: PLR0913 - what there is to use, and to watch
    arguments: Arguments,
    preparation: present.Preparation,
    *,
    offer: "Callable[[Callable[[str], None]], None] | None" = None,
    base: "Snapshot | None" = None,
    rescan: "Rescan | None" = None,
    checkpoint: "Checkpointing | LateCheckpoint | None" = None,
) -> "Snapshot":
    """Scan with a progress line on stderr. `offer` may say something, once there are settings."""
    is_shown = shows_progress(arguments)
    line = output.ProgressLine(sys.stderr, Units.IEC)

    def say(message: str) -> None:
        line.clear()
        output.complain(message)

    def on_progress(progress: Progress) -> None:
        preparation.advance()
        if offer is not None and preparation.is_ready:
            offer(say)
        if is_shown:
            line.update(progress)

    try:
        paths = arguments.paths or (".",)
        snapshot = scan(paths, arguments.scan, on_progress, base=base, rescan=rescan, checkpoint=checkpoint)
    finally:
        line.clear()
    if offer is not None:  # a short scan has no progress
        preparation.settings()
        offer(output.complain)
    return snapshot


def shows_progress(arguments: Arguments) -> bool:
    """Return whether there is a line of progress on stderr."""
    return arguments.progress or (not arguments.quiet and sys.stderr.isatty())


def exit_code(snapshot: "Snapshot") -> ExitCode:
    """Return how complete a scan that ran just now is."""
    from spacemap.tree.snapshot import Completeness  # noqa: PLC0415 - imports numpy

    if snapshot.facts.completeness is Completeness.INTERRUPTED:
        return ExitCode.INTERRUPTED
    return ExitCode.INCOMPLETE if len(snapshot.tree.problems) else ExitCode.COMPLETE
