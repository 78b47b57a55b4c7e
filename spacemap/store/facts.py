"""What is known of a snapshot beside its columns, as JSON and back without loss: facts, roots and totals.

Texts may hold surrogates that stand for bytes, and numbers may go beyond 64 bits. A text is written as the
reversible text of its bytes, such a number as `{"integer": "123"}`. Imports no numpy.
"""

from collections.abc import Mapping
from typing import NamedTuple

from spacemap.store.blocks import Json
from spacemap.tree.names import name_to_text, text_to_name
from spacemap.tree.snapshot import BaseUse, Completeness, Facts

Option = str | int | bool | list[str] | None

_MAX_DIGITS = 40
_NUMBERS = ("started_ns", "finished_ns", "elapsed_ns", "workers", "requests")
_BASE_NUMBERS = ("started_ns", "kept_directories", "trusted_entries", "trusted_bytes")


class RootTotals(NamedTuple):
    """The sums of a whole tree, each inode once; exact even where 64 bits do not hold them."""

    entries: int
    """Rows of the tree."""
    apparent_bytes: int
    disk_bytes: int
    shared_bytes: int
    files: int
    directories: int
    """Without the nameless one that holds several roots."""
    unreadable_paths: int
    newest_mtime: int
    """Seconds; 0 when times were left out."""


def facts_to_json(facts: Facts) -> dict[str, Json]:
    """Return every field of the facts."""
    numbers: dict[str, Json] = {name: _number(getattr(facts, name)) for name in _NUMBERS}
    return numbers | {
        "engine": _text(facts.engine),
        "host": _text(facts.host),
        "options": {_text(name): _option(value) for name, value in facts.options.items()},
        "completeness": facts.completeness.value,
        "notes": list(map(_text, facts.notes)),
        "base": None if facts.base is None else _base_to_json(facts.base),
    }


def _base_to_json(base: BaseUse) -> dict[str, Json]:
    numbers: dict[str, Json] = {name: _number(getattr(base, name)) for name in _BASE_NUMBERS}
    return {"level": _text(base.level)} | numbers


def _base_from_json(value: object) -> BaseUse | None:
    if value is None:
        return None
    table = _table(value, "base", BaseUse.__slots__)
    return BaseUse(_from_text(table["level"], "level"), *(_integer(table[name], name) for name in _BASE_NUMBERS))


def facts_from_json(value: object) -> Facts:
    """Return the facts that `facts_to_json` was given. Raises ValueError for anything that it cannot have made."""
    table = _table(value, "facts", Facts.__slots__)
    started_ns, finished_ns, elapsed_ns, workers, requests = (_integer(table[name], name) for name in _NUMBERS)
    if max(abs(started_ns), abs(finished_ns), abs(elapsed_ns)) >= 1 << 63:
        raise ValueError("facts: a time is beyond what 64 bits hold")
    options = table["options"]
    if not isinstance(options, dict):
        raise ValueError("facts: options is no object")
    return Facts(
        started_ns=started_ns,
        finished_ns=finished_ns,
        elapsed_ns=elapsed_ns,
        engine=_from_text(table["engine"], "engine"),
        workers=workers,
        requests=requests,
        host=_from_text(table["host"], "host"),
        options={_from_text(name, "options"): _from_option(option) for name, option in options.items()},
        completeness=Completeness(_from_text(table["completeness"], "completeness")),
        notes=tuple(_from_text(note, "notes") for note in _array(table["notes"], "notes")),
        base=_base_from_json(table["base"]),
    )


def roots_to_json(roots: tuple[bytes, ...]) -> list[Json]:
    """Return the paths of the roots."""
    return list(map(name_to_text, roots))


def roots_from_json(value: object) -> tuple[bytes, ...]:
    """Return the paths that `roots_to_json` was given. Raises ValueError."""
    roots = tuple(_from_text(root, "roots").encode("utf-8", "surrogateescape") for root in _array(value, "roots"))
    if not roots or not all(roots):
        raise ValueError("roots: there is none, or one without a path")
    return roots


def totals_to_json(totals: RootTotals) -> dict[str, Json]:
    """Return the totals."""
    return {name: _number(value) for name, value in zip(totals._fields, totals, strict=True)}


def totals_from_json(value: object) -> RootTotals:
    """Return the totals that `totals_to_json` was given. Raises ValueError."""
    table = _table(value, "totals", RootTotals._fields)
    return RootTotals(*(_integer(table[name], name) for name in RootTotals._fields))


def _text(text: str) -> str:
    return name_to_text(text.encode("utf-8", "surrogateescape"))


def _number(value: int) -> Json:
    return value if -(1 << 63) <= value < 1 << 63 else {"integer": str(value)}


def _option(value: Option) -> Json:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return list(map(_text, value))
    return value if value is None or isinstance(value, bool) else _number(value)


def _from_text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name}: text is expected")
    return text_to_name(value).decode("utf-8", "surrogateescape")


def _integer(value: object, name: str) -> int:
    if isinstance(value, dict):
        digits = value.get("integer")
        if isinstance(digits, str) and len(digits) <= _MAX_DIGITS and digits.isascii() and digits.lstrip("-").isdigit():
            return int(digits)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name}: a whole number is expected")
    return value


def _from_option(value: object) -> Option:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _from_text(value, "options")
    if isinstance(value, list):
        return [_from_text(each, "options") for each in value]
    return _integer(value, "options")


def _array(value: object, name: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"{name}: an array is expected")
    return value


def _table(value: object, name: str, keys: tuple[str, ...]) -> Mapping[str, object]:
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ValueError(f"{name}: there are other fields than those of this version")
    return value
