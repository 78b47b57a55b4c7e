"""Exclusions as one question a directory, against a reference that looks at one character after the other."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from spacemap.errors import UsageError
from spacemap.scan.exclude import Exclusions, Verdict, read_patterns

ALPHABET = "ab*?[]!-^/.é宽\udcff\n\\{}()$|+"
patterns = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=8)
path_patterns = st.tuples(st.sampled_from(["", "/", "**/"]), patterns, st.sampled_from(["/", "/**/"]), patterns).map(
    "".join
)
names = st.text(st.sampled_from("ab.é宽\udcff\n[]!-^\\*$"), min_size=1, max_size=5)


def _matches(glob: str, text: str) -> bool:
    """Return whether a whole text is what a glob says; recursive, one character at a time."""
    if not glob:
        return not text
    if glob.startswith("**/"):
        rests = [text, *(text[at + 1 :] for at, character in enumerate(text) if character == "/")]
        return any(_matches(glob[3:], rest) for rest in rests)
    if glob.startswith("**"):
        return any(_matches(glob[2:], text[at:]) for at in range(len(text) + 1))
    if glob[0] == "*":
        end = text.find("/") if "/" in text else len(text)
        return any(_matches(glob[1:], text[at:]) for at in range(end + 1))
    if glob[0] == "[" and (end := glob.find("]", 3 if glob[1:2] in ("!", "^") else 2)) > 0:
        return bool(text) and text[0] != "/" and _in_set(glob[1:end], text[0]) and _matches(glob[end + 1 :], text[1:])
    if glob[0] == "?":
        return bool(text) and text[0] != "/" and _matches(glob[1:], text[1:])
    return text[:1] == glob[0] and _matches(glob[1:], text[1:])


def _in_set(inside: str, character: str) -> bool:
    negated = inside[0] in "!^"
    members = inside[1:] if negated else inside
    found = False
    at = 0
    while at < len(members):
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            found |= members[at] <= character <= members[at + 2]
            at += 3
        else:
            found |= members[at] == character
            at += 1
    return found != negated


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _ask(exclusions: Exclusions, directory: str, entries: list[tuple[str, str]]) -> list[int]:
    records = b"".join(b"\0" + kind.encode() + _raw(name) for kind, name in entries) + b"\0"
    verdicts = exclusions.verdicts(_raw(directory), records)
    return [0] * len(entries) if verdicts is None else list(verdicts)


@given(pattern=patterns, entries=st.lists(st.tuples(st.sampled_from("df"), names), min_size=1, max_size=6))
@example(pattern="[一-龥]", entries=[("f", "宽"), ("f", "龙"), ("f", "ü")])
@example(pattern="[a-龥]", entries=[("f", "龙"), ("f", "ü"), ("f", "z"), ("f", "A"), ("f", "\U0001f468")])
@example(pattern="[!a-b]", entries=[("f", "宽"), ("f", "\udcff"), ("f", "a")])
@example(pattern="a", entries=[("d", "a"), ("f", "a\n"), ("f", "aa")])
@example(pattern="*", entries=[("d", "\n")])
@example(pattern="[퟿-\ue000]", entries=[("d", "a")])
def test_globs_on_names(pattern: str, entries: list[tuple[str, str]]) -> None:
    """A pattern without a slash is matched against whole names, whatever else they look like."""
    assume("/" not in pattern.removesuffix("/") and pattern != "/" and not _is_doubtful(pattern))
    text = pattern.removesuffix("/")
    wanted = "d" if text != pattern else "df"
    expected = [int(kind in wanted and _matches(text, name)) for kind, name in entries]

    actual = _ask(Exclusions([pattern], []), "any/where", entries)

    assert expected == actual


@given(
    pattern=path_patterns,
    directory=st.lists(names, max_size=3),
    entries=st.lists(st.tuples(st.sampled_from("df"), names), min_size=1, max_size=4),
)
@example(pattern="/b", directory=[], entries=[("f", "ab"), ("f", "b")])
@example(pattern="a/b", directory=["xa"], entries=[("f", "b")])
@example(pattern="**/a", directory=[], entries=[("f", "a"), ("f", "ba")])
@example(pattern="a/**", directory=["a"], entries=[("f", "a")])
def test_globs_on_paths(pattern: str, directory: list[str], entries: list[tuple[str, str]]) -> None:
    """A pattern with a slash is matched against the whole path below the root."""
    text = pattern.removesuffix("/")
    assume("/" in text and text.strip("/") and not _is_doubtful(pattern))
    wanted = "d" if text != pattern else "df"
    paths = ["/".join([*directory, name]) for _, name in entries]
    glob = text.lstrip("/")
    expected = [int(kind in wanted and _matches(glob, path)) for (kind, _), path in zip(entries, paths, strict=True)]

    actual = _ask(Exclusions([pattern], []), "/".join(directory), entries)

    assert expected == actual


def _is_doubtful(pattern: str) -> bool:
    """Return whether only a convention could tell what a pattern means: sets with slashes or stray bytes, `***`."""
    in_set = pattern.partition("[")[2]
    return "***" in pattern or "/" in in_set or "\udcff" in in_set


@given(
    exclude=st.lists(st.sampled_from(["a", "b*", "?", "é/", "a/b", "re:b$", "**/a"]), max_size=3),
    prune=st.lists(st.sampled_from(["a", "b", "*"]), max_size=2),
    entries=st.lists(st.tuples(st.sampled_from("df"), names), min_size=1, max_size=6),
)
def test_several_patterns(exclude: list[str], prune: list[str], entries: list[tuple[str, str]]) -> None:
    """Several patterns leave out what any of them does; exclusion comes before pruning."""
    each = [_ask(Exclusions([pattern], []), "a", entries) for pattern in exclude]
    pruned = [_ask(Exclusions([], [pattern]), "a", entries) for pattern in prune]
    expected = [
        max([0, *(verdicts[n] for verdicts in each)]) or max([0, *(verdicts[n] for verdicts in pruned)])
        for n in range(len(entries))
    ]

    actual = _ask(Exclusions(exclude, prune), "a", entries)

    assert expected == actual


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", True), ("x", True), ("x/y", True), ("x/out", False), ("out/x", False), ("a/b/c", False), ("a/bb", True)],
)
def test_would_enter(path: str, expected: bool) -> None:
    """A scan enters a path when it enters each directory on the way."""
    assert expected == Exclusions(["out", "a/b"], []).would_enter(path.encode())


@pytest.mark.parametrize("pattern", ["re:(", "re:*", "re:\\", "", "/", "re:(?P<a>x)(?P<a>y)"])
def test_patterns_that_cannot_be_used(pattern: str) -> None:
    """A pattern that means nothing is a UsageError that quotes it."""
    with pytest.raises(UsageError) as caught:
        Exclusions([pattern], [])

    assert repr(pattern) in str(caught.value)


def test_patterns_of_a_file() -> None:
    """Blank lines and comments are passed over; spaces around a pattern do not count."""
    assert ("a", "b c", "x#no") == read_patterns("a\n\n# c\n  b c \r\nx#no\n")


def test_verdict_values() -> None:
    """The numbers are those of the C header."""
    assert [0, 1, 2] == [Verdict.KEEP, Verdict.EXCLUDE, Verdict.PRUNE]
