"""Files of bars and trades: what is refused, what is only peculiar, and that every number is exact."""

import hashlib
import random
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.domain.errors import ConfigError
from engine.domain.money import exact
from engine.venues.datafile import BarColumns, DataKind, TradeColumns, digits_of, read_data
from tests.unit.venues.data_files import (
    BAR_HEADER,
    MINUTE,
    TRADE_HEADER,
    S,
    rows_of,
    shared_file,
    write,
    write_bars,
)

BARS = {  # file: rows, gaps, open outside [low, high] (the counts of the data's own README), step, decimals
    "bitmex_xbtusd_1m_2020": (527_040, 0, 17_265, 60, 1),
    "bitfinex_btcusd_1m_2016": (293_230, 63_912, 0, 60, 2),
    "btcperp_1m_20211231_20220201": (45_031, 0, 0, 60, 3),
    "fxcm_gbpusd_1m_bid_2012": (30_117, 111, 0, 60, 5),
    "fxcm_gbpusd_1m_ask_2012": (30_117, 111, 0, 60, 5),
    "freqtrade_unittestbtc_1m_2017": (13_681, 538, 0, 60, 8),
    "binance_ethbtc_5m_201801": (5_760, 0, 0, 300, 8),
}
TRADES = {  # file: rows, whether the recorder's clock ran behind, price and quantity decimals
    "binance_xrpeth_trades_20191011": (5_929, False, 8, 0),
    "binance_usdm_btcusdt_20240808_trades": (21_313, True, 1, 3),
    "binance_usdm_ethusdt_20240808_trades": (14_076, True, 2, 3),
    "binance_spot_btcusdt_20240809_trades": (10_147, True, 2, 5),
    "binance_coinm_btcusdperp_20240808_trades": (2_286, True, 1, 0),
}
SAMPLE_ROWS = 400


@pytest.mark.shared
@pytest.mark.parametrize("name", BARS)
def test_the_real_bars_are_read_with_their_quirks_and_exact_prices(name: str):
    rows, gaps, outside, step_s, digits = BARS[name]
    path = shared_file(f"bars/{name}.csv.gz")
    data = read_data(path)
    quirks = data.quirks
    assert (data.kind, quirks.rows, quirks.gaps, quirks.open_outside) == (DataKind.BARS, rows, gaps, outside)
    assert (quirks.base_step_ns, quirks.close_outside) == (step_s * S, 0)
    assert quirks.volume_is_zero == name.startswith("fxcm")
    assert data.price_digits == digits
    assert data.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(data.columns, BarColumns)
    sample = (0, rows - 1, *random.Random(1).sample(range(rows), SAMPLE_ROWS))
    for row, text in rows_of(path, sample).items():
        assert data.columns.ts[row] == int(text["ts_ms"]) * 1_000_000
        for column in ("open", "high", "low", "close"):
            written = Decimal(text[column])
            read = exact(float(getattr(data.columns, column)[row]), digits)
            # Two files were written from binary floats: 0.09946999000000001 is 0.09946999.
            assert read == written or (quirks.noisy and abs(read - written) < Decimal("1e-16"))


@pytest.mark.shared
@pytest.mark.parametrize("name", TRADES)
def test_the_real_trades_are_read_exactly_whatever_the_recorders_clock_said(name: str):
    rows, behind, price_digits, qty_digits = TRADES[name]
    path = shared_file(f"trades/{name}.csv.gz")
    data = read_data(path)
    assert (data.kind, data.quirks.rows) == (DataKind.TRADES, rows)
    assert data.quirks.recv_behind == (rows if behind else 0)
    assert data.quirks.base_step_ns == 5 * S
    assert (data.price_digits, data.qty_digits) == (price_digits, qty_digits)
    assert isinstance(data.columns, TradeColumns)
    for row, text in rows_of(path).items():
        assert exact(float(data.columns.price[row]), price_digits) == Decimal(text["price"])
        assert exact(float(data.columns.qty[row]), qty_digits) == Decimal(text["qty"])
        assert data.columns.side[row] == (1 if text["side"] == "buy" else -1)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("ts_ms,open,high,low,close", "0,1,1,1,1", "f.csv:1: a file of bars needs the column 'volume'"),
        ("ts_ms,price,side", "0,1,buy", "f.csv:1: a file of trades needs the column 'qty'"),
        ("ts_ms,bid,ask", "0,1,2", "f.csv: holds quotes: `data show` can look at them"),
        ("0,1,1,1,1,1", "1,1,1,1,1,1", "f.csv:1: the first line is a row already"),
        ("a,b", "1,2", "f.csv:1: the first line ('a,b') names the columns of neither bars"),
        ("ts_ms,ts_ms", "0,1", "f.csv:1: the column 'ts_ms' is there twice"),
    ],
)
def test_a_first_line_that_names_too_little_is_refused(tmp_path: Path, header: str, row: str, message: str):
    with pytest.raises(ConfigError) as caught:
        read_data(write(tmp_path / "f.csv", header, row))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("1,1,1,1,1", "1,1,x,1,1"), "f.csv:3: low: 'x' is not a number"),
        (("1,1,1,1,1", "1,1,1,-1,1"), "f.csv:3: close: -1 must be above 0"),
        (("1,1,1,1,1", "0,1,1,1,1"), "f.csv:3: open: 0 must be above 0"),
        (("1,1,1,1,1", "1,1,1,1,-2"), "f.csv:3: volume: -2 must not be negative"),
        (("1,1,1,1,1", "1,1,2,1,1"), "f.csv:3: high: 1 is below the low"),
        (("60000,1,1,1,1,1", "0,1,1,1,1,1"), "f.csv:3: ts_ms: 0 is before the line above"),
        (("60000,1,1,1,1,1", "60000,1,1,1,1,1"), "f.csv:3: ts_ms: 60000 is there twice"),
        (("9223372036855,1,1,1,1,1",), "f.csv:2: ts_ms: 9223372036855 is no time in milliseconds"),
        (("-5,1,1,1,1,1",), "f.csv:2: ts_ms: -5 is no time in milliseconds"),
        (
            ("1577836800,1,1,1,1,1", "1577836860,1,1,1,1,1"),
            "f.csv:2: ts_ms: as milliseconds, these times lie in the first weeks of 1970: they seem to be",
        ),
        (("1,1,1,1,1",), "f.csv:2: one bar alone does not tell the length of a bar"),
        (
            ("1,1,1,1,1", "1,1.123456789012345678,1,1,1"),
            "needs more digits beside the largest value (1.12345678901, high in line 3) than a float64",
        ),
    ],
)
def test_a_bar_that_cannot_be_is_refused(tmp_path: Path, rows: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        read_data(write_bars(tmp_path / "f.csv", *rows))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("5,1,1,buy,1", "4,1,1,buy,2"), "f.csv:3: ts_ms: 4 is before the line above; sort the file by time"),
        (("5,0,1,buy,1",), "f.csv:2: price: 0 must be above 0"),
        (("5,1,-1,buy,1",), "f.csv:2: qty: -1 must not be negative"),
        (("5,1,1,up,1",), "f.csv:2: side: 'up' is neither buy nor sell"),
    ],
)
def test_a_trade_that_cannot_be_is_refused(tmp_path: Path, rows: tuple[str, ...], message: str):
    with pytest.raises(ConfigError) as caught:
        read_data(write(tmp_path / "f.csv", TRADE_HEADER, *rows))
    assert message in str(caught.value)


def test_peculiar_bars_are_kept_and_counted(tmp_path: Path):
    data = read_data(
        write_bars(
            tmp_path / "f.csv",
            "0,9,8,7,8,1",
            "60000,8,8,7,9,1",
            "120000,8,8,7,7,1",
            "300000,8,8,7,7.5,1.25",
        )
    )
    assert isinstance(data.columns, BarColumns)
    assert data.columns.open.tolist() == [9, 8, 8, 8]
    assert data.columns.count.tolist() == [0, 0, 0, 0]
    quirks = data.quirks
    assert (quirks.open_outside, quirks.close_outside, quirks.gaps) == (1, 1, 1)
    assert (quirks.first, quirks.last, quirks.base_step_ns) == (0, 5 * MINUTE, MINUTE)
    assert (data.price_digits, data.qty_digits) == (1, 2)


def test_trades_of_one_time_keep_their_order_and_the_count_column_is_read(tmp_path: Path):
    data = read_data(write(tmp_path / "t.csv", TRADE_HEADER, "5,1.0,2,buy,x9", "5,1.5,3,,x8"))
    assert isinstance(data.columns, TradeColumns)
    assert data.columns.price.tolist() == [1.0, 1.5]
    assert data.quirks.side_unknown == 1
    bars = read_data(write(tmp_path / "b.csv", BAR_HEADER + ",trades", "0,1,1,1,1,1,7", "60000,1,1,1,1,1,8"))
    assert isinstance(bars.columns, BarColumns)
    assert bars.columns.count.tolist() == [7, 8]


def test_zeros_that_end_every_price_are_no_decimals(tmp_path: Path):
    data = read_data(
        write(tmp_path / "f.csv", TRADE_HEADER, "5,61685.9900,0.100,buy,1", "6,61686.00,1,buy,1")
    )
    assert (data.price_digits, data.qty_digits) == (2, 1)


def test_float_noise_is_read_as_the_decimal_it_means(tmp_path: Path):
    data = read_data(
        write_bars(
            tmp_path / "f.csv", "0.1,0.30000000000000004,0.1,0.1,1.1", "0.2,0.3,0.1,0.1,2.2000000000000006"
        )
    )
    assert isinstance(data.columns, BarColumns)
    assert data.columns.high.tolist() == [0.3, 0.3]
    assert data.columns.volume.tolist() == [1.1, 2.2]
    assert (data.price_digits, data.quirks.noisy, data.quirks.volume_rounded) == (1, 1, 1)


def test_a_volume_with_too_many_digits_is_rounded_since_no_money_depends_on_it(tmp_path: Path):
    data = read_data(write_bars(tmp_path / "f.csv", "1,1,1,1,123456789.123456789123", "1,1,1,1,0.000000001"))
    assert data.quirks.volume_rounded == 2
    assert data.qty_digits == 7


def test_digits_are_the_fewest_that_carry_every_value():
    assert digits_of([np.array([1.0, 2.0])]) == 0
    assert digits_of([np.array([1.25]), np.array([1.5, 0.001])]) == 3
    assert digits_of([np.array([2.0**52])]) is None  # here two decimals may share a float
    assert digits_of([np.array([1 / 3])]) is None
