"""The results as a table for the terminal, as a Markdown section and as JSON."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from results import Results, Row, Timing

MIB_PER_MB = 1e6 / 1024**2
_ROW_HEAD = ("scenario", "what", "target", "goal", "median", "min .. max", "reached")
_TIMING_HEAD = ("scenario", "command", "wall min", "median", "max", "CPU median", "runs")


def as_text(results: Results) -> str:
    """Aligned tables and remarks for a terminal."""
    return "\n\n".join(
        (
            _aligned(_ROW_HEAD, [_row_cells(row) for row in results.rows]),
            _aligned(_TIMING_HEAD, [_timing_cells(timing) for timing in results.timings]),
            "\n".join(f"- {remark}" for remark in results.remarks),
        )
    )


def as_markdown(results: Results, machine: dict[str, str], peers: dict[str, str]) -> str:
    """A section with the machine, both tables and the remarks."""
    tools = ", ".join(f"{name} {version}" for name, version in peers.items())
    parts = (
        "## Measured by `make bench`",
        "\n".join(f"- {key}: {value}" for key, value in (*machine.items(), ("compared with", tools))),
        _markdown_table(_ROW_HEAD, [_row_cells(row) for row in results.rows]),
        "Seconds of whole processes; CPU is user and system time together:",
        _markdown_table(_TIMING_HEAD, [_timing_cells(timing) for timing in results.timings]),
        "\n".join(f"- {remark}" for remark in results.remarks),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def write_raw(path: Path, results: Results, machine: dict[str, str], peers: dict[str, str]) -> None:
    """Every single number as JSON: seconds and bytes."""
    content = {"machine": machine, "peers": peers, **asdict(results)}
    path.write_text(json.dumps(content, indent=1) + "\n")


def _row_cells(row: Row) -> tuple[str, ...]:
    target, goal = "", ""
    if row.target:
        sign = "=" if row.target.exact else "<" if row.target.below else "<="
        target = f"{sign} {_number(row.target.limit, row.unit)}"
        goal = _number(row.target.goal, row.unit) if row.target.goal is not None else ""
    if not row.values:
        return (row.scenario, row.what, target, goal, "-", "-", "not measured")
    median = _number(row.median, row.unit)
    if row.unit == "MB":
        median += f" ({row.median * MIB_PER_MB:.1f} MiB)"
    spread = f"{_number(min(row.values), row.unit)} .. {_number(max(row.values), row.unit)}"
    reached = "" if row.target is None else "yes" if row.is_reached else "NO"
    if reached == "yes" and row.target and row.target.goal is not None and row.median <= row.target.goal:
        reached = "yes, and the goal"
    return (row.scenario, row.what, target, goal, median, spread, reached)


def _number(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.3g}" if value >= 10 else f"{value:.3f}"
    return {"s": f"{value:.3f} s", "MB": f"{value:.1f} MB", "bytes": f"{value:.0f} bytes"}[unit]


def _timing_cells(timing: Timing) -> tuple[str, ...]:
    walls = [run.wall_s for run in timing.runs]
    cpu = statistics.median(run.user_s + run.system_s for run in timing.runs)
    times = (min(walls), statistics.median(walls), max(walls), cpu)
    return (
        timing.scenario,
        timing.command,
        *(f"{seconds:.3f}" for seconds in times),
        str(len(walls)),
    )


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
