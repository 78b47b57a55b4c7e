"""Categories of files as data: how each is called and coloured, and which names belong to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

OTHER = "other"
LINKS = "links"
DIRECTORIES = "directories"
FOLDED = "folded"

MAX_CATEGORIES = 250
"""An index into the categories is one byte, with room to spare."""
MAX_EXTENSION = 22
"""Bytes of UTF-8."""
MAX_NAME = 23
"""Bytes of UTF-8 in a whole name."""


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of content, recognised by name alone."""

    key: str
    label: str
    color: str
    """`#rrggbb` or one of the sixteen names of terminal colours."""
    extensions: tuple[str, ...] = ()
    """Lower case, without the dot; the first one stands for the category."""
    names: tuple[str, ...] = ()
    """Whole names, lower case; they go before extensions."""


SPECIAL_CATEGORIES = (
    Category(OTHER, "Other", "#9e9e9e"),
    Category(LINKS, "Links and devices", "#767676"),
    Category(DIRECTORIES, "Directories themselves", "#6c8ebf"),
    Category(FOLDED, "Small files, folded", "#585858"),
)
"""What is known by more than the name; they end every tuple of categories, in this order."""


def default_categories() -> tuple[Category, ...]:
    """Return the categories that spacemap comes with, the special ones last. Reads one small file."""
    import tomllib  # noqa: PLC0415  4 ms that a listing or --version does not need

    rules = tomllib.loads((Path(__file__).parent / "rules" / "categories.toml").read_text("utf-8"))
    named = (
        Category(
            key,
            rule["label"],
            rule["color"],
            tuple(rule["extensions"].split()),
            tuple(rule.get("names", "").split()),
        )
        for key, rule in rules.items()
    )
    return (*named, *SPECIAL_CATEGORIES)


def with_category(categories: tuple[Category, ...], changed: Category) -> tuple[Category, ...]:
    """Return the categories with one added, or extended when its key is known.

    Its extensions and names leave the categories that had them before.
    """
    extensions, names = frozenset(changed.extensions), frozenset(changed.names)
    others = tuple(
        category if category.key == changed.key else _without(category, extensions, names) for category in categories
    )
    for index, category in enumerate(others):
        if category.key == changed.key:
            extended = replace(
                changed,
                extensions=_union(category.extensions, changed.extensions),
                names=_union(category.names, changed.names),
            )
            return (*others[:index], extended, *others[index + 1 :])
    special = len(SPECIAL_CATEGORIES)
    return (*others[:-special], changed, *others[-special:])


def with_colors(categories: tuple[Category, ...], colors: Mapping[str, str]) -> tuple[Category, ...]:
    """Return the categories with other colours, by key."""
    return tuple(replace(category, color=colors.get(category.key, category.color)) for category in categories)


def _without(category: Category, extensions: frozenset[str], names: frozenset[str]) -> Category:
    if extensions.isdisjoint(category.extensions) and names.isdisjoint(category.names):
        return category
    return replace(
        category,
        extensions=tuple(extension for extension in category.extensions if extension not in extensions),
        names=tuple(name for name in category.names if name not in names),
    )


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
