"""What a data file is about: stated beside it, or derived and told."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.errors import ConfigError
from engine.domain.market import InstrumentKind
from engine.venues.datafile import read_data
from engine.venues.instruments import (
    BarTime,
    Described,
    VolumeUnit,
    describe,
    instrument_path,
    read_instrument_file,
    split_symbol,
    symbol_of,
)
from tests.unit.venues.data_files import SHARED, TRADE_HEADER, write, write_bars

D = Decimal


def bars(tmp_path: Path, *rows: str, name: str = "v_btcusdt_1m.csv") -> Path:
    return write_bars(tmp_path / name, *(rows or ("7163,7163.5,7162,7163,12", "7163,7163.5,7162,7163,9")))


def state(data: Path, *lines: str) -> Path:
    path = instrument_path(data)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def told(path: Path, **stated: object) -> Described:
    return describe(read_data(path), **stated)  # type: ignore[arg-type]  # the tests' own keyword arguments


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_usdm_btcusdt_20240808_trades.csv.gz", "BTCUSDT"),
        ("binance_coinm_btcusdperp_20240808_trades.csv.gz", "BTCUSDPERP"),
        ("binance_xrpeth_trades_20191011.csv.gz", "XRPETH"),
        ("bitmex_xbtusd_1m_2020.csv.gz", "XBTUSD"),
        ("btcperp_1m_20211231_20220201.csv.gz", "BTCPERP"),
        ("freqtrade_unittestbtc_1m_2017.csv.gz", "UNITTESTBTC"),
        ("fxcm_gbpusd_1m_bid_2012.csv.gz", "GBPUSD"),
        ("BTC_USDT-1m.csv", "BTCUSDT"),
        ("2020-eth.csv", "2020-ETH"),
        ("my bars.csv", "MY BARS"),
        ("wheat.txt", "WHEAT"),
    ],
)
def test_the_symbol_is_found_in_the_name_of_the_file(name: str, symbol: str):
    assert symbol_of(Path(name)) == symbol


def test_a_symbol_is_split_at_its_quote_currency():
    assert split_symbol("BTCUSDT") == ("BTC", "USDT")
    assert split_symbol("BTC/USD") == ("BTC", "USD")
    assert split_symbol("USDT") is None
    assert split_symbol("BTCPERP") is None


def test_without_a_file_everything_is_derived_and_told(tmp_path: Path):
    about = told(bars(tmp_path))
    instrument = about.instrument
    assert (instrument.symbol, instrument.base, instrument.quote) == ("BTCUSDT", "BTC", "USDT")
    assert (instrument.settle, instrument.tick, instrument.price_digits) == ("USDT", D("0.1"), 1)
    # The volume is of unknown unit: it says nothing of lots, which are worth at most one quote unit.
    assert (instrument.lot, instrument.qty_min, instrument.qty_digits) == (D("0.0001"), D("0.0001"), 4)
    assert (instrument.maker_fee, instrument.taker_fee) == (D("0.0002"), D("0.0005"))
    assert (instrument.notional_min, instrument.kind) == (D(0), InstrumentKind.LINEAR)
    assert not instrument.volume_caps_fills
    assert about.bar_ts is BarTime.OPEN
    assert about.derived == (
        "v_btcusdt_1m.csv: symbol BTCUSDT, from the file's name",
        "v_btcusdt_1m.csv: base BTC, from the symbol",
        "v_btcusdt_1m.csv: quote USDT, from the symbol",
        "v_btcusdt_1m.csv: tick 0.1, from the prices' decimals",
        "v_btcusdt_1m.csv: volume_unit unknown, from nothing; fills are not capped by volume",
        "v_btcusdt_1m.csv: lot 0.0001, from the price: a lot worth at most 1",
        "v_btcusdt_1m.csv: qty_min 0.0001, from the lot",
        "v_btcusdt_1m.csv: notional_min 0, from the default",
        "v_btcusdt_1m.csv: maker_fee 0.0002, from the default",
        "v_btcusdt_1m.csv: taker_fee 0.0005, from the default",
        "v_btcusdt_1m.csv: bar_ts open, from the default",
    )
    assert about.headline == (
        "v_btcusdt_1m.csv trades as BTCUSDT, assumed from its name; derived: base, quote, tick, volume_unit, "
        "lot, qty_min, notional_min, maker_fee, taker_fee, bar_ts (`trader-tui data show`)"
    )


def test_what_the_file_states_is_taken_as_written(tmp_path: Path):
    path = bars(tmp_path)
    state(
        path,
        "symbol: XBTUSD  # inverse in truth",
        "tick: 0.50",
        "lot: 1",
        "qty_min: 100",
        "notional_min: 5",
        "base: XBT",
        "quote: USD",
        "settle: XBT",
        "kind: inverse",
        "maker_fee: -0.00025",
        "taker_fee: 0.00075",
        "bar_ts: close",
        "volume_unit: base",
    )
    about = told(path, maker_fee=D("0.1"))
    instrument = about.instrument
    assert (instrument.symbol, instrument.tick, instrument.lot) == ("XBTUSD", D("0.5"), D(1))
    assert (instrument.qty_min, instrument.notional_min) == (D(100), D(5))
    assert (instrument.base, instrument.quote, instrument.settle) == ("XBT", "USD", "XBT")
    assert (instrument.maker_fee, instrument.taker_fee) == (D("-0.00025"), D("0.00075"))
    assert instrument.kind is InstrumentKind.INVERSE
    assert instrument.volume_caps_fills
    assert (about.bar_ts, about.derived) == (BarTime.CLOSE, ())
    assert about.headline == "v_btcusdt_1m.csv trades as XBTUSD, as v_btcusdt_1m.instrument.yaml says"


@pytest.mark.parametrize(
    ("file", "symbol", "said"),
    [
        ("fx_gbpusd.csv", "BTCUSDT", "as --data says; the file's name says GBPUSD; derived"),
        ("fx_gbpusd.csv", "GBPUSD", "as --data says; derived"),
        ("fx_gbpusd.csv", "cable", "as --data says; derived"),
        ("wheat.csv", "BTCUSDT", "as --data says; derived"),
    ],
)
def test_a_symbol_that_the_file_is_not_named_for_is_told(tmp_path: Path, file: str, symbol: str, said: str):
    about = told(bars(tmp_path, name=file), symbol=symbol)
    assert about.headline.startswith(f"{file} trades as {symbol}, {said}")


def test_the_users_own_words_go_before_the_file_and_fees_stand_where_it_has_none(tmp_path: Path):
    path = bars(tmp_path)
    state(path, "symbol: AAA", "bar_ts: close", "taker_fee: 0.001")
    about = told(path, symbol="BBB", bar_ts=BarTime.OPEN, maker_fee=D("0.003"), taker_fee=D("0.004"))
    assert (about.instrument.symbol, about.bar_ts) == ("BBB", BarTime.OPEN)
    assert (about.instrument.maker_fee, about.instrument.taker_fee) == (D("0.003"), D("0.001"))


def test_an_empty_instrument_file_states_nothing(tmp_path: Path):
    path = bars(tmp_path)
    state(path)
    assert told(path).instrument.symbol == "BTCUSDT"


def test_volume_caps_fills_only_where_it_counts_base_units_and_there_is_some(tmp_path: Path):
    path = bars(tmp_path, "1,1,1,1,0", "1,1,1,1,0")
    state(path, "volume_unit: base")
    assert not told(path).instrument.volume_caps_fills
    path = bars(tmp_path)
    state(path, "volume_unit: quote")
    assert not told(path).instrument.volume_caps_fills
    state(path, "volume_unit: base")
    assert told(path).instrument.volume_caps_fills


def test_trades_tell_the_lot_and_cap_fills(tmp_path: Path):
    about = told(
        write(tmp_path / "x_ethusdt.csv", TRADE_HEADER, "5,2681.62,1.000,buy,1", "6,2681.6,0.061,sell,2")
    )
    instrument = about.instrument
    assert (instrument.tick, instrument.lot, instrument.volume_caps_fills) == (D("0.01"), D("0.001"), True)
    assert not any("bar_ts" in line or "volume_unit" in line for line in about.derived)


def test_a_symbol_of_ones_own_takes_its_currencies_from_the_files_name(tmp_path: Path):
    about = told(bars(tmp_path, name="fx_gbpusd.csv"), symbol="cable")
    assert (about.instrument.base, about.instrument.quote, about.instrument.settle) == ("GBP", "USD", "USD")
    assert "fx_gbpusd.csv: quote USD, from the file's name" in about.derived


def test_an_unknown_quote_currency_is_said(tmp_path: Path):
    about = told(bars(tmp_path, name="wheat.csv"))
    assert (about.instrument.base, about.instrument.quote) == ("WHEAT", "USD")
    assert (
        "wheat.csv: quote USD, from nothing better: neither symbol nor file's name tells a known one"
        in about.derived
    )


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("symbol: A", "tik: 0.1"), "instrument.yaml:2: tik: unknown key; did you mean tick?"),
        (("zzz: 0.1",), "instrument.yaml:1: zzz: unknown key; known: symbol, tick, lot"),
        (("symbol: A", "", "lot: -1"), "instrument.yaml:3: lot: '-1': Input should be greater than 0"),
        (("tick: fine",), "instrument.yaml:1: tick: 'fine': Input should be a valid decimal"),
        (("tick: .inf",), "instrument.yaml:1: tick: '.inf': Input should be"),
        (("bar_ts: middle",), "instrument.yaml:1: bar_ts: 'middle': Input should be 'open' or 'close'"),
        (("volume_unit: contracts",), "instrument.yaml:1: volume_unit: 'contracts': Input should be"),
        (("tick: 1", "tick: 2"), "instrument.yaml:2: tick: is there twice"),
        (("tick: [1, 2]",), "instrument.yaml:1: must be a line of `key: value`"),
        (("- tick",), "instrument.yaml:1: must be lines of `key: value`"),
        (("tick: 'open",), "instrument.yaml:2: is not YAML: found unexpected end of stream"),
        (("tick: \x01",), "instrument.yaml: is not YAML"),
        (("#" * 70_000,), "instrument.yaml: is larger than 65536 bytes"),
    ],
)
def test_a_bad_instrument_file_is_named_with_line_and_key(
    tmp_path: Path, lines: tuple[str, ...], message: str
):
    path = state(tmp_path / "f.csv", *lines)
    with pytest.raises(ConfigError) as caught:
        read_instrument_file(path)
    assert message in str(caught.value)


def test_an_instrument_file_that_cannot_be_read_is_named(tmp_path: Path):
    path = tmp_path / "f.instrument.yaml"
    path.write_bytes(b"symbol: \xff")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_instrument_file(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_instrument_file(tmp_path)


def test_the_instrument_file_lies_beside_the_data():
    assert instrument_path(Path("d/a.csv.gz")) == Path("d/a.instrument.yaml")
    assert instrument_path(Path("d/a.b.csv")) == Path("d/a.b.instrument.yaml")
    assert instrument_path(Path("d/a.txt")) == Path("d/a.instrument.yaml")


@pytest.mark.shared
def test_every_real_file_gets_an_instrument_that_money_can_be_counted_in():
    paths = sorted(SHARED.glob("bars/f*.csv.gz")) + sorted(SHARED.glob("trades/*.csv.gz"))
    if not paths:
        pytest.skip(f"{SHARED} is not there")
    for path in paths:
        instrument = told(path).instrument
        assert instrument.quote in {"USD", "USDT", "BTC", "ETH"}
        assert 0 < instrument.tick <= D("0.1")
        assert 0 < instrument.lot <= 1


def test_volume_units_are_the_words_of_the_file():
    assert [unit.value for unit in VolumeUnit] == ["base", "quote", "unknown"]
