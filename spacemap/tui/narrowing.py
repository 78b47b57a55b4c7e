"""What a filter lets through of the tree that is shown, worked out once for a tree, a filter and a measure."""

from spacemap.analyze.categories import Category
from spacemap.analyze.conditions import Query
from spacemap.analyze.matching import Matcher
from spacemap.tree.measure import Measure
from spacemap.tree.selection import Selection, select
from spacemap.tree.snapshot import Snapshot


class Narrowing:
    """Keeps the last selection, and what the categories of a tree are."""

    def __init__(self, categories: tuple[Category, ...]) -> None:
        self._categories = categories
        self._of: Snapshot | None = None
        self._matcher: Matcher | None = None
        self._asked: tuple[Query, Measure] | None = None
        self._selection: Selection | None = None

    def selection(self, snapshot: Snapshot, query: Query, measure: Measure) -> Selection:
        """Return what of a snapshot matches."""
        if self._matcher is None or self._of is not snapshot:
            now_seconds = snapshot.facts.started_ns // 1_000_000_000
            self._matcher = Matcher(snapshot.tree, self._categories, now_seconds)
            self._of, self._selection = snapshot, None
        if self._selection is None or self._asked != (query, measure):
            self._selection = select(snapshot.tree, self._matcher.mask(query, measure))
            self._asked = (query, measure)
        return self._selection
