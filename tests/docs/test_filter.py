"""docs/filter.md: every example in it works, and no term is missing."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from spacemap.analyze.categories import default_categories
from spacemap.analyze.conditions import FLAGS, KINDS
from spacemap.analyze.matching import Matcher
from spacemap.analyze.query import TERMS, parse_query
from spacemap.tree.measure import Measure
from tests.scan.processes import spacemap
from tests.trees import tree_of

PAGE = Path(__file__).parents[2].joinpath("docs/filter.md").read_text()
CELLS = [re.match(r"\| (.*?) +\|", line.replace(r"\|", "\0")) for line in PAGE.splitlines()]
FIRST_CELLS = [re.findall("`([^`]+)`", cell[1].replace("\0", "|")) for cell in CELLS if cell is not None]
TEXTS = [text for cell in FIRST_CELLS for text in cell if text not in FLAGS]
COMMANDS = re.findall("^    (spacemap .*)$", PAGE, re.MULTILINE)
REFUSED = re.findall(r"^\$ (spacemap .*)\n(spacemap: .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def tree(place: Path) -> Path:
    """Return a directory with a file."""
    (place / "film.mkv").write_bytes(b"x" * 10_000)
    return place


@pytest.mark.parametrize("text", TEXTS)
def test_examples_of_terms(text: str) -> None:
    """Whatever a table shows as a filter is one."""
    mask = Matcher(tree_of({"a": 1}), default_categories(), 0).mask(parse_query(text), Measure.DISK)

    assert np.bool_ == mask.dtype


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(tree: Path, command: str) -> None:
    """Whatever the page shows as a command can be run, on any directory or file."""
    assert 0 == spacemap("--output", tree / "x.smap", tree).returncode
    words = shlex.split(command)[1:]
    subject = tree / "x.smap" if words[-1].endswith(".smap") else tree
    result = spacemap(*words[:-1], subject)

    assert (0, b"") == (result.returncode, result.stderr)


@pytest.mark.parametrize(("command", "message"), REFUSED)
def test_messages(command: str, message: str) -> None:
    """The messages that the page shows are those that come."""
    result = spacemap(*shlex.split(command)[1:])

    assert (2, f"{message}\n") == (result.returncode, result.stderr.decode())


def test_everything_is_on_the_page() -> None:
    """There are examples of every term, every kind and every flag, and as many as were meant to be found."""
    keys = {term.key for text in TEXTS for term in parse_query(text).terms()}
    flags = {text for cell in FIRST_CELLS for text in cell}

    assert set(TERMS) == keys
    assert set(FLAGS) <= flags
    assert [] == [kind for kind in KINDS if f"`{kind}`" not in PAGE]
    assert (33, 4, 3) == (len(TEXTS), len(COMMANDS), len(REFUSED))
