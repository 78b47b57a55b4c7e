"""`spacemap [PATH...]` and `spacemap FILE.smap` on a terminal: the browser, which scans while it shows."""

import codecs
import gc
import os

from spacemap.cli import output
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import Automatic
from spacemap.config import load_settings
from spacemap.errors import ExitCode, SpacemapError
from spacemap.scan.options import ScanOptions, Symlinks, Times
from spacemap.scan.processes import prepare_processes
from spacemap.tui.jobs import Jobs

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.clean import Journal
    from spacemap.tree.snapshot import Snapshot
    from spacemap.tui.subject import Outcome, Setting, Subject


def run(arguments: Arguments) -> ExitCode:
    """Browse until the user leaves; the exit status says how complete what they saw was."""
    jobs = Jobs()
    automatic = Automatic(arguments, lambda: load_settings(arguments.config))
    if not arguments.is_stored:
        # The scan begins before the browser is imported, and while its workers are.
        prepare_processes()
        jobs.scan(tuple(map(os.fsencode, arguments.paths)), _scan_options(arguments), checkpoint=automatic.plan)
    else:
        jobs.load(os.fsencode(arguments.paths[0]), lambda path: _open(path, arguments))
    outcome = _browse(jobs, arguments)
    if outcome.snapshot is not None:
        automatic.tell(outcome.snapshot)
    if outcome.directory is not None:
        _print_directory(outcome.directory)
    return _exit_code(outcome, is_stored=arguments.is_stored)


def _scan_options(arguments: Arguments) -> ScanOptions:
    # Every row can show when it was modified.
    return arguments.scan._replace(times=Times.READ)


def _browse(jobs: Jobs, arguments: Arguments) -> "Outcome":
    from spacemap.tui.app import Browser  # noqa: PLC0415  0.3 s that a report does not need

    setting = _setting(arguments)
    # Unlike a report, this may run for days.
    gc.enable()
    browser = Browser(jobs, _subject(arguments), setting)
    outcome = browser.run()
    if isinstance(outcome, SpacemapError):
        raise outcome
    if outcome is None:
        raise SpacemapError("the browser ended unexpectedly; --report does without it")
    return outcome


def _subject(arguments: Arguments) -> "Subject":
    from spacemap.tui.subject import Kept, Live  # noqa: PLC0415 - imports numpy

    if not arguments.is_stored:
        journal = _journal if _can_remove(arguments) else None
        return Live(tuple(map(os.fsencode, arguments.paths)), _scan_options(arguments), journal)
    return Kept(os.fsencode(arguments.paths[0]), _origin)


def _can_remove(arguments: Arguments) -> bool:
    # What is shown below a symlink is elsewhere.
    return not arguments.read_only and arguments.scan.symlinks is not Symlinks.FOLLOW


def _journal() -> "Journal":
    from spacemap.clean import Journal  # noqa: PLC0415 - most who browse remove nothing

    return Journal()


def _open(path: bytes, arguments: Arguments) -> "Snapshot":
    from spacemap.export.json_snapshot import open_snapshot  # noqa: PLC0415 - imports numpy

    snapshot = open_snapshot(path)
    if arguments.filter is not None:
        from spacemap.analyze.matching import check_query  # noqa: PLC0415 - as above

        check_query(arguments.filter, load_settings(arguments.config).categories, snapshot.facts)
    return snapshot


def _origin(snapshot: "Snapshot") -> str:
    from spacemap.cli.commands.stored import as_of  # noqa: PLC0415 - only for a kept snapshot

    return as_of(snapshot.facts)


def _setting(arguments: Arguments) -> "Setting":
    from spacemap.analyze.matching import check_query  # noqa: PLC0415 - not before the scan has begun
    from spacemap.cli.present import units  # noqa: PLC0415 - as above
    from spacemap.tree.measure import Measure  # noqa: PLC0415 - as above
    from spacemap.tui.cells import Writing  # noqa: PLC0415 - as above
    from spacemap.tui.look import Look  # noqa: PLC0415 - as above
    from spacemap.tui.subject import Setting  # noqa: PLC0415 - as above
    from spacemap.tui.themes import theme_named  # noqa: PLC0415 - as above

    settings = load_settings(arguments.config)
    if arguments.filter is not None:
        check_query(arguments.filter, settings.categories)
    if arguments.no_color or not settings.display.color:
        os.environ["NO_COLOR"] = "1"
    is_apparent = arguments.apparent_size or settings.display.apparent_size
    return Setting(
        settings=settings,
        look=Look(measure=Measure.APPARENT if is_apparent else Measure.DISK, filter=arguments.filter),
        writing=Writing(units(arguments, settings), codecs.lookup(output.stdout_encoding()).name),
        theme=theme_named(settings.display.theme, os.environ.get("COLORFGBG", "")),
        environment=dict(os.environ),
    )


def _print_directory(path: bytes) -> None:
    """Print a path: raw for a shell that reads it, harmless for a person."""
    if output.stdout_is_terminal():
        from spacemap.render.text import display_name  # noqa: PLC0415 - imported long since

        output.write_text(display_name(path) + "\n")
    else:
        output.write_bytes(path + b"\n")


def _exit_code(outcome: "Outcome", *, is_stored: bool) -> ExitCode:
    if outcome.is_partial and not is_stored:
        return ExitCode.INTERRUPTED
    is_whole = outcome.snapshot is not None and not outcome.is_partial and not len(outcome.snapshot.tree.problems)
    return ExitCode.COMPLETE if is_whole else ExitCode.INCOMPLETE
