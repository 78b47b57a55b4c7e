"""The command line: what can be said, and the options that it becomes."""

import argparse
import os
from enum import Enum
from typing import NamedTuple

from spacemap.cli import output
from spacemap.cli.duplicating import Duplicating, add_duplicates, duplicating_of
from spacemap.cli.earlier import Earlier, add_earlier, earlier_of, take_path, with_values
from spacemap.errors import UsageError
from spacemap.render.text import display_name
from spacemap.scan.exclude import Exclusions, read_patterns
from spacemap.scan.options import (
    CacheTagged,
    EngineName,
    KernelFileSystems,
    MountBoundary,
    ScanOptions,
    Symlinks,
    Times,
)
from spacemap.store.form import SUFFIX, stored_form
from spacemap.units import parse_size

TYPE_CHECKING = False  # what mypy takes for true; most command lines have no filter
if TYPE_CHECKING:
    from spacemap.analyze.conditions import Query

MAX_THREADS = 1024

DESCRIPTION = "Where did the space go: scan directories in parallel and report what uses the disk."
EPILOG = """\
`spacemap engines` shows which engines can be used here, `spacemap cache` what is kept of earlier scans,
`spacemap journal` what was removed.

terms of --filter, joined by blanks (and), `|` or `or`, `-` or `not`, and parentheses; all of them: docs/filter.md
  size>1G disk<4K apparent=0 age>90d modified<2026-01-01 items>1000 links>1 type:video kind:file
  name:*.log name:re:^core ext:jpg,png path:**/cache/** flag:hidden

exit status:
  0  complete
  1  complete, but parts could not be read
  2  arguments or configuration that cannot be used
  3  failure
  130  interrupted; what was learnt is still reported
"""


class OutputForm(Enum):
    """What `--output` writes."""

    SNAPSHOT = "smap"
    ENTRIES = "json with entries"
    REPORT = "json"


class Arguments(NamedTuple):
    """The command line of a scan or of a report from a kept one, checked."""

    words: tuple[str, ...]
    """As given."""
    paths: tuple[str, ...]
    """Empty when none was given."""
    is_stored: bool
    """The one path is a file that holds a snapshot, to be reported from."""
    scan: ScanOptions
    earlier: Earlier
    filter: "Query | None"
    """What is shown; None: everything."""
    by: str
    size_buckets: str | None
    age_buckets: str | None
    verbose: bool
    top: int | None
    apparent_size: bool
    si: bool
    bytes: bool
    no_color: bool
    json: bool
    summary: bool
    output: str | None
    output_form: OutputForm
    config: str | None
    quiet: bool
    progress: bool
    tui: bool
    read_only: bool
    reports: bool
    """Something was asked for that only a report has."""
    duplicates: Duplicating | None
    """None: where the space went is reported or browsed."""


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Shows a value that is given with an equals sign only as that."""

    def __init__(self, prog: str, width: int | None = None) -> None:
        # argparse makes one for each argument, and would import shutil to ask for the width of the terminal each time.
        super().__init__(prog, width=width or output.stdout_width(os.environ.get("COLUMNS")) - 2)

    def format_help(self) -> str:
        """Return the help."""
        return super().format_help().replace(" [=LEVEL]  ", "[=LEVEL]   ").replace(" [=LEVEL]", "[=LEVEL]")


def parser() -> argparse.ArgumentParser:
    """Return the parser of `spacemap [PATH...]`."""
    root = argparse.ArgumentParser(
        prog="spacemap",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    root.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        help="what to scan, or FILE.smap (default: . for a report; on a terminal, spacemap asks)",
    )
    root.add_argument("--version", action="store_true", help="print the version and exit")
    _add_scan(root.add_argument_group("scan"))
    _add_exclusions(root.add_argument_group("what to leave out"))
    add_earlier(root.add_argument_group("earlier scans"))
    _add_report(root.add_argument_group("report"))
    add_duplicates(root.add_argument_group("duplicates"))
    return root


def _add_scan(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--engine", choices=[name.value for name in EngineName], default="auto", help="who lists directories")
    add("--threads", type=int, default=0, metavar="N", help="directories listed at the same time (0: auto)")
    add("--parallel", action="store_true", help="the same as --threads 0")
    add("-x", "--one-file-system", action="store_true", help="stay on the file system of each PATH")
    add("--follow-symlinks", action="store_true", help="measure and enter what symlinks lead to, each thing once")
    add("--kernel-fs", action="store_true", help="enter /proc, /sys and their like below a PATH")
    add("--max-depth", type=int, metavar="N", help="do not enter directories N levels below a PATH")
    add(
        "--stall-timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="give up a directory that shows no sign of life for so long (default: 60)",
    )
    add("--max-memory", metavar="SIZE", help="fold small files when the entries need more, such as 500M")


def _add_exclusions(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--exclude",
        action="append",
        default=[],
        metavar="PATTERN",
        help="glob on the name; with a / in it, on the path below PATH; trailing /: directories only; "
        "re:EXPRESSION: regular expression on that path (repeatable)",
    )
    add("--exclude-from", action="append", default=[], metavar="FILE", help="patterns from a file, one a line")
    add("--prune", action="append", default=[], metavar="NAME", help="show directories of this name, do not enter")
    add("--exclude-caches", action="store_true", help="do not enter directories with a valid CACHEDIR.TAG")


def _add_report(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--tui", action="store_true", help="browse, even where stdout is no terminal")
    add("--read-only", action="store_true", help="browse without any way to change a file")
    add("--report", action="store_true", help="print a report even on a terminal")
    add(
        "--filter",
        metavar="TERMS",
        help="report or browse only what matches, such as 'size>1G age>90d type:video'; see below",
    )
    add(
        "--by",
        choices=["type", "size", "age", "owner"],
        default="type",
        help="what the report tells apart (default: type)",
    )
    add("--size-buckets", metavar="SIZES", help="bounds for --by size, such as 1M,100M,1G")
    add("--age-buckets", metavar="AGES", help="bounds for --by age, such as 30d,1y")
    add("-v", "--verbose", action="store_true", help="add the largest files and directories, and every problem")
    add("--top", type=int, metavar="N", help="how many of the largest to list (default: 10)")
    add("--apparent-size", action="store_true", help="add up apparent sizes instead of disk usage")
    add("--si", action="store_true", help="units of 1000 (kB, MB)")
    add("--bytes", action="store_true", help="plain numbers of bytes")
    add("--no-color", action="store_true", help="no colours; NO_COLOR in the environment does the same")
    add("--json", action="store_true", help="print the report as JSON")
    add("--summary", action="store_true", help="only the totals, in two lines; at once from FILE.smap of any size")
    add(
        "--output",
        metavar="FILE",
        help="write to a file: FILE.smap a snapshot, FILE.json the report as JSON with every entry, "
        "any other the report as JSON",
    )
    add("--summary-only", action="store_true", help="--output FILE.json without the entries")
    add("--config", metavar="FILE", help="configuration to use instead of the default one")
    add("--quiet", action="store_true", help="no progress line")
    add("--progress", action="store_true", help="a progress line even where stderr is no terminal")


def parse(words: list[str]) -> Arguments | None:
    """Return the checked command line; None when only the version was asked for.

    Raises UsageError; SystemExit from argparse itself, with status 2, or 0 after --help.
    """
    given = parser().parse_args(with_values(words))
    if given.version:
        return None
    take_path(given)
    if given.quiet and given.progress:
        raise UsageError("--quiet and --progress contradict each other: give one of them")
    if given.si and given.bytes:
        raise UsageError("--si and --bytes contradict each other: give one of them")
    if given.top is not None and given.top < 0:
        raise UsageError(f"--top {given.top}: give 0 or more")
    if given.summary and given.json:
        raise UsageError("--summary and --json contradict each other: `totals` in the JSON says the same")
    if given.tui and _reports(given):
        raise UsageError("--tui browses, and something else was asked for that prints or writes a report: choose one")
    query = _query(given)
    if given.summary_only and (given.output is None or _output_form(given) is OutputForm.SNAPSHOT):
        raise UsageError("--summary-only leaves the entries out of JSON: name a file with --output FILE.json")
    return Arguments(
        words=tuple(words),
        paths=tuple(given.paths),
        is_stored=_is_stored(given),
        scan=_scan_options(given, query),
        earlier=earlier_of(given),
        filter=query,
        by=given.by,
        size_buckets=given.size_buckets,
        age_buckets=given.age_buckets,
        verbose=given.verbose,
        top=given.top,
        apparent_size=given.apparent_size,
        si=given.si,
        bytes=given.bytes,
        no_color=given.no_color,
        json=given.json,
        summary=given.summary,
        output=given.output,
        output_form=_output_form(given),
        config=given.config,
        quiet=given.quiet,
        progress=given.progress,
        tui=given.tui,
        read_only=given.read_only,
        reports=_reports(given),
        duplicates=duplicating_of(given),
    )


def _query(given: argparse.Namespace) -> "Query | None":
    if given.filter is None:
        return None
    from spacemap.analyze.query import parse_query  # noqa: PLC0415 - most command lines have none

    query = parse_query(given.filter)
    if given.output is not None and _output_form(given) is not OutputForm.REPORT:
        hint = "" if _output_form(given) is OutputForm.SNAPSHOT else ", or add --summary-only"
        raise UsageError(f"--filter is for reports, and {given.output!r} keeps every entry: leave one out{hint}")
    return query


def _reports(given: argparse.Namespace) -> bool:
    """Return whether something was asked for that only a report has."""
    wanted = (given.report, given.verbose, given.json, given.summary, given.output, given.quiet, given.progress)
    described = (given.size_buckets, given.age_buckets, given.top, given.cached, given.checkpoint, given.resume)
    return any(wanted) or given.by != "type" or any(value is not None for value in described)


def _output_form(given: argparse.Namespace) -> OutputForm:
    name = (given.output or "").lower()
    if name.endswith(SUFFIX):
        return OutputForm.SNAPSHOT
    return OutputForm.ENTRIES if name.endswith(".json") and not given.summary_only else OutputForm.REPORT


def _is_stored(given: argparse.Namespace) -> bool:
    """Return whether a kept snapshot is to be reported from."""
    stored = [path for path in given.paths if stored_form(path) is not None]
    if not stored:
        return False
    shown = display_name(os.fsencode(stored[0]))
    if len(given.paths) > 1:
        raise UsageError(f"{shown} is a snapshot, which is reported from alone: name it and nothing else")
    scan = argparse.ArgumentParser(add_help=False)
    _add_scan(scan.add_argument_group())
    _add_exclusions(scan.add_argument_group())
    add_earlier(scan.add_argument_group())
    for option, default in vars(scan.parse_args([])).items():
        if getattr(given, option) != default:
            name = "-x" if option == "one_file_system" else f"--{option.replace('_', '-')}"
            raise UsageError(f"{name} is for a scan, and {shown} is a snapshot: leave it out, or name a directory")
    return True


def _scan_options(given: argparse.Namespace, query: "Query | None") -> ScanOptions:
    threads = 0 if given.parallel else given.threads
    if not 0 <= threads <= MAX_THREADS:
        raise UsageError(f"--threads {threads}: give 0 (auto) to {MAX_THREADS}")
    if given.max_depth is not None and given.max_depth < 0:
        raise UsageError(f"--max-depth {given.max_depth}: give 0 or more")
    if not 0.1 <= given.stall_timeout <= 1e6:
        raise UsageError(f"--stall-timeout {given.stall_timeout:g}: give 0.1 to 1000000 seconds")
    exclude = [*given.exclude]
    for name in given.exclude_from:
        exclude += _patterns_of(name)
    Exclusions(exclude, given.prune)  # a bad pattern is told before anything starts
    return ScanOptions(
        engine=EngineName(given.engine),
        threads=threads,
        boundary=MountBoundary.STAY if given.one_file_system else MountBoundary.CROSS,
        symlinks=Symlinks.FOLLOW if given.follow_symlinks else Symlinks.NEVER,
        kernel_fs=KernelFileSystems.ENTER if given.kernel_fs else KernelFileSystems.SKIP,
        max_depth=given.max_depth,
        exclude=tuple(exclude),
        prune=tuple(given.prune),
        cache_tagged=CacheTagged.EXCLUDE if given.exclude_caches else CacheTagged.ENTER,
        times=Times.READ if query is not None and query.needs_times else _times(given),
        stall_timeout=given.stall_timeout,
        max_memory=None if given.max_memory is None else parse_size(given.max_memory),
    )


def _times(given: argparse.Namespace) -> Times:
    """Return whether times are read: ages need them, and so does all that a later scan is compared with."""
    is_kept = given.cached is not None or _output_form(given) is not OutputForm.REPORT
    # Any other scan may get a checkpoint when it takes long.
    has_no_checkpoint = given.follow_symlinks or given.max_memory is not None
    return Times.LEAVE if has_no_checkpoint and not is_kept and given.by != "age" else Times.READ


def _patterns_of(name: str) -> tuple[str, ...]:
    try:
        with open(name, "rb") as file:
            return read_patterns(file.read().decode("utf-8", "surrogateescape"))
    except OSError as error:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise UsageError(f"--exclude-from {shown}: {error.strerror}; check the path") from error
