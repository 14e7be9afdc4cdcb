"""Finding a market by any of its names, and what the venue says of it in our words."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.errors import ConfigError, RefusedError
from engine.domain.market import InstrumentKind
from engine.venues.ccxt_markets import Steps, decimal_of, find_market, stated_by
from engine.venues.instruments import BarTime, VolumeUnit

D = Decimal


def market(symbol: str, id_: str, kind: str, **more: Any) -> dict[str, Any]:
    """Make a market as ccxt has it with `number` set to str."""
    pair, _, settle = symbol.partition(":")
    base, _, quote = pair.partition("/")
    return {
        "id": id_,
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "settle": settle.partition("-")[0] or None,
        "spot": kind == "spot",
        "swap": kind == "swap",
        "future": kind == "future",
        "option": kind == "option",
        "linear": settle[:4] == quote[:4] if settle else None,
        "inverse": settle == base if settle else None,
        "contractSize": "1" if settle else None,
        "precision": {"price": "0.10", "amount": "0.001"},
        "limits": {"amount": {"min": "0.002"}, "cost": {"min": "5"}},
        "maker": "0.0001",
        "taker": "0.0006",
        **more,
    }


MARKETS = {
    made["symbol"]: made
    for made in (
        market("BTC/USDT", "BTCUSDT", "spot"),
        market("BTC/USDT:USDT-241227", "BTCUSDT-27DEC24", "future"),
        market("BTC/USD:BTC", "BTCUSD", "swap"),
        market("BTC/USDT:USDT", "BTCUSDT", "swap"),
        market("BTC/USDT:USDT-241227-1-C", "BTC-27DEC24-1-C", "option"),
        market("ETH/USDC:USDC", "ETHPERP", "swap"),
        market("SOL/EUR", "17", "spot"),
    )
}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("btcusdt", "BTC/USDT:USDT"),
        ("BTC-USDT", "BTC/USDT:USDT"),
        ("BTC/USDT", "BTC/USDT"),
        ("BTC/USDT:USDT", "BTC/USDT:USDT"),
        ("btc/usdt:usdt", "BTC/USDT:USDT"),
        ("BTCUSD", "BTC/USD:BTC"),
        ("BTCUSDT-27DEC24", "BTC/USDT:USDT-241227"),
        ("ETHPERP", "ETH/USDC:USDC"),
        ("ETHUSDC", "ETH/USDC:USDC"),
        ("17", "SOL/EUR"),
    ],
)
def test_a_market_is_found_by_any_of_its_names_the_linear_perpetual_first(asked: str, found: str):
    assert find_market(MARKETS, asked, "x")["symbol"] == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("BTCUSTD", "--symbol: x has no market 'BTCUSTD'; did you mean BTC"),
        ("ETHPREP", "did you mean ETHPERP?"),
        ("ZZZ", "x has no market 'ZZZ'; see the venue's own list"),
        ("BTC/USDT:USDT-241227-1-C", "x has no market"),
    ],
)
def test_a_market_that_is_not_there_is_told_with_what_is_close(asked: str, message: str):
    with pytest.raises(ConfigError) as caught:
        find_market(MARKETS, asked, "x")
    assert message in str(caught.value)


def test_a_venue_without_markets_is_refused():
    with pytest.raises(RefusedError, match="x lists no markets"):
        find_market({}, "BTCUSDT", "x")


def test_a_linear_perpetual_is_told_as_the_venue_has_it():
    stated = stated_by(MARKETS["BTC/USDT:USDT"], "x", "1m", Steps.TICKS)
    assert (stated.symbol, stated.kind, stated.settle) == ("BTCUSDT", InstrumentKind.LINEAR, "USDT")
    assert (stated.tick, stated.lot, stated.qty_min) == (D("0.10"), D("0.001"), D("0.002"))
    assert (stated.notional_min, stated.maker_fee, stated.taker_fee) == (D(5), D("0.0001"), D("0.0006"))
    assert (stated.venue, stated.timeframe, stated.bar_ts) == ("x", "1m", BarTime.OPEN)
    assert stated.volume_unit is VolumeUnit.BASE


def test_contracts_of_another_size_are_told_in_the_base_currency():
    stated = stated_by(
        market("BTC/USDT:USDT", "BTC-USDT-SWAP", "swap", contractSize="0.01"), "x", "1m", Steps.TICKS
    )
    assert (stated.lot, stated.qty_min) == (D("0.00001"), D("0.00002"))
    assert stated.volume_unit is VolumeUnit.UNKNOWN


def test_inverse_contracts_hold_money_which_is_no_lot():
    stated = stated_by(MARKETS["BTC/USD:BTC"], "x", "1m", Steps.TICKS)
    assert (stated.kind, stated.lot, stated.qty_min) == (InstrumentKind.INVERSE, None, None)
    assert (stated.tick, stated.volume_unit) == (D("0.10"), VolumeUnit.UNKNOWN)


def test_spot_counts_in_the_base_currency():
    stated = stated_by(MARKETS["BTC/USDT"], "x", "1h", Steps.TICKS)
    assert (stated.kind, stated.settle, stated.volume_unit) == (InstrumentKind.SPOT, None, VolumeUnit.BASE)


def test_a_name_that_is_a_number_or_unwritable_becomes_base_and_quote_or_stays_unsaid():
    assert stated_by(MARKETS["SOL/EUR"], "x", "1m", Steps.TICKS).symbol == "SOLEUR"
    odd = stated_by(market("币/USDT", "币USDT", "spot"), "x", "1m", Steps.TICKS)
    assert (odd.symbol, odd.base, odd.quote) == (None, None, "USDT")


def test_steps_may_be_counts_of_decimals_and_much_may_be_missing():
    bare = market(
        "A/B", "AB", "spot", precision={"price": "2", "amount": None}, limits=None, maker="7", taker=None
    )
    stated = stated_by(bare, "x", "1m", Steps.DECIMALS)
    assert (stated.tick, stated.lot, stated.qty_min, stated.notional_min) == (D("0.01"), None, None, None)
    assert (stated.maker_fee, stated.taker_fee) == (None, None)
    assert stated_by(bare, "x", "1m", Steps.TICKS).tick == D(2)
    assert stated_by(bare, "x", "1m", Steps.DIGITS).tick is None


def test_only_finite_numbers_are_numbers():
    assert [decimal_of(value) for value in ("1e-7", 2, "x", None, "nan", object())] == [
        *(D("1e-7"), D(2)),
        *(None, None, None, None),
    ]
