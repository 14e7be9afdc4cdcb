"""An account has one currency: that of what it trades, and nothing is added to another one."""

from pathlib import Path

import msgspec
import pytest

from engine.core.setup import PlayBinding
from engine.domain.errors import ConfigError
from engine.domain.market import NS_PER_S, InstrumentKind
from engine.runtime.account import account_currency, counted_in, traded
from tests.builders import BTC, ETH, instrument, spec

FILES = {BTC: Path("data/btc.csv.gz"), ETH: Path("data/eth.csv")}


def of(symbol: str, settle: str, quote: str = "USDT", kind: InstrumentKind = InstrumentKind.LINEAR):
    return msgspec.structs.replace(instrument(symbol), settle=settle, quote=quote, kind=kind)


def test_it_follows_what_is_traded_and_takes_a_wish_that_agrees():
    assert account_currency(None, [of(BTC, "USD"), of(ETH, "USD")], FILES) == "USD"
    assert account_currency("USD", [of(BTC, "USD")], {}) == "USD"
    assert account_currency("EUR", [], {}) == "EUR"
    assert account_currency(None, [], {}) == ""


@pytest.mark.parametrize("kind", [InstrumentKind.INVERSE, InstrumentKind.SPOT])
def test_what_is_simulated_as_linear_makes_its_profits_in_the_currency_of_its_prices(kind):
    assert counted_in(of(BTC, "BTC", "USD", kind)) == "USD"
    assert counted_in(of(BTC, "USDC", "USD")) == "USDC"


def test_a_mix_is_refused_with_the_file_and_what_to_do():
    with pytest.raises(ConfigError) as caught:
        account_currency(None, [of(BTC, "USD"), of(ETH, "BTC")], FILES)
    assert str(caught.value) == (
        "data/eth.csv: settle: ETHUSDT makes its profits in BTC, and BTCUSDT in USD; an account has one "
        "currency: run them apart, or to count them one to one, say `settle: USD` in eth.instrument.yaml"
    )


def test_another_currency_than_the_one_that_was_set_is_refused():
    inverse = of(BTC, "BTC", "USD", InstrumentKind.INVERSE)
    with pytest.raises(ConfigError) as caught:
        account_currency("USDT", [inverse], FILES)
    assert str(caught.value) == (
        "data/btc.csv.gz: quote: BTCUSDT makes its profits in USD, and the account is in USDT "
        "(account.currency): leave account.currency out to follow the instruments, or to "
        "count them one to one, say `quote: USDT` in btc.instrument.yaml"
    )


def test_what_is_only_looked_at_is_not_asked():
    play = PlayBinding(spec("pair", legs=("a", "b")), ETH, NS_PER_S, (BTC,))
    assert [each.symbol for each in traded((of(BTC, "USD"), of(ETH, "BTC")), [play])] == [ETH]


def test_without_a_file_the_setting_is_named():
    with pytest.raises(ConfigError, match=r"^account\.currency: BTCUSDT makes its") as caught:
        account_currency("EUR", [of(BTC, "USDT")], {})
    assert "instrument.yaml" not in str(caught.value)
