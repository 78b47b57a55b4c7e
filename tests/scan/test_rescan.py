"""A rescan from an earlier tree finds what a full scan finds, or says what it took on trust."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from spacemap.scan import CacheTagged, EngineName, ScanOptions, Symlinks, scan, stale
from spacemap.scan.rescan import Level, Rescan
from spacemap.tree.columns import Flag, Kind
from spacemap.tree.owners import UNKNOWN_OWNER, one_owner
from spacemap.tree.snapshot import Completeness, Snapshot
from tests.conftest import remove
from tests.scan.comparison import as_bytes, below, totals
from tests.scan.engines import QUICK, each_engine, needs_root
from tests.scan.specs import TREE_NAMES, Entry, at_root, make_tree, needs_tmpfs, read_spec, wide_tree

TICK_NS = 20_000_000
"""Stands for the granularity of clocks where a test has many trees: some ticks of the kernel."""
SECONDS_PER_DAY = 86_400


@pytest.fixture(scope="module")
def settled(large_place: Path) -> Path:
    """Return a tree with every fixture and 4,000 entries more, which nobody has touched for more than two seconds."""
    entries = at_root(wide_tree(100, 40), "wide")
    for name in TREE_NAMES:
        spec = read_spec(name)
        if not needs_tmpfs(spec):
            entries += at_root(spec, name)
    root = make_tree(large_place / "tree", entries)
    (root / "cache").mkdir()
    (root / "cache/CACHEDIR.TAG").write_text("Signature: 8a477f597d28d172789f06886806bc55\n")
    wait_until_settled()
    return root


def wait_until_settled() -> None:
    """Let the clock go past what counts as just changed."""
    Event().wait(stale.GRANULARITY_NS / 1e9 + 0.05)


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let directories be trusted after some ticks of the clock."""
    monkeypatch.setattr(stale, "GRANULARITY_NS", TICK_NS)


@pytest.fixture
def changing(quick_clock: None, large_place: Path, settled: Path) -> Iterator[tuple[Path, Snapshot]]:
    """Return a copy of the tree that may be changed, and its snapshot."""
    root = large_place / "copy"
    files = [Entry(f"wide/{number // 12}/{number % 12}", content=number % 12 * 700) for number in range(720)]
    links = [Entry(f"wide/{number}/link", "link", target="wide/0/5") for number in range(40, 50)]
    make_tree(root, [*files, *links, *at_root(read_spec("ordinary"), "ordinary")])
    wait_until_settled()
    yield root, scan([root])
    remove(root)


@each_engine
@pytest.mark.parametrize("level", Level)
def test_nothing_changed(settled: Path, engine: EngineName, level: Level) -> None:
    """Without a change the tree is the base to the byte, and no directory is listed but those that are never sure."""
    options = ScanOptions(engine=engine)
    base = scan([settled], options)

    again = scan([settled], options, base=base, rescan=Rescan(level))

    assert as_bytes(base) == as_bytes(again)
    assert again.facts.base is not None
    assert len(base.tree.directories.entry) == again.facts.base.kept_directories


@each_engine
def test_measuring_shows_progress(settled: Path, engine: EngineName) -> None:
    """While a base is measured the progress counts what was looked at."""
    options = ScanOptions(engine=engine, threads=1)
    base = scan([settled], options)
    counts: list[int] = []

    scan([settled], options, lambda progress: counts.append(progress.entries), base=base)

    assert counts == sorted(counts)
    assert len(base.tree) == counts[-1]


def grow(root: Path) -> None:
    with (root / "wide/3/2").open("ab") as file:
        file.write(b"x" * 100_000)


def add(root: Path) -> None:
    (root / "wide/7/new").write_text("new")
    (root / "wide/8/below/it").mkdir(parents=True)
    (root / "wide/8/below/it/file").write_text("x" * 9000)


def take_away(root: Path) -> None:
    (root / "wide/9/4").unlink()
    remove(root / "wide/10")


def rename_deep(root: Path) -> None:
    (root / "wide/11").rename(root / "wide/12/moved")
    (root / "ordinary").rename(root / "wide/13/ordinary")


def replace_by_symlink(root: Path) -> None:
    remove(root / "wide/14")
    (root / "wide/14").symlink_to("15")
    (root / "wide/16/0").unlink()
    (root / "wide/16/0").mkdir()


def swap(root: Path) -> None:
    (root / "wide/17").rename(root / "other")
    (root / "wide/18").rename(root / "wide/17")
    (root / "other").rename(root / "wide/18")


def link(root: Path) -> None:
    os.link(root / "wide/19/1", root / "wide/20/link")


def same_second(root: Path) -> None:
    (root / "wide/21/a").write_text("a")
    (root / "wide/21/a").rename(root / "wide/21/b")


def give_away(root: Path) -> None:
    """Change owners of a file, a symlink, a directory and the root, where that is allowed."""
    if os.geteuid() == 0:
        (root / "wide/23/symlink").symlink_to("nowhere")
        for name, owner in (("wide/23/4", 1), ("wide/23/symlink", 70_000), ("wide/24", 1000), ("", 1)):
            os.chown(root / name, owner, -1, follow_symlinks=False)


def touch_root(root: Path) -> None:
    (root / "at the top").write_text("x")


def times_back(root: Path) -> None:
    """Change a directory and give it its old times again."""
    old = (root / "wide/22").stat()
    (root / "wide/22/hidden").write_text("x")
    os.utime(root / "wide/22", ns=(old.st_atime_ns, old.st_mtime_ns))


CHANGES = [
    grow, add, take_away, rename_deep, replace_by_symlink, swap, link, same_second, give_away, touch_root, times_back,
]  # fmt: skip


@pytest.mark.parametrize("change", [*CHANGES, None], ids=lambda change: change.__name__ if change else "all")
def test_verified_equals_a_full_scan(changing: tuple[Path, Snapshot], change: Callable[[Path], None] | None) -> None:
    """Whatever changed, level `verified` finds what a full scan finds, to the byte, with every engine."""
    root, base = changing
    for each in [change] if change else CHANGES:
        each(root)
    expected = as_bytes(scan([root]))

    for engine in QUICK:
        again = scan([root], ScanOptions(engine=engine), base=base, rescan=Rescan(Level.VERIFIED))

        assert expected == as_bytes(again)


@pytest.mark.parametrize("change", [change for change in CHANGES if change is not grow], ids=lambda c: c.__name__)
def test_fast_misses_no_change_of_names(changing: tuple[Path, Snapshot], change: Callable[[Path], None]) -> None:
    """Level `fast` sees all that changes a directory, even where it measures no file."""
    root, base = changing
    change(root)
    expected = totals(scan([root]))

    again = scan([root], base=base, rescan=Rescan(Level.FAST, recent_seconds=-SECONDS_PER_DAY))

    assert expected == totals(again)


def test_fast_tells_what_it_took_on_trust(changing: tuple[Path, Snapshot]) -> None:
    """A small old file that grew in place is missed by `fast`, which counts it among what it took on trust."""
    root, base = changing
    before = totals(base)[0]
    grow(root)

    again = scan([root], base=base, rescan=Rescan(Level.FAST, recent_seconds=-SECONDS_PER_DAY))

    assert before == totals(again)[0]
    assert again.facts.base is not None
    tree = base.tree
    unmeasured = np.flatnonzero((tree.kind != Kind.DIRECTORY) & ((tree.flags & np.uint8(Flag.LINKED)) == 0))
    expected = len(unmeasured), int(tree.disk_usage(unmeasured).sum())
    assert expected == (again.facts.base.trusted_entries, again.facts.base.trusted_bytes)


@pytest.mark.parametrize("large", [True, False], ids=["large", "recent"])
def test_fast_measures_the_large_and_the_recent(changing: tuple[Path, Snapshot], large: bool) -> None:
    """Growth in place is seen in a file above the size, and in one that was modified lately."""
    root, _ = changing
    target = root / "wide/3/2"
    target.write_bytes(b"x" * (50_000 if large else 10))
    old = time.time() - (30 * SECONDS_PER_DAY if large else 3600)
    os.utime(target, (old, old))
    wait_until_settled()
    base = scan([root])
    with target.open("ab") as file:
        file.write(b"y" * 100_000)
    expected = totals(scan([root]))

    again = scan([root], base=base, rescan=Rescan(Level.FAST, large_bytes=40_000, recent_seconds=SECONDS_PER_DAY // 2))

    assert expected == totals(again)


def test_trust_lists_only_what_it_is_told(changing: tuple[Path, Snapshot]) -> None:
    """A refresh of one subtree sees its changes, in the totals of all directories above it, and no other's."""
    root, base = changing
    (root / "wide/30/new").write_text("x" * 5000)
    before = totals(scan([root]))
    (root / "ordinary/docs/unseen").write_text("x" * 70_000)

    again = scan([root], base=base, rescan=Rescan(Level.TRUST, only=(os.fsencode(root / "wide/30"),)))

    assert before == totals(again)
    names = {below(again.tree, entry) for entry in range(1, len(again.tree))}
    assert (True, False) == (b"wide/30/new" in names, b"ordinary/docs/unseen" in names)


def test_refresh_of_what_is_gone(changing: tuple[Path, Snapshot]) -> None:
    """A subtree that is gone by now is gone from the refreshed tree, whatever it was replaced by."""
    root, base = changing
    remove(root / "wide/30")
    (root / "wide/30").write_text("a file now")
    expected = as_bytes(scan([root]))

    again = scan([root], base=base, rescan=Rescan(Level.TRUST, only=(os.fsencode(root / "wide/30"),)))

    assert expected == as_bytes(again)


def test_refresh_of_the_root(changing: tuple[Path, Snapshot]) -> None:
    """A refresh of the root is a full scan."""
    root, base = changing
    for change in CHANGES:
        change(root)
    expected = as_bytes(scan([root]))

    again = scan([root], base=base, rescan=Rescan(Level.TRUST, only=(os.fsencode(root),)))

    assert expected == as_bytes(again)


def test_trust_lists_directories_alone(changing: tuple[Path, Snapshot]) -> None:
    """Directories that are to be listed again show what went from them; what is below those in them stays as it was."""
    root, base = changing
    remove(root / "wide/30")
    (root / "wide/41/link").unlink()
    expected = as_bytes(scan([root]))
    (root / "ordinary/docs/unseen").write_text("x" * 70_000)
    # Those that lost an entry, and those that hold the other links of one that went.
    holders = ["wide", "wide/0", *(f"wide/{number}" for number in range(40, 50))]

    again = scan(
        [root], base=base, rescan=Rescan(Level.TRUST, again=tuple(os.fsencode(root / name) for name in holders))
    )

    assert expected == as_bytes(again)


def test_rescans_of_rescans(changing: tuple[Path, Snapshot]) -> None:
    """A tree that came from a rescan is as good a base as any."""
    root, snapshot = changing
    for change in CHANGES:
        change(root)
        snapshot = scan([root], base=snapshot)

        assert as_bytes(scan([root])) == as_bytes(snapshot)


def test_what_changed_just_before_the_base_is_not_trusted(place: Path) -> None:
    """A directory that changed within the granularity of clocks before it was listed is listed again."""
    root = make_tree(place / "tree", [Entry("old/file"), Entry("new/file")])
    wait_until_settled()
    (root / "new/other").touch()
    base = scan([root])

    again = scan([root], base=base)

    assert as_bytes(base) == as_bytes(again)
    assert again.facts.base is not None
    assert again.facts.base.kept_directories == 2


@each_engine
def test_an_interrupted_base(settled: Path, engine: EngineName, only_workers: None) -> None:
    """What an unfinished tree left unlisted is listed, with everything below it."""
    options = ScanOptions(engine=engine, threads=1)
    expected = as_bytes(scan([settled], options))

    def interrupt(progress: object) -> None:
        raise KeyboardInterrupt

    partial = scan([settled], options, interrupt)
    assert partial.facts.completeness is Completeness.INTERRUPTED
    again = scan([settled], options, base=partial)

    assert expected == as_bytes(again)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (ScanOptions(exclude=("*.iso",)), "exclude"),
        (ScanOptions(prune=("x",)), "prune"),
        (ScanOptions(max_depth=3), "max_depth"),
        (ScanOptions(symlinks=Symlinks.FOLLOW), "follow_symlinks"),
        (ScanOptions(cache_tagged=CacheTagged.EXCLUDE), "exclude_caches"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_options(changing: tuple[Path, Snapshot], options: ScanOptions, reason: str) -> None:
    """A base that was made with other options is not used, and the notes name the option."""
    root, base = changing
    expected = as_bytes(scan([root], options))

    again = scan([root], options, base=base)

    assert expected == as_bytes(again)
    assert [f"the earlier scan was not used: it was made with other options ({reason})"] == list(again.facts.notes)


def test_a_base_without_owners(changing: tuple[Path, Snapshot]) -> None:
    """A snapshot from before owners were kept is no base: the notes say so, and what was found tells them."""
    root, base = changing
    tree = replace(base.tree, owner=one_owner(len(base.tree)), owners=np.array([UNKNOWN_OWNER], np.uint32))

    again = scan([root], base=replace(base, tree=tree))

    assert as_bytes(base) == as_bytes(again)
    assert ["the earlier scan was not used: it was kept by a spacemap that did not tell owners"] == list(
        again.facts.notes
    )


@needs_root
def test_owners_in_place(changing: tuple[Path, Snapshot]) -> None:
    """A file given away is listed again, a directory only noted, and nothing else is touched for it."""
    root, base = changing
    os.chown(root / "wide/30/4", 1, -1)
    os.chown(root / "wide/31", 1000, -1)
    expected = as_bytes(scan([root]))

    for engine in QUICK:
        again = scan([root], ScanOptions(engine=engine), base=base)

        assert expected == as_bytes(again)
        assert again.facts.base is not None
        assert len(base.tree.directories.entry) - 2 == again.facts.base.kept_directories


@pytest.mark.parametrize("variant", ["exclude", "caches", "depth", "prune"])
def test_same_options(settled: Path, variant: str) -> None:
    """With exclusions, limits and tags in both scans the base is used, and the result is that of a full scan."""
    options = {
        "exclude": ScanOptions(exclude=("*5", "/wide/3/")),
        "caches": ScanOptions(cache_tagged=CacheTagged.EXCLUDE),
        "depth": ScanOptions(max_depth=2),
        "prune": ScanOptions(prune=("11", "docs")),
    }[variant]
    base = scan([settled], options)

    again = scan([settled], options, base=base)

    assert as_bytes(base) == as_bytes(again)
    assert again.facts.base is not None


def test_a_tag_that_becomes_valid(changing: tuple[Path, Snapshot]) -> None:
    """A CACHEDIR.TAG whose content changes in place is noticed, although no directory changed."""
    root, _ = changing
    tag = root / "wide/5/CACHEDIR.TAG"
    tag.write_text("Signature: 8a477f597d28d172789f06886806bc5X\n")
    options = ScanOptions(cache_tagged=CacheTagged.EXCLUDE)
    os.utime(tag, (1e9, 1e9))
    wait_until_settled()
    base = scan([root], options)
    with tag.open("r+b") as file:
        file.write(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    os.utime(tag, (1e9, 1e9))
    expected = as_bytes(scan([root], options))

    again = scan([root], options, base=base)

    assert expected == as_bytes(again)
    assert as_bytes(base) != as_bytes(again)


def test_several_roots(changing: tuple[Path, Snapshot]) -> None:
    """Several roots, a file among them, are rescanned like one, in whatever order they are given."""
    root, _ = changing
    roots = [root / "wide/2", root / "ordinary", root / "wide/3/2", root / "wide/1"]
    base = scan(roots)
    grow(root)
    (root / "wide/1/new").write_text("x")
    expected = as_bytes(scan(roots))

    again = scan(roots, base=base)

    assert expected == as_bytes(again)
    assert again.facts.base is not None


def test_columns_become_narrow_again(changing: tuple[Path, Snapshot]) -> None:
    """When the file that needed wide columns is gone, the columns are as narrow as those of a full scan."""
    root, _ = changing
    with (root / "wide/4/huge").open("wb") as file:
        file.truncate(1 << 40)
    base = scan([root])
    (root / "wide/4/huge").unlink()
    expected = scan([root])

    again = scan([root], base=base)

    assert (np.dtype(np.uint64), expected.tree.apparent_size.dtype) == (
        base.tree.apparent_size.dtype,
        again.tree.apparent_size.dtype,
    )
    assert as_bytes(expected) == as_bytes(again)


def test_deep_paths(settled: Path) -> None:
    """Paths beyond PATH_MAX are measured again like all others."""
    deep = make_tree(settled.parent / "deep", [Entry("a", "chain", levels=60, length=200, content=10)])
    wait_until_settled()
    base = scan([deep])

    for engine in QUICK:
        again = scan([deep], ScanOptions(engine=engine), base=base)

        assert as_bytes(base) == as_bytes(again)
        assert again.facts.base is not None
        assert again.facts.base.kept_directories == len(base.tree.directories.entry)
    remove(deep)
