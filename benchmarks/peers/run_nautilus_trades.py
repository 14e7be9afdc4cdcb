"""The play on trades in nautilus_trader: `PYTHON run_nautilus_trades.py TRADES.csv` prints one JSON object.

Market orders fill at the price of the trade they are sent on, ours at the next one's. Its averages are seeded
with the first value. Logging and the analysis of trades are off: in its favour.
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
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import TradeTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import TradeTickDataWrangler
from nautilus_trader.trading.strategy import Strategy

CASH = 1_000_000
NOTIONAL = 10_000
FEE = Decimal("0.001")
FAST, SLOW = 200, 2000
VENUE = Venue("SIM")
PAIR = CurrencyPair(
    instrument_id=InstrumentId(Symbol("BTC/USDT"), VENUE),
    raw_symbol=Symbol("BTCUSDT"),
    base_currency=BTC,
    quote_currency=USDT,
    price_precision=1,
    size_precision=3,
    price_increment=Price.from_str("0.1"),
    size_increment=Quantity.from_str("0.001"),
    ts_event=0,
    ts_init=0,
    maker_fee=FEE,
    taker_fee=FEE,
)


class EmaCross(Strategy):
    """Long or flat."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig(strategy_id="EMA-CROSS"))
        self.fast, self.slow = ExponentialMovingAverage(FAST), ExponentialMovingAverage(SLOW)
        self.above: bool | None = None
        self.held: Quantity | None = None
        self.sent = 0

    def on_start(self) -> None:
        """Ask for trades and let the averages follow them."""
        self.register_indicator_for_trade_ticks(PAIR.id, self.fast)
        self.register_indicator_for_trade_ticks(PAIR.id, self.slow)
        self.subscribe_trade_ticks(PAIR.id)

    def on_trade_tick(self, tick: TradeTick) -> None:
        """Order at a cross."""
        if not self.slow.initialized:
            return
        was_above, self.above = self.above, self.fast.value > self.slow.value
        if was_above is False and self.above and self.held is None:
            lots = NOTIONAL * 1000 // tick.price.as_double()
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
    table.index = pd.to_datetime(table.pop("ts_ms"), unit="ms", utc=True)
    table.index.name = "timestamp"
    table = table.rename(columns={"qty": "quantity"})
    table["buyer_maker"] = table.pop("side") == "sell"
    table["trade_id"] = [str(number) for number in range(len(table))]
    trades = TradeTickDataWrangler(PAIR).process(table)
    quiet = LoggingConfig(bypass_logging=True)
    engine = BacktestEngine(BacktestEngineConfig(logging=quiet, run_analysis=False))
    engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [Money(CASH, USDT)], trade_execution=True)
    # Its statistics copy all earlier trades at each trade (nautechsystems/nautilus_trader#4434): left out.
    engine.kernel.portfolio.analyzer.record_trade = lambda *_: None
    engine.add_instrument(PAIR)
    engine.add_data(trades)
    play = EmaCross()
    engine.add_strategy(play)
    load_s = time.perf_counter() - started
    started = time.perf_counter()
    engine.run()
    wall_s = time.perf_counter() - started
    account = engine.cache.account_for_venue(VENUE)
    cash, coins = account.balance_total(USDT), account.balance_total(BTC)
    equity = cash.as_double() + (coins.as_double() * trades[-1].price.as_double() if coins else 0.0)
    result = {
        "version": version("nautilus_trader"),
        "bars": len(trades),
        "orders": play.sent,
        "final_equity": equity,
        "load_s": load_s,
        "wall_s": wall_s,
    }
    engine.dispose()
    print(json.dumps(result))


main()
