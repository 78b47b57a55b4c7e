"""What filters let through, term by term, and joined at random against asking each entry."""

import pwd
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze.breakdown import BreakdownOptions, breakdown, partition
from spacemap.analyze.by import By
from spacemap.analyze.categories import default_categories
from spacemap.analyze.classify import classify
from spacemap.analyze.conditions import FLAGS, KINDS
from spacemap.analyze.matching import Matcher, check_query
from spacemap.analyze.query import parse_query
from spacemap.analyze.top import largest_directories, largest_files
from spacemap.errors import UsageError
from spacemap.tree.columns import Flag, Kind, Operation, Skip
from spacemap.tree.measure import Measure, root_size
from spacemap.tree.selection import select
from spacemap.tree.subtree import names_below_root
from spacemap.tree.tree import Tree
from tests.store.samples import before_owners
from tests.trees import Folder, Leaf, Spec, snapshot_of, tree_of

DAY = 86_400
NOW = 1000 * DAY
CATEGORIES = default_categories()
SPEC: dict[str, Spec] = {
    "docs": Folder({"old.pdf": Leaf(5000, mtime=0), "new.PDF": Leaf(100, mtime=NOW - DAY)}, disk=4096, mtime=NOW),
    "src": {
        "cache": {"a.o": Leaf(10, mtime=NOW + 5), "deep": {"b.o": 3}},
        "main.c": Leaf(70, inode=9, mtime=NOW - 50 * DAY),
        "copy.c": Leaf(70, inode=9, mtime=NOW - 50 * DAY),
    },
    "cache": {},
    ".hidden": {"film.mkv": Leaf(9000, disk=0, mtime=NOW - 2 * DAY)},
    "link": Leaf(5, kind=Kind.SYMLINK, mtime=NOW),
    "fifo": Leaf(0, kind=Kind.OTHER, mtime=NOW),
    "secret": Folder({}, skip=Skip.UNREADABLE, problem=(Operation.OPEN, 13)),
    "left": Folder({}, skip=Skip.EXCLUDED),
    "mnt": Folder({}, flags=Flag.MOUNT),
    "lost": Leaf(0, flags=Flag.UNMEASURED),
    "": Leaf(3000, folded_files=7, mtime=NOW),
}
TREE = tree_of(SPEC)


def _found(text: str, tree: Tree = TREE, measure: Measure = Measure.DISK) -> str:
    mask = Matcher(tree, CATEGORIES, NOW).mask(parse_query(text), measure)
    return " ".join(b"/".join(names_below_root(tree, entry)).decode() or "." for entry in np.flatnonzero(mask))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size<0", ""),
        ("size>=8K", ". docs"),
        ("size>4K kind:file", "docs/old.pdf"),
        ("size=0 kind:file", ".hidden/film.mkv"),
        ("apparent>=9000", ". .hidden .hidden/film.mkv"),
        ("disk>99999999Y", ""),
        ("-disk>99999999Y kind:symlink", "link"),
        ("age>1y kind:file", "docs/old.pdf src/cache/deep/b.o"),
        ("age>1y kind:dir", "cache left mnt secret src/cache/deep"),
        ("age<1d kind:file", "src/cache/a.o"),
        ("age<=1d kind:file", "docs/new.PDF src/cache/a.o"),
        ("modified=1972-09 kind:file", ".hidden/film.mkv docs/new.PDF src/cache/a.o"),
        ("items>3", ". src"),
        ("items=0", "cache left mnt secret"),
        ("items>0 -items>2", ".hidden docs src/cache/deep"),
        ("links>1", "src/copy.c src/main.c"),
        ("links=1", "fifo link .hidden/film.mkv docs/new.PDF docs/old.pdf src/cache/a.o src/cache/deep/b.o"),
        ("type:document", "docs/new.PDF docs/old.pdf"),
        ("type:videos,documents", ".hidden/film.mkv docs/new.PDF docs/old.pdf"),
        ("type:links", "fifo link"),
        ("type:folded", ". -"),
        ("kind:symlink,other", "fifo link"),
        ("name:*.c", "src/copy.c src/main.c"),
        ("name:*.pdf", "docs/new.PDF docs/old.pdf"),
        ("name:*.PDF", "docs/new.PDF"),
        ("name:re:^[a-m].*[.]o$", "src/cache/a.o src/cache/deep/b.o"),
        ("name:root", "."),
        ("ext:pdf,c", "docs/new.PDF docs/old.pdf src/copy.c src/main.c"),
        ("path:cache", "cache"),
        ("path:/CACHE", ""),
        ("path:**/cache", "cache src/cache"),
        ("path:**/cache/", "cache src/cache"),
        ("path:**/cache/**", "src/cache/a.o src/cache/deep src/cache/deep/b.o"),
        ("path:src/*", "src/cache src/copy.c src/main.c"),
        ("path:src/**/*.o", "src/cache/a.o src/cache/deep/b.o"),
        ("path:src/*.c/", ""),
        ("path:*/*/*/b.?", "src/cache/deep/b.o"),
        ("path:**", None),
        ("flag:problem", "secret"),
        ("flag:hardlink", "src/copy.c src/main.c"),
        ("flag:mount", "mnt"),
        ("flag:hidden", ".hidden"),
        ("flag:folded", ". -"),
        ("flag:unmeasured", "lost"),
        ("flag:excluded,unreadable", "left secret"),
        ("(name:a* | name:b*) -path:**/deep/**", "src/cache/a.o"),
        ("not kind:file not kind:dir", "fifo link"),
    ],
    ids=str,
)
def test_terms(text: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each term finds what it is documented to find; `. -` stands for the aggregate, whose name is empty."""
    if expected is None:
        assert len(TREE) - 2 == len(_found(text).split())
    else:
        assert expected.replace(". -", ".") == _found(text)


def test_size_is_in_the_measure() -> None:
    """`size` asks for what the report adds up."""
    assert "docs/old.pdf" == _found("size>4K kind:file")
    assert ".hidden/film.mkv docs/old.pdf" == _found("size>4K kind:file", measure=Measure.APPARENT)


def test_what_is_not_known_fits_no_number() -> None:
    """What could not be measured, and folded files, fit no number in either direction."""
    for text in ("size>=0", "age>0s", "age<1s", "links>=0"):
        mask = Matcher(TREE, CATEGORIES, NOW).mask(parse_query(text), Measure.DISK)
        unknown = (TREE.flags & (Flag.UNMEASURED | Flag.FOLDED)) != 0

        assert not mask[unknown].any()


def test_owners_by_name_and_number() -> None:
    """Owners are named as this machine names them, or by number; whose name nobody has is an error, not nothing."""
    tree = tree_of({"a": Leaf(1, owner=0), "b": Leaf(1, owner=70_000), "c": Leaf(1, owner=1000)})

    assert ". a" == _found(f"owner:{pwd.getpwuid(0).pw_name}", tree)
    assert "b" == _found("owner:70000", tree)
    assert "b c" == _found("owner:70000,1000", tree)
    assert "" == _found("owner:5", tree)
    with pytest.raises(UsageError, match="filter, at 7: there is no user 'no-such-user' here: write a name"):
        check_query(parse_query("owner:no-such-user"), CATEGORIES)


def test_names_of_owners_are_those_of_one_machine() -> None:
    """A scan of another machine can be asked for numbers only."""
    here = snapshot_of(TREE)
    elsewhere = replace(here, facts=replace(here.facts, host="elsewhere"))

    check_query(parse_query("owner:0"), CATEGORIES, elsewhere)
    with pytest.raises(UsageError, match="this was scanned on 'elsewhere', whose users are others: write numbers"):
        check_query(parse_query(f"owner:{pwd.getpwuid(0).pw_name}"), CATEGORIES, elsewhere)


def test_owners_of_a_scan_that_kept_none() -> None:
    """Whose something is can only be asked of a snapshot that tells it: nothing would match, as if nothing were."""
    for text in ("owner:0", "size>1 -owner:root"):
        with pytest.raises(
            UsageError, match="^filter, at .*: this was scanned before owners were kept: .*; scan again$"
        ):
            check_query(parse_query(text), CATEGORIES, before_owners())
    check_query(parse_query("size>1"), CATEGORIES, before_owners())


def test_several_roots() -> None:
    """Paths begin below each root, a root is called by its last name, and what holds them all never matches."""
    tree = tree_of({"/x/.one": {"a": {"b": 1}}, "/y/two": {"b": 1}}, root="")

    assert "/y/two/b" == _found("path:b", tree)
    assert "/y/two/b /x/.one/a/b" == _found("path:**/b", tree)
    assert "/y/two" == _found("name:t*", tree)
    assert "/x/.one" == _found("flag:hidden", tree)
    assert "/x/.one /y/two /x/.one/a /y/two/b /x/.one/a/b" == _found("-name:nothing", tree)


def test_vocabularies_are_those_of_the_columns() -> None:
    """Every kind and every reason for not entering a directory has its word, and no other word is accepted."""
    reasons = {reason.name.lower().replace("_", "-") for reason in Skip if reason is not Skip.NONE}

    assert reasons < set(FLAGS)
    assert {kind.name.lower() for kind in Kind} == set(KINDS.values())
    for word in FLAGS:
        _found(f"flag:{word}")


def test_unknown_types_and_missing_times() -> None:
    """A category that is not there, and ages of a scan without times, are refused."""
    with pytest.raises(UsageError, match="^filter, at 8: there is no type 'film'; there are images, videos"):
        check_query(parse_query("- type:film"), CATEGORIES)
    timeless = snapshot_of(TREE, options={"times": "leave"})
    with pytest.raises(UsageError, match="this was scanned without them; scan again$"):
        check_query(parse_query("age>1d"), CATEGORIES, timeless)
    check_query(parse_query("size>1 type:video"), CATEGORIES, timeless)


Oracle = Callable[[Tree, int], bool]


def _size(tree: Tree, entry: int) -> int:
    is_directory = tree.kind[entry] == Kind.DIRECTORY
    return int(tree.totals.disk[tree.directory_row(entry)] if is_directory else tree.blocks[entry] * 512)


def _age(tree: Tree, entry: int) -> int:
    is_directory = tree.kind[entry] == Kind.DIRECTORY
    return NOW - int(tree.totals.newest_mtime[tree.directory_row(entry)] if is_directory else tree.mtime[entry])


def _category(tree: Tree, entry: int) -> str:
    return CATEGORIES[classify(tree, CATEGORIES)[entry]].key


TERMS: dict[str, Oracle] = {
    "size>1K": lambda tree, entry: _size(tree, entry) > 1024,
    "size<=512": lambda tree, entry: _size(tree, entry) <= 512,
    "age>=3d": lambda tree, entry: _age(tree, entry) >= 3 * DAY,
    "kind:file": lambda tree, entry: tree.kind[entry] == Kind.FILE,
    "name:*a*": lambda tree, entry: entry > 0 and "a" in tree.name(entry).decode().lower(),
    "name:re:[bc]$": lambda tree, entry: entry > 0 and re.search("[bc]$", tree.name(entry).decode()) is not None,
    "ext:py": lambda tree, entry: tree.name(entry).endswith(b".py"),
    "type:code": lambda tree, entry: _category(tree, entry) == "code",
    "path:a/**": lambda tree, entry: (
        names_below_root(tree, entry)[:1] in ((b"a",), (b"A",)) and int(tree.parent[entry]) > 0
    ),
}
NAMES = st.sampled_from(["a", "b", "c", "ab", "x.py", "a.py", "A"])
LEAVES = st.builds(Leaf, st.integers(0, 3000), mtime=st.integers(NOW - 5 * DAY, NOW + DAY))
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(LEAVES, inner), max_size=4),
    max_leaves=8,
).map(tree_of)
QUERIES: st.SearchStrategy[tuple[str, Oracle]] = st.recursive(
    st.sampled_from(sorted(TERMS)).map(lambda text: (text, TERMS[text])),
    lambda inner: st.one_of(
        inner.map(lambda one: (f"-({one[0]})", lambda tree, entry: not one[1](tree, entry))),
        st.tuples(inner, inner).map(
            lambda both: (f"({both[0][0]}) {both[1][0]}", lambda tree, e: both[0][1](tree, e) and both[1][1](tree, e))
        ),
        st.tuples(inner, inner).map(
            lambda both: (
                f"({both[0][0]} | {both[1][0]})",
                lambda tree, e: both[0][1](tree, e) or both[1][1](tree, e),
            )
        ),
    ),
    max_leaves=5,
)


@given(TREES, QUERIES)
def test_as_asking_each_entry(tree: Tree, query: tuple[str, Oracle]) -> None:
    """A filter lets through what its conditions say of each entry, one by one."""
    text, fits = query
    mask = Matcher(tree, CATEGORIES, NOW).mask(parse_query(text), Measure.DISK)

    assert [bool(fits(tree, entry)) for entry in range(len(tree))] == mask.tolist()


@pytest.mark.parametrize("by", By)
@given(tree=TREES, query=QUERIES)
def test_buckets_and_largest_are_of_what_matches(tree: Tree, query: tuple[str, Oracle], by: By) -> None:
    """Buckets add up to what matches, and hold it; the largest are of it, and each directory holds some of it."""
    mask = Matcher(tree, CATEGORIES, NOW).mask(parse_query(query[0]), Measure.DISK)
    selection = select(tree, mask)
    options = BreakdownOptions(by, Measure.DISK, CATEGORIES, NOW)
    buckets = breakdown(selection.tree, options, mask)
    parted = partition(selection.tree, options, mask)

    assert root_size(selection.tree, Measure.DISK) == sum(bucket.bytes for bucket in buckets)
    assert np.count_nonzero(mask & (tree.kind != Kind.DIRECTORY)) == sum(bucket.file_count for bucket in buckets)
    assert buckets == parted.buckets(Measure.DISK, 0)
    entries = [parted.entries(bucket.key, 0) for bucket in buckets]
    found = np.sort(np.concatenate([*entries, np.zeros(0, np.int64)]))
    assert mask[found].all()
    assert np.flatnonzero(mask & (tree.kind == Kind.FILE)).tolist() == found[tree.kind[found] == Kind.FILE].tolist()
    largest = largest_files(selection.tree, 99, Measure.DISK, matching=mask)
    assert sorted(largest.tolist()) == np.flatnonzero(mask & (tree.kind == Kind.FILE)).tolist()
    holding = largest_directories(selection.tree, 99, Measure.DISK, selection.holds(tree.directories.entry))
    assert selection.holds(holding).all()
    assert np.count_nonzero(selection.holds(tree.directories.entry[1:])) == len(holding)


def test_folded_files_count_when_they_match() -> None:
    """Files behind an aggregate are counted in its bucket when it matches, else nowhere."""
    options = BreakdownOptions(By.TYPE, Measure.DISK, CATEGORIES, NOW)
    counts = []
    for text in ("type:folded", "kind:file", "size>1"):
        mask = Matcher(TREE, CATEGORIES, NOW).mask(parse_query(text), Measure.DISK)
        buckets = breakdown(select(TREE, mask).tree, options, mask)
        counts.append([bucket.file_count for bucket in buckets if bucket.key == "folded"])

    assert [[7], [7], []] == counts
