"""Where panes stand: a pure function of the terminal's size, so that every size has an answer."""

from collections.abc import Mapping, Sequence

import msgspec

from tui.arrangement import Arrangement, Column, size_class
from tui.layouts import DEFAULT

TINY_WIDTH, TINY_HEIGHT = 60, 16  # below either: the status row and the orders
TWO_LINES = 8  # from here on the attention rows are two: what to know now, and what is at risk
SLOT_MIN = 5  # a frame, a header and two rows
COLUMN_MIN = 30  # cells; columns that would be narrower stand under one another


class Box(msgspec.Struct, frozen=True):
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


class Slot(msgspec.Struct, frozen=True):
    """A rectangle and the panes that share it as tabs. `framed` draws all four sides."""

    panes: tuple[str, ...]
    box: Box
    framed: bool


class Plan(msgspec.Struct, frozen=True):
    """The whole screen. A box of None is not shown."""

    status: Box
    attention: Box | None
    footer: Box | None
    slots: tuple[Slot, ...]
    merged: bool  # the market pane shows positions too


def plan(
    width: int,
    height: int,
    *,
    arrangement: Arrangement = (),
    zoomed: str = "",
    wanted: Mapping[str, int] | None = None,
) -> Plan:
    """Lay the console out for a terminal of this size.

    `arrangement` is that of the layout in force, without hidden panes (empty: the default one's). `zoomed`
    names a pane that takes everything; `wanted` holds heights of panes whose content is known to be short,
    frame included, so that they leave room for the others.
    """
    width, height = max(1, width), max(1, height)
    if zoomed and height >= 4:
        return _zoomed(width, height, zoomed)
    if width < TINY_WIDTH or height < TINY_HEIGHT:
        return _tiny(width, height)
    body = Box(0, 3, width, height - 4)
    columns = _fitting(arrangement or DEFAULT.of(size_class(width)), width)
    framed = len(columns) > 1
    slots = [
        slot
        for column, box in zip(columns, _side_by_side(columns, body), strict=True)
        for slot in _stack(column, box, framed=framed, wanted=wanted or {})
    ]
    merged = not framed and all(slot.panes[0] != "positions" for slot in slots)
    return Plan(*_chrome(width, height), tuple(slots), merged=merged)


def _chrome(width: int, height: int) -> tuple[Box, Box | None, Box | None]:
    return Box(0, 0, width, 1), Box(0, 1, width, 2), Box(0, height - 1, width, 1)


def _tiny(width: int, height: int) -> Plan:
    status = Box(0, 0, width, 1)
    attention = Box(0, 1, width, 2 if height >= TWO_LINES else 1) if height >= 6 else None
    footer = Box(0, height - 1, width, 1) if height >= 10 else None
    top = 1 + (attention.height if attention else 0)
    rest = height - top - (footer is not None)
    slots = (Slot(("orders",), Box(0, top, width, rest), framed=False),) if rest >= 1 else ()
    return Plan(status, attention, footer, slots, merged=False)


def _zoomed(width: int, height: int, pane: str) -> Plan:
    tall = height >= TWO_LINES
    status = Box(0, 0, width, 1)
    attention = Box(0, 1, width, 2) if tall else None
    footer = Box(0, height - 1, width, 1) if tall else None
    box = Box(0, 3, width, height - 4) if tall else Box(0, 1, width, height - 1)
    return Plan(status, attention, footer, (Slot((pane,), box, framed=True),), merged=False)


def _fitting(columns: Arrangement, width: int) -> Arrangement:
    """Put the last column under the one before it while any would be too narrow to read."""
    while len(columns) > 1 and min(share_out(width, [column.width for column in columns])) < COLUMN_MIN:
        *rest, left, right = columns
        columns = (*rest, Column((*left.groups, *right.groups), left.width + right.width))
    return columns


def _side_by_side(columns: Arrangement, body: Box) -> list[Box]:
    widths = share_out(body.width, [column.width for column in columns])
    edges = [sum(widths[:index]) for index in range(len(widths))]
    return [Box(body.x + x, body.y, width, body.height) for x, width in zip(edges, widths, strict=True)]


def _stack(column: Column, box: Box, *, framed: bool, wanted: Mapping[str, int]) -> list[Slot]:
    groups = [list(group.panes) for group in column.groups]
    weights = [group.weight for group in column.groups]
    while len(groups) > 1 and len(groups) * SLOT_MIN > box.height:
        last = groups.pop()
        groups[-1] += last
        weights.pop()
    heights = _heights(groups, weights, box.height, wanted)
    y, slots = box.y, []
    for group, height in zip(groups, heights, strict=True):
        slots.append(Slot(tuple(group), Box(box.x, y, box.width, height), framed))
        y += height
    return slots


def _heights(
    groups: Sequence[Sequence[str]], weights: Sequence[int], total: int, wanted: Mapping[str, int]
) -> list[int]:
    """Share rows out by weight, but give no group more than it wants while another can use them."""
    base = min(SLOT_MIN, total // len(weights))
    heights = [base + part for part in share_out(total - base * len(weights), weights)]
    caps = [max((wanted.get(pane, total) for pane in group), default=total) for group in groups]
    caps = [max(SLOT_MIN, cap) for cap in caps]
    spare = sum(max(0, height - cap) for height, cap in zip(heights, caps, strict=True))
    heights = [min(height, cap) for height, cap in zip(heights, caps, strict=True)]
    takers = [index for index, (height, cap) in enumerate(zip(heights, caps, strict=True)) if height < cap]
    if not takers:
        heights[-1] += spare
        return heights
    for index, extra in zip(takers, share_out(spare, [weights[i] for i in takers]), strict=True):
        heights[index] += extra
    return heights


def beside(slots: Sequence[Slot], here: Slot, step: int) -> Slot | None:
    """Return the slot left (-1) or right (+1) of one that shares most rows with it; None at the edge."""
    edges = sorted({slot.box.x for slot in slots})
    target = edges.index(here.box.x) + step
    if not 0 <= target < len(edges):
        return None
    column = [slot for slot in slots if slot.box.x == edges[target]]
    return max(column, key=lambda slot: _shared_rows(slot.box, here.box))


def _shared_rows(one: Box, other: Box) -> int:
    return min(one.y + one.height, other.y + other.height) - max(one.y, other.y)


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Split whole cells by weight; the parts add up to the total exactly."""
    whole, parts, given = sum(weights), [], 0
    running = 0
    for weight in weights:
        running += weight
        edge = total * running // whole
        parts.append(edge - given)
        given = edge
    return parts
