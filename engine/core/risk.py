"""What keeps the engine inside its limits: those in force, losses, and the pace of entries."""

import msgspec

from engine.core.authority import Authority
from engine.core.blackout import Blackout
from engine.core.losses import Losses
from engine.core.market import Market
from engine.core.pacing import Pace, PaceState
from engine.core.policy import Policy, PolicyState
from engine.core.watch import Watch, WatchState
from engine.domain.commands import Command
from engine.execution.book import OrderBook
from engine.execution.ledger import Ledger


class RiskState(msgspec.Struct, frozen=True, kw_only=True):
    """The limits' memory as a checkpoint holds it; `peak` is 0 where none is kept."""

    peak: float = 0.0
    pace: PaceState = PaceState()
    watch: WatchState = WatchState()
    policy: PolicyState = PolicyState()
    blackout_at: int = 0  # when the calendar asks for something else


class Risk:
    """The limits in force and those who watch over them."""

    def __init__(
        self,
        policy: Policy,
        *,
        market: Market,
        ledger: Ledger,
        book: OrderBook,
        authority: Authority,
        outbox: list[Command],
        compares: bool,
    ) -> None:
        """`compares`: books and venue are compared at intervals."""
        self.policy, self.holds = policy, authority.holds
        self._ledger = ledger
        self.losses = Losses(policy, ledger, authority)
        self.pace = Pace()
        self.blackout = Blackout(policy, authority, outbox)
        self.watch = Watch(
            policy, market=market, ledger=ledger, book=book, authority=authority, compares=compares
        )
        self.follow()

    def follow(self) -> None:
        """Let what keeps a part of the limits to itself take over those in force."""
        self._ledger.capital.reserve_percent = self.policy.limits.profit_reserve_percent
        self.losses.follow()

    def look(self, now: int) -> None:
        """Look at what no event tells of."""
        self.watch.look(now)
        self.blackout.look(now)

    def begin_anew(self) -> None:
        """Begin a new run where another ended: nobody knows what the calendar asked for meanwhile."""
        self.watch.begin_anew()
        self.blackout.next_at = 0

    def forgive(self) -> None:
        """Measure anew: a person has set the risk mode back to NORMAL and said why."""
        self.losses.forgive()
        self.watch.forgive()

    # checkpoint

    def state(self) -> RiskState:
        """Return all that a checkpoint needs."""
        return RiskState(
            peak=self.losses.peak,
            pace=self.pace.state(),
            watch=self.watch.state(),
            policy=self.policy.state(),
            blackout_at=self.blackout.next_at,
        )

    def restore(self, state: RiskState) -> None:
        """Take up a checkpoint's state."""
        self.losses.peak = state.peak
        self.pace.restore(state.pace)
        self.watch.restore(state.watch)
        self.policy.restore(state.policy)
        self.blackout.next_at = state.blackout_at
        self.follow()
