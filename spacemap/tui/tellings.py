"""What work in threads tells of marks and of removing: values that need neither numpy nor what they tell of."""

from dataclasses import dataclass

from spacemap.errors import SpacemapError
from spacemap.tui.jobs import Told

TYPE_CHECKING = False  # what mypy takes for true; most who browse remove nothing, and need none of this
if TYPE_CHECKING:
    from spacemap.clean import Below, Inspection, Method, Outcome, Removing
    from spacemap.tui.marks import Marks
    from spacemap.tui.proposal import Proposal


@dataclass(frozen=True, slots=True)
class AddedUp(Told):
    """What is marked has its sum."""

    marks: "Marks"


@dataclass(frozen=True, slots=True)
class Proposed(Told):
    """There is a plan, about which to ask."""

    proposal: "Proposal"
    methods: "tuple[Method, ...]"
    """What can be chosen; with more than one, a script too."""


@dataclass(frozen=True, slots=True)
class Inspected(Told):
    """What is planned has been compared with the file system."""

    proposal: "Proposal"
    inspection: "Inspection"


@dataclass(frozen=True, slots=True)
class Comparing(Told):
    """What is below planned directories is being compared with the file system."""

    proposal: "Proposal"
    compared: int
    """So many entries, of `count`."""
    count: int


@dataclass(frozen=True, slots=True)
class Compared(Told):
    """It has been."""

    proposal: "Proposal"
    below: "Below"


@dataclass(frozen=True, slots=True)
class Going(Told):
    """A removal, or putting back, goes on."""

    removing: "Removing"


@dataclass(frozen=True, slots=True)
class Removed(Told):
    """A removal is over."""

    outcome: "Outcome"
    method: "Method"
    changed: frozenset[bytes]
    """Paths of directories whose listings may have changed."""


@dataclass(frozen=True, slots=True)
class Trashed(Told):
    """There is something that could be put back."""

    paths: tuple[bytes, ...]
    """Where it was."""


@dataclass(frozen=True, slots=True)
class PutBack(Told):
    """What was in the trash is where it was."""

    outcome: "Outcome"
    changed: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Written(Told):
    """A script was written."""

    path: str


@dataclass(frozen=True, slots=True)
class NotBegun(Told):
    """Nothing was begun, or what was begun broke off."""

    error: SpacemapError
    changed: frozenset[bytes] = frozenset()
    """Paths of directories whose listings may have changed until then."""
