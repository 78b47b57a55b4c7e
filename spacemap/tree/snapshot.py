"""The Snapshot: a tree and the facts of the scan that made it."""

from dataclasses import dataclass
from enum import Enum

TYPE_CHECKING = False  # what mypy takes for true; facts alone are read without numpy
if TYPE_CHECKING:
    from spacemap.tree.tree import Tree


class Completeness(Enum):
    """Whether the scan went to its end."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class BaseUse:
    """How a scan used an earlier one."""

    level: str
    """`verified`, `fast` or `trust`: what was measured again."""
    started_ns: int
    """When the earlier scan began; wall clock, nanoseconds since 1970."""
    kept_directories: int
    """Directories whose earlier listing stood."""
    trusted_entries: int
    """Files whose sizes and times are those of the earlier scan."""
    trusted_bytes: int
    """Their disk usage."""


@dataclass(frozen=True, slots=True)
class Facts:
    """How and when a tree was scanned."""

    started_ns: int
    """Wall clock, nanoseconds since 1970."""
    finished_ns: int
    elapsed_ns: int
    """Measured on a monotonic clock."""
    engine: str
    workers: int
    """Processes that listed directories; 0 when the scan ran in the calling process."""
    requests: int
    """Directories listed at the same time, over all workers."""
    host: str
    options: dict[str, str | int | bool | list[str] | None]
    """The options that shape the result, as text and numbers."""
    completeness: Completeness
    notes: tuple[str, ...]
    """Lines for the user: a nested root left out, a worker replaced, files folded to save memory."""
    base: BaseUse | None = None
    """The earlier scan that was used; None: everything was listed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a scan returns."""

    tree: "Tree"
    roots: tuple[bytes, ...]
    """Absolute paths, ascending; more than one are children of a nameless root entry."""
    facts: Facts
