"""A row of facts that fits any width: what is dear stays to the last, and no word is ever cut."""

from collections.abc import Sequence

import msgspec

from tui.widgets.cells import Cell, Row, cells_of

WIDE = 100  # from here on facts stand two blanks apart
KEPT = 100  # the price of a form that is given up only with its whole fact


class Item(msgspec.Struct, frozen=True):
    """One fact: its forms from long to short, each with how dear it is to give up.

    `rank` says how long it stays where there is not even room for the shortest forms of all.
    """

    forms: tuple[tuple[str, int], ...]
    style: str
    rank: int = 0


def fit_items(items: Sequence[Item], width: int) -> Row:
    """Write the items into a row, giving up the cheapest forms, then the lowest ranks, until it fits.

    `+3` at the end says that three facts have no room.
    """
    level = [0] * len(items)
    gap = "  " if width >= WIDE else " "
    while _width(_texts(items, level), len(gap)) > width:
        able = [index for index, item in enumerate(items) if level[index] < len(item.forms) - 1]
        if not able:
            break
        level[min(able, key=lambda index: (items[index].forms[level[index]][1], index))] += 1
    shown = [(text, item) for text, item in zip(_texts(items, level), items, strict=True) if text]
    count = len(shown)
    while len(shown) > 1 and _width(_written(shown, count), len(gap)) > width:
        lowest = min(item.rank for _, item in shown)
        del shown[max(index for index, (_, item) in enumerate(shown) if item.rank == lowest)]
    cells: list[Cell] = []
    for text, style in (*((text, item.style) for text, item in shown), (_more(shown, count), "warn*")):
        if text:
            cells += [(gap, "text")] if cells else []
            cells.append((text, style))
    return tuple(cells)


def _texts(items: Sequence[Item], level: Sequence[int]) -> list[str]:
    return [item.forms[chosen][0] for item, chosen in zip(items, level, strict=True)]


def _written(shown: Sequence[tuple[str, Item]], count: int) -> list[str]:
    return [*(text for text, _ in shown), _more(shown, count)]


def _more(shown: Sequence[object], count: int) -> str:
    return f"+{count - len(shown)}" if len(shown) < count else ""


def _width(texts: Sequence[str], gap: int) -> int:
    shown = [cells_of(text) for text in texts if text]
    return sum(shown) + gap * max(0, len(shown) - 1)
