"""The play in nautilus_trader: `PYTHON run_nautilus.py BARS.csv` prints one JSON object.

Market orders fill at the close of the bar they are sent on; in this data that is the next bar's open. Its
averages are seeded with the first value. Logging and the analysis of trades are off: in its favour.
"""

import json
import sys
import time
from decimal import Decimal
from importlib.metadata import version

import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import BTC, USD
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

CASH = 1_000_000
NOTIONAL = 10_000
FEE = Decimal("0.001")
VENUE = Venue("SIM")
PAIR = CurrencyPair(
    instrument_id=InstrumentId(Symbol("BTC/USD"), VENUE),
    raw_symbol=Symbol("BTCUSD"),
    base_currency=BTC,
    quote_currency=USD,
    price_precision=1,
    size_precision=3,
    price_increment=Price.from_str("0.1"),
    size_increment=Quantity.from_str("0.001"),
    ts_event=0,
    ts_init=0,
    maker_fee=FEE,
    taker_fee=FEE,
)
BARS = BarType.from_str(f"{PAIR.id}-1-MINUTE-LAST-EXTERNAL")


class EmaCross(Strategy):
    """Long or flat."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="EMA-CROSS"))
        self.fast, self.slow = ExponentialMovingAverage(12), ExponentialMovingAverage(26)
        self.above: bool | None = None
        self.held: Quantity | None = None
        self.sent = 0

    def on_start(self) -> None:
        """Ask for bars and let the averages follow them."""
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        """Order at a cross."""
        if not self.slow.initialized:
            return
        was_above, self.above = self.above, self.fast.value > self.slow.value
        if was_above is False and self.above and self.held is None:
            lots = NOTIONAL * 1000 // bar.close.as_double()
            self.held = Quantity(lots / 1000, 3)
            self.order(OrderSide.BUY, self.held)
        elif was_above and not self.above and self.held is not None:
            self.order(OrderSide.SELL, self.held)
            self.held = None

    def order(self, side: OrderSide, quantity: Quantity) -> None:
        """Send a market order."""
        self.sent += 1
        self.submit_order(self.order_factory.market(PAIR.id, side, quantity))


def main() -> None:
    """Load, run, report."""
    started = time.perf_counter()
    table = pd.read_csv(sys.argv[1])
    # A bar's time here is its close.
    table.index = pd.to_datetime(table.pop("ts_ms") + 60_000, unit="ms", utc=True)
    table.index.name = "timestamp"
    bars = BarDataWrangler(BARS, PAIR).process(table)
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet, run_analysis=False))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(CASH, USD)])
    # Its statistics copy all earlier trades at each trade (nautechsystems/nautilus_trader#4434): left out.
    engine.kernel.portfolio.analyzer.record_trade = lambda *_: None
    engine.add_instrument(PAIR)
    engine.add_data(bars)
    play = EmaCross()
    engine.add_strategy(play)
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    engine.run()
    wall_s = time.perf_counter() - started
    account = engine.cache.account_for_venue(VENUE)
    cash, coins = account.balance_total(USD), account.balance_total(BTC)
    equity = cash.as_double() + (coins.as_double() * bars[-1].close.as_double() if coins else 0.0)
    result = {
        "version": version("nautilus_trader"),
        "bars": len(bars),
        "orders": play.sent,
        "final_equity": equity,
        "load_s": load_s,
        "wall_s": wall_s,
    }
    engine.dispose()
    print(json.dumps(result))


main()
