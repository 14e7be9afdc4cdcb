"""The layouts that ship. Panes that a console does not have are left out of them."""

from tui.arrangement import Arrangement, Layout, SizeClass, stacked

_REST = "risk reload health"

DEFAULT = Layout(
    name="default",
    about="everything at a glance",
    small=(
        stacked(
            ("market chart book", 7),
            ("orders trades", 5),
            (f"events signals positions {_REST} equity", 9),
        ),
    ),
    medium=(
        stacked(("market chart book", 10), ("positions trades", 9), ("orders", 14), width=11),
        stacked(("signals", 10), ("events", 10), (f"{_REST} equity", 14), width=9),
    ),
    large=(
        stacked(("market", 10), ("positions trades", 12), ("orders", 20), width=85),  # mark, bid, ask fit
        stacked(("chart book equity", 24), ("signals", 14), ("events", 16), width=61),
        stacked(("risk", 20), ("reload", 9), ("health", 16), width=54),
    ),
)

TRADE = Layout(
    name="trade",
    about="orders and positions first, chart and book beside them",
    small=(
        stacked(
            ("positions market", 8),
            ("orders trades", 9),
            (f"chart events signals book {_REST} equity", 7),
        ),
    ),
    medium=(
        stacked(("positions", 9), ("orders", 16), ("events", 8), width=11),
        stacked(("chart market", 14), ("book trades equity", 9), (f"signals {_REST}", 10), width=9),
    ),
    large=(
        stacked(("positions", 12), ("orders", 20), ("trades equity", 12), width=40),
        stacked(("chart", 24), ("signals", 10), ("events", 12), width=38),
        stacked(("market", 10), ("book", 18), (_REST, 18), width=30),
    ),
)

WATCH = Layout(
    name="watch",
    about="the engine and its limits first, to watch it trade",
    small=(
        stacked(
            ("events", 9),
            ("risk positions market", 7),
            ("orders trades signals health reload chart book equity", 6),
        ),
    ),
    medium=(
        stacked(("events", 18), ("orders trades", 8), ("positions market", 8), width=11),
        stacked(("risk", 16), ("health", 9), ("reload signals chart book equity", 8), width=9),
    ),
    large=(
        stacked(("events", 30), ("orders trades", 14), width=37),
        stacked(("positions", 10), ("market chart book", 12), ("signals equity", 22), width=33),
        stacked(("risk", 20), ("reload", 9), ("health", 16), width=30),
    ),
)

SHIPPED: dict[str, Layout] = {layout.name: layout for layout in (DEFAULT, TRADE, WATCH)}


def arrangement_of(layout: Layout, size: SizeClass) -> Arrangement:
    """Return a layout's arrangement of a class; where it says nothing of it, the default one's."""
    return layout.of(size) or DEFAULT.of(size)
