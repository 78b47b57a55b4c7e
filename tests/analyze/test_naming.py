"""Names that fit globs and expressions, all at once, compared with asking each of them."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze import naming
from spacemap.analyze.naming import expression_matches, extension_matches, folds_case, glob_matches
from spacemap.scan.glob import glob_expression
from spacemap.tree import search
from spacemap.tree.tree import Tree
from tests.trees import Leaf, tree_of

CHARACTERS = st.sampled_from(["a", "b", "A", "B", ".", "1", "é", "日", "\udcff", "[", "]", "-", "\n", " "])
NAMES = st.lists(st.text(CHARACTERS, min_size=1, max_size=6), unique=True, max_size=30)
GLOBS = st.lists(
    st.one_of(CHARACTERS, st.sampled_from(["*", "*", "?", "[ab]", "[!a]", "[a-é]", "**", "[日\udcff]"])), max_size=7
).map("".join)


@pytest.fixture(params=[3, 1 << 22], ids=["small chunks", "one chunk"])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names be looked through in chunks of so many bytes, and of so many names."""
    monkeypatch.setattr(search, "_CHUNK", request.param)
    monkeypatch.setattr(naming, "_CHUNK", request.param)


def _tree(names: list[str]) -> Tree:
    return tree_of({name.encode("utf-8", "surrogateescape"): 1 for name in names})


@pytest.mark.usefixtures("chunk")
@given(NAMES, GLOBS)
def test_globs(names: list[str], glob: str) -> None:
    """What fits a glob is what its expression fits from end to end, in either case of letters when so asked."""
    tree = _tree(names)
    for folds in (False, True):
        flags = re.DOTALL | (re.IGNORECASE if folds else 0)
        expected = [
            entry
            for entry in range(1, len(tree))
            if re.fullmatch(glob_expression(glob), tree.name(entry), flags) is not None
        ]

        assert expected == (np.flatnonzero(glob_matches(tree, glob, folds=folds)[1:]) + 1).tolist()


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("expression", ["^a", "b$", "a.*b", "[0-9]", "(?i)A", "^$", "\\bé", "a|1", "(?<!a)b", "\\n"])
@given(names=NAMES)
def test_expressions(names: list[str], expression: str) -> None:
    """A regular expression is searched in each name alone."""
    tree = _tree(names)
    expected = [
        entry
        for entry in range(1, len(tree))
        if re.search(expression.encode(), tree.name(entry), re.DOTALL) is not None
    ]

    assert expected == (np.flatnonzero(expression_matches(tree, expression)[1:]) + 1).tolist()


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("log", ["a.LOG", "a.log", "x.y.log"]),
        ("LOG", ["a.LOG", "a.log", "x.y.log"]),
        ("y.log", ["x.y.log"]),
        ("é", ["é.é"]),
        ("[x]", ["b.[x]"]),
        ("*", ["c.*"]),
    ],
)
def test_extensions(extension: str, expected: list[str]) -> None:
    """An extension is what follows a dot that does not begin the name, taken literally."""
    tree = _tree([".log", "a.log", "a.LOG", "alog", "x.y.log", "é.é", "b.[x]", "b.x", "c.*", ".y.logs"])
    found = np.flatnonzero(extension_matches(tree, extension))

    assert expected == [tree.name(entry).decode() for entry in found]


def test_roots_and_what_has_no_name() -> None:
    """A root is called by the last part of its path; an aggregate and what holds several roots fit nothing."""
    tree = tree_of({"/data/x.log": {"": Leaf(9, folded_files=3)}, "/": {"a": 1}}, root="")
    names = [tree.name(entry) for entry in range(len(tree))]

    def found(mask: np.ndarray) -> list[bytes]:
        return [names[entry] for entry in np.flatnonzero(mask)]

    assert [b"/data/x.log"] == found(glob_matches(tree, "x.*", folds=False))
    assert [b"/data/x.log"] == found(extension_matches(tree, "log"))
    assert [b"/", b"/data/x.log", b"a"] == found(glob_matches(tree, "*", folds=False))
    assert [b"/", b"/data/x.log", b"a"] == found(expression_matches(tree, ""))
    assert [b"/data/x.log"] == found(expression_matches(tree, "^x"))


@pytest.mark.parametrize(("text", "expected"), [("*.log", True), ("*.Log", False), ("É", True), ("é[a-Z]", False)])
def test_case(text: str, expected: bool) -> None:
    """A capital ASCII letter asks for exactly that case."""
    assert expected == folds_case(text)
