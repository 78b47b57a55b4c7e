"""Categories told from names: the arrays agree with a plain reading of the rules."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spacemap.analyze import classify as classify_module
from spacemap.analyze.categories import (
    MAX_EXTENSION,
    MAX_NAME,
    SPECIAL_CATEGORIES,
    Category,
    default_categories,
    with_category,
)
from spacemap.analyze.classify import MAX_VERSION_DIGITS, MAX_VERSION_PARTS, classify
from spacemap.tree.columns import Kind
from tests.trees import Leaf, Spec, tree_of

CATEGORIES = default_categories()
ODD = (
    Category("long", "Long", "red", ("e" * MAX_EXTENSION, "under_score", "tilde~", "über", "c++"), ("n" * MAX_NAME,)),
    Category("named", "Named", "red", ("txt",), ("notes.txt", "x", "ab", ".env", "a.b.c", "core", "readme.1")),
    *SPECIAL_CATEGORIES,
)


def _plainly(name: bytes, categories: tuple[Category, ...]) -> str:
    """Return the key of the category of a file, as the rules are told in words."""
    names = {each.encode(): category.key for category in reversed(categories) for each in category.names}
    extensions = {each.encode(): category.key for category in reversed(categories) for each in category.extensions}
    name = name.lower()
    for _ in range(MAX_VERSION_PARTS + 1):
        if name in names:
            return names[name]
        stem, _, extension = name.rpartition(b".")
        if not stem:
            return "other"
        if extension in extensions:
            return extensions[extension]
        if not extension.isdigit() or len(extension) > MAX_VERSION_DIGITS:
            return "other"
        name = stem
    return "other"


def _keys(spec: dict[bytes, Spec], categories: tuple[Category, ...] = CATEGORIES) -> dict[bytes, str]:
    tree = tree_of(spec)
    found = classify(tree, categories)
    return {tree.name(entry): categories[found[entry]].key for entry in range(1, len(tree))}


@pytest.mark.parametrize(
    ("name", "category"),
    [
        (b"photo.jpg", "images"),
        (b"PHOTO.JPG", "images"),
        (b"film.mkv", "videos"),
        (b"song.flac", "audio"),
        (b"paper.pdf", "documents"),
        (b"sums.xlsx", "spreadsheets"),
        (b"talk.pptx", "presentations"),
        (b"archive.tar.gz", "archives"),
        (b"main.py", "code"),
        (b"x.c", "code"),
        (b"Makefile", "code"),
        (b"Dockerfile", "code"),
        (b"settings.toml", "config"),
        (b".bashrc", "config"),
        (b"lib.so", "binaries"),
        (b"libc.so.6", "binaries"),
        (b"libicudata.so.70.1", "binaries"),
        (b"core", "binaries"),
        (b"core.4711", "binaries"),
        (b"disk.qcow2", "disk-images"),
        (b"app.sqlite3-wal", "other"),
        (b"app.sqlite-wal", "databases"),
        (b"server.log", "logs"),
        (b"server.log.1", "logs"),
        (b"syslog", "logs"),
        (b"font.woff2", "fonts"),
        (b"model.safetensors", "models"),
        (b"rows.parquet", "models"),
        (b"unfinished.crdownload", "temporary"),
        (b"scene.blend", "design"),
        (b".jpg", "other"),
        (b"jpg", "other"),
        (b"trailing.", "other"),
        (b"..", "other"),
        (b"a..jpg", "images"),
        (b"mp\x13.mp\x13", "other"),
        (b"v.1.2.3.4.5.jpg", "images"),
        (b"x.so.1.2.3.4", "binaries"),
        (b"x.so.1.2.3.4.5", "other"),
        (b"x.so.12345678", "other"),
        (b"x.so.1234567", "binaries"),
        (b"\xff\xfe.png", "images"),
        (b"png.\xff", "other"),
        (b"a" * 251 + b".jpg", "images"),
    ],
)
def test_examples(name: bytes, category: str) -> None:
    """A file belongs to the category of its name or of what follows its last dot, whatever its case."""
    actual = _keys({name: 1})

    assert {name: category} == actual


def test_neighbours_do_not_leak() -> None:
    """The end of the name before, in the blob of names, is no part of a name."""
    actual = _keys({b"a.jp": 1, b"g": 1, b"m.": 1, b"mp3": 1, b"x.": 1, b"y.py": 1})

    assert {b"a.jp": "other", b"g": "other", b"m.": "other", b"mp3": "other", b"x.": "other", b"y.py": "code"} == actual


def test_what_is_not_a_file() -> None:
    """Directories, links, devices and aggregates have categories of their own, whatever they are called."""
    actual = _keys(
        {
            b"dir.jpg": {},
            b"link.jpg": Leaf(kind=Kind.SYMLINK),
            b"pipe.jpg": Leaf(kind=Kind.OTHER),
            b"": Leaf(100, folded_files=3),
        }
    )

    assert {b"dir.jpg": "directories", b"link.jpg": "links", b"pipe.jpg": "links", b"": "folded"} == actual


def test_whole_names_go_first() -> None:
    """A whole name decides before its extension does, in its own and in others' categories."""
    actual = _keys({b"notes.txt": 1, b"NOTES.TXT.2": 1, b"other.txt": 1, b"readme.1": 1, b"readme.2": 1}, ODD)

    assert {
        b"notes.txt": "named",
        b"NOTES.TXT.2": "named",
        b"other.txt": "named",
        b"readme.1": "named",
        b"readme.2": "other",
    } == actual


_KNOWN = [extension.encode() for category in (*CATEGORIES, *ODD) for extension in category.extensions]
_WHOLE = [name.encode() for category in (*CATEGORIES, *ODD) for name in category.names]
_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b".", b"..", b"-", b"_", b"A", b"\xae", b"\xc3\xbc", b"x" * 20, b"y" * 240]),
    st.sampled_from(_KNOWN),
    st.sampled_from(_KNOWN).map(bytes.upper),
    st.sampled_from(_WHOLE),
    st.sampled_from(_WHOLE).map(bytes.title),
    st.integers(0, 10**8).map(lambda number: b".%d" % number),
    st.sampled_from(_KNOWN).map(lambda extension: b"." + extension),
)
_NAMES = (
    st.lists(_PIECES, min_size=1, max_size=5)
    .map(lambda pieces: b"".join(pieces).replace(b"/", b"-").replace(b"\0", b"0")[:255])
    .filter(lambda name: name not in {b"", b".", b".."})
)


@given(st.sets(_NAMES, max_size=60), st.sampled_from([CATEGORIES, ODD, SPECIAL_CATEGORIES]))
@example({b"\xaejpg", b"x.\xaejpg", b"x.mp\x13", b"x.UNDER\x7fSCORE", b"x.under_score"}, ODD)
def test_agrees_with_plain_reading(names: set[bytes], categories: tuple[Category, ...]) -> None:
    """Every name, however odd, has the category that the rules give it when read one name at a time."""
    actual = _keys(dict.fromkeys(names, 1), categories)

    assert {name: _plainly(name, categories) for name in names} == actual


def test_chunks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many entries are looked at in one go changes nothing."""
    names = [b"f%d.%s" % (number, _KNOWN[number % len(_KNOWN)]) for number in range(500)] + _WHOLE
    tree = tree_of(dict.fromkeys(names, 1))
    expected = classify(tree, CATEGORIES)
    monkeypatch.setattr(classify_module, "_CHUNK", 7)
    actual = classify(tree, CATEGORIES)

    assert expected.tolist() == actual.tolist()


def test_rules_are_unambiguous() -> None:
    """No extension and no name of the default rules is in two categories, in upper case, or of the wrong length."""
    extensions = [extension for category in CATEGORIES for extension in category.extensions]
    names = [name for category in CATEGORIES for name in category.names]
    repeated = [each for words in (extensions, names) for each, count in Counter(words).items() if count > 1]
    wrong = [each for each in extensions if "." in each or each != each.lower() or len(each) > MAX_EXTENSION]
    wrong += [each for each in names if each != each.lower() or len(each) > MAX_NAME]

    assert ([], []) == (repeated, wrong)


def test_default_rules_stay_in_the_first_look() -> None:
    """No whole name of the default rules ends in a known extension, which would send all its files to a second look."""
    extensions = {extension for category in CATEGORIES for extension in category.extensions}
    actual = {
        name
        for category in CATEGORIES
        for name in category.names
        if name[1:].rpartition(".")[2] in extensions and "." in name[1:]
    }

    assert set() == actual


def test_added_category() -> None:
    """A category that was added is found like those that were there."""
    categories = with_category(CATEGORIES, Category("mine", "Mine", "red", ("jpg",), ("slot",)))
    actual = _keys({b"a.jpg": 1, b"slot": 1, b"b.png": 1}, categories)

    assert {b"a.jpg": "mine", b"slot": "mine", b"b.png": "images"} == actual


def test_result_is_one_byte() -> None:
    """The result takes one byte an entry."""
    actual = classify(tree_of({b"a": 1}), CATEGORIES)

    assert (np.dtype(np.uint8), 2) == (actual.dtype, len(actual))
