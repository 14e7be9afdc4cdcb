"""Sizes come out on the lot, never larger than asked, and not at all under the venue's minimum."""

from decimal import Decimal

import pytest

from engine.domain.play import Sizing, SizingKind
from engine.domain.reasons import Reason
from engine.risk.sizing import Refusal, check_minimum, size_entry
from tests.builders import instrument

RULES = instrument(lot=Decimal("0.1"), qty_min=Decimal("0.2"), notional_min=Decimal(50))
EQUITY = Decimal(10_000)


def size(kind: SizingKind, value: str, *, equity: Decimal = EQUITY, price: str = "100") -> Decimal | Refusal:
    return size_entry(Sizing(kind, Decimal(value)), equity=equity, price=Decimal(price), instrument=RULES)


@pytest.mark.parametrize(
    ("kind", "value", "price", "qty"),
    [
        (SizingKind.NOTIONAL, "1000", "100", "10"),
        (SizingKind.NOTIONAL, "1009.99", "100", "10"),  # rounds toward zero: 10.0999 is 10.0
        (SizingKind.NOTIONAL, "1000", "3", "333.3"),
        (SizingKind.EQUITY_FRACTION, "0.5", "100", "50"),
        (SizingKind.EQUITY_FRACTION, "0.0123", "100", "1.2"),
        (SizingKind.NOTIONAL, "50", "100", "0.5"),  # worth exactly the minimum
        (SizingKind.NOTIONAL, "200", "1000", "0.2"),  # exactly the smallest quantity
    ],
)
def test_sizes_are_rounded_down_to_the_lot(kind, value, price, qty):
    assert size(kind, value, price=price) == Decimal(qty)


@pytest.mark.parametrize("equity", [Decimal(0), Decimal("-0.01")])
def test_without_equity_there_is_no_part_of_it(equity):
    refused = size(SizingKind.EQUITY_FRACTION, "0.5", equity=equity)
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.EQUITY_EXHAUSTED
    assert Decimal(refused.values["equity"]) == equity


def test_a_fixed_size_does_not_ask_for_equity():
    assert size(SizingKind.NOTIONAL, "1000", equity=Decimal(-1)) == 10


def test_a_quantity_under_the_smallest_names_the_smallest():
    assert size(SizingKind.NOTIONAL, "199", price="1000") == Refusal(
        Reason.QTY_BELOW_MINIMUM, {"qty": "0.1", "qty_min": "0.2"}
    )


def test_a_size_that_rounds_to_nothing_is_refused():
    assert size(SizingKind.NOTIONAL, "9", price="100") == Refusal(
        Reason.QTY_BELOW_MINIMUM, {"qty": "0", "qty_min": "0.2"}
    )


def test_an_order_worth_less_than_the_minimum_names_the_minimum():
    assert size(SizingKind.NOTIONAL, "49.99", price="10") == Refusal(
        Reason.NOTIONAL_BELOW_MINIMUM, {"notional": "49", "notional_min": "50"}
    )


def test_nothing_is_too_small_even_where_a_venue_names_no_smallest():
    free = instrument(qty_min=Decimal(0), notional_min=Decimal(0))
    refused = check_minimum(Decimal(0), Decimal(100), free)
    assert refused is not None
    assert refused.reason is Reason.QTY_BELOW_MINIMUM
    assert check_minimum(Decimal("0.01"), Decimal(100), free) is None


@pytest.mark.parametrize(
    ("percent", "distance", "qty"),
    [
        ("1", "2", "50"),  # 1 % of 10,000 over 2 a unit
        ("1", "2.01", "47.6"),  # the distance counts as 2.1: the stop's price is rounded away
        ("0.5", "8", "6.2"),  # 6.25, rounded down to the lot
    ],
)
def test_a_size_by_risk_loses_no_more_than_its_percent_at_the_stop(percent, distance, qty):
    found = size_entry(
        Sizing(SizingKind.RISK_PERCENT, Decimal(percent)),
        equity=EQUITY,
        price=Decimal(100),
        instrument=RULES,
        stop_distance=Decimal(distance),
    )
    assert found == Decimal(qty)
    assert Decimal(qty) * Decimal(distance) <= EQUITY * Decimal(percent) / 100


@pytest.mark.parametrize(("volatility", "qty"), [(40.0, "50"), (10.0, "200"), (160.0, "12.5")])
def test_a_size_by_volatility_is_worth_the_target_over_what_the_market_varies_by(volatility, qty):
    found = size_entry(
        Sizing(SizingKind.VOLATILITY_TARGET, Decimal(20), period=30),
        equity=EQUITY,
        price=Decimal(100),
        instrument=RULES,
        volatility=volatility,
    )
    assert found == Decimal(qty)


def by_volatility(volatility: float | None, most: str | None = None) -> Decimal | Refusal:
    cap = None if most is None else Decimal(most)
    sizing = Sizing(SizingKind.VOLATILITY_TARGET, Decimal(20), cap, 30)
    return size_entry(sizing, equity=EQUITY, price=Decimal(100), instrument=RULES, volatility=volatility)


def test_a_market_that_does_not_move_gives_no_size_but_the_largest_allowed():
    for nothing in (None, 0.0):
        assert by_volatility(nothing) == Refusal(Reason.VOLATILITY_UNKNOWN, {"volatility": "0"})
        assert by_volatility(nothing, "500") == 5


def test_no_size_is_worth_more_than_its_cap():
    assert by_volatility(1.0, "1500") == 15
    risk = Sizing(SizingKind.RISK_PERCENT, Decimal(1), Decimal(1500))
    half = Sizing(SizingKind.EQUITY_FRACTION, Decimal("0.5"), Decimal(1500))
    for sizing in (risk, half):
        found = size_entry(
            sizing, equity=EQUITY, price=Decimal(100), instrument=RULES, stop_distance=Decimal("0.1")
        )
        assert found == 15
    tight = size_entry(
        risk, equity=Decimal(10), price=Decimal(100), instrument=RULES, stop_distance=Decimal(9)
    )
    assert tight == Refusal(Reason.QTY_BELOW_MINIMUM, {"qty": "0", "qty_min": "0.2"})
