"""`spacemap FILE.smap`: report from a snapshot that was kept, or write it in another form."""

import os
import time

from spacemap.cli import present
from spacemap.cli.arguments import Arguments
from spacemap.errors import ExitCode, UsageError
from spacemap.render.text import display_name
from spacemap.store.form import Form, stored_form
from spacemap.units import format_ago, format_moment

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.snapshot import Facts


def run(arguments: Arguments) -> ExitCode:
    """Report from the file that the arguments name; the exit status says how complete the snapshot is."""
    path = arguments.paths[0]
    if stored_form(path) is Form.BLOCKS and arguments.summary and arguments.output is None and arguments.filter is None:
        return _summary(path, arguments)
    from spacemap.export.json_snapshot import open_snapshot  # noqa: PLC0415 - imports numpy

    ranges, settings = present.ranges(arguments), present.Preparation(arguments).settings()
    snapshot = open_snapshot(path)
    if arguments.by == "age" and snapshot.facts.options.get("times") == "leave":
        raise UsageError(
            f"--by age: {display_name(os.fsencode(path))} was scanned without times; scan again, or choose another --by"
        )
    present.present(snapshot, arguments, settings, ranges, origin=_origin(path, snapshot.facts))
    return exit_code_of(snapshot.facts, len(snapshot.tree.problems))


def _summary(path: str, arguments: Arguments) -> ExitCode:
    """Show what the footer knows: no column is read, whatever the size of the file."""
    from spacemap.config import load_settings  # noqa: PLC0415 - as in Preparation, of which no module is needed
    from spacemap.store.snapshot import open_snapshot  # noqa: PLC0415 - not needed for JSON

    settings, file = load_settings(arguments.config), open_snapshot(path)
    present.show_summary(file.roots, file.totals, file.facts, arguments, settings, _origin(path, file.facts))
    return exit_code_of(file.facts, file.totals.unreadable_paths)


def _origin(path: str, facts: "Facts") -> present.Origin:
    return present.Origin(os.fsencode(path), as_of(facts))


def as_of(facts: "Facts") -> str:
    """Return when a kept scan began, and how long ago that is."""
    age = format_ago(time.time_ns() // 1_000_000_000 - facts.started_ns // 1_000_000_000)
    return f"as of {format_moment(facts.started_ns)}, {age}"


def exit_code_of(facts: "Facts", problems: int) -> ExitCode:
    """Return how complete a kept scan is."""
    # Nothing was interrupted now: what a kept scan lacks is told as what could not be read.
    return ExitCode.INCOMPLETE if problems or facts.completeness.value != "complete" else ExitCode.COMPLETE
