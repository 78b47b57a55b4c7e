"""`spacemap --checkpoint FILE` and `--resume`: a scan that can be continued after whatever ends it."""

import os
from contextlib import AbstractContextManager, nullcontext

from spacemap.cli import present
from spacemap.cli.arguments import Arguments
from spacemap.cli.automatic import cache_directory, key_of, tell_how_to_resume
from spacemap.cli.commands.scan import exit_code, scan_visibly
from spacemap.cli.earlier import rescan_of
from spacemap.config import Settings, load_settings
from spacemap.errors import ExitCode, FormatError, UsageError
from spacemap.render.text import display_name, display_text
from spacemap.scan.checkpoint import Checkpointing, roots_of
from spacemap.scan.options import ScanOptions
from spacemap.store import cache
from spacemap.store.log import read_log
from spacemap.tree.snapshot import Completeness, Snapshot


def run(arguments: Arguments) -> ExitCode:
    """Scan and report as a scan without a checkpoint does."""
    settings = load_settings(arguments.config)
    ranges = present.ranges(arguments)
    present.check_output(arguments)
    arguments, path = _continued(arguments, settings) if arguments.earlier.resumes else (arguments, _new(arguments))
    preparation = present.Preparation(arguments)
    plan = Checkpointing(path, arguments.earlier.resumes, arguments.earlier.interval)
    rescan = rescan_of(arguments.earlier, settings.cache.large, settings.cache.recent)
    snapshot = scan_visibly(arguments, preparation, rescan=rescan, checkpoint=plan)
    if snapshot.facts.completeness is Completeness.INTERRUPTED and os.path.exists(path):
        tell_how_to_resume(arguments, path)
    with _keeping(arguments, settings, snapshot):
        present.present(snapshot, arguments, preparation.settings(), ranges)
    return exit_code(snapshot)


def _keeping(arguments: Arguments, settings: Settings, snapshot: Snapshot) -> AbstractContextManager[None]:
    """Return what keeps the scan in the cache while it is reported, where --cached asks for that."""
    if arguments.earlier.level is None:
        return nullcontext()
    from spacemap.cli.commands.cached import keeping  # noqa: PLC0415 - only with --cached

    return keeping(arguments, settings, snapshot, None)


def _new(arguments: Arguments) -> str:
    """Return the file of a new checkpoint. Raises UsageError when there is one: better before the scan than in it."""
    path = arguments.earlier.checkpoint
    if path is None:
        raise AssertionError("unreachable: without --resume there is a name")
    shown = display_name(os.fsencode(path))
    if os.path.lexists(path) and not os.path.isfile(path):
        raise UsageError(f"--checkpoint {shown}: it is there and no regular file; name another file")
    if os.path.exists(path) and os.path.getsize(path):
        raise UsageError(f"--checkpoint {shown}: it is there already; continue it with --resume, or name another file")
    if reason := present.why_unwritable(path):
        raise UsageError(f"--checkpoint {shown}: {reason}; name another place")
    return path


def _continued(arguments: Arguments, settings: Settings) -> tuple[Arguments, str]:
    """Return the arguments with the roots, and the file, of the checkpoint that is to be continued."""
    path = arguments.earlier.checkpoint
    if path is None:
        return arguments, _left_behind(arguments, settings)
    if not os.path.lexists(path):
        raise UsageError(
            f"--resume {display_name(os.fsencode(path))}: there is no such checkpoint: its scan is complete or never "
            "began; scan anew with --checkpoint"
        )
    if arguments.paths:
        return arguments, path
    facts = read_log(path).facts
    roots = tuple(map(os.fsdecode, roots_of(facts)))
    if _shapes(arguments.scan):
        return arguments._replace(paths=roots), path
    options = facts.get("options")
    try:
        scan = arguments.scan.shaped(options if isinstance(options, dict) else {})
    except ValueError as error:
        message = f"{display_name(os.fsencode(path))}: its options cannot be used: {display_text(str(error))}"
        raise FormatError(f"{message}; scan anew with --checkpoint") from error
    return arguments._replace(paths=roots, scan=scan), path


def _shapes(options: ScanOptions) -> bool:
    """Return whether the command line says itself what the tree is to hold."""
    return options.shaping() != ScanOptions(times=options.times).shaping()


def _left_behind(arguments: Arguments, settings: Settings) -> str:
    """Return the checkpoint that a scan of the same paths left in the cache. Raises UsageError when there is none."""
    directory, key = cache_directory(arguments, settings), key_of(arguments)
    path = cache.checkpoint_path(directory, key)
    if os.path.exists(path):
        return os.fsdecode(path)
    names = ", ".join(map(display_name, key.roots))
    others = [
        file.path
        for file in cache.checkpoints(directory)
        if os.path.basename(file.path).startswith(key.roots_stem) and not cache.is_locked(file.path)
    ]
    if others:
        raise UsageError(
            f"--resume: the unfinished scan of {names} has other options than these; to continue it: "
            f"spacemap --resume {display_name(others[0])}"
        )
    raise UsageError(
        f"--resume: no unfinished scan of {names} is kept: it is complete, or took no longer than a minute; "
        "leave out --resume"
    )
