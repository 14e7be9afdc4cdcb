"""Answers become facts only when they are whole."""

from decimal import Decimal
from typing import Any

import pytest

from engine.domain.errors import ConfigError, TransientError
from engine.domain.orders import OrderState
from engine.domain.positions import Liquidity
from engine.venues.ccxt_answers import OrderAnswer, PositionAnswer, TradeAnswer, checked
from engine.venues.ccxt_contracts import contracts_of
from engine.venues.ccxt_markets import Steps
from tests.unit.venues.market_builders import instrument
from tests.unit.venues.test_ccxt_pitfalls import MARKET

ORDER = {
    "info": {"a": 1},
    "id": "v1",
    "clientOrderId": None,
    "symbol": "BTC/USDT:USDT",
    "side": "sell",
    "amount": "2",
    "filled": None,
    "status": "open",
}
TRADE = {
    "info": {"a": 1},
    "id": "t1",
    "order": "v1",
    "symbol": "BTC/USDT:USDT",
    "side": "buy",
    "price": "100",
    "amount": "2",
    "timestamp": 1_750_000_000_123,
    "takerOrMaker": "maker",
    "fee": {"cost": "-0.01", "currency": "USDT"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"info": {}},
        {"info": None},
        {"id": None},
        {"id": ""},
        {"side": None},
        {"amount": None},
        {"amount": "0"},
        {"amount": "NaN"},
        {"filled": "-1"},
        {"status": None},
        {"status": "New"},
    ],
)
def test_an_order_that_is_not_whole_is_no_answer(change: dict[str, Any]):
    with pytest.raises(TransientError, match="cannot be used"):
        checked(OrderAnswer, ORDER | change)
    assert checked(OrderAnswer, ORDER).filled == 0


@pytest.mark.parametrize(
    ("status", "filled", "state"),
    [
        ("open", "0", OrderState.ACKNOWLEDGED),
        ("open", "1", OrderState.PARTIALLY_FILLED),
        ("canceling", "0", OrderState.ACKNOWLEDGED),
        ("closed", "2", OrderState.FILLED),
        ("closed", "1", OrderState.CANCELED),
        ("canceled", "1", OrderState.CANCELED),
        ("rejected", "0", OrderState.REJECTED),
        ("expired", "0", OrderState.EXPIRED),
    ],
)
def test_a_status_is_read_together_with_what_was_filled(status: str, filled: str, state: OrderState):
    assert checked(OrderAnswer, ORDER | {"status": status, "filled": filled}).state is state


def test_an_answer_is_a_copy_of_what_ccxt_goes_on_writing_to():
    theirs = dict(ORDER)
    ours = checked(OrderAnswer, theirs)
    theirs["status"] = "canceled"
    assert ours.status == "open"


def test_a_rebate_is_a_negative_cost():
    fill = checked(TradeAnswer, TRADE).fill("a", instrument(), Decimal(1))
    assert (fill.fee, fill.liquidity, fill.ts) == (
        Decimal("-0.01"),
        Liquidity.MAKER,
        1_750_000_000_123_000_000,
    )


@pytest.mark.parametrize("fee", [None, {"cost": None}, {"cost": "0.001", "currency": "BNB"}])
def test_a_fee_that_is_not_in_the_settle_currency_is_put_at_the_instruments_rate(fee: Any):
    facts = TRADE | {"fee": fee, "takerOrMaker": None}
    fill = checked(TradeAnswer, facts).fill("a", instrument(), Decimal("0.5"))
    assert fill.qty == 1
    assert fill.fee == 100 * instrument().taker_fee


def test_positions_are_signed():
    def held(**change: Any) -> Decimal:
        facts = {"info": {"a": 1}, "symbol": "s", "contracts": "2", "side": "long"} | change
        return checked(PositionAnswer, facts).signed

    assert held() == 2
    assert held(side="short") == -2
    assert held(contracts=None, side=None) == 0
    with pytest.raises(ValueError, match="side"):
        held(side=None)


def test_markets_that_orders_are_not_sent_for_are_refused():
    inverse = MARKET | {"linear": False, "inverse": True}
    with pytest.raises(ConfigError, match="no linear perpetual"):
        contracts_of({"BTC/USDT:USDT": inverse}, ["BTC/USDT:USDT"], "bybit", Steps.TICKS)
    stepless = MARKET | {"precision": {"amount": None, "price": None}}
    with pytest.raises(ConfigError, match="does not tell the steps"):
        contracts_of({"BTC/USDT:USDT": stepless}, ["BTC/USDT:USDT"], "bybit", Steps.TICKS)


def test_contracts_are_found_by_either_name():
    contracts = contracts_of({"BTC/USDT:USDT": MARKET}, ["BTC/USDT:USDT"], "bybit", Steps.TICKS)
    (only,) = contracts
    assert contracts.of(only.instrument.symbol) is only
    assert contracts.of_unified("BTC/USDT:USDT") is only
    assert contracts.of_unified("ETH/USDT:USDT") is None
    assert contracts.name_of("ETH/USDT:USDT") == "ETH/USDT:USDT"
    assert contracts.name_of("BTC/USDT:USDT") == only.instrument.symbol
