"""From batches in any order to one tree, whoever sent what first and whatever was lost."""

import random

import pytest

from spacemap.scan.batch import BatchWriter, decode_batch
from spacemap.scan.recover import unlisted_directories
from spacemap.scan.wire import Note
from spacemap.tree.batch import Batch
from spacemap.tree.build import build_tree
from spacemap.tree.columns import Operation, Skip
from spacemap.tree.fold import fold_batch
from spacemap.tree.order import Decision
from spacemap.tree.tree import Tree
from tests.scan.comparison import _columns, recomputed, told
from tests.trees import tree_of

LISTER = 1 << 40


class Sender:
    """One lister: puts listings into batches, and sends a batch when it holds enough."""

    def __init__(self, number: int) -> None:
        self.writer = BatchWriter(number * LISTER)
        self.frames: list[bytes] = []

    def list(self, ref: int, entries: dict[str, object], first_inode: int) -> dict[str, int]:
        """List a directory; return the references of its subdirectories."""
        refs = {}
        for number, (name, entry) in enumerate(sorted(entries.items())):
            is_directory = isinstance(entry, dict)
            if is_directory:
                refs[name] = self.writer.next_ref
                self.writer.add_directory(1, 0, 0, 0)
            self.writer.kind.append(0 if is_directory else 1)
            self.writer.flags.append(0)
            self.writer.name_length.append(len(name))
            self.writer.names.append(name.encode())
            self.writer.apparent_size.append(0 if is_directory else entry)
            self.writer.blocks.append(0 if is_directory else -(-entry // 512))
            self.writer.mtime.append(number)
            self.writer.inode.append(first_inode + number)
            self.writer.owner.append(_owner(first_inode + number))
        self.writer.add_listing(ref, len(entries), 0)
        return refs

    def flush(self) -> None:
        """Send what is there."""
        if not self.writer.is_empty():
            self.frames.append(self.writer.take())


def _owner(inode: int) -> int:
    """Return whose an entry is: neighbours belong to one, and few have odd owners."""
    return {40: 70_000, 41: 5}.get(inode, 1000 + inode // 30 if inode else 0)


def _check_owners(tree: Tree) -> None:
    """Check that each entry has its owner, and that there are no owners but those."""
    wanted = [_owner(inode) for inode in tree.inode.tolist()]
    assert wanted == tree.owners[tree.owner].tolist()
    assert sorted(set(wanted)) == tree.owners.tolist()


def _random_spec(chance: random.Random, depth: int = 0) -> dict[str, object]:
    names = chance.sample("abcdefghij", chance.randrange(7))
    return {
        name: _random_spec(chance, depth + 1) if chance.random() < 0.6 and depth < 5 else chance.randrange(9000)
        for name in names
    }


def _frames(chance: random.Random, spec: dict[str, object]) -> list[bytes]:
    """Return the frames of several listers that share the work and flush when they like; the root's comes first."""
    root = BatchWriter(0)
    root.add_directory(1, 0, 0, 0)
    for column in (root.kind, root.flags, root.apparent_size, root.blocks, root.mtime, root.inode, root.owner):
        column.append(0)
    root.name_length.append(2)
    root.names.append(b"/r")
    root.add_problem(0, Operation.STAT, 0)
    senders = [Sender(number) for number in (1, 2, 5)]
    waiting = [(0, spec)]
    inode = 1
    while waiting:
        ref, entries = waiting.pop(chance.randrange(len(waiting)))
        sender = chance.choice(senders)
        refs = sender.list(ref, entries, inode)
        inode += len(entries)
        waiting += [(refs[name], entries[name]) for name in refs]
        if chance.random() < 0.3:
            sender.flush()
    for sender in senders:
        sender.flush()
    return [root.take(), *(frame for sender in senders for frame in sender.frames)]


def _decoded(frames: list[bytes]) -> list[Batch]:
    return [decode_batch(frame) for frame in frames]


@pytest.mark.parametrize("seed", range(40))
def test_order_of_arrival_is_no_matter(seed: int) -> None:
    """Batches in any order give the same bytes, and the tree of the spec."""
    chance = random.Random(seed)
    spec = _random_spec(chance)
    first, *frames = _frames(chance, spec)
    tree = build_tree(_decoded([first, *frames]), {})
    chance.shuffle(frames)

    shuffled = build_tree(_decoded([first, *frames]), {})

    assert _columns("", tree) == _columns("", shuffled)
    _check_owners(tree)
    wanted = tree_of(spec, "/r")
    assert [wanted.path(entry) for entry in range(len(wanted))] == [tree.path(entry) for entry in range(len(tree))]
    assert recomputed(tree) == told(tree)


@pytest.mark.parametrize("seed", range(40))
def test_lost_batches(seed: int) -> None:
    """Without some of the batches the tree holds what can be reached, and the rest is known to be unlisted."""
    chance = random.Random(seed)
    spec = _random_spec(chance)
    first, *frames = _frames(chance, spec)
    kept = [first, *(frame for frame in frames if chance.random() < 0.6)]
    whole = build_tree(_decoded([first, *frames]), {})
    everything = {whole.path(entry): int(whole.apparent_size[entry]) for entry in range(len(whole))}

    tree = build_tree(_decoded(kept), {})
    unlisted = unlisted_directories(_decoded(kept), {}, [b"/r"])

    found = {tree.path(entry): int(tree.apparent_size[entry]) for entry in range(len(tree))}
    skipped = {tree.path(int(entry)) for entry in tree.directories.entry[tree.directories.skip == Skip.UNLISTED]}
    missing = everything.keys() - found.keys()
    assert found.items() <= everything.items()
    assert {b"/".join([b"/r", each.path]) if each.path else b"/r" for each in unlisted} == skipped
    assert all(any(path.startswith(above + b"/") for above in skipped) for path in missing)
    assert recomputed(tree) == told(tree)
    _check_owners(tree)


@pytest.mark.parametrize("seed", range(20))
def test_lost_batches_are_listed_again(seed: int) -> None:
    """What a lost worker left is listed under new references beside its orphans, and the tree is whole."""
    chance = random.Random(seed)
    spec = _random_spec(chance)
    first, *frames = _frames(chance, spec)
    kept = [first, *(frame for frame in frames if chance.random() < 0.6)]
    second = Sender(9)
    for each in unlisted_directories(_decoded(kept), {}, [b"/r"]):
        entries = spec
        for name in each.path.decode().split("/") if each.path else []:
            entries = entries[name]
        waiting = [(each.ref, entries)]
        while waiting:
            ref, entries = waiting.pop()
            waiting += [(new, entries[name]) for name, new in second.list(ref, entries, 1).items()]
    second.flush()

    tree = build_tree(_decoded([*kept, *second.frames]), {})

    wanted = tree_of(spec, "/r")
    assert [wanted.path(entry) for entry in range(len(wanted))] == [tree.path(entry) for entry in range(len(tree))]
    assert recomputed(tree) == told(tree)


@pytest.mark.parametrize("seed", range(20))
def test_folded_batches(seed: int) -> None:
    """Batches folded in steps, in any order, give the same sums, and their directories are found by reference."""
    chance = random.Random(seed)
    spec = _random_spec(chance)
    first, *frames = _frames(chance, spec)
    whole = build_tree(_decoded([first, *frames]), {})
    expected = [(whole.path(int(entry)), *row) for entry, row in zip(whole.directories.entry, told(whole), strict=True)]
    batches = [fold_batch(fold_batch(batch, chance.randrange(5000)), 6000) for batch in _decoded(frames)]
    chance.shuffle(batches)

    tree = build_tree([*_decoded([first]), *batches], {})

    assert expected == [
        (tree.path(int(entry)), *row) for entry, row in zip(tree.directories.entry, told(tree), strict=True)
    ]


def test_decisions_become_skips_and_problems() -> None:
    """A decision about a directory is its skip, and a problem where something failed; one about an orphan is none."""
    first, *frames = _frames(random.Random(1), {"a": {"b": {"c": 1}}, "d": {}})
    whole = build_tree(_decoded([first, *frames]), {})
    refs = {each.path: each.ref for each in unlisted_directories(_decoded([first, frames[0]]), {}, [b"/r"])}
    decisions = {ref: Decision(Skip.TIMED_OUT, Operation.SCAN, 110) for ref in [*refs.values(), 7 * LISTER + 5]}

    tree = build_tree(_decoded([first, frames[0]]), decisions)

    assert len(refs) > 0 < len(whole)
    assert len(refs) == (tree.directories.skip == Skip.TIMED_OUT).sum() == (tree.problems.operation == 4).sum()


def test_unlisted_directories_tell_where_they_are() -> None:
    """An unlisted directory has its path below its own root, its depth, and what is special about it."""
    batch = BatchWriter(0)
    for name, flags in ((b"", 0), (b"/x", 0), (b"/y", 4)):
        batch.add_directory(3, 0, 0, 0)
        batch.kind.append(0)
        batch.flags.append(flags)
        batch.name_length.append(len(name))
        batch.names.append(name)
        for column in (batch.apparent_size, batch.blocks, batch.mtime, batch.inode):
            column.append(5)
    batch.add_listing(0, 2, 0)

    found = unlisted_directories([decode_batch(batch.take())], {}, [b"/y", b"/x"])

    assert [(b"", 1, 0, 0), (b"", 0, 0, int(Note.BOUNDARY))] == [
        (each.path, each.root, each.depth, each.notes) for each in found
    ]


def test_paths() -> None:
    """A path begins with the root's, whatever the root is called."""
    for root, expected in (("/", b"/a/b"), ("/r", b"/r/a/b"), ("", b"a/b")):
        tree = tree_of({"a": {"b": 1}}, root)

        assert expected == tree.path(2)
        assert [range(1, 2), range(2, 3), range(0)] == [tree.children(entry) for entry in range(3)]
        with pytest.raises(KeyError):
            tree.directory_row(2)


def test_a_batch_of_roots_is_not_folded() -> None:
    """The scan's own batch stays as it is."""
    batch = decode_batch(_frames(random.Random(0), {})[0])

    assert batch is fold_batch(batch, 1 << 62)
