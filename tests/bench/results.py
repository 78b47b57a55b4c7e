"""What a scenario hands to the report: rows with a target, times of commands, and remarks."""

import statistics
from dataclasses import dataclass, field

from measure import Pairs, Run


@dataclass(frozen=True, slots=True)
class Target:
    """A limit that the median is held against."""

    limit: float
    goal: float | None = None
    """Better than the limit, and wished for."""
    below: bool = False
    """The median must be less than the limit, not equal to it."""
    exact: bool = False
    """The median must be the limit itself."""

    def is_met(self, value: float) -> bool:
        """Whether `value` keeps the limit."""
        if self.exact:
            return value == self.limit
        return value < self.limit if self.below else value <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number with what it should be."""

    scenario: str
    what: str
    unit: str
    """"x" for a ratio, else "s", "MB" (10^6 bytes) or "bytes"."""
    values: tuple[float, ...]
    """One per round; empty when it could not be measured."""
    target: Target | None = None
    """None: for comparison only."""

    @property
    def median(self) -> float:
        """In `unit`; only for a row that was measured."""
        return statistics.median(self.values)

    @property
    def is_reached(self) -> bool:
        """Whether the number is there and keeps its limit; true where nothing is asked."""
        return self.target is None or (bool(self.values) and self.target.is_met(self.median))


@dataclass(frozen=True, slots=True)
class Timing:
    """All runs of one command in one scenario."""

    scenario: str
    command: str
    runs: tuple[Run, ...]


@dataclass(slots=True)
class Results:
    """Grows while scenarios run."""

    rows: list[Row] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """Scenarios that ended early, since a command in them failed."""

    def add_pairs(self, scenario: str, subject: str, pairs: Pairs, targets: dict[str, Target]) -> None:
        """A row for each other command (by name; without a target it is for comparison), and all times."""
        for other, ratios in pairs.ratios.items():
            self.rows.append(Row(scenario, f"{subject} / {other}", "x", tuple(ratios), targets.get(other)))
        self.add_timings(scenario, pairs)

    def add_timings(self, scenario: str, pairs: Pairs) -> None:
        """The times of every command of `pairs`."""
        self.timings += [Timing(scenario, name, tuple(runs)) for name, runs in pairs.runs.items()]

    @property
    def are_reached(self) -> bool:
        """Whether every scenario ran and every limit is kept."""
        return not self.failed and all(row.is_reached for row in self.rows)

    def add_ratio(self, scenario: str, pairs: Pairs, dividend: str, divisor: str) -> None:
        """A row for comparison of two commands that ran in the same rounds, though not back to back."""
        runs = zip(pairs.runs[dividend], pairs.runs[divisor], strict=True)
        values = tuple(first.wall_s / second.wall_s for first, second in runs)
        self.rows.append(Row(scenario, f"{dividend} / {divisor}", "x", values))

    def not_measured(self, scenario: str, reason: str, rows: dict[str, Target]) -> None:
        """Rows without a number: a scenario that cannot run here is shown, not left out."""
        self.rows += [Row(scenario, what, "x", (), target) for what, target in rows.items()]
        self.remarks.append(f"{scenario}: not measured: {reason}")
