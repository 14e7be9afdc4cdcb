"""Measures the risk chain: facts gathered and every gate asked, for one intent, with all limits on."""

import gc
import statistics
import time
from decimal import Decimal

from benchmarks.figures import Row, loop_ns
from engine.core.machine import Machine
from engine.core.setup import CoreSetup, PlayBinding
from engine.domain.ids import OrderRole
from engine.domain.limits import Limits
from engine.domain.market import NS_PER_S, Instrument, Trade
from engine.domain.modes import Mode
from engine.domain.play import PlaySpec, Rule, Sizing, SizingKind
from engine.domain.positions import Fill
from engine.domain.signals import Side, Signal, SignalKind
from engine.risk.gates import ask

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
NOW = 1_700_000_000 * NS_PER_S
ENTRIES = 200
TARGET_US, TARGET_LOOP_NS = 8.0, 8.5
ALL_ON = Limits(
    order_notional_max=Decimal(10_000),
    cycle_notional_max=Decimal(30_000),
    order_rate_max=500,
    repeat_entries_max=100,
    price_collar_percent=5.0,
    position_notional_max=Decimal(20_000),
    symbol_notional_max=Decimal(40_000),
    leverage_max=5.0,
    cash_reserve_min=Decimal(1_000),
    open_orders_max=200,
    daily_loss_max=Decimal(5_000),
    drawdown_max_percent=20.0,
    losses_in_a_row_max=10,
)


def chain(runs: int = 15, rounds: int = 5_000) -> list[Row]:
    """Return what one intent costs with three positions open, one entry working and 200 entries behind it."""
    machine, signal = _machine(), Signal(NOW, "p0", SYMBOLS[0], Side.BUY, SignalKind.ENTRY, 100.0)
    entering, price, qty = machine.trading.entering, Decimal("100.1"), Decimal("1.5")
    assert ask(entering.facts(signal, price, qty, 0.1, NOW), ALL_ON) is None, "the intent passes every gate"
    found, turns = [], []
    gc.disable()
    for _ in range(runs):
        turn_ns, begun = loop_ns(), time.process_time_ns()
        for _ in range(rounds):
            ask(entering.facts(signal, price, qty, 0.1, NOW), ALL_ON)
        each_ns = (time.process_time_ns() - begun) / rounds
        found.append(each_ns / 1_000)
        turns.append(each_ns / turn_ns)
    gc.enable()
    promised = TARGET_US * 1_000 / TARGET_LOOP_NS
    return [
        Row(
            f"risk chain: one intent through all gates, all limits on (bare loop {loop_ns():.0f} ns)",
            f"{statistics.median(found):.1f} us",
            f"under {TARGET_US:g} us where a bare loop costs {TARGET_LOOP_NS} ns",
        ),
        Row(
            "the same in turns of a bare loop",
            f"{statistics.median(turns):,.0f} turns",
            f"at most {promised:,.0f} turns",
        ),
    ]


def _machine() -> Machine:
    """Return a machine with three positions, a working entry and a history of entries."""
    instruments = tuple(_instrument(symbol) for symbol in SYMBOLS)
    plays = tuple(PlayBinding(_play(n), symbol, NS_PER_S) for n, symbol in enumerate(SYMBOLS))
    setup = CoreSetup(
        mode=Mode.PAPER,
        instance="bench",
        birth_s=NOW // NS_PER_S,
        confirm_name="bench",
        instruments=instruments,
        plays=plays,
        limits=ALL_ON,
        currency="USDT",
        start_equity=Decimal(50_000),
        armed=True,
    )
    machine = Machine(setup)
    for number, symbol in enumerate(SYMBOLS):
        machine.handle(Trade(NOW, symbol, 100.0, 1.0, 1, 100.0, 100.0), NOW)
        order = machine.desk.submit(
            role=OrderRole.ENTRY,
            play=f"p{number}",
            symbol=symbol,
            side=Side.BUY,
            qty=Decimal(2),
            now=NOW,
            cycle_id="",
        )
        if number:
            qty, id_ = Decimal(2), order.client_id
            fill = Fill(
                ts=NOW,
                client_id=id_,
                trade_id=f"t{number}",
                symbol=symbol,
                side=Side.BUY,
                price=Decimal(100),
                qty=qty,
                fee=Decimal("0.1"),
            )
            machine.handle(fill, NOW)
    for number in range(ENTRIES):
        sent = Signal(NOW, f"p{number % 4}", SYMBOLS[number % 4], Side.BUY, SignalKind.ENTRY, 100.0)
        machine.risk.pace.sent(sent, Decimal(1), NOW, ALL_ON)
    return machine


def _play(number: int) -> PlaySpec:
    return PlaySpec(
        name=f"p{number}",
        sizing=Sizing(SizingKind.NOTIONAL, Decimal(100)),
        long_entry=Rule("close > 1"),
        long_exit=Rule("close < 1"),
    )


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        tick=Decimal("0.1"),
        lot=Decimal("0.001"),
        qty_min=Decimal("0.001"),
        notional_min=Decimal(5),
        base=symbol[:3],
        quote="USDT",
        settle="USDT",
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        price_digits=1,
        qty_digits=3,
    )
