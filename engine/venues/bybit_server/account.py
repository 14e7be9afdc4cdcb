"""The account: one wallet in one currency, one-way positions, cross margin without liquidation."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from engine.domain.money import ZERO, divide
from engine.domain.positions import Fill, Position
from engine.execution.ledger import apply_fill
from engine.venues.bybit_server.orders import ExchangeOrder
from engine.venues.bybit_server.refusals import (
    LEVERAGE_TOO_HIGH,
    SAME_LEVERAGE,
    RefusedError,
    parameter_error,
)

DEFAULT_EQUITY = Decimal(100_000)
DEFAULT_LEVERAGE = Decimal(10)
LEVERAGE_MAX = Decimal(100)
MAINTENANCE = Decimal("0.005")  # of a position's value


class Holding(msgspec.Struct, kw_only=True):
    """A position in one symbol with its leverage and its protection."""

    position: Position
    leverage: Decimal = DEFAULT_LEVERAGE
    take_profit: Decimal = ZERO
    stop_loss: Decimal = ZERO
    opened: int = 0
    updated: int = 0

    @property
    def qty(self) -> Decimal:
        """The net quantity, signed."""
        return self.position.qty

    @property
    def entry(self) -> Decimal:
        """The average price that the open quantity was bought or sold at."""
        position = self.position
        return divide(position.entry_notional, position.qty) if position.qty else ZERO


class Account:
    """What is owned, and how much of it is free for new orders."""

    def __init__(self, equity: Decimal, symbols: Iterable[str], currency: str = "USDT") -> None:
        self.deposited, self.currency = equity, currency
        self.holdings = {symbol: Holding(position=Position(play="", symbol=symbol)) for symbol in symbols}

    @property
    def wallet(self) -> Decimal:
        """What was paid in, with all that was realized and paid in fees."""
        positions = [holding.position for holding in self.holdings.values()]
        return self.deposited + sum((p.realized - p.fees for p in positions), ZERO)

    def apply(self, fill: Fill) -> Decimal:
        """Book a fill; return how much of its quantity closed a position."""
        holding = self.holdings[fill.symbol]
        before = holding.position
        after = holding.position = apply_fill(before, fill)
        holding.updated = fill.ts
        if after.opened != before.opened:
            holding.opened = fill.ts
        return max(ZERO, (abs(before.qty) + fill.qty - abs(after.qty)) / 2)

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set a symbol's leverage. Raises RefusedError, also where it is the same already."""
        holding = self.holdings[symbol]
        if leverage < 1:
            raise parameter_error("leverage must be at least 1")
        if leverage > LEVERAGE_MAX:
            raise RefusedError(LEVERAGE_TOO_HIGH, "cannot set leverage gt maxLeverage by risk limit")
        if leverage == holding.leverage:
            raise RefusedError(SAME_LEVERAGE, "leverage not modified")
        holding.leverage = leverage

    def unrealized(self, symbol: str, mark: Decimal) -> Decimal:
        """Value a position's open profit at a mark."""
        position = self.holdings[symbol].position
        return position.qty * mark - position.entry_notional

    def margin(self, symbol: str, mark: Decimal) -> Decimal:
        """Return the initial margin of a position."""
        holding = self.holdings[symbol]
        return divide(abs(holding.qty) * mark, holding.leverage)

    def order_margin(self, order: ExchangeOrder) -> Decimal:
        """Return the initial margin of what an open order may add to a position."""
        if order.reduces or order.price is None or order.trigger is not None:
            return ZERO
        return self.margin_for(order.ticket.symbol, order.leaves, order.price)

    def margin_for(self, symbol: str, qty: Decimal, price: Decimal) -> Decimal:
        """Return the initial margin of a quantity at a price."""
        return divide(qty * price, self.holdings[symbol].leverage)

    def equity(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Return the wallet with all open profit; a symbol without a mark has no position."""
        open_profit = (self.unrealized(symbol, marks[symbol]) for symbol in marks)
        return self.wallet + sum(open_profit, ZERO)

    def positions_margin(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Return the initial margin of all positions."""
        return sum((self.margin(symbol, marks[symbol]) for symbol in marks), ZERO)
