"""The markets that orders are sent for: how ccxt calls each, and how many base units a contract is."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.errors import ConfigError
from engine.domain.market import Instrument, InstrumentKind
from engine.domain.money import ONE, ZERO, decimals_of
from engine.venues.ccxt_markets import Market, Steps, decimal_of, find_market, stated_by
from engine.venues.instruments import DEFAULT_MAKER_FEE, DEFAULT_TAKER_FEE


class Contract(msgspec.Struct, frozen=True):
    """One market: our instrument, ccxt's symbol of it, and the base units that one contract holds."""

    instrument: Instrument
    unified: str
    size: Decimal = ONE


class Contracts:
    """The markets of a session, found by our symbol or by ccxt's."""

    def __init__(self, contracts: Iterable[Contract], market_ids: Mapping[str, str]) -> None:
        """`market_ids`: the venue's own name by ccxt's symbol, of all its markets."""
        self._ours = {each.instrument.symbol: each for each in contracts}
        self._unified = {each.unified: each for each in self._ours.values()}
        self._market_ids = market_ids

    def __iter__(self) -> Any:
        """Walk the markets of the session."""
        return iter(self._ours.values())

    def of(self, symbol: str) -> Contract:
        """Return the market of one of our symbols; a symbol that was never opened is a mistake."""
        return self._ours[symbol]

    def of_unified(self, unified: str) -> Contract | None:
        """Return the market that ccxt calls so, None where it is none of the session's."""
        return self._unified.get(unified)

    def name_of(self, unified: str) -> str:
        """Return how others' orders in a market are shown: by our symbol, else by the venue's own."""
        ours = self._unified.get(unified)
        return ours.instrument.symbol if ours else self._market_ids.get(unified, unified)


def contracts_of(markets: dict[str, Market], symbols: Iterable[str], venue: str, steps: Steps) -> Contracts:
    """Find the markets of symbols. Raises ConfigError for one that is unknown or no linear perpetual."""
    found = [_contract(find_market(markets, symbol, venue), venue, steps) for symbol in symbols]
    return Contracts(found, {unified: str(market["id"]) for unified, market in markets.items()})


def _contract(market: Market, venue: str, steps: Steps) -> Contract:
    if not market.get("linear") or not market.get("swap"):
        raise ConfigError(
            f"{market['symbol']} is no linear perpetual: orders are sent for those only", field="venue"
        )
    return Contract(
        instrument=instrument_of(market, venue, steps),
        unified=str(market["symbol"]),
        size=decimal_of(market.get("contractSize")) or ONE,
    )


def instrument_of(market: Market, venue: str, steps: Steps) -> Instrument:
    """Return the instrument a venue states. Raises ConfigError where it does not say what orders need."""
    stated = stated_by(market, venue, "any", steps)
    if not (stated.symbol and stated.tick and stated.lot and stated.base and stated.quote):
        raise ConfigError(f"{venue} does not tell the steps of {market['symbol']}", field="venue")
    return Instrument(
        symbol=stated.symbol,
        tick=stated.tick,
        lot=stated.lot,
        qty_min=stated.qty_min or stated.lot,
        notional_min=stated.notional_min or ZERO,
        base=stated.base,
        quote=stated.quote,
        settle=stated.settle or stated.quote,
        maker_fee=DEFAULT_MAKER_FEE if stated.maker_fee is None else stated.maker_fee,
        taker_fee=DEFAULT_TAKER_FEE if stated.taker_fee is None else stated.taker_fee,
        price_digits=decimals_of(stated.tick),
        qty_digits=decimals_of(stated.lot),
        kind=stated.kind or InstrumentKind.LINEAR,
    )
