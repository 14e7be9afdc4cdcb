"""Finds a market among those ccxt has loaded, and puts what the venue says of it into our own words."""

import difflib
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from typing import Any

from engine.domain.errors import ConfigError, RefusedError
from engine.domain.market import InstrumentKind
from engine.venues.instruments import BarTime, InstrumentFile, VolumeUnit

NAMES_SHOWN = 20
_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,40}")


Market = dict[str, Any]


def find_market(markets: dict[str, Market], symbol: str, venue: str) -> Market:
    """Return the market of a symbol; several of one name: the linear perpetual first, then spot.

    Raises ConfigError that names what is close, RefusedError where the venue lists nothing.
    """
    if not markets:
        raise RefusedError(f"{venue} lists no markets")
    if (market := markets.get(symbol)) and not market.get("option"):
        return market
    wanted = _bare(symbol)
    usable = [market for market in markets.values() if not market.get("option")]
    named = [m for m in usable if wanted in (_bare(m["id"]), _bare(m["symbol"]))]
    named = named or [m for m in usable if wanted == _bare(f"{m['base']}{m['quote']}")]
    if named:
        return min(named, key=_preference)
    known = {_bare(name): name for market in usable for name in (market["symbol"], str(market["id"]))}
    close = difflib.get_close_matches(wanted, known, n=3)
    hint = (
        f"did you mean {' or '.join(known[name] for name in close)}?" if close else "see the venue's own list"
    )
    raise ConfigError(f"{venue} has no market {symbol!r}; {hint}", field="--symbol")


def _preference(market: Market) -> tuple[int, bool, str]:
    if market.get("swap") and market.get("linear"):
        rank = 0
    else:
        rank = 1 if market.get("spot") else 2 if market.get("swap") else 3
    return rank, market.get("settle") not in {None, market.get("quote")}, market["symbol"]


class Steps(Enum):
    """How ccxt writes the steps of a venue's prices and quantities."""

    TICKS = auto()  # the step itself
    DECIMALS = auto()  # how many decimals it has
    DIGITS = auto()  # how many digits count: the step depends on the price


def stated_by(market: Market, venue: str, timeframe: str, steps: Steps) -> InstrumentFile:
    """Put what the venue says of a market into the form of an instrument file."""
    kind = InstrumentKind.SPOT
    if not market.get("spot"):
        kind = InstrumentKind.LINEAR if market.get("linear") else InstrumentKind.INVERSE
    precision, limits = market.get("precision") or {}, market.get("limits") or {}
    # A contract may hold more or less than one unit; inverse ones hold money, which is no lot.
    size = Decimal(1) if kind is InstrumentKind.SPOT else _positive(market.get("contractSize"))
    counted = size if kind is not InstrumentKind.INVERSE else None
    return InstrumentFile(
        symbol=_symbol(market),
        tick=_step(precision.get("price"), steps),
        lot=_times(_step(precision.get("amount"), steps), counted),
        qty_min=_times(_positive((limits.get("amount") or {}).get("min")), counted),
        notional_min=_positive((limits.get("cost") or {}).get("min")),
        base=_name(market.get("base")),
        quote=_name(market.get("quote")),
        settle=_name(market.get("settle")),
        kind=kind,
        maker_fee=_rate(market.get("maker")),
        taker_fee=_rate(market.get("taker")),
        bar_ts=BarTime.OPEN,
        volume_unit=VolumeUnit.BASE if counted == 1 else VolumeUnit.UNKNOWN,
        venue=venue,
        timeframe=timeframe,
    )


def _symbol(market: Market) -> str | None:
    """Return the venue's own name of a market, or base and quote where that is a mere number."""
    own = _name(market["id"])
    return own if own and not own.isdecimal() else _name(f"{market['base']}{market['quote']}")


def _name(value: Any) -> str | None:
    text = "" if value is None else str(value)
    return text if _NAME.fullmatch(text) else None


def _step(value: Any, steps: Steps) -> Decimal | None:
    number = decimal_of(value)
    if number is None or steps is Steps.DIGITS:
        return None
    return _positive(number if steps is Steps.TICKS else Decimal(1).scaleb(-int(number)))


def _positive(value: Any) -> Decimal | None:
    number = decimal_of(value)
    return number if number is not None and number > 0 else None


def _times(value: Decimal | None, size: Decimal | None) -> Decimal | None:
    return None if value is None or size is None else value * size


def _rate(value: Any) -> Decimal | None:
    number = decimal_of(value)
    return number if number is not None and abs(number) < 1 else None


def _bare(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", str(name).upper())


def decimal_of(value: Any) -> Decimal | None:
    """Return a finite number, None for anything else."""
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def hint(word: str, known: Sequence[str]) -> str:
    """Say what was meant, or what there is."""
    lower = word.lower()
    if close := [lower] if lower in known else difflib.get_close_matches(lower, known, n=3):
        return f"did you mean {' or '.join(close)}?"
    shown = ", ".join(list(known)[:NAMES_SHOWN])
    return f"known: {shown}{', ...' if len(known) > NAMES_SHOWN else ''}"
