"""Configuration: TOML in, frozen settings out; a key that is not known is an error that names it."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from spacemap import locations
from spacemap.analyze.categories import (
    DIRECTORIES,
    FOLDED,
    LINKS,
    MAX_CATEGORIES,
    MAX_EXTENSION,
    MAX_NAME,
    Category,
    default_categories,
    with_category,
    with_colors,
)
from spacemap.errors import ConfigError, UsageError
from spacemap.render.palette import TERMINAL_COLORS, is_color
from spacemap.render.text import display_name, display_text
from spacemap.scan.rescan import Rescan
from spacemap.units import Units, parse_age, parse_size

Value = object
"""Anything that TOML can hold."""
Table = dict[str, Value]

_NEW_CATEGORY_COLOR = "#afafaf"
_NOT_BY_NAME = frozenset({LINKS, DIRECTORIES, FOLDED})


class ThemeChoice(Enum):
    """The colours of the browser."""

    AUTO = "auto"
    """As the terminal says, dark where it does not."""
    DARK = "dark"
    LIGHT = "light"


@dataclass(frozen=True, slots=True)
class Display:
    """How reports look when the command line does not say."""

    units: Units = Units.IEC
    apparent_size: bool = False
    """Add up apparent sizes instead of disk usage."""
    top: int = 10
    """Largest files and directories that a verbose report lists."""
    color: bool = True
    """False for none, even on a terminal."""
    theme: ThemeChoice = ThemeChoice.AUTO


@dataclass(frozen=True, slots=True)
class Cache:
    """Where earlier scans are kept, and what is taken on trust of them, when the command line does not say."""

    directory: str | None = None
    """None: where the platform has caches."""
    size: int = 2 << 30
    """Bytes that kept scans take at most."""
    large: int = Rescan().large_bytes
    """At level fast, files of at least so many bytes are measured."""
    recent: int = Rescan().recent_seconds
    """At level fast, files modified so recently are measured; seconds."""


class Keymap(Enum):
    """Whose keys the browser has."""

    NCDU = "ncdu"
    GDU = "gdu"
    DUA = "dua"


@dataclass(frozen=True, slots=True)
class Browsing:
    """How the browser opens, and which keys it has."""

    cached: bool = True
    """Show the kept scan of the same while it is updated, and keep what was scanned."""
    keymap: Keymap = Keymap.NCDU
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Keys with commas between, by action; which there are is known to the browser alone."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a configuration file decides."""

    categories: tuple[Category, ...]
    extension_colors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By extension, lower case, without the dot."""
    display: Display = field(default_factory=Display)
    cache: Cache = field(default_factory=Cache)
    browser: Browsing = field(default_factory=Browsing)


def load_settings(file: str | None) -> Settings:
    """Return the settings of a file; of the default one, if there is one, when none is named."""
    if file is None:
        default = locations.config_file()
        return _read(default) if default.is_file() else Settings(default_categories())
    return _read(Path(file))


def parse_settings(text: str, source: str) -> Settings:
    """Return the settings of a TOML text; `source` is what errors call it."""
    import tomllib  # noqa: PLC0415  4 ms that a run without a configuration does not need

    try:
        document: Table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    return _Reader(source).settings(document)


def _read(file: Path) -> Settings:
    source = display_name(os.fsencode(file))
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: not UTF-8 at byte {error.start}; TOML has to be") from error
    return parse_settings(text, source)


class _Reader:
    """Checks a document key by key; every error begins with the source and the key."""

    def __init__(self, source: str) -> None:
        self._source = source

    def settings(self, document: Table) -> Settings:
        known = ("categories", "remaps", "category_colors", "extension_colors", "display", "cache", "browser")
        self._know(document, "", known)
        categories = default_categories()
        for key, value in self._table(document.get("categories", {}), "categories").items():
            categories = with_category(categories, self._category(key, value, categories))
        categories = self._remapped(categories, self._table(document.get("remaps", {}), "remaps"))
        if len(categories) > MAX_CATEGORIES:
            raise self._error("categories", f"{len(categories)} are too many: at most {MAX_CATEGORIES}")
        colors = self._table(document.get("category_colors", {}), "category_colors")
        self._know(colors, "category_colors", [category.key for category in categories])
        category_colors = {key: self._color(value, f"category_colors.{key}") for key, value in colors.items()}
        colors = self._table(document.get("extension_colors", {}), "extension_colors")
        extension_colors = {
            self._extension(key, "extension_colors"): self._color(value, f"extension_colors.{display_text(key)}")
            for key, value in colors.items()
        }
        return Settings(
            categories=with_colors(categories, category_colors),
            extension_colors=MappingProxyType(extension_colors),
            display=self._display(self._table(document.get("display", {}), "display")),
            cache=self._cache(self._table(document.get("cache", {}), "cache")),
            browser=self._browser(self._table(document.get("browser", {}), "browser")),
        )

    def _category(self, key: str, value: Value, known: tuple[Category, ...]) -> Category:
        place = f"categories.{display_text(key)}"
        if key in _NOT_BY_NAME:
            raise self._error(place, "is not told by names; only its colour can be set, in category_colors")
        if not (key.isascii() and key.replace("-", "").replace("_", "").isalnum() and key == key.lower()):
            raise self._error(place, "a category's key is made of a to z, 0 to 9, - and _")
        table = self._table(value, place)
        self._know(table, place, ("label", "extensions", "names", "color"))
        base = next((category for category in known if category.key == key), None)
        base = base or Category(key, key.replace("-", " ").replace("_", " ").capitalize(), _NEW_CATEGORY_COLOR)
        extensions = self._texts(table.get("extensions", []), f"{place}.extensions")
        names = self._texts(table.get("names", []), f"{place}.names")
        return Category(
            key,
            display_text(self._text(table.get("label", base.label), f"{place}.label")),
            self._color(table.get("color", base.color), f"{place}.color"),
            tuple(self._extension(extension, f"{place}.extensions") for extension in extensions),
            tuple(self._name(name, f"{place}.names") for name in names),
        )

    def _remapped(self, categories: tuple[Category, ...], remaps: Table) -> tuple[Category, ...]:
        by_key = {category.key: category for category in categories if category.key not in _NOT_BY_NAME}
        for key, value in remaps.items():
            place = f"remaps.{display_text(key)}"
            extension, target = self._extension(key, "remaps"), self._text(value, place)
            if target not in by_key:
                raise self._error(place, f'no category "{display_text(target)}"{_nearest(target, by_key)}')
            categories = with_category(categories, replace(by_key[target], extensions=(extension,), names=()))
        return categories

    def _display(self, table: Table) -> Display:
        self._know(table, "display", ("units", "apparent_size", "top", "color", "theme"))
        default = Display()
        units = self._choice(table, "display.units", default.units.value, [each.value for each in Units])
        theme = self._choice(table, "display.theme", default.theme.value, [each.value for each in ThemeChoice])
        top = table.get("top", default.top)
        if not isinstance(top, int) or isinstance(top, bool) or not 0 <= top <= 100_000:
            raise self._error("display.top", f"expected a whole number from 0 to 100,000, not {_kind(top)}")
        return Display(
            units=Units(units),
            apparent_size=self._flag(table.get("apparent_size", default.apparent_size), "display.apparent_size"),
            top=top,
            color=self._flag(table.get("color", default.color), "display.color"),
            theme=ThemeChoice(theme),
        )

    def _cache(self, table: Table) -> Cache:
        self._know(table, "cache", ("directory", "size", "large", "recent"))
        default = Cache()
        directory = default.directory
        if "directory" in table:
            directory = os.path.expanduser(self._text(table["directory"], "cache.directory"))
            if not os.path.isabs(directory):
                raise self._error("cache.directory", "expected an absolute path, or one that begins with ~/")
        return Cache(
            directory=directory,
            size=self._amount(table.get("size", default.size), "cache.size", parse_size),
            large=self._amount(table.get("large", default.large), "cache.large", parse_size),
            recent=self._amount(table.get("recent", f"{default.recent}s"), "cache.recent", parse_age),
        )

    def _browser(self, table: Table) -> Browsing:
        self._know(table, "browser", ("cached", "keymap", "keys"))
        default = Browsing()
        keymap = self._choice(table, "browser.keymap", default.keymap.value, [each.value for each in Keymap])
        keys = self._table(table.get("keys", {}), "browser.keys")
        texts = {action: self._text(value, f"browser.keys.{display_text(action)}") for action, value in keys.items()}
        return Browsing(
            cached=self._flag(table.get("cached", default.cached), "browser.cached"),
            keymap=Keymap(keymap),
            keys=MappingProxyType(texts),
        )

    def _amount(self, value: Value, place: str, parse: Callable[[str], int]) -> int:
        """Return a size or an age; a number of bytes may stand without quotes."""
        if parse is parse_size and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        text = self._text(value, place)
        try:
            return parse(text)
        except UsageError as error:
            raise self._error(place, display_text(str(error))) from error

    def _choice(self, table: Table, place: str, default: str, choices: list[str]) -> str:
        chosen = self._text(table.get(place.rpartition(".")[2], default), place)
        if chosen not in choices:
            message = f'"{display_text(chosen)}" is none of {", ".join(choices)}'
            raise self._error(place, message + _nearest(chosen, choices))
        return chosen

    def _know(self, table: Table, place: str, known: Iterable[str]) -> None:
        for key in table:
            if key not in known:
                name = display_text(f"{place}.{key}" if place else key)
                raise ConfigError(f'{self._source}: unknown key "{name}"{_nearest(key, known)}')

    def _table(self, value: Value, place: str) -> Table:
        if not isinstance(value, dict):
            raise self._error(place, f"expected a table, not {_kind(value)}")
        return value

    def _text(self, value: Value, place: str) -> str:
        if not isinstance(value, str):
            raise self._error(place, f"expected text, not {_kind(value)}")
        return value

    def _texts(self, value: Value, place: str) -> list[str]:
        if not isinstance(value, list):
            raise self._error(place, f"expected a list of texts, not {_kind(value)}")
        return [self._text(each, place) for each in value]

    def _flag(self, value: Value, place: str) -> bool:
        if not isinstance(value, bool):
            raise self._error(place, f"expected true or false, not {_kind(value)}")
        return value

    def _color(self, value: Value, place: str) -> str:
        color = self._text(value, place)
        if not is_color(color):
            expected = "expected #rrggbb or the name of a terminal colour such as red or bright_blue"
            raise self._error(place, f'{expected}, not "{display_text(color)}"{_nearest(color, TERMINAL_COLORS)}')
        return color

    def _extension(self, text: str, place: str) -> str:
        extension = _lower(text.removeprefix("."))
        if not extension or any(mark in extension for mark in "./\0") or len(extension.encode()) > MAX_EXTENSION:
            expected = f"an extension is what follows the last dot, at most {MAX_EXTENSION} bytes"
            raise self._error(place, f'"{display_text(text)}": {expected}')
        return extension

    def _name(self, text: str, place: str) -> str:
        if not text or any(mark in text for mark in "/\0") or len(text.encode()) > MAX_NAME:
            expected = f"a whole name is 1 to {MAX_NAME} bytes without a slash"
            raise self._error(place, f'"{display_text(text)}": {expected}')
        return _lower(text)

    def _error(self, place: str, message: str) -> ConfigError:
        return ConfigError(f"{self._source}: {place}: {message}")


def _lower(text: str) -> str:
    # ASCII only, as classification compares bytes.
    return text.encode().lower().decode()


def _nearest(key: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415  3 ms that a right configuration does not need

    near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f' (did you mean "{near[0]}"?)' if near else f" (known: {', '.join(known)})" if known else ""


def _kind(value: Value) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    names = {bool: "true or false", float: "a fraction", str: "text", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")
