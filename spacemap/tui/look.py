"""How a list of entries looks: its order, its measure, and which columns are shown. Values, changed by replacing."""

from dataclasses import dataclass
from enum import Enum

from spacemap.analyze.by import By
from spacemap.analyze.conditions import Query
from spacemap.tree.measure import Measure


class Sort(Enum):
    """What rows are ordered by."""

    NAME = "name"
    SIZE = "size"
    ITEMS = "items"
    MTIME = "modified"


class Graph(Enum):
    """What shows the share of a row."""

    BAR = "bar"
    PERCENT = "percent"
    BOTH = "bar and percent"
    NONE = "none"


class Sharing(Enum):
    """What the column about hard links tells."""

    OFF = "off"
    SHARED = "shared"
    """Bytes that deleting the row would not free: a link to them is elsewhere."""
    EXCLUSIVE = "exclusive"
    """Bytes that deleting it would free."""


class View(Enum):
    """What is listed of a place."""

    LIST = "list"
    TREEMAP = "treemap"
    """The rows of the list as tiles, as large as what they hold."""
    LARGEST = "largest files"
    TYPES = "by type"
    AGES = "by age"
    OWNERS = "by owner"
    PROBLEMS = "problems"
    MARKED = "marked"
    """The basket: what is marked, wherever it is."""
    FOUND = "found"
    """Entries of the whole tree whose names contain the text that is searched for."""


CYCLE = (View.LIST, View.TREEMAP, View.LARGEST, View.TYPES, View.AGES, View.OWNERS)
"""The views that follow one another."""


@dataclass(frozen=True, slots=True)
class Look:
    """How rows are ordered and shown."""

    sort: Sort = Sort.SIZE
    is_reversed: bool = False
    """Names descend, everything else ascends."""
    measure: Measure = Measure.DISK
    directories_first: bool = False
    shows_hidden: bool = True
    """With names that begin with a dot, and what was excluded."""
    shows_ignored: bool = False
    """With what its user ignores for now."""
    graph: Graph = Graph.BAR
    tiles: By = By.TYPE
    """What the colours of a treemap tell apart."""
    sharing: Sharing = Sharing.OFF
    shows_items: bool = True
    shows_mtime: bool = False
    filter: Query | None = None
    """Only what matches is shown and added up, and what it is in; None: everything."""
