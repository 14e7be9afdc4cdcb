"""`trader-tui limits`: what is printed, and what reaches the engine."""

import json
from decimal import Decimal

import msgspec
import pytest

from engine.api import (
    Action,
    BlackoutRow,
    CauseRow,
    CommandReply,
    ControlError,
    GateRow,
    GateStatus,
    LimitRow,
    RiskMode,
    RiskSection,
)
from tests import console_fakes
from tests.console_fakes import NOW
from tests.unit.tui.night import Night
from tui import limitsview, remote
from tui.limitwords import NS_PER_S, blackout_words, capital_words, nearest, used_words
from tui.statuswords import status_lines

RISK = RiskSection(
    causes=(
        CauseRow("daily_loss", RiskMode.REDUCE, "21", "50", 0.42),
        CauseRow("slippage", RiskMode.REDUCE, "-", "-", -1.0),
        CauseRow("drawdown", RiskMode.REDUCE, "4.5%", "5.0%", 0.9),
        CauseRow("clock_offset", RiskMode.REDUCE, "120ms", "100ms", 1.2, NOW),
    ),
    trading_capital=Decimal("9979.5"),
    reserve=Decimal("20.5"),
    reserve_percent=Decimal("25.0"),
    blackouts=(
        BlackoutRow("news", (), NOW - 60 * NS_PER_S, NOW + 90 * NS_PER_S),
        BlackoutRow("lunch", ("ETHUSDT",), NOW + 3600 * NS_PER_S, NOW + 5400 * NS_PER_S),
    ),
    pending=(LimitRow("leverage_max", "2", "4"),),
    pending_id="ab12cd34",
    stopped=("canary BTCUSDT buy",),
)


@pytest.fixture
def night(settings):
    """An engine of the instance `night` with limits."""
    with Night(settings) as engine:
        engine.shown = msgspec.structs.replace(console_fakes.snapshot(), risk=RISK)
        yield engine


def test_limits_are_shown_the_nearest_first(night, settings, capsys):
    assert limitsview.show(settings, as_json=False) == 0
    words = capsys.readouterr().out
    causes = [line.split("  ")[0] for line in words.splitlines()[1:5]]
    assert causes == ["clock offset", "drawdown", "daily loss", "slippage"]
    assert "drawdown              4.5%      5.0%    90%  reduce" in words
    assert "slippage                 -      none      -  reduce" in words
    assert ", latched " in words.splitlines()[1]
    assert "trading capital 9,979.50, put aside 20.50 (25% of profits)" in words
    assert "blackout news: ends in 1m 30s" in words
    assert "blackout lunch ETHUSDT: in 1h 00m, for 30m 00s" in words
    assert (
        "stopped: canary BTCUSDT buy entered too often: trader-tui limits enable canary --reason WHY" in words
    )
    assert "waits: leverage_max 2 -> 4" in words
    assert all(gate.name in words for gate in night.shown.gates)


def test_limits_as_json_hold_gates_and_causes(night, settings, capsys):
    assert limitsview.show(settings, as_json=True) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["pending_id"] == "ab12cd34"
    assert facts["reserve"] == "20.5"
    assert len(facts["gates"]) == len(night.shown.gates)


def test_what_waits_is_accepted_by_its_id(night, settings, capsys):
    assert limitsview.accept(settings, reason="tried it", as_json=False) == 0
    (request,) = night.requests
    assert (request.action, request.argument, request.reason) == (
        Action.ACCEPT_LIMITS,
        "ab12cd34",
        "tried it",
    )
    assert capsys.readouterr().out == "leverage_max: 2 -> 4\ndone\n"


def test_a_refusal_is_told(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="REASON_REQUIRED", text="say why")
    assert limitsview.accept(settings, reason="", as_json=True) == remote.REFUSED
    assert json.loads(capsys.readouterr().out)["reason"] == "REASON_REQUIRED"


def test_without_an_engine_there_are_no_limits(settings):
    with pytest.raises(ControlError, match="no engine runs for instance 'night'"):
        limitsview.show(settings, as_json=False)


def said_by_status(risk: RiskSection) -> str:
    shown = msgspec.structs.replace(console_fakes.snapshot(), risk=risk)
    return "\n".join(status_lines(shown, 4711))


def test_status_names_what_latched_else_the_nearest_limit():
    words = said_by_status(RISK)
    assert "limits     clock offset latched, 1 looser wait for `trader-tui limits accept`" in words
    assert "blackout   news: ends in 1m 30s" in words
    words = said_by_status(msgspec.structs.replace(RISK, causes=RISK.causes[:3], pending=(), blackouts=()))
    assert "limits     nearest: drawdown 90% of 5.0%" in words
    assert "blackout" not in words
    assert "limits     none set" in said_by_status(RiskSection())


def test_status_names_the_gate_that_would_refuse_an_entry_now():
    unapproved = GateRow("play approved", GateStatus.VETO, "5098f03bbe17", "promoted")
    shown = console_fakes.snapshot(gates=(*console_fakes.GATES[:-1], unapproved))
    words = "\n".join(status_lines(shown, 4711))
    told = "entries    of ema_cross would be refused now by play approved (5098f03bbe17, limit promoted)"
    assert told in words
    assert "entries" not in said_by_status(RISK)


def test_words():
    assert [used_words(row) for row in nearest(RISK)] == ["120%", "90%", "42%", "-"]
    assert capital_words(RISK) == "20.50 (25% of profits)"
    assert blackout_words(RISK.blackouts[0], NOW - 61 * NS_PER_S) == "news: in 1s, for 2m 30s"


def test_status_writes_a_mean_price_as_its_symbol_is_priced():
    mean = msgspec.structs.replace(console_fakes.POSITIONS[0], entry_price=Decimal("61099.800000000"))
    words = "\n".join(status_lines(console_fakes.snapshot(positions=(mean,)), 4711))
    assert "BTCUSDT 0.25 at 61,099.8 (canary)" in words
