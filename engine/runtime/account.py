"""In which currency an account is kept: one, so that no profit is added to another currency's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.core.setup import PlayBinding
from engine.domain.errors import ConfigError
from engine.domain.market import Instrument, InstrumentKind
from engine.venues.instruments import instrument_path

SETTING = "account.currency"


def counted_in(instrument: Instrument) -> str:
    """Return the currency that profits and fees of an instrument are counted in.

    What is not linear is simulated as linear, so its money is in the currency of its prices.
    """
    return instrument.settle if instrument.kind is InstrumentKind.LINEAR else instrument.quote


def traded(instruments: Sequence[Instrument], plays: Sequence[PlayBinding]) -> tuple[Instrument, ...]:
    """Return the instruments that plays trade; those that rules only look at may have any currency."""
    symbols = {play.symbol for play in plays}
    return tuple(each for each in instruments if each.symbol in symbols)


def account_currency(wish: str | None, instruments: Sequence[Instrument], files: Mapping[str, Path]) -> str:
    """Return the account's currency: the one that was wished, else the one that all traded instruments have.

    `files` holds the data file by symbol, where there is one. Raises ConfigError for an instrument whose
    profits would be counted in another currency.
    """
    if not instruments:
        return wish or ""
    first = instruments[0]
    currency = wish or counted_in(first)
    for instrument in instruments:
        if counted_in(instrument) != currency:
            raise _refusal(instrument, first, currency, wish, files)
    return currency


def _refusal(
    instrument: Instrument, first: Instrument, currency: str, wish: str | None, files: Mapping[str, Path]
) -> ConfigError:
    symbol, other = instrument.symbol, counted_in(instrument)
    why = (
        f"the account is in {currency} ({SETTING})"
        if wish
        else f"{first.symbol} in {currency}; an account has one currency"
    )
    path = files.get(symbol)
    ways = [f"leave {SETTING} out to follow the instruments"] if wish else ["run them apart"]
    key = "settle" if instrument.kind is InstrumentKind.LINEAR else "quote"
    if path is not None:
        ways.append(f"to count them one to one, say `{key}: {currency}` in {instrument_path(path).name}")
    return ConfigError(
        f"{symbol} makes its profits in {other}, and {why}: {', or '.join(ways)}",
        file="" if path is None else str(path),
        field=SETTING if path is None else key,
    )
