"""`close` and `cancel` from a shell: what they say first, and what they send."""

import json

import msgspec
import pytest

from engine.api import Action, ControlError, OrderRole
from tests import console_fakes
from tests.unit.tui.night import Night
from tui import hands


@pytest.fixture
def night(settings):
    """An engine that holds something."""
    with Night(settings) as engine:
        engine.shown = console_fakes.snapshot()
        yield engine


def test_a_close_says_first_what_it_would_do(night, settings, capsys):
    assert hands.close(settings, "ema_cross", "", confirmed=False, reason="", as_json=False) == 4
    told = capsys.readouterr().err
    assert told.startswith("NOT_CONFIRMED nothing was done. It would buy 1.5 ETHUSDT of ema_cross at market")
    assert "worth" in told
    assert "slippage" in told
    assert told.rstrip().endswith("Add --confirm to do it.")
    assert night.requests == []


def test_of_several_positions_of_a_play_one_has_to_be_named(night, settings, capsys):
    assert hands.close(settings, "canary", "", confirmed=False, reason="", as_json=True) == 4
    facts = json.loads(capsys.readouterr().out)
    assert (facts["ok"], facts["reason"]) == (False, "NOT_CONFIRMED")
    assert "canary holds 0.25 BTCUSDT, 12 SOLUSDT. Say which: --symbol SYM." in facts["text"]


@pytest.mark.parametrize(("symbol", "argument"), [("", "canary"), ("SOLUSDT", "canary SOLUSDT")])
def test_a_confirmed_close_is_sent(night, settings, symbol, argument):
    assert hands.close(settings, "canary", symbol, confirmed=True, reason="news", as_json=False) == 0
    (request,) = night.requests
    assert (request.action, request.argument, request.reason) == (Action.CLOSE_POSITION, argument, "news")


def test_what_is_not_open_is_not_sent_unless_confirmed(night, settings, capsys):
    """It may have been opened by the time that the engine hears of it."""
    assert hands.close(settings, "nobody", "", confirmed=False, reason="", as_json=False) == 4
    assert "nothing was done. An exit found no quantity" in capsys.readouterr().err
    assert hands.cancel(settings, "none", confirmed=False, reason="", as_json=False) == 4
    assert "no order with this client id" in capsys.readouterr().err
    ended = next(order for order in night.shown.orders if not order.state.is_open)
    assert hands.cancel(settings, ended.client_id, confirmed=False, reason="", as_json=False) == 4
    assert "not open any more" in capsys.readouterr().err
    assert night.requests == []
    hands.close(settings, "nobody", "", confirmed=True, reason="", as_json=False)
    assert [request.argument for request in night.requests] == ["nobody"], "the engine's to refuse"


def test_a_cancel_says_first_what_it_would_do(night, settings, capsys):
    order = console_fakes.ORDERS[1]
    assert hands.cancel(settings, order.client_id, confirmed=False, reason="", as_json=False) == 4
    assert f"cancel entry buy 0.25 BTCUSDT limit at 61100.0 of ema_cross ({order.client_id}, acknow" in (
        capsys.readouterr().err
    )
    market = console_fakes.ORDERS[0]
    assert hands.cancel(settings, market.client_id, confirmed=False, reason="", as_json=False) == 4
    assert "market at market" in capsys.readouterr().err


def test_a_confirmed_cancel_names_the_order_by_our_id(night, settings):
    order = console_fakes.ORDERS[1]
    for name in (order.client_id, order.venue_id, "nobody"):
        hands.cancel(settings, name, confirmed=True, reason="", as_json=False)
    asked = [(request.action, request.argument) for request in night.requests]
    cancel = Action.CANCEL_ORDER
    assert asked == [(cancel, order.client_id), (cancel, order.client_id), (cancel, "nobody")]


def test_without_an_engine_it_says_so(settings):
    with pytest.raises(ControlError, match="no engine runs"):
        hands.close(settings, "canary", "", confirmed=True, reason="", as_json=False)


def test_no_id_is_no_order(night, settings):
    """One that the venue has not confirmed has no id there: it must not answer to none."""
    hands.cancel(settings, "", confirmed=True, reason="", as_json=False)
    assert [request.argument for request in night.requests] == [""]


def test_a_stop_of_an_open_position_is_not_offered(night, settings, capsys):
    """Nobody is told that it would be canceled, for the engine would refuse."""
    stop = next(o for o in night.shown.orders if o.role is OrderRole.STOP and o.state.is_open)
    hands.cancel(settings, stop.client_id, confirmed=False, reason="", as_json=False)
    assert "Close the position instead" in capsys.readouterr().err
    assert night.requests == []


def test_a_position_without_a_price_is_not_said_to_be_worth_nothing(night, settings, capsys):
    """Its cost is not known, and that is said."""
    row = msgspec.structs.replace(console_fakes.snapshot().positions[0], symbol="NEWUSDT", mark=0.0)
    night.shown = msgspec.structs.replace(night.shown, positions=(row,))
    assert hands.close(settings, row.play, "", confirmed=False, reason="", as_json=False) == 4
    told = capsys.readouterr().err
    assert "no price of it is known, nor what it would cost" in told
    assert "0.00" not in told
