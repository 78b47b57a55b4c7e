"""A snapshot narrowed to what --filter lets through, and what is said of it."""

from dataclasses import dataclass, replace

from spacemap.analyze.conditions import Query
from spacemap.analyze.matching import Matcher, check_query
from spacemap.config import Settings
from spacemap.render.text import display_text
from spacemap.tree.columns import Mask
from spacemap.tree.measure import Measure
from spacemap.tree.selection import Applied, Selection, select
from spacemap.tree.snapshot import Snapshot
from spacemap.units import Units, format_count, format_size


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a filter left of a snapshot."""

    snapshot: Snapshot
    """Its tree has the sizes and totals of what matches."""
    selection: Selection
    applied: Applied


def narrowed(snapshot: Snapshot, query: Query, measure: Measure, settings: Settings) -> Narrowed:
    """Return what a filter leaves of a snapshot. Raises UsageError for one that cannot be asked of it."""
    selection = select(snapshot.tree, matching(snapshot, query, measure, settings))
    return Narrowed(replace(snapshot, tree=selection.tree), selection, selection.applied(query.text, measure))


def matching(snapshot: Snapshot, query: Query, measure: Measure, settings: Settings) -> Mask:
    """Return the mask of the entries that match. Raises UsageError for a filter that cannot be asked of a snapshot."""
    check_query(query, settings.categories, snapshot)
    matcher = Matcher(snapshot.tree, settings.categories, snapshot.facts.started_ns // 1_000_000_000)
    return matcher.mask(query, measure)


def describe_filter(applied: Applied, units: Units) -> str:
    """Return how much a filter hides, in words."""
    hidden = applied.hidden
    entries = f"{format_count(hidden.entries)} of {format_count(hidden.of_entries)} entries"
    return (
        f"Filter {display_text(applied.text)} hides {entries}, "
        f"{format_size(hidden.bytes, units)} of {format_size(hidden.of_bytes, units)}"
    )
