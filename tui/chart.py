"""A line of prices in braille: each cell holds two points across and four up."""

from collections.abc import Sequence

BLANK = 0x2800
ACROSS, UP = 2, 4
# The bit of a dot by its column and its height above the cell's foot.
DOTS = ((0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08))


def braille(values: Sequence[float | None], height: int) -> list[str]:
    """Draw values as `height` rows of half as many cells, from the lowest value to the highest.

    A value is joined to the one before it; None leaves a hole. Rows end with their last dot.
    """
    known = [value for value in values if value is not None]
    cells = [[BLANK] * (-(-len(values) // ACROSS)) for _ in range(height)]
    top = height * UP - 1
    low = min(known, default=0.0)
    span = max(known, default=0.0) - low
    above: int | None = None
    for across, value in enumerate(values):
        if value is None:
            above = None
            continue
        level = round((value - low) / span * top) if span > 0 else top // 2
        for dot in _joined(above, level):
            cells[height - 1 - dot // UP][across // ACROSS] |= DOTS[across % ACROSS][dot % UP]
        above = level
    return ["".join(" " if cell == BLANK else chr(cell) for cell in row).rstrip() for row in cells]


def _joined(above: int | None, level: int) -> range:
    """Return the dots of a column: from next to the last column's level up or down to this one."""
    if above is None or above == level:
        return range(level, level + 1)
    return range(above + 1, level + 1) if level > above else range(level, above)
