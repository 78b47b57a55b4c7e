"""What a filter asks of entries: conditions, and what is made of them; nothing but data."""

from collections.abc import Iterator
from typing import NamedTuple


class Number(NamedTuple):
    """A number of an entry lies in a range; both ends are in it, None is no end."""

    key: str
    low: int | None
    high: int | None


class Words(NamedTuple):
    """An entry is one of the things that words stand for."""

    key: str
    words: tuple[str, ...]
    """Lower case but for those of `ext`, which are as given."""
    position: int
    """Where in the text the first word begins; the first character is 1."""


class Pattern(NamedTuple):
    """A name or a path fits a glob or, where the text says so, a regular expression."""

    key: str
    text: str
    is_expression: bool


class Not(NamedTuple):
    """A condition does not hold."""

    condition: "Condition"


class Every(NamedTuple):
    """All of some conditions hold."""

    conditions: "tuple[Condition, ...]"


class Either(NamedTuple):
    """At least one of some conditions holds."""

    conditions: "tuple[Condition, ...]"


Condition = Number | Words | Pattern | Not | Every | Either


class Query(NamedTuple):
    """A filter that was read."""

    text: str
    """As it was given, without blanks around it."""
    condition: Condition

    def terms(self) -> Iterator[Number | Words | Pattern]:
        """Yield the conditions that are made of no others, in their order."""
        waiting: list[Condition] = [self.condition]
        while waiting:
            condition = waiting.pop()
            if isinstance(condition, Not):
                waiting.append(condition.condition)
            elif isinstance(condition, Every | Either):
                waiting += reversed(condition.conditions)
            else:
                yield condition

    @property
    def needs_times(self) -> bool:
        """Whether it asks when something was modified."""
        return any(term.key in ("age", "modified") for term in self.terms())


KINDS = {"file": "file", "directory": "directory", "dir": "directory", "symlink": "symlink", "other": "other"}
"""What can be said of `kind`, and the kind that it means."""
FLAGS = (
    *("problem", "mount", "hardlink", "hidden", "followed", "folded", "unmeasured"),
    # Why a directory was not entered: `Skip` in words.
    *("excluded", "pruned", "other-device", "kernel-fs", "unreadable", "timed-out", "unlisted", "second-view"),
    *("depth-limit", "cache-tagged", "worker-lost"),
)
"""What can be said of `flag`."""
