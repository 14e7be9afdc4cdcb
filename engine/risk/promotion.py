"""What must be known of a version of a play before its orders may be real. Facts in, what is missing out."""

from collections.abc import Iterable

import msgspec

from engine.domain.market import NS_PER_S
from engine.domain.shadow import Role, Stage

NS_PER_H = 3_600 * NS_PER_S
DEMO = "demo"
WATCHED_IN = frozenset(
    {"shadow", "paper", "demo", "live"}
)  # on a market as it happens; a tape proves no time


class PromotionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How much evidence a promotion to live needs; hours are those of bars that were seen."""

    backtest_trades_min: int = 20
    shadow_h_min: float = 24.0
    demo_h_min: float = 24.0
    demo_trades_min: int = 5


class Backtested(msgspec.Struct, frozen=True, kw_only=True):
    """A backtest on record: of which version, on which data (path, sha256), when (ns UTC), how it ended."""

    at: int
    hash: str
    play: str
    data: tuple[tuple[str, str], ...]
    bars: int
    trades: int
    net: str
    max_drawdown: float
    trade_hash: str
    version: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is on record of one version, summed up, and in words what is missing of it."""

    hash: str
    backtests: tuple[Backtested, ...] = ()
    shadow_h: float = 0.0
    demo_h: float = 0.0
    demo_trades: int = 0
    missing: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The evidence in words, a line for each kind."""
        runs = ", ".join(f"{path} ({run.trades} trades)" for run in self.backtests for path, _ in run.data)
        return (
            f"backtest: {runs or 'none'}",
            f"shadow: {self.shadow_h:.1f} h as a twin",
            f"demo: {self.demo_h:.1f} h, {self.demo_trades} trades",
        )


def weigh(
    hash_: str, play: str, policy: PromotionPolicy, backtests: Iterable[Backtested], stages: Iterable[Stage]
) -> Evidence:
    """Sum up what is on record of a version, and say all that is missing."""
    runs = tuple(run for run in backtests if run.hash == hash_)
    own = [stage for stage in stages if stage.hash == hash_]
    demo = [stage for stage in own if stage.role is Role.RUNNING and stage.mode == DEMO]
    evidence = Evidence(
        hash=hash_,
        backtests=runs,
        shadow_h=_hours(stage for stage in own if stage.role is Role.TWIN and stage.mode in WATCHED_IN),
        demo_h=_hours(demo),
        demo_trades=sum(stage.trades for stage in demo),
    )
    return msgspec.structs.replace(evidence, missing=tuple(_missing(evidence, play, policy)))


def _hours(stages: Iterable[Stage]) -> float:
    return sum((max(0, stage.until - stage.began) for stage in stages), 0) / NS_PER_H


def _missing(evidence: Evidence, play: str, policy: PromotionPolicy) -> list[str]:
    best = max((run.trades for run in evidence.backtests), default=-1)
    missing = []
    if policy.backtest_trades_min and best < policy.backtest_trades_min:
        found = f"the best on record has {best}" if best >= 0 else "none is on record"
        missing.append(
            f"a backtest of this version with {policy.backtest_trades_min} trades or more ({found}): "
            f"trader-tui backtest {play} --data FILE"
        )
    if evidence.shadow_h < policy.shadow_h_min:
        missing.append(
            f"{policy.shadow_h_min:g} h as a shadow twin ({evidence.shadow_h:.1f} h on record): "
            f"trader-tui run --mode shadow --play {play}, or --shadow {play} beside another play"
        )
    if evidence.demo_h < policy.demo_h_min or evidence.demo_trades < policy.demo_trades_min:
        missing.append(
            f"{policy.demo_h_min:g} h and {policy.demo_trades_min} trades in mode demo "
            f"({evidence.demo_h:.1f} h, {evidence.demo_trades} trades on record): "
            f"trader-tui run --mode demo --play {play} --venue NAME"
        )
    return missing
