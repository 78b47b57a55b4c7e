"""What a report says of the earlier scan that was used: the level, and what could have been missed."""

from spacemap.units import Units, format_ago, format_count, format_moment, format_number, format_size

TYPE_CHECKING = False  # what mypy takes for true; typing itself would cost more than this module
if TYPE_CHECKING:
    from spacemap.tree.snapshot import BaseUse


def describe_base(base: "BaseUse", directories: int, now_ns: int, units: Units) -> str:
    """Return one sentence; `directories` is how many the tree has."""
    age = format_ago(now_ns // 1_000_000_000 - base.started_ns // 1_000_000_000)
    head = f"Earlier scan of {format_moment(base.started_ns)} ({age}) used at level {base.level}"
    kept = f"{format_count(base.kept_directories)} of {format_number(directories, 'directory', 'directories')}"
    if base.level == "trust":
        is_whole = base.kept_directories >= directories
        seen = "nothing was looked at again" if is_whole else f"{kept} not looked at again"
        return f"{head}: {seen}: every change there since would be missed"
    if not base.trusted_entries:
        return f"{head}: {kept} unchanged; every file was measured again, nothing is taken on trust"
    files = format_number(base.trusted_entries, "file")
    trusted = f"{files} ({format_size(base.trusted_bytes, units)}) taken on trust"
    return f"{head}: {kept} unchanged; {trusted}: growth in place of small, old files would be missed"
