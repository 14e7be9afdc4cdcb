"""The hand-over note: what is open, why, what protects it, and the ids to act on at the venue by hand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from engine.api import (
    ControlError,
    OrderRole,
    OrderRow,
    Phase,
    PositionRow,
    SignalRow,
    Snapshot,
    control_socket,
    fetch_status,
    find_again,
)
from tui import remote
from tui.formats import age_between, clean, clock, date, money, price, quantity, several, signed
from tui.pricedigits import price_digits
from tui.supervisor import unreached

if TYPE_CHECKING:
    from engine.api import Settings


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An open order and how to find it at the venue."""

    client_id: str
    venue_id: str
    words: str


class OpenPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position: why it is there, what protects it, and the orders that belong to it."""

    play: str
    symbol: str
    qty: str
    words: str
    why: str
    protection: str
    orders: tuple[OpenOrder, ...]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever comes next must know."""

    written: int  # ns UTC
    standing: str
    residual: tuple[str, ...]  # what a flatten could not close or cancel
    positions: tuple[OpenPosition, ...]
    orders: tuple[OpenOrder, ...]  # those of no open position
    alarms: tuple[str, ...]
    unlisted: int = 0  # open orders beyond those that the engine shows


def show(settings: "Settings", *, as_json: bool) -> int:
    """Print the note of the running engine."""
    try:
        hello, snapshot = fetch_status(settings)
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None
    found = note(snapshot)
    if as_json:
        facts: dict[str, Any] = msgspec.to_builtins(found)
        where = {"pid": hello.pid, "socket": str(control_socket(settings)), "options": find_again(settings)}
        remote.print_facts({**facts, **where})
    else:
        remote.print_line("\n".join(lines(found)))
    return 0


def note(snapshot: Snapshot) -> Note:
    """Return the note of a snapshot."""
    status = snapshot.status
    held = [row for row in snapshot.positions if row.qty != 0]
    owners = {(row.play, row.symbol) for row in held}
    working = [order for order in snapshot.orders if order.state.is_open]
    paused = ", paused" if status.paused else ""
    rest = [order for order in working if (order.play, order.symbol) not in owners]
    flattened = " after a flatten" if status.phase is Phase.HALTED else ""
    return Note(
        written=status.now,
        residual=tuple(clean(text) for text in snapshot.flatten.residual),
        standing=f"{status.mode.value}, {status.phase.value}{flattened}{paused}, "
        f"risk mode {status.risk_mode.value}, instance {status.instance}",
        positions=tuple(_position(row, working, snapshot) for row in held),
        orders=tuple(_order(order) for order in rest),
        unlisted=max(0, snapshot.open_risk.orders - len(working)),
        alarms=tuple(f"{alarm.severity.value} {clean(alarm.text)}" for alarm in snapshot.alarms),
    )


def lines(found: Note) -> Iterator[str]:
    """Yield the note as it is printed."""
    yield f"Hand-over at {date(found.written)} {clock(found.written)} UTC: {found.standing}."
    if not found.positions:
        yield "Flat: no position is open."
    yield from (f"NOT FLAT, left by the flatten: {text}" for text in found.residual)
    for position in found.positions:
        yield f"- {position.words}"
        yield f"    why: {position.why}"
        yield f"    protected: {position.protection}"
        yield from (f"    {_written(order)}" for order in position.orders)
    if found.orders:
        yield "Open orders of no open position:"
        yield from (f"- {_written(order)}" for order in found.orders)
    if found.unlisted:
        yield f"NOT LISTED: {several(found.unlisted, 'older open order')}; the venue shows them."
    for alarm in found.alarms:
        yield f"ALARM {alarm}"


def _position(row: PositionRow, working: list[OrderRow], snapshot: Snapshot) -> OpenPosition:
    own = [order for order in working if (order.play, order.symbol) == (row.play, row.symbol)]
    side = "LONG" if row.qty > 0 else "SHORT"
    entry = price(row.entry_price, price_digits(snapshot).get(row.symbol))
    since = f"{date(row.opened)} {clock(row.opened)} UTC, {age_between(snapshot.status.now, row.opened)} ago"
    return OpenPosition(
        play=row.play,
        symbol=row.symbol,
        qty=quantity(row.qty),
        words=f"{clean(row.symbol)} {side} {quantity(abs(row.qty))} from {entry} since {since}: "
        f"open P&L {signed(row.unrealized)}, worth {money(abs(float(row.qty)) * row.mark)}",
        why=_why(row, snapshot),
        protection=_protection(row, own),
        orders=tuple(_order(order) for order in own),
    )


def _why(row: PositionRow, snapshot: Snapshot) -> str:
    """Return the signal that opened a position, as far as the engine still shows it."""
    own = [s for s in snapshot.signals if (s.play, s.symbol) == (row.play, row.symbol) and not s.reason]
    led = [s for s in own if s.ts <= row.opened and s.side.value == ("buy" if row.qty > 0 else "sell")]
    if not led:
        return f"play {clean(row.play)}; its signal is older than what the engine shows"
    return f"play {clean(row.play)}, {_signal(max(led, key=lambda signal: signal.ts))}"


def _signal(signal: SignalRow) -> str:
    when = f"{date(signal.ts)} {clock(signal.ts)} UTC"
    return f"signal {signal.kind.value} {signal.side.value} at {signal.price:g}, {when} ({signal.cycle_id})"


def _protection(row: PositionRow, own: list[OrderRow]) -> str:
    stops = [order for order in own if order.role is OrderRole.STOP]
    if not stops:
        return "NOT PROTECTED: no stop rests for it"
    bare = (f"NOT PROTECTED: {quantity(row.bare)} of it",) if row.bare else ()
    return "; ".join((*bare, *map(_stop, stops)))


def _stop(order: OrderRow) -> str:
    left = quantity(order.qty - order.filled_qty)
    state = f"{clean(order.venue_id)} at the venue" if order.venue_id else "NOT CONFIRMED by the venue"
    return f"stop {order.side.value} {left} at {order.price or 'market'}, {state}"


def _order(row: OrderRow) -> OpenOrder:
    left = quantity(row.qty - row.filled_qty)
    at = "at market" if row.price is None else f"at {row.price}"
    what = f"{row.role.value} {row.side.value} {left} {clean(row.symbol)} {row.kind.value}"
    words = f"{what} {at}, {row.state.value}"
    return OpenOrder(client_id=row.client_id, venue_id=row.venue_id, words=words)


def _written(order: OpenOrder) -> str:
    venue = order.venue_id or "no id yet: search for ours"
    return f"{order.words}; at the venue {clean(venue)}, ours {clean(order.client_id)}"
