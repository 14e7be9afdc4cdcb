"""The whole machine as a checkpoint holds it: one part for each of its parts."""

import msgspec

from engine.core.authority import AuthorityState
from engine.core.board import BoardState
from engine.core.channels import ChannelsState
from engine.core.market import MarketState
from engine.core.reconciling import ReconcilingState
from engine.core.risk import RiskState
from engine.core.stops import StopsState
from engine.core.tally import TallyState
from engine.core.trading import TradingState
from engine.domain.errors import CheckpointError
from engine.execution.desk import DeskState
from engine.execution.ledger import LedgerState

STATE_VERSION = 3


class MachineState(msgspec.Struct, frozen=True, kw_only=True):
    """The whole machine as a checkpoint holds it."""

    version: int
    market: MarketState
    ledger: LedgerState
    desk: DeskState
    trading: TradingState
    authority: AuthorityState
    board: BoardState
    tally: TallyState
    feed_ended: bool
    reconciling: ReconcilingState = ReconcilingState()
    stops: StopsState = StopsState()
    channels: ChannelsState = ChannelsState()
    risk: RiskState = RiskState()
    twinned: bytes = b""  # shadow twins and versions, see twinned.py; empty for a machine without


def check_version(state: MachineState) -> None:
    """Raise CheckpointError where a state is one of another version of the engine."""
    if state.version != STATE_VERSION:
        text = f"the checkpoint has version {state.version}, this engine reads {STATE_VERSION}"
        raise CheckpointError(text)
