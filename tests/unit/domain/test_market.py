"""Instruments round to their own steps; every market event has a mark."""

from decimal import Decimal

import pytest

from engine.domain.market import Bar, Instrument, Quote, Trade
from engine.domain.positions import Position

BTC = Instrument(
    symbol="BTCUSDT",
    tick=Decimal("0.10"),
    lot=Decimal("0.001"),
    qty_min=Decimal("0.001"),
    notional_min=Decimal(5),
    base="BTC",
    quote="USDT",
    settle="USDT",
    maker_fee=Decimal("0.0002"),
    taker_fee=Decimal("0.0005"),
    price_digits=1,
    qty_digits=3,
)


def test_a_price_and_a_quantity_come_back_exactly():
    assert BTC.price(61234.7) == Decimal("61234.7")
    assert BTC.qty(0.123) == Decimal("0.123")


@pytest.mark.parametrize(("qty", "rounded"), [("0.0019", "0.001"), ("-0.0019", "-0.001"), ("0.0009", "0")])
def test_a_quantity_rounds_toward_zero(qty, rounded):
    assert BTC.round_qty(Decimal(qty)) == Decimal(rounded)


def test_prices_round_to_the_asked_side():
    assert BTC.round_price_down(Decimal("100.19")) == Decimal("100.1")
    assert BTC.round_price_up(Decimal("100.11")) == Decimal("100.2")


def test_marks():
    assert Trade(1, "A", 5.0, 1.0, 1, 5.0, 5.0).mark == 5.0
    assert Quote(1, "A", 4.0, 1.0, 6.0, 1.0).mark == 5.0
    assert Bar(1, "A", 1.0, 9.0, 1.0, 7.0, 10.0, 60).mark == 7.0


def test_a_position_without_quantity_is_flat():
    assert Position(play="p", symbol="A").is_flat
    assert not Position(play="p", symbol="A", qty=Decimal(-1)).is_flat
