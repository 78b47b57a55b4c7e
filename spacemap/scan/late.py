"""A checkpoint that a scan keeps by itself once it takes long. Importing this costs nothing: most scans never do."""

from collections.abc import Callable
from typing import NamedTuple

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.scan.checkpoint import Checkpoint


class LateCheckpoint(NamedTuple):
    """When a scan begins to keep a checkpoint, and who makes it."""

    after: float
    """Seconds that a scan may take without one."""
    make: "Callable[[dict[str, object]], Checkpoint]"
    """Given what the header of a log says of its scan; called when it is time."""
