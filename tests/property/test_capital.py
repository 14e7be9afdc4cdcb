"""Whatever is traded: no approved entry breaks a limit, what reduces passes, and the books balance."""

from decimal import ROUND_DOWN, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.commands import SaveSignal, SubmitOrder
from engine.domain.ids import OrderRole
from engine.domain.market import NS_PER_S
from engine.domain.money import ZERO
from engine.domain.orders import OrderKind
from engine.domain.play import EntryOrder, Sizing, SizingKind
from engine.domain.positions import Position
from engine.domain.signals import SignalKind
from engine.execution.capital import RESERVE_STEP
from engine.execution.ledger import Ledger, apply_fill
from tests.builders import (
    BTC,
    ENTER_LONG,
    ENTER_SHORT,
    ETH,
    EXIT_LONG,
    EXIT_SHORT,
    PLAY,
    World,
    of,
    setup,
    spec,
)
from tests.builders import percent as percent_of
from tests.property.test_ledger import START, bookings

OTHER = "other"
NEARLY = Decimal("1e-6")

money = st.none() | st.integers(50, 1_500).map(Decimal)
counts = st.none() | st.integers(1, 4)
limits = st.fixed_dictionaries(
    {
        "order_notional_max": money,
        "cycle_notional_max": money,
        "position_notional_max": money,
        "symbol_notional_max": money,
        "leverage_max": st.none() | st.floats(0.005, 0.2),
        "cash_reserve_min": st.none() | st.integers(8_500, 10_000).map(Decimal),
        "price_collar_percent": st.none() | st.floats(0.1, 5.0),
        "order_rate_max": counts,
        "order_rate_window_s": st.sampled_from([60.0, 150.0, 600.0]),
        "repeat_entries_max": st.none() | st.integers(2, 4),
        "losses_in_a_row_max": st.none() | st.integers(2, 3),
        "drawdown_max_percent": st.none() | st.floats(0.1, 1.0),
        "profit_reserve_percent": st.sampled_from([Decimal(0), Decimal(30), Decimal(100)]),
        "open_orders_max": st.integers(1, 8),
    }
)
closes = st.sampled_from([ENTER_LONG, 112.5, EXIT_LONG, ENTER_SHORT, EXIT_SHORT, 100.0])
moves = st.lists(st.tuples(closes, st.sampled_from([BTC, BTC, ETH])), min_size=6, max_size=40)
worths = st.integers(10, 400).map(Decimal)
entries = st.sampled_from([None, EntryOrder(OrderKind.LIMIT, percent_of(1.0), valid_bars=2, replace=True)])


class Judge:
    """Holds every entry that leaves against the limits, reckoned anew from positions and orders."""

    def __init__(self, world: World) -> None:
        self.world, self.limits = world, world.setup.limits
        self.sent: list[tuple[int, str, Decimal]] = []

    def on_batch(self, batch: Any) -> None:
        for submit in of(SubmitOrder, batch):
            request = submit.request
            if request.role is not OrderRole.ENTRY:
                assert request.reduce_only
                continue
            key = f"{request.play} {request.symbol} {request.side}"
            self.sent.append((self.world.now, key, request.qty * self.price(request)))
            self.judge(request, key)

    def price(self, request: Any) -> Decimal:
        return request.price or request.trigger or self.mark(request.symbol)

    def mark(self, symbol: str) -> Decimal:
        return Decimal(repr(self.world.machine.ledger.mark_of(symbol)))

    def gross(self, *symbols: str) -> Decimal:
        held = [p for p in self.world.machine.ledger.open_positions() if p.symbol in symbols]
        working = [o for o in self.world.orders(OrderRole.ENTRY) if o.request.symbol in symbols]
        return sum((abs(p.qty) * self.mark(p.symbol) for p in held), ZERO) + sum(
            (order.remaining_qty * self.price(order.request) for order in working), ZERO
        )

    def judge(self, request: Any, key: str) -> None:
        at, now, notional = self.limits, self.world.now, self.sent[-1][2]
        gross, capital = self.gross(BTC, ETH), self.world.machine.ledger.trading_capital()
        assert at.order_notional_max is None or notional <= at.order_notional_max
        cycle = sum((worth for when, _, worth in self.sent if when == now), ZERO)
        assert at.cycle_notional_max is None or cycle <= at.cycle_notional_max
        of_symbol = self.gross(request.symbol)
        assert at.symbol_notional_max is None or of_symbol <= at.symbol_notional_max + NEARLY
        assert at.leverage_max is None or gross <= Decimal(at.leverage_max) * capital + NEARLY
        left = capital - gross / Decimal(at.leverage_max or 1)
        assert at.cash_reserve_min is None or left >= at.cash_reserve_min - NEARLY
        off = abs(self.price(request) / self.mark(request.symbol) - 1) * 100
        assert at.price_collar_percent is None or off <= Decimal(at.price_collar_percent) + NEARLY
        since = now - round(at.order_rate_window_s * NS_PER_S)
        recent = sum(when > since for when, _, _ in self.sent)
        assert at.order_rate_max is None or recent <= at.order_rate_max
        alike = sum(name == key for _, name, _ in self.sent)
        assert at.repeat_entries_max is None or alike <= at.repeat_entries_max, "nobody let it go on"
        assert len(self.world.orders()) <= at.open_orders_max + 4, "what protects is not asked"


@settings(max_examples=80)
@given(moves, limits, worths, entries)
def test_no_approved_entry_breaks_a_limit_and_the_books_balance(steps, given_limits, worth, entry):
    sizing = Sizing(SizingKind.NOTIONAL, worth)
    plays = spec(sizing=sizing, entry=entry), spec(OTHER, sizing=sizing, take_profit=None)
    world = World(setup(*plays, repeat_entries_window_s=86_400.0, **given_limits))
    world.watch = Judge(world).on_batch
    ledger, reserve = world.machine.ledger, ZERO
    for close, symbol in steps:
        commands = world.bar(close, symbol)
        for saved in of(SaveSignal, commands):
            if saved.signal.kind is SignalKind.EXIT and saved.veto is not None:
                assert saved.veto.reason.value in ("NOTHING_TO_CLOSE", "EXIT_WORKING")
        assert ledger.trading_capital() + ledger.capital.reserve == ledger.exact_equity()
        assert ledger.capital.reserve >= reserve, "nothing is moved on a loss"
        reserve = ledger.capital.reserve
    world.flatten()
    world.bars(100.0, 100.0)
    world.bars(100.0, 100.0, symbol=ETH)
    assert (world.qty(BTC, PLAY), world.qty(ETH, OTHER)) == (ZERO, ZERO), "no limit keeps a position open"


@given(bookings, st.integers(0, 100).map(Decimal))
def test_the_reserve_is_its_part_of_the_trades_that_won(entries_booked, part):
    ledger = Ledger(START)
    ledger.capital.reserve_percent = part
    positions: dict[tuple[str, str], Position] = {}
    before: dict[tuple[str, str], Decimal] = {}
    expected, lost = ZERO, 0
    for play, fill in entries_booked:
        ledger.book(play, fill)
        key = (play, fill.symbol)
        was = positions.get(key, Position(play=play, symbol=fill.symbol))
        now = positions[key] = apply_fill(was, fill)
        if was.qty and was.qty * now.qty <= 0:
            made = now.realized - now.fees - before.get(key, ZERO)
            before[key] = now.realized - now.fees
            lost = 0 if made > 0 else lost + (made < 0)
            if made > 0:
                expected += (made * part / 100).quantize(RESERVE_STEP, ROUND_DOWN)
    assert ledger.capital.reserve == expected
    assert ledger.capital.losses_in_a_row == lost
    assert ledger.trading_capital() + ledger.capital.reserve == ledger.exact_equity()
    again = Ledger(START)
    again.restore(ledger.state())
    assert again.state() == ledger.state()
