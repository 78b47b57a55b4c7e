"""The filter language as text: what it reads, and what it says of what it cannot read."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacemap.analyze.conditions import Either, Every, Not, Number, Pattern, Query, Words
from spacemap.analyze.query import MAX_DEPTH, TERMS, parse_query
from spacemap.errors import UsageError

GIB = 1 << 30
A, B, C = (Number("links", number, number) for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def time_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let local time be one with a summer time."""
    with monkeypatch.context() as context:
        context.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size>1G", Number("size", GIB + 1, None)),
        ("size>=1G", Number("size", GIB, None)),
        ("disk<1G", Number("disk", None, GIB - 1)),
        ("apparent<=1.5K", Number("apparent", None, 1536)),
        ("size=0", Number("size", 0, 0)),
        ("size:4096", Number("size", 4096, 4096)),
        ("SIZE > 1G", Number("size", GIB + 1, None)),
        ("size>99999999999Y", Number("size", 99999999999 * 2**80 + 1, None)),
        ("age>90d", Number("age", 90 * 86400 + 1, None)),
        ("age<=12h", Number("age", None, 12 * 3600)),
        ("items>1000", Number("items", 1001, None)),
        ("links>1", Number("links", 2, None)),
        ("modified=2026", Number("modified", 1767222000, 1798758000 - 1)),
        ("modified=2026-03", Number("modified", 1772319600, 1774994400 - 1)),
        ("modified=2026-3-29", Number("modified", 1774738800, 1774821600 - 1)),
        ("modified=2026-12", Number("modified", 1796079600, 1798758000 - 1)),
        ("modified=2026-01-01T10:30", Number("modified", 1767259800, 1767259860 - 1)),
        ("modified:'2026-01-01 10:30'", Number("modified", 1767259800, 1767259860 - 1)),
        ("modified>2026", Number("modified", 1798758000, None)),
        ("modified>=2026", Number("modified", 1767222000, None)),
        ("modified<2026", Number("modified", None, 1767222000 - 1)),
        ("modified<=2026", Number("modified", None, 1798758000 - 1)),
        ("type:video,Audio", Words("type", ("video", "audio"), 6)),
        ("kind:dir", Words("kind", ("directory",), 6)),
        ("kind=file,symlink", Words("kind", ("file", "symlink"), 6)),
        ("flag:hidden,excluded", Words("flag", ("hidden", "excluded"), 6)),
        ("ext:.log,GZ", Words("ext", ("log", "GZ"), 5)),
        ("name:*.log", Pattern("name", "*.log", is_expression=False)),
        ("name:re:^a|b$", None),
        ('name:"re:^a|b$"', Pattern("name", "^a|b$", is_expression=True)),
        ("name:re:^(a|b)$", Pattern("name", "^(a|b)$", is_expression=True)),
        ("name:'two words'", Pattern("name", "two words", is_expression=False)),
        ('name:"it\'s"', Pattern("name", "it's", is_expression=False)),
        ("name:it's", Pattern("name", "it's", is_expression=False)),
        ("name:copy(1).txt", Pattern("name", "copy(1).txt", is_expression=False)),
        ("name:a:b", Pattern("name", "a:b", is_expression=False)),
        ("path:src/**/*.c", Pattern("path", "src/**/*.c", is_expression=False)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_terms(text: str, expected: object) -> None:
    """A term is read as its condition; what stands outside quotes ends at `|`."""
    if expected is None:
        with pytest.raises(UsageError, match=r"^filter, at 12: 'b\$' is no term by itself"):
            parse_query(text)
    else:
        assert expected == parse_query(text).condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("links=1 links=2 links=3", Every((A, B, C))),
        ("links=1 and links=2", Every((A, B))),
        ("links=1 | links=2", Either((A, B))),
        ("links=1|links=2|links=3", Either((A, B, C))),
        ("links=1 OR links=2 AND links=3", Either((A, Every((B, C))))),
        ("(links=1 or links=2) links=3", Every((Either((A, B)), C))),
        ("links=3(links=1)", None),
        ("((links=1))", A),
        ("-links=1", Not(A)),
        ("not links=1 links=2", Every((Not(A), B))),
        ("--links=1", A),
        ("-(links=1 | -links=2)", Not(Either((A, Not(B))))),
        ("  links=1\t\nlinks=2  ", Every((A, B))),
    ],
    ids=str,
)
def test_joints(text: str, expected: object) -> None:
    """Blanks bind closer than `or`, a minus closest; parentheses as everywhere."""
    if expected is None:
        with pytest.raises(UsageError):
            parse_query(text)
    else:
        assert Query(text.strip(), expected) == parse_query(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "filter, at 1: it is empty: write terms, such as size>1G"),
        ("   ", "filter, at 1: it is empty: write terms, such as size>1G"),
        ("photo", "filter, at 1: 'photo' is no term by itself: write name:*photo*"),
        ("kind:file size", "filter, at 11: 'size' is no term by itself: write size>1G"),
        ("kind:file siz>1G", f"filter, at 11: there is no term 'siz'; there are {', '.join(TERMS)}"),
        ("owner:,ana", "filter, at 7: ',ana' is no owner: write owner:root, or a number"),
        ("owner>ana", "filter, at 7: owner is not compared: write owner:root"),
        ("size>", "filter, at 6: size of what? Write size>1G"),
        ("size>huge", "filter, at 6: 'huge' is not a size: write a number of bytes, or one with K, KiB or kB"),
        ("size>-1", "filter, at 6: '-1' is not a size"),
        ("age>90", "filter, at 5: '90' is not an age: write a number and s, min, h, d, w, mo or y"),
        ("age>5m", "filter, at 5: '5m' is not an age"),
        ("age>2026-01-01", "filter, at 5: '2026-01-01' is a date: write modified>2026-01-01"),
        ("modified>90d", "filter, at 10: '90d' is no date: write 2026, 2026-11, 2026-11-24 or 2026-11-24T10:00; for "),
        ("modified>2026-13", "filter, at 10: '2026-13' is in no calendar"),
        ("modified>0000", "filter, at 10: '0000' is in no calendar"),
        ("modified>9999", "filter, at 10: '9999' is in no calendar"),
        ("items>many", "filter, at 7: 'many' is not a number: write digits, as in items>1000"),
        ("links>²", "filter, at 7: '²' is not a number"),
        ("kind:fifo", "filter, at 6: there is no kind 'fifo'; there are file, directory, dir, symlink, other"),
        ("flag:odd", "filter, at 6: there is no flag 'odd'; there are problem, mount"),
        ("type>video", "filter, at 6: type is not compared: write type:video"),
        ("name<a", "filter, at 6: name is not compared: write name:*.log"),
        ("name:a/b", "filter, at 6: a name holds no /: write path:a/b"),
        ("name:re:(", "filter, at 6: '(' is not a regular expression: missing )"),
        ("ext:", "filter, at 5: ext of what? Write ext:log,gz"),
        ("ext:a,,b", "filter, at 5: 'a,,b' is no extension: write ext:log,gz"),
        ("path:../a", "filter, at 6: '../a' is no path below the root: write path:**/cache/**"),
        ("path:a//b", "filter, at 6: 'a//b' is no path below the root"),
        ("path:/", "filter, at 6: '/' is no path below the root"),
        ("path:a**", "filter, at 6: ** stands for whole directories: write path:a/**/b, or * within a name"),
        ("path:re:a", "filter, at 6: path takes a glob, and only name a regular expression: write path:**/*.log"),
        ("name:'a", "filter, at 6: this ' is not closed: add '"),
        ('name:"a"b', "filter, at 9: a quoted value ends here: quote the whole of it"),
        ("( size>1", "filter, at 1: this ( is not closed: add )"),
        ("size>1 )", "filter, at 8: nothing is open that this ) closes: leave it out, or quote it"),
        ("size>1 |", "filter, at 9: a term is missing here: write one, such as size>1G"),
        ("or size>1", "filter, at 1: a term is missing here"),
        ("size>1 and or size>1", "filter, at 12: a term is missing here"),
        ("-", "filter, at 2: a term is missing here"),
        ("()", "filter, at 2: a term is missing here"),
        ("(" * 99, f"filter, at {MAX_DEPTH + 2}: more than {MAX_DEPTH} parentheses within one another: write fewer"),
    ],
    ids=str,
)
def test_errors(text: str, message: str) -> None:
    """What cannot be read is told in one line: where, what, and what to write."""
    with pytest.raises(UsageError) as raised:
        parse_query(text)

    assert message == str(raised.value)[: len(message)]
    assert "\n" not in str(raised.value)


@given(st.text(alphabet="-()|'\" :<>=,*\\[/ar1Ksizename.d\udcff\x00\n", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is typed is a filter or a UsageError with a place in the text, and nothing else."""
    try:
        query = parse_query(text)
    except UsageError as error:
        position = int(str(error).removeprefix("filter, at ").partition(":")[0])
        assert 1 <= position <= len(text) + 1
    else:
        assert list(query.terms())


@pytest.mark.parametrize("text", [term.example for term in TERMS.values()])
def test_examples_can_be_read(text: str) -> None:
    """What errors tell people to write can be written."""
    assert text.partition(":")[0].partition(">")[0].partition("<")[0] == next(parse_query(text).terms()).key


def test_terms_in_their_order() -> None:
    """All terms come out, however they are joined; times are needed where one of them asks for times."""
    query = parse_query("links=1 (items=2 | -age>3d) size>4")

    assert ["links", "items", "age", "size"] == [term.key for term in query.terms()]
    assert [True, True, False] == [parse_query(t).needs_times for t in ("-age>1d", "modified=2026", "size>1")]
