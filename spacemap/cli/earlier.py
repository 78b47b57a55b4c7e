"""What the command line says of other scans of the same: which earlier one to use, and what to keep of this one."""

import argparse
import os
from typing import NamedTuple

from spacemap.errors import UsageError
from spacemap.scan.rescan import Level, Rescan
from spacemap.units import parse_age, parse_size

INTERVALS = (0.1, 86_400.0)
"""Seconds between two moments at which a checkpoint is brought to the disk: the shortest and the longest."""


class Earlier(NamedTuple):
    """The options of cached rescans and checkpoints, checked."""

    level: Level | None
    """None: without --cached."""
    large_bytes: int | None
    """None, here and below: as the configuration says."""
    recent_seconds: int | None
    cache_directory: str | None
    cache_size: int | None
    checkpoint: str | None
    """The file of --checkpoint or --resume; None: that of the cache."""
    resumes: bool
    interval: float


def add_earlier(group: argparse._ArgumentGroup) -> None:
    """Add the options to a parser, which must have been given words of `with_values`."""
    add = group.add_argument
    add(
        "--cached",
        nargs="?",
        choices=[level.value for level in Level],
        metavar="=LEVEL",
        help="use the newest kept scan of the same, and keep this one. verified (default): list what changed, measure "
        "every file; fast: measure only large or recent files; trust: scan nothing, report the kept scan",
    )
    add("--cached-large", metavar="SIZE", help="with --cached=fast, files to measure in any case (default: 1M)")
    add("--cached-recent", metavar="AGE", help="with --cached=fast, modified so recently, too (default: 7d)")
    add("--cache-dir", metavar="DIR", help="where scans and checkpoints are kept (default: the user's cache)")
    add("--cache-size", metavar="SIZE", help="with --cached, what kept scans take at most (default: 2G)")
    add("--checkpoint", metavar="FILE", help="keep what was listed in FILE, so that --resume can continue the scan")
    add(
        "--checkpoint-interval",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="bring checkpoints to the disk so often: what a power failure costs at most (default: 30)",
    )
    add(
        "--resume",
        nargs="?",
        const="",
        metavar="FILE",
        help="continue the checkpoint FILE, without PATH with what it was begun with; without FILE the one that a scan "
        "of PATH left by itself, which each does that takes longer than 60 s",
    )


def with_values(words: list[str]) -> list[str]:
    """Return the words with values written behind their options: `--cached PATH` must not take the path for a level,
    and what follows --filter is its value though it begins with a minus."""
    end = words.index("--") if "--" in words else len(words)
    options = iter(words[:end])
    taken = []
    for word in options:
        value = next(options, None) if word == "--filter" else None
        word = f"--filter={value}" if value is not None else word
        taken.append("--cached=verified" if word == "--cached" else word)
    return taken + words[end:]


def take_path(given: argparse.Namespace) -> None:
    """Let what follows --resume be a PATH where it is a directory."""
    if given.resume and os.path.isdir(given.resume):
        given.paths = [given.resume, *given.paths]
        given.resume = ""


def earlier_of(given: argparse.Namespace) -> Earlier:
    """Return what was said. Raises UsageError for what contradicts itself."""
    _check(given)
    return Earlier(
        level=None if given.cached is None else Level(given.cached),
        large_bytes=None if given.cached_large is None else parse_size(given.cached_large),
        recent_seconds=None if given.cached_recent is None else parse_age(given.cached_recent),
        cache_directory=given.cache_dir,
        cache_size=None if given.cache_size is None else parse_size(given.cache_size),
        checkpoint=given.checkpoint or given.resume or None,
        resumes=given.resume is not None,
        interval=given.checkpoint_interval,
    )


def rescan_of(earlier: Earlier, large_bytes: int, recent_seconds: int) -> Rescan:
    """Return how to use an earlier scan; the numbers are those of the configuration."""
    return Rescan(
        level=earlier.level or Level.VERIFIED,
        large_bytes=large_bytes if earlier.large_bytes is None else earlier.large_bytes,
        recent_seconds=recent_seconds if earlier.recent_seconds is None else earlier.recent_seconds,
    )


def _check(given: argparse.Namespace) -> None:
    if given.checkpoint is not None and given.resume is not None:
        raise UsageError("--checkpoint and --resume contradict each other: --resume FILE goes on with FILE")
    if given.checkpoint is not None and given.cached is not None:
        raise UsageError(
            "--checkpoint and --cached contradict each other: what an earlier scan knows is in no checkpoint"
        )
    if given.checkpoint == "" or given.cache_dir == "":
        name = "--checkpoint" if given.checkpoint == "" else "--cache-dir"
        raise UsageError(f"{name} without a name: give one")
    if given.resume is not None and given.cached == Level.TRUST.value:
        raise UsageError("--resume and --cached=trust contradict each other: give verified or fast, or no --resume")
    if given.cached != Level.FAST.value:
        for name in ("cached_large", "cached_recent"):
            if getattr(given, name) is not None:
                raise UsageError(f"--{name.replace('_', '-')} is for --cached=fast: give both, or none")
    if given.cache_size is not None and given.cached is None:
        raise UsageError("--cache-size is for --cached: give both, or none")
    least, most = INTERVALS
    if not least <= given.checkpoint_interval <= most:
        raise UsageError(f"--checkpoint-interval {given.checkpoint_interval:g}: give {least:g} to {most:g} seconds")
