"""`spacemap journal`: what was removed, what may have been, and how the last trash is undone."""

import argparse
import os
from collections import deque
from collections.abc import Sequence

import orjson

from spacemap.clean.journal import Journal
from spacemap.clean.lines import is_written
from spacemap.clean.runs import Run, read_runs
from spacemap.cli import output
from spacemap.config import load_settings
from spacemap.errors import ExitCode, UsageError
from spacemap.render.text import cell_width, display_name, encodable, shorten
from spacemap.tree.names import name_to_text
from spacemap.units import Units, format_moment, format_number, format_size

DESCRIPTION = "What spacemap removed: told before it was done, with what came of it. The newest is the last."
_SHOWN_PATHS = 10
_LAST = 10


def parser() -> argparse.ArgumentParser:
    """Return the parser of `spacemap journal`."""
    root = argparse.ArgumentParser(prog="spacemap journal", description=DESCRIPTION, allow_abbrev=False)
    root.add_argument(
        "action",
        nargs="?",
        choices=["list", "undo"],
        default="list",
        help="list (default): print it; undo: put back what was last moved to the trash, never onto anything, "
        "exit status 1 when something stays there",
    )
    root.add_argument("--last", type=int, default=_LAST, metavar="N", help=f"list so many removals (default: {_LAST})")
    root.add_argument("--json", action="store_true", help="list as JSON, with every path")
    root.add_argument("--config", metavar="FILE", help="configuration to use instead of the default one")
    return root


def run(words: list[str]) -> ExitCode:
    """Run one command line that began with `journal`."""
    given = parser().parse_args(words)
    if given.last < 0:
        raise UsageError(f"--last {given.last}: give 0 or more")
    units = load_settings(given.config).display.units
    journal = Journal()
    if given.action == "undo":
        return _undo(journal)
    runs = deque(read_runs(journal.directory), given.last)
    is_running = is_written(journal.directory)
    states = [_state(each, is_running=is_running and each is runs[-1]) for each in runs]
    if given.json:
        told = [_as_json(each, state) for each, state in zip(runs, states, strict=True)]
        output.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return ExitCode.COMPLETE
    lines: list[str] = []
    for each, state in zip(runs, states, strict=True):
        lines += ["", *_run_lines(each, state, units)] if lines else _run_lines(each, state, units)
    output.write_text("\n".join(lines or ["nothing was removed"]) + "\n")
    return ExitCode.COMPLETE


def _undo(journal: Journal) -> ExitCode:
    from spacemap.clean.undo import undo_last  # noqa: PLC0415 - a list does not need it

    outcome = undo_last(journal)
    for stayed in outcome.stayed:
        output.complain(f"{display_name(stayed.path)}: {stayed.reason}")
    output.write_text(f"{format_number(outcome.entries, 'entry', 'entries')} restored from the trash\n")
    return ExitCode.INCOMPLETE if outcome.stayed_count else ExitCode.COMPLETE


def _state(run: Run, *, is_running: bool) -> str:
    if run.end is None:
        return "running" if is_running else "cut off"
    return "cancelled" if run.end["is_cancelled"] else "complete"


def _count(run: Run, member: str) -> int:
    value = run.end.get(member) if run.end else None
    return value if isinstance(value, int) else 0


_DONE = {"delete": "deleted", "trash": "moved to the trash", "restore": "restored"}


def _run_lines(run: Run, state: str, units: Units) -> list[str]:
    """Return a line of what was done, and some of the planned paths."""
    done = _DONE.get(run.what, run.what)
    if run.end is None:
        gone, perhaps = (sum(len(i.gone()) for i in run.intents if i.is_done is known) for known in (True, False))
        text = f"{format_number(gone, 'entry', 'entries')} {done}, {perhaps:,} more may have been ({state})"
    else:
        text = f"{format_number(_count(run, 'entries'), 'entry', 'entries')} {done}"
        text += f", {format_size(_count(run, 'disk_bytes'), units)}" if run.what != "restore" else ""
        stayed = _count(run, "stayed")
        text += f"; {stayed:,} stayed" if stayed else ""
        text += f"; {state}" if state != "complete" else ""
    paths = [_shown(path) for path in run.planned[:_SHOWN_PATHS]]
    more = run.planned_count - len(paths)
    return [f"{format_moment(run.started_ns)}  {text}", *paths, *([f"  and {more:,} more"] if more > 0 else [])]


def _shown(path: bytes) -> str:
    """Return a path as a line, shortened on a terminal, and whole in a pipe."""
    shown = encodable(display_name(path), output.stdout_encoding())
    if not output.stdout_is_terminal():
        return f"  {shown}"
    width = output.stdout_width(os.environ.get("COLUMNS"))
    return "  " + shorten(shown, max(width - cell_width("  "), 1), "...")


def _as_json(run: Run, state: str) -> dict[str, object]:
    return {
        "started_ns": run.started_ns,
        "what": run.what,
        "state": state,
        "planned": _texts(run.planned),
        "planned_count": run.planned_count,
        "entries": _count(run, "entries"),
        "disk_bytes": _count(run, "disk_bytes"),
        "stayed": _count(run, "stayed"),
        "gone": _paths(run, is_done=True),
        "may_be_gone": _paths(run, is_done=False),
    }


def _paths(run: Run, *, is_done: bool) -> list[str]:
    """Return the paths of a run that went for sure, or perhaps."""
    intents = [intent for intent in run.intents if intent.is_done is is_done]
    return _texts([intent.where.path().rstrip(b"/") + b"/" + name for intent in intents for name in intent.gone()])


def _texts(paths: Sequence[bytes]) -> list[str]:
    return [name_to_text(path) for path in paths]
