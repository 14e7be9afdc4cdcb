"""`shadow`, `promote` and `rollback` from a shell: what is sent, what is said, how they end."""

import asyncio
import json
from decimal import Decimal

import msgspec
import pytest

from engine.api import Action, CommandReply, NotPromotedError, state_directory
from engine.domain.shadow import Role, SaveShadow, SaveStage, ShadowSignal
from engine.domain.signals import Side, SignalKind
from engine.storage.database import Database
from engine.storage.journal import SqliteJournal
from tests.console_fakes import TWIN
from tests.unit.risk.test_promotion import stage
from tests.unit.tui.night import Night
from tui import promotion


@pytest.fixture
def night(settings):
    with Night(settings) as engine:
        engine.shown = msgspec.structs.replace(engine.shown, twins=(TWIN,))
        yield engine


def live(night: Night) -> None:
    status = msgspec.structs.replace(night.shown.status, needs_approval=True)
    night.shown = msgspec.structs.replace(night.shown, status=status)


def test_a_twin_of_a_simulated_engine_is_swapped_without_evidence(night, settings, capsys):
    assert promotion.promote(settings, "canary", at_once=False, reason="better", as_json=False) == 0
    (request,) = night.requests
    assert (request.action, request.argument, request.reason) == (
        Action.PROMOTE,
        f"canary {'ab' * 6}",
        "better",
    )
    assert capsys.readouterr().out == "canary: swapped\n"


def test_what_waits_for_a_flat_moment_says_so(night, settings, capsys):
    status = msgspec.structs.replace(night.shown.status, swaps_waiting=("canary",))
    night.shown = msgspec.structs.replace(night.shown, status=status)
    promotion.promote(settings, "canary", at_once=False, reason="", as_json=False)
    assert "waits until the play is flat" in capsys.readouterr().out
    promotion.promote(settings, "canary", at_once=True, reason="", as_json=True)
    assert json.loads(capsys.readouterr().out)["waits"] is True
    assert night.requests[-1].argument.endswith(" now")


def test_a_refusal_ends_with_4(night, settings, capsys):
    night.reply = CommandReply(0, ok=False, reason="NOTHING_TO_ROLL_BACK", text="no earlier version")
    assert promotion.roll_back(settings, "canary", at_once=True, reason="", as_json=False) == 4
    assert (night.requests[-1].action, night.requests[-1].argument) == (Action.ROLL_BACK, "canary now")
    assert "no earlier version" in capsys.readouterr().err


def test_live_asks_for_evidence_before_anything_is_sent(night, settings):
    live(night)
    with pytest.raises(NotPromotedError, match="is not promoted; missing:\n  1\\. a backtest"):
        promotion.promote(settings, "canary", at_once=False, reason="good", as_json=False)
    assert night.requests == []


def test_an_approval_is_told_and_swaps_the_version_that_is_watched(night, settings, capsys):
    live(night)
    asks = settings.promotion.model_copy(
        update={"backtest_trades_min": 0, "shadow_h_min": 0.0, "demo_h_min": 0.0, "demo_trades_min": 0}
    )
    eased = settings.model_copy(update={"promotion": asks})
    assert promotion.promote(eased, "canary", at_once=False, reason="good", as_json=False) == 0
    said = capsys.readouterr().out
    assert "is promoted to live by" in said
    assert "no shadow twin has this version" in said
    assert night.requests == []
    assert promotion.promote(eased, "canary", at_once=False, reason="good", as_json=True) == 0
    hash_ = json.loads(capsys.readouterr().out)["approval"]["hash"]
    night.shown = msgspec.structs.replace(night.shown, twins=(msgspec.structs.replace(TWIN, hash=hash_),))
    assert promotion.promote(eased, "canary", at_once=False, reason="good", as_json=False) == 0
    assert night.requests[-1].argument == f"canary {hash_[:12]}"


def test_without_an_engine_an_approval_is_recorded(settings, capsys):
    asks = settings.promotion.model_copy(
        update={"backtest_trades_min": 0, "shadow_h_min": 0.0, "demo_h_min": 0.0, "demo_trades_min": 0}
    )
    eased = settings.model_copy(update={"promotion": asks})
    assert promotion.promote(eased, "canary", at_once=False, reason="good", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["reply"] is None
    assert (state_directory(settings).parent / ".plays" / "approvals.jsonl").is_file()


def test_twins_and_their_signals_are_shown(night, settings, capsys):
    mode = night.shown.status.mode.value
    entry = ShadowSignal(
        ts=1_700_000_000_000_000_000,
        label="canary",
        play="canary",
        hash="ab",
        symbol="BTCUSDT",
        side=Side.BUY,
        kind=SignalKind.ENTRY,
        price=100.0,
    )
    ended = msgspec.structs.replace(
        entry, ts=entry.ts + 1, resolved=9, exit_price=101.0, return_percent=1.0, pnl=Decimal(2)
    )
    left = msgspec.structs.replace(
        entry, ts=entry.ts + 2, kind=SignalKind.EXIT, resolved=9, reason="EXIT_WORKING"
    )

    async def store() -> None:
        database = await Database.open(state_directory(settings) / mode / "engine.sqlite")
        saved = [SaveShadow(signal) for signal in (entry, ended, left)]
        await SqliteJournal(database).commit([*saved, SaveStage(stage(Role.TWIN, mode, 2.0))])
        await database.close()

    asyncio.run(store())
    assert promotion.show(settings, None, last=5, as_json=False) == 0
    said = capsys.readouterr().out
    assert "canary abababababab generation 2, beside canary cdcdcdcdcdcd" in said
    assert "would-be P&L +1.25, position 0.5; running -2.50" in said
    assert "signals: 1 both, 2 running only, 3 twin only" in said
    assert "takes the running one's place" in said
    assert "entry buy BTCUSDT at 100: open" in said
    assert "P&L +2.00, +1.00 % until 101" in said
    assert "exit buy BTCUSDT at 100: done (EXIT_WORKING)" in said
    assert "ran as twin for 2.0 h" in said
    assert promotion.show(settings, mode, last=1, as_json=True) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (len(facts["twins"]), len(facts["signals"])) == (1, 1)
    assert promotion.show(settings, "demo", last=5, as_json=False) == 0
    assert "no shadow twin has signalled in mode demo" in capsys.readouterr().out
