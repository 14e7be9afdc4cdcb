"""The open risk in words: what equity loses if every stop fills, what none protects, what nobody knows."""

from engine.api import OpenRisk
from tui.factrow import KEPT, Item, fit_items
from tui.formats import age_between, money, percent, signed
from tui.panes.content import Frame
from tui.widgets.cells import Row


def risk_row(frame: Frame, width: int) -> Row:
    """Return the row of the open risk, in as many words as fit; empty before the first snapshot."""
    snapshot = frame.snapshot
    if snapshot is None:
        return ()
    risk, currency, now = snapshot.open_risk, snapshot.account.currency, snapshot.status.now
    if not (risk.positions or risk.unknown):
        return _led(fit_items([_none(risk)], width - 1))
    items = [Item((("Open risk:", 20), ("Risk", 30), ("", 0)), "muted")]
    if risk.positions:
        items += [_stops(risk, currency), _bare(risk, currency)]
    return _led(fit_items([*items, _unknown(risk, now), _entries(risk)], width - 1))


def _led(row: Row) -> Row:
    """Begin under the sentence above."""
    return ((" ", "text"), *row)


def _none(risk: OpenRisk) -> Item:
    waits = f"; {_count(risk.entries, 'entry', 'entries')} may fill" if risk.entries else ""
    return Item(((f"Open risk: none, all flat{waits}.", 10), (f"flat{waits}", KEPT)), "muted")


def _stops(risk: OpenRisk, currency: str) -> Item:
    if risk.bare_positions == risk.positions and not risk.worst:
        return Item((("no stop rests", KEPT),), "danger*", rank=1)
    ratio = percent(risk.worst_ratio)
    forms = (
        (f"if every stop fills {signed(risk.worst)} {currency} ({ratio} of equity)", 40),
        (f"if all stops fill {signed(risk.worst)} ({ratio})", 60),
        (f"stops {signed(risk.worst)} ({ratio})", 61),
        (f"stops {signed(risk.worst)}", KEPT),
    )
    return Item(forms, "text*", rank=1)


def _bare(risk: OpenRisk, currency: str) -> Item:
    if not risk.bare_positions:
        return Item((("every position is protected", 15), ("protected", 50), ("", 0)), "ok")
    many = _count(risk.bare_positions, "position", "positions")
    notional = money(risk.bare_notional)
    forms = (
        (f"NOT PROTECTED: {notional} {currency} in {many}", 45),
        (f"NOT PROTECTED {notional}", 62),
        ("NOT PROTECTED", KEPT),
    )
    return Item(forms, "danger*", rank=2)


def _unknown(risk: OpenRisk, now: int) -> Item:
    if not risk.unknown:
        return Item((("no order is unknown", 5), ("", 0)), "muted")
    oldest = age_between(now, risk.unknown_since)
    forms = (
        (f"UNKNOWN {_count(risk.unknown, 'order', 'orders')}, the oldest for {oldest}", 47),
        (f"UNKNOWN {risk.unknown}, {oldest}", 63),
        (f"UNKNOWN {risk.unknown}", KEPT),
    )
    return Item(forms, "danger!", rank=3)


def _entries(risk: OpenRisk) -> Item:
    text = f"{_count(risk.entries, 'entry', 'entries')} may fill"
    return Item(((text, 8), ("", 0)) if risk.entries else (("", 0),), "muted")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
