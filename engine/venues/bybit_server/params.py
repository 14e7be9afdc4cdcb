"""Reads the parameters of requests: texts, numbers as texts or not, and what is left empty."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from engine.domain.money import ZERO
from engine.domain.signals import Side
from engine.venues.bybit_server.auth import Key
from engine.venues.bybit_server.orders import Force, Kind, Rising, Ticket
from engine.venues.bybit_server.refusals import parameter_error

LINK_ID_MAX = 36
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
E = TypeVar("E", bound=StrEnum)


class Params:
    """The parameters of one request; unknown ones are ignored, as the real exchange does."""

    def __init__(self, values: Mapping[str, Any], key: Key | None = None) -> None:
        self._values = values
        self.key = key  # whose request it is

    def text(self, name: str, default: str = "") -> str:
        """Return a text; empty where it is not there."""
        value = self._values.get(name)
        return default if value is None or value == "" else str(value)

    def required(self, name: str) -> str:
        """Return a text that must be there. Raises RefusedError."""
        value = self.text(name)
        if not value:
            raise parameter_error(f"{name} is required")
        return value

    def decimal(self, name: str) -> Decimal | None:
        """Return a number, None where it is left out. Raises RefusedError."""
        text = self.text(name)
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise parameter_error(f"{name} invalid") from None
        if not value.is_finite() or value < 0:
            raise parameter_error(f"{name} invalid")
        return value

    def positive(self, name: str) -> Decimal | None:
        """Return a number above 0; 0 counts as left out. Raises RefusedError."""
        return self.decimal(name) or None

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """Return a whole number, at most `most`. Raises RefusedError."""
        text = self.text(name)
        if not text:
            return default
        if not text.isdecimal() or int(text) < least:
            raise parameter_error(f"{name} invalid")
        return int(text) if most is None else min(int(text), most)

    def flag(self, name: str) -> bool:
        """Return whether something is asked for."""
        return self.text(name).lower() in ("true", "1")

    def member(self, name: str, kind: type[E], default: E | None = None) -> E:
        """Return one of a set of words. Raises RefusedError."""
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            return kind(text)
        except ValueError:
            raise parameter_error(f"{name} invalid") from None

    def side(self) -> Side:
        """Return the side. Raises RefusedError."""
        side = _SIDES.get(self.text("side"))
        if side is None:
            raise parameter_error("Side invalid")
        return side


def linear(params: Params) -> None:
    """Refuse what is not of the linear category. Raises RefusedError."""
    if params.required("category") != "linear":
        raise parameter_error("category: this exchange has linear contracts only")


def ticket_of(params: Params) -> Ticket:
    """Read an order. Raises RefusedError."""
    linear(params)
    if params.text("positionIdx", "0") != "0":
        raise parameter_error("position idx not match position mode")
    kind = params.member("orderType", Kind)
    price = params.positive("price")
    if kind is Kind.LIMIT and price is None:
        raise parameter_error("price is required for a limit order")
    qty = params.decimal("qty")
    if not qty:
        raise parameter_error("qty invalid")
    link_id = params.text("orderLinkId")
    if len(link_id) > LINK_ID_MAX:
        raise parameter_error(f"orderLinkId is longer than {LINK_ID_MAX}")
    trigger = params.positive("triggerPrice")
    rising = params.member("triggerDirection", Rising, Rising.NONE)
    if trigger is not None and rising is Rising.NONE:
        raise parameter_error("triggerDirection invalid")
    return Ticket(
        symbol=params.required("symbol"),
        side=params.side(),
        kind=kind,
        qty=qty,
        price=price if kind is Kind.LIMIT else None,
        force=params.member("timeInForce", Force, Force.IOC if kind is Kind.MARKET else Force.GTC),
        link_id=link_id,
        reduce_only=params.flag("reduceOnly"),
        close_on_trigger=params.flag("closeOnTrigger"),
        trigger=trigger,
        rising=rising if trigger is not None else Rising.NONE,
        take_profit=params.positive("takeProfit"),
        stop_loss=params.positive("stopLoss"),
    )


def protection(params: Params, name: str) -> Decimal | None:
    """Read a take-profit or stop-loss of a position: a price, 0 to remove it, None to leave it."""
    value = params.decimal(name)
    return ZERO if value == ZERO else value
