"""Snapshot files: a snapshot written whole, and one opened at a cost that does not grow with its entries."""

from dataclasses import dataclass

from spacemap.store.blocks import (
    BlockFile,
    Durability,
    Json,
    Path,
    atomic_file,
    damaged,
    naming,
    open_blocks,
    verified,
    write_blocks,
)
from spacemap.store.facts import (
    RootTotals,
    facts_from_json,
    facts_to_json,
    roots_from_json,
    roots_to_json,
    totals_from_json,
    totals_to_json,
)
from spacemap.store.schema import LAYOUT, LAYOUTS
from spacemap.tree.snapshot import Facts, Snapshot

_FOOTER_KEYS = {"blocks", "facts", "roots", "totals"}


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot file that was opened: what is in its footer, and the tree when it is asked for."""

    path: Path
    facts: Facts
    roots: tuple[bytes, ...]
    totals: RootTotals
    blocks: BlockFile

    def load(self) -> Snapshot:
        """Return the snapshot, every block verified; its large columns are views of the mapped file.

        Raises FormatError.
        """
        import numpy as np  # noqa: PLC0415  100 ms that reading the totals does not need

        from spacemap.store.columns import root_totals, tree_from_columns  # noqa: PLC0415 - as above
        from spacemap.store.validity import check_roots  # noqa: PLC0415 - as above

        with naming(self.path):
            columns = {
                name: np.frombuffer(verified(self.blocks, name), f"<{block.type}")
                for name, block in self.blocks.blocks.items()
            }
            tree = tree_from_columns(columns)
            check_roots(tree, self.roots)
            if root_totals(tree) != self.totals:
                raise damaged("the totals in the footer are not those of the tree")
        return Snapshot(tree, self.roots, self.facts)


def write_snapshot(path: Path, snapshot: Snapshot, *, durability: Durability = Durability.POWER_FAILURE) -> None:
    """Write a snapshot to a file, in the place of what may be there; by default it is on the disk when this returns.

    Raises SpacemapError; what was there before is then untouched.
    """
    from spacemap.store.columns import (  # noqa: PLC0415 - imports numpy
        as_blocks,
        check_is_canonical,
        kept_columns,
        root_totals,
    )

    check_is_canonical(snapshot.tree)
    footer: dict[str, Json] = {
        "facts": facts_to_json(snapshot.facts),
        "roots": roots_to_json(snapshot.roots),
        "totals": totals_to_json(root_totals(snapshot.tree)),
    }
    with atomic_file(path, durability) as file:
        write_blocks(file, LAYOUT, as_blocks(kept_columns(snapshot.tree)), footer)


def open_snapshot(path: Path) -> SnapshotFile:
    """Open a snapshot file. Its header and footer are checked now, each block when the tree is loaded.

    Raises FormatError for what is no whole snapshot file of a known version, SpacemapError for what cannot be read.
    """
    with naming(path):
        file = open_blocks(path, LAYOUTS)
        if file.footer.keys() != _FOOTER_KEYS:
            raise damaged("the footer has other fields than those of this version")
        try:
            facts = facts_from_json(file.footer["facts"])
            roots = roots_from_json(file.footer["roots"])
            totals = totals_from_json(file.footer["totals"])
        except ValueError as error:
            raise damaged(f"the footer cannot be right ({error})") from error
    return SnapshotFile(path, facts, roots, totals, file)
