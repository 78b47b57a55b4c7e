"""The kept scan of the same roots and options: found for the next one, and followed by it."""

from dataclasses import replace

from spacemap.store import cache
from spacemap.tree.snapshot import Completeness, Snapshot


def differing(snapshot: Snapshot, options: cache.Options) -> list[str]:
    """Return the names of the options that a kept scan was made with other values of."""
    return [name for name, value in options.items() if snapshot.facts.options.get(name) != value]


def since_oldest(snapshot: Snapshot, base: Snapshot) -> Snapshot:
    """Return a snapshot whose facts tell since when files are taken on trust: what the base took on trust, and this
    scan again, is older than the base."""
    use, former = snapshot.facts.base, base.facts.base
    if use is None or former is None or not use.trusted_entries or not former.trusted_entries:
        return snapshot
    oldest = replace(use, started_ns=min(use.started_ns, former.started_ns))
    return replace(snapshot, facts=replace(snapshot.facts, base=oldest))


def keep_newer(directory: cache.Path, snapshot: Snapshot, base: Snapshot | None, size_limit: int) -> None:
    """Keep a complete scan, unless its base, which is kept, says the same. Raises SpacemapError."""
    if snapshot.facts.completeness is not Completeness.COMPLETE:
        return
    if base is not None and snapshot.tree is base.tree and not _is_surer(snapshot, base):
        return
    cache.keep(directory, snapshot, size_limit)


def _is_surer(snapshot: Snapshot, base: Snapshot) -> bool:
    """Return whether a scan measured what its base had taken on trust."""
    use, former = snapshot.facts.base, base.facts.base
    return former is not None and former.trusted_entries > 0 and use is not None and not use.trusted_entries
