"""`spacemap [PATH...]` and `spacemap FILE.smap` on a terminal: the browser, which scans while it shows."""

import codecs
import gc
import os

from spacemap.cli import output
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import Automatic, cache_directory
from spacemap.config import Settings, load_settings
from spacemap.errors import ExitCode, SpacemapError
from spacemap.scan.options import ScanOptions, Symlinks, Times
from spacemap.scan.processes import prepare_processes
from spacemap.scan.rescan import Level, Rescan
from spacemap.tui.jobs import Jobs
from spacemap.tui.opening import Keeping, Live, Unfinished

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.clean import Journal
    from spacemap.tree.snapshot import Snapshot
    from spacemap.tui.subject import Outcome, Setting


def run(arguments: Arguments) -> ExitCode:
    """Browse until the user leaves; the exit status says how complete what they saw was."""
    jobs = Jobs()
    opener = _Opener(arguments._replace(scan=_scan_options(arguments)))
    live = opener.live(tuple(map(os.fsencode, arguments.paths)))
    if not arguments.is_stored:
        # The scan begins before the browser is imported, and while its workers are.
        prepare_processes()
        if live.paths and live.unfinished is None:
            jobs.open(live)
    else:
        jobs.load(live.paths[0], lambda path: _open(path, arguments))
    outcome = _browse(jobs, arguments, live, opener)
    jobs.finish()
    opener.tell(outcome)
    if outcome.directory is not None:
        _print_directory(outcome.directory)
    return _exit_code(outcome, is_stored=arguments.is_stored)


def _scan_options(arguments: Arguments) -> ScanOptions:
    # Every row can show when it was modified.
    return arguments.scan._replace(times=Times.READ)


class _Opener:
    """Says how directories are opened: those of the command line, and those that are chosen in the browser."""

    def __init__(self, arguments: Arguments) -> None:
        self._arguments = arguments
        self._settings = load_settings(arguments.config)
        self._automatic: Automatic | None = None

    @property
    def settings(self) -> Settings:
        """What the configuration says."""
        return self._settings

    @property
    def keeping(self) -> Keeping:
        """Where scans are kept."""
        cache = self._settings.cache
        rescan = Rescan(Level.FAST, large_bytes=cache.large, recent_seconds=cache.recent)
        return Keeping(cache_directory(self._arguments, self._settings), cache.size, rescan)

    def live(self, paths: tuple[bytes, ...]) -> Live:
        """Return how to open directories."""
        if not paths or self._arguments.is_stored:
            return Live(paths, self._arguments.scan)
        arguments = self._arguments._replace(paths=tuple(map(os.fsdecode, paths)))
        self._automatic = Automatic(arguments, lambda: self._settings)
        left = self._automatic.left()
        return Live(
            paths,
            arguments.scan,
            self.keeping if self._settings.browser.cached else None,
            self._automatic.plan,
            None if left is None else Unfinished(os.fsdecode(left.path), left.seconds),
            _journal if _can_remove(arguments) else None,
        )

    def tell(self, outcome: "Outcome") -> None:
        """Say how to continue what was interrupted."""
        if outcome.snapshot is not None and self._automatic is not None:
            self._automatic.tell(outcome.snapshot)


def _browse(jobs: Jobs, arguments: Arguments, live: Live, opener: _Opener) -> "Outcome":
    from spacemap.tui.app import Browser  # noqa: PLC0415  0.3 s that a report does not need
    from spacemap.tui.subject import Kept  # noqa: PLC0415 - imports numpy

    setting = _setting(arguments, opener)
    # Unlike a report, this may run for days.
    gc.enable()
    browser = Browser(jobs, Kept(live.paths[0], _origin) if arguments.is_stored else live, setting)
    outcome = browser.run()
    if isinstance(outcome, SpacemapError):
        raise outcome
    if outcome is None:
        raise SpacemapError("the browser ended unexpectedly; --report does without it")
    return outcome


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

        check_query(arguments.filter, load_settings(arguments.config).categories, snapshot)
    return snapshot


def _origin(snapshot: "Snapshot") -> str:
    from spacemap.cli.commands.stored import as_of  # noqa: PLC0415 - only for a kept snapshot

    return as_of(snapshot.facts)


def _setting(arguments: Arguments, opener: _Opener) -> "Setting":
    from spacemap.analyze.matching import check_query  # noqa: PLC0415 - not before the scan has begun
    from spacemap.cli.present import units  # noqa: PLC0415 - as above
    from spacemap.tree.measure import Measure  # noqa: PLC0415 - as above
    from spacemap.tui.cells import Writing  # noqa: PLC0415 - as above
    from spacemap.tui.keymap import keys_of  # noqa: PLC0415 - as above
    from spacemap.tui.look import Look  # noqa: PLC0415 - as above
    from spacemap.tui.subject import Setting  # noqa: PLC0415 - as above
    from spacemap.tui.themes import theme_named  # noqa: PLC0415 - as above

    settings = opener.settings
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
        keys=keys_of(settings.browser),
        open=opener.live,
        cache_directory=opener.keeping.directory if settings.browser.cached else None,
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
    is_whole = not outcome.is_partial and (outcome.snapshot is None or not len(outcome.snapshot.tree.problems))
    return ExitCode.COMPLETE if is_whole else ExitCode.INCOMPLETE
