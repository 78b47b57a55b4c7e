"""What the command line says of duplicates."""

import argparse
from enum import Enum
from typing import NamedTuple

from spacemap.errors import UsageError
from spacemap.units import parse_size


class ListForm(Enum):
    """How duplicates are listed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    FDUPES = "fdupes"


class Duplicating(NamedTuple):
    """The options of --find-duplicates, checked."""

    min_size: int
    """Bytes."""
    max_size: int | None
    verifies: bool
    keeps_hashes: bool
    form: ListForm


_OPTIONS = {"min_size": None, "max_size": None, "verify": False, "no_hashes": False, "csv": False, "fdupes": False}


def add_duplicates(group: argparse._ArgumentGroup) -> None:
    """Add the options to a parser."""
    add = group.add_argument
    add(
        "--find-duplicates",
        action="store_true",
        help="list files and directories with equal contents",
    )
    add("--min-size", metavar="SIZE", help="only files of at least so many bytes (default: 1)")
    add("--max-size", metavar="SIZE", help="only files of at most so many bytes")
    add("--verify", action="store_true", help="compare all that is equal once more, byte by byte, whatever is kept")
    add("--no-hashes", action="store_true", help="neither use nor keep hashes of contents in the cache")
    add("--csv", action="store_true", help="a row for each path, with size, waste, hash and inode")
    add("--fdupes", action="store_true", help="one path a line and an empty line after each group, as fdupes does")


def duplicating_of(given: argparse.Namespace) -> Duplicating | None:
    """Return what was said; None without --find-duplicates. Raises UsageError for what contradicts itself."""
    if not given.find_duplicates:
        for option, default in _OPTIONS.items():
            if getattr(given, option) != default:
                raise UsageError(f"--{option.replace('_', '-')} is for --find-duplicates: give both, or none")
        return None
    for option in ("tui", "summary", "cached", "checkpoint", "resume", "max_memory", "size_buckets", "age_buckets"):
        if getattr(given, option) not in (None, False):
            raise UsageError(f"--{option.replace('_', '-')} is not for --find-duplicates: leave one of them out")
    if given.output is not None and given.output.lower().endswith(".smap"):
        raise UsageError(f"--output {given.output!r} keeps a scan, and --find-duplicates lists files: choose one")
    forms = [form for form in (ListForm.JSON, ListForm.CSV, ListForm.FDUPES) if getattr(given, form.value)]
    if len(forms) > 1:
        raise UsageError(f"--{forms[0].value} and --{forms[1].value} contradict each other: give one of them")
    least = 1 if given.min_size is None else parse_size(given.min_size)
    most = None if given.max_size is None else parse_size(given.max_size)
    if most is not None and most < least:
        raise UsageError(f"--max-size {given.max_size} is less than --min-size: no file is of such a size")
    form = ListForm.JSON if given.output is not None and not forms else (forms or [ListForm.TEXT])[0]
    return Duplicating(least, most, given.verify, not given.no_hashes, form)
