"""Reading the journal: runs, what each was about to do, and what is known of how that ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from spacemap.clean.journal import VERSION
from spacemap.clean.lines import read_lines
from spacemap.errors import FormatError
from spacemap.tree.names import text_to_name


class Where:
    """A directory that intents are about: a root and names below it, or a name in another one."""

    __slots__ = ("above", "names", "root")

    def __init__(self, root: bytes, names: tuple[bytes, ...], above: "Where | None" = None) -> None:
        self.root = root
        self.names = names
        self.above = above

    def parts(self) -> tuple[bytes, tuple[bytes, ...]]:
        """Return the root, and the names that lead from there."""
        chain = []
        where: Where | None = self
        while where is not None:
            chain.append(where)
            where = where.above
        return chain[-1].root, tuple(name for each in reversed(chain) for name in each.names)

    def path(self) -> bytes:
        """Return the whole path."""
        root, names = self.parts()
        return b"/".join([root.rstrip(b"/"), *names]) or root


class Trashed(NamedTuple):
    """Where something was moved to."""

    trash: bytes
    name: bytes
    inode: int


@dataclass(slots=True)
class Intent:
    """Names in one directory that a run was about to remove, or to restore."""

    number: int
    where: Where
    names: tuple[bytes, ...]
    is_directory: bool
    trashed: Trashed | None
    restores: tuple[int, int] | None
    """The run and the number of the intent that is undone."""
    is_done: bool = False
    """False: the run ended before it told, so the names may have gone."""
    stayed: frozenset[bytes] = frozenset()
    """Names that are known to have stayed."""

    def gone(self) -> list[bytes]:
        """Return the names that went, or may have gone."""
        return [name for name in self.names if name not in self.stayed]


@dataclass(slots=True)
class Run:
    """One removal, or its undoing."""

    started_ns: int
    """When it began, nanoseconds since 1970; no two have the same."""
    what: str
    """delete, trash or restore."""
    planned: tuple[bytes, ...]
    """Some of the planned paths."""
    planned_count: int
    intents: list[Intent] = field(default_factory=list)
    end: Mapping[str, object] | None = None
    """Its counts; None where it was cut off."""


def read_runs(directory: str) -> Iterator[Run]:
    """Yield the runs of a journal, the oldest first. Raises FormatError, SpacemapError."""
    run: Run | None = None
    places: dict[object, Where] = {}
    for record in read_lines(directory):
        try:
            started = _number(record, "run")
            if run is None or run.started_ns != started:
                if run is not None:
                    yield run
                run, places = _begin(record, started), {}
            _take(run, places, record)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"the journal has a line that this version does not know: {error!r}") from error
    if run is not None:
        yield run


def _begin(record: Mapping[str, object], started: int) -> Run:
    if record["type"] != "begin":  # its first lines were in a file that is gone
        return Run(started, str(record["type"]).replace("directory", "delete"), (), 0)
    if _number(record, "version") > VERSION:
        raise FormatError("the journal was written by a newer spacemap; use that one")
    return Run(started, _text(record, "what"), _names(record, "planned"), _number(record, "planned_count"))


def _take(run: Run, places: dict[object, Where], record: Mapping[str, object]) -> None:
    match record["type"]:
        case "directory" if "root" in record:
            places[record["id"]] = Where(_name(record, "root"), _names(record, "below"))
        case "directory":
            places[record["id"]] = Where(b"", (_name(record, "name"),), places[record["in"]])
        case "delete":
            names = _names(record, "names")
            run.intents.append(_intent(record, places, names))
        case "trash":
            run.intents.append(_intent(record, places, (_name(record, "name"),)))
        case "restore":
            run.intents.append(_intent(record, places, (_name(record, "name"),)))
        case "done":
            _settle(run, _number(record, "before"), record["stayed"])
        case "end":
            run.end = record


def _intent(record: Mapping[str, object], places: Mapping[object, Where], names: tuple[bytes, ...]) -> Intent:
    trashed = restores = None
    if record["type"] == "trash":
        trashed = Trashed(_name(record, "trash"), _name(record, "as"), _number(record, "inode"))
    if record["type"] == "restore":
        restores = _number(record, "of_run"), _number(record, "of")
    is_directory = record.get("is_directory") is True
    return Intent(_number(record, "number"), places[record["in"]], names, is_directory, trashed, restores)


def _settle(run: Run, before: int, stayed: object) -> None:
    """Note what became of the intents that are done."""
    if not isinstance(stayed, dict):
        raise TypeError(stayed)
    for intent in reversed(run.intents):
        if intent.is_done:
            return
        if intent.number < before:
            intent.is_done = True
            if str(intent.number) in stayed:
                intent.stayed = frozenset(map(text_to_name, stayed[str(intent.number)]))


def _text(record: Mapping[str, object], member: str) -> str:
    value = record[member]
    if not isinstance(value, str):
        raise TypeError(member)
    return value


def _name(record: Mapping[str, object], member: str) -> bytes:
    return text_to_name(_text(record, member))


def _names(record: Mapping[str, object], member: str) -> tuple[bytes, ...]:
    value = record[member]
    if not isinstance(value, list):
        raise TypeError(member)
    return tuple(map(text_to_name, value))


def _number(record: Mapping[str, object], member: str) -> int:
    value = record[member]
    if not isinstance(value, int):
        raise TypeError(member)
    return value
