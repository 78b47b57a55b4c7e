"""spacemap: where did the space go, what changed, what is here twice, what can go."""

from importlib import import_module

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.analyze.duplicates import find_duplicates
    from spacemap.export.json_snapshot import open_snapshot
    from spacemap.scan import ScanOptions, scan
    from spacemap.store.snapshot import write_snapshot
    from spacemap.tree.snapshot import Snapshot
    from spacemap.tree.tree import Tree

__version__ = "2.0.0"

__all__ = ["ScanOptions", "Snapshot", "Tree", "find_duplicates", "open_snapshot", "scan", "write_snapshot"]

_HOMES = {
    "ScanOptions": "spacemap.scan",
    "Snapshot": "spacemap.tree.snapshot",
    "Tree": "spacemap.tree.tree",
    "find_duplicates": "spacemap.analyze.duplicates",
    "open_snapshot": "spacemap.export.json_snapshot",
    "scan": "spacemap.scan.run",
    "write_snapshot": "spacemap.store.snapshot",
}


def __getattr__(name: str) -> object:
    """Import a public name on its first use (PEP 562): numpy is not paid for by those who do not need it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
