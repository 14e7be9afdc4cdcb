"""A promotion to live names all evidence that is missing, and counts what is on record."""

from decimal import Decimal

import pytest

from engine.domain.shadow import Role, Stage
from engine.risk.promotion import NS_PER_H, Backtested, PromotionPolicy, weigh

HASH, OTHER = "ab" * 32, "cd" * 32
POLICY = PromotionPolicy()


def backtested(trades: int = 30, hash_: str = HASH) -> Backtested:
    return Backtested(
        at=1,
        hash=hash_,
        play="p",
        data=(("btc.csv", "00"),),
        bars=100,
        trades=trades,
        net="1",
        max_drawdown=0.1,
        trade_hash="ff",
        version="0.1.0",
    )


def stage(role: Role, mode: str, hours: float = 30.0, trades: int = 9, hash_: str = HASH) -> Stage:
    return Stage(
        hash=hash_,
        play="p",
        role=role,
        mode=mode,
        began=NS_PER_H,
        until=NS_PER_H + round(hours * NS_PER_H),
        bars=10,
        signals=5,
        trades=trades,
        pnl=Decimal(1),
    )


WHOLE = [stage(Role.TWIN, "paper", 12.0), stage(Role.TWIN, "demo", 12.0), stage(Role.RUNNING, "demo")]


def test_whole_evidence_lacks_nothing():
    evidence = weigh(HASH, "p.yaml", POLICY, [backtested()], WHOLE)
    assert evidence.missing == ()
    assert (evidence.shadow_h, evidence.demo_h, evidence.demo_trades) == (24.0, 30.0, 9)
    assert evidence.lines == (
        "backtest: btc.csv (30 trades)",
        "shadow: 24.0 h as a twin",
        "demo: 30.0 h, 9 trades",
    )


def test_without_any_all_is_missing_at_once():
    evidence = weigh(HASH, "p.yaml", POLICY, [backtested(hash_=OTHER)], [])
    assert len(evidence.missing) == 3
    assert "none is on record" in evidence.missing[0]
    assert evidence.lines[0] == "backtest: none"


@pytest.mark.parametrize(
    ("backtests", "stages", "words"),
    [
        ([backtested(3)], WHOLE, "the best on record has 3"),
        ([backtested()], WHOLE[1:], "24 h as a shadow twin (12.0 h on record)"),
        ([backtested()], [*WHOLE[:2], stage(Role.RUNNING, "demo", 5.0)], "5.0 h, 9 trades on record"),
        ([backtested()], [*WHOLE[:2], stage(Role.RUNNING, "demo", trades=2)], "30.0 h, 2 trades on record"),
    ],
)
def test_each_kind_is_asked_for(backtests, stages, words):
    (missing,) = weigh(HASH, "p.yaml", POLICY, backtests, stages).missing
    assert words in missing


def test_a_tape_a_paper_run_and_other_versions_prove_nothing_here():
    stages = [
        stage(Role.TWIN, "replay"),
        stage(Role.RUNNING, "paper"),
        stage(Role.RUNNING, "demo", hash_=OTHER),
    ]
    evidence = weigh(HASH, "p.yaml", POLICY, [], stages)
    assert (evidence.shadow_h, evidence.demo_h) == (0.0, 0.0)


def test_a_policy_of_zero_asks_for_nothing():
    none = PromotionPolicy(backtest_trades_min=0, shadow_h_min=0.0, demo_h_min=0.0, demo_trades_min=0)
    assert weigh(HASH, "p.yaml", none, [], []).missing == ()
