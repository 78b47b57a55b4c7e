"""Names found by a part of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.tree import search
from spacemap.tree.search import names_containing
from tests.trees import Leaf, tree_of

NAMES = st.lists(st.binary(min_size=1, max_size=6).filter(lambda name: b"/" not in name), unique=True, max_size=30)


@pytest.fixture(params=[4, 1 << 22], ids=["small chunks", "one chunk"])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names be looked through in chunks of so many bytes."""
    monkeypatch.setattr(search, "_CHUNK", request.param)


@pytest.mark.usefixtures("chunk")
@given(NAMES, st.one_of(st.binary(min_size=1, max_size=3), st.sampled_from([b"a", b"A", b"\xc3", b"ab", b"aB"])))
def test_as_python_finds_them(names: list[bytes], text: bytes) -> None:
    """What is found is what looking at every name finds, and a text never spans two names."""
    tree = tree_of({name: 1 for name in [*names, b"aAb", b"b", b"Ba"]})
    folds = text == text.lower()
    expected = [
        entry for entry in range(1, len(tree)) if text in (tree.name(entry).lower() if folds else tree.name(entry))
    ]

    assert expected == names_containing(tree, slice(1, len(tree)), text).tolist()


def test_a_range_of_entries() -> None:
    """Only the range that was given is looked through."""
    tree = tree_of({"xa": {"xb": 1}, "xc": 1})

    assert [1, 2] == names_containing(tree, slice(1, 3), b"x").tolist()
    assert [] == names_containing(tree, slice(2, 2), b"x").tolist()


def test_no_text_is_in_every_name() -> None:
    """Without a text, everything is found, aggregates without a name, too."""
    tree = tree_of({"": Leaf(9, folded_files=3), "a": 1})

    assert [1, 2] == names_containing(tree, slice(1, 3), b"").tolist()
    assert [2] == names_containing(tree, slice(1, 3), b"a").tolist()
