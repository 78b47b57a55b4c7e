"""`spacemap --cached`: scan from the newest kept scan of the same, report, and keep the result for the next time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Thread

from spacemap.cli import output, present
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import Automatic, cache_directory, key_of
from spacemap.cli.commands.scan import exit_code, scan_visibly
from spacemap.cli.commands.stored import as_of, exit_code_of
from spacemap.cli.earlier import rescan_of
from spacemap.config import Settings, load_settings
from spacemap.errors import ExitCode, SpacemapError, UsageError
from spacemap.render.text import display_name
from spacemap.scan.rescan import Level
from spacemap.store import cache
from spacemap.store.earlier import differing, keep_newer, since_oldest
from spacemap.tree.columns import Kind
from spacemap.tree.measure import Measure, sizes
from spacemap.tree.snapshot import BaseUse, Snapshot


def run(arguments: Arguments) -> ExitCode:
    """Scan and report as a scan without --cached does."""
    settings = load_settings(arguments.config)
    directory = cache_directory(arguments, settings)
    present.check_output(arguments)
    key = key_of(arguments)
    found = cache.find(directory, key)
    for warning in found.warnings:
        output.complain(f"ignored in the cache: {warning}")
    if arguments.earlier.level is Level.TRUST:
        return _report(arguments, settings, key, found)
    return _rescan(arguments, settings, found.snapshot)


def _report(arguments: Arguments, settings: Settings, key: cache.Key, found: cache.Found) -> ExitCode:
    """Report from the kept scan itself."""
    snapshot, names = found.snapshot, ", ".join(map(display_name, key.roots))
    if snapshot is None:
        raise UsageError(f"--cached=trust: no scan of {names} is kept; scan it once with --cached")
    if others := differing(snapshot, key.options):
        raise UsageError(
            f"--cached=trust: a scan of {names} is kept, with other options ({', '.join(others)}); "
            "give the same, or scan once with --cached"
        )
    tree, facts = snapshot.tree, snapshot.facts
    is_file = tree.kind != Kind.DIRECTORY
    base = BaseUse(
        level="trust",
        started_ns=facts.started_ns,
        kept_directories=len(tree.directories.entry) - (not tree.name(0)),
        trusted_entries=int(is_file.sum()),
        trusted_bytes=int(sizes(tree, Measure.DISK, is_file.nonzero()[0]).sum()),
    )
    shown = replace(snapshot, facts=replace(facts, base=base))
    origin = present.Origin(found.path, as_of(facts))
    present.present(shown, arguments, settings, present.ranges(arguments), origin=origin)
    return exit_code_of(facts, len(tree.problems))


def _rescan(arguments: Arguments, settings: Settings, base: Snapshot | None) -> ExitCode:
    ranges = present.ranges(arguments)
    preparation = present.Preparation(arguments)
    automatic = Automatic(arguments, preparation.settings)
    rescan = rescan_of(arguments.earlier, settings.cache.large, settings.cache.recent)
    # What is taken from a base is in no checkpoint.
    is_plain = base is None or bool(differing(base, arguments.scan.shaping()))
    checkpoint = automatic.plan if is_plain else None
    scanned = scan_visibly(
        arguments, preparation, offer=automatic.offer, base=base, rescan=rescan, checkpoint=checkpoint
    )
    automatic.tell(scanned)
    snapshot = scanned if base is None else since_oldest(scanned, base)
    with keeping(arguments, settings, snapshot, base):
        present.present(snapshot, arguments, preparation.settings(), ranges)
    return exit_code(snapshot)


@contextmanager
def keeping(arguments: Arguments, settings: Settings, snapshot: Snapshot, base: Snapshot | None) -> Iterator[None]:
    """Keep a scan while the body reports it: writing waits for the kernel most of the time.

    It ends whole even where nobody reads the report any more.
    """
    keeper = Thread(target=_keep, args=(arguments, settings, snapshot, base))
    keeper.start()
    try:
        yield
    finally:
        keeper.join()


def _keep(arguments: Arguments, settings: Settings, snapshot: Snapshot, base: Snapshot | None) -> None:
    """Keep a complete scan, unless what is kept says the same; why that fails is one line on stderr."""
    size = arguments.earlier.cache_size
    limit = settings.cache.size if size is None else size
    try:
        keep_newer(cache_directory(arguments, settings), snapshot, base, limit)
    except SpacemapError as error:
        output.complain(f"this scan was not kept: {error}")
