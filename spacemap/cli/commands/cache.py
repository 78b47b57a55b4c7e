"""`spacemap cache`: what is kept of earlier scans, whether it is whole, and how to be rid of it."""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from spacemap.cli import output
from spacemap.config import Settings, load_settings
from spacemap.errors import ExitCode, SpacemapError
from spacemap.locations import cache_directory
from spacemap.render.text import cell_width, display_name, display_text, encodable, shorten
from spacemap.store import cache
from spacemap.store.facts import Option
from spacemap.store.log import read_log
from spacemap.store.snapshot import open_snapshot
from spacemap.units import format_ago, format_number, format_size

DESCRIPTION = "What spacemap keeps of earlier scans: snapshots for --cached, and checkpoints for --resume."
_NOT_TOLD = {"times"}
"""Options that no one would tell scans apart by."""


class _Place(NamedTuple):
    """The cache that a command is about."""

    directory: str
    settings: Settings


def parser() -> argparse.ArgumentParser:
    """Return the parser of `spacemap cache`."""
    root = argparse.ArgumentParser(prog="spacemap cache", description=DESCRIPTION, allow_abbrev=False)
    root.add_argument(
        "action",
        choices=list(_ACTIONS),
        help="info: list what is kept; check: read every file fully, exit status 1 when one is damaged; "
        "clear: remove all of it, and nothing else",
    )
    root.add_argument("--cache-dir", metavar="DIR", help="where scans and checkpoints are kept")
    root.add_argument("--config", metavar="FILE", help="configuration to use instead of the default one")
    return root


def run(words: list[str]) -> ExitCode:
    """Run one command line that began with `cache`."""
    given = parser().parse_args(words)
    settings = load_settings(given.config)
    directory = given.cache_dir or settings.cache.directory or os.fspath(cache_directory())
    return _ACTIONS[given.action](_Place(directory, settings))


def _info(place: _Place) -> ExitCode:
    units = place.settings.display.units
    kept, unfinished = cache.scans(place.directory), cache.checkpoints(place.directory)
    size, limit = sum(file.bytes for file in kept), place.settings.cache.size
    lines: list[_Line] = [
        ("", place.directory),
        f"{format_number(len(kept), 'scan')}, {format_size(size, units)} of at most {format_size(limit, units)}",
    ]
    for file in sorted(kept, key=lambda file: -file.used_ns):
        lines += ["", *_scan_lines(file, place.settings)]
    if unfinished:
        total = format_size(sum(file.bytes for file in unfinished), units)
        lines += ["", f"{format_number(len(unfinished), 'unfinished scan')}, {total}"]
    for file in unfinished:
        lines += ["", *_checkpoint_lines(file, place.settings)]
    if hashes := cache.kept_hashes(place.directory):
        lines += ["", f"hashes of contents, {format_size(sum(file.bytes for file in hashes), units)}"]
    _write(lines)
    return ExitCode.COMPLETE


def _clear(place: _Place) -> ExitCode:
    cleared = cache.clear(place.directory)
    freed = format_size(cleared.bytes, place.settings.display.units)
    lines = [f"{format_number(cleared.files, 'file')} removed, {freed} freed"]
    if cleared.busy:
        lines.append(f"{format_number(cleared.busy, 'file')} of running scans left alone")
    _write(lines)
    return ExitCode.COMPLETE


def _check(place: _Place) -> ExitCode:
    files = [*cache.scans(place.directory), *cache.checkpoints(place.directory)]
    damages = [damage for file in files if (damage := _damage(file))]
    for damage in damages:
        output.complain(damage)
    whole = len(files) - len(damages)
    _write([f"{format_number(whole, 'file')} whole, {format_number(len(damages), 'file')} damaged"])
    return ExitCode.INCOMPLETE if damages else ExitCode.COMPLETE


_ACTIONS: Mapping[str, Callable[[_Place], ExitCode]] = {"info": _info, "check": _check, "clear": _clear}


def _damage(file: cache.CacheFile) -> str:
    """Return what is wrong with a file; empty when nothing is, or when it is gone by now."""
    try:
        if file.path.endswith(b".smap"):
            open_snapshot(file.path).load()
            return ""
        lost = read_log(file.path).lost
    except SpacemapError as error:
        return str(error) if os.path.lexists(file.path) else ""
    if not lost or cache.is_locked(file.path):  # a running scan is in the middle of a frame
        return ""
    tail = format_number(lost, "byte")
    return f"{os.fsdecode(file.path)!r}: the last {tail} are no whole frame; --resume scans again what they held"


def _scan_lines(file: cache.CacheFile, settings: Settings) -> "list[_Line]":
    units = settings.display.units
    try:
        opened = open_snapshot(file.path)
    except SpacemapError as error:
        return [str(error)]
    seconds = time.time_ns() // 1_000_000_000
    facts = opened.facts
    lines: list[_Line] = [("", root) for root in opened.roots]
    lines.append(
        f"  {format_ago(seconds - facts.started_ns // 1_000_000_000)}, "
        f"{format_number(opened.totals.entries, 'entry', 'entries')}, {format_size(file.bytes, units)}"
    )
    return [*lines, *_options(facts.options)]


def _checkpoint_lines(file: cache.CacheFile, settings: Settings) -> "list[_Line]":
    from spacemap.scan.checkpoint import roots_of  # noqa: PLC0415  100 ms that most caches do not need

    try:
        facts = read_log(file.path).facts
    except SpacemapError as error:
        return [str(error)]
    age = format_ago(time.time_ns() // 1_000_000_000 - file.used_ns // 1_000_000_000)
    state = "of a running scan" if cache.is_locked(file.path) else f"interrupted {age}"
    lines: list[_Line] = [("", root) for root in roots_of(facts)]
    lines.append(f"  {state}, {format_size(file.bytes, settings.display.units)}")
    options = facts.get("options")
    lines += _options(options) if isinstance(options, dict) else []
    return [*lines, ("  spacemap --resume ", file.path)]


def _options(options: Mapping[str, Option]) -> "Iterator[_Line]":
    """Yield a line of the options that differ from what a scan without any has."""
    from spacemap.scan.options import ScanOptions  # noqa: PLC0415 - not for an empty cache

    default = ScanOptions().shaping()
    told = []
    for name, value in options.items():
        if name not in _NOT_TOLD and value != default.get(name):
            shown = " ".join(map(str, value)) if isinstance(value, list) else "" if value is True else str(value)
            told.append(display_text(f"{name.replace('_', ' ')} {shown}".strip()))
    if told:
        yield f"  {'; '.join(told)}"


_Line = str | tuple[str, str | bytes]
"""Text, or text and a path after it."""


def _write(lines: "Sequence[_Line]") -> None:
    """Write lines to stdout; a path is shortened on a terminal, and whole in a pipe."""
    width = output.stdout_width(os.environ.get("COLUMNS")) if output.stdout_is_terminal() else None
    written = []
    for line in lines:
        if isinstance(line, str):
            written.append(line)
            continue
        before, path = line
        shown = encodable(display_name(os.fsencode(path)), output.stdout_encoding())
        written.append(before + (shown if width is None else shorten(shown, max(width - cell_width(before), 1), "...")))
    output.write_text("\n".join(written) + "\n")
