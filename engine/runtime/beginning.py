"""What an engine does before its first event: warms up, tells what was recovered, comes back no freer."""

from collections.abc import Callable

from engine.core.operator import FREEDOM
from engine.core.snapshot import Phase
from engine.domain.commands import TransitionKind
from engine.domain.events import Action, Backfill, Channel, FeedChanged, FeedState, Recalled, Remark
from engine.domain.limits import LimitsChanged
from engine.domain.modes import RiskMode
from engine.runtime.commands import CommandDesk
from engine.runtime.context import EngineContext
from engine.runtime.factory import unwatched
from engine.runtime.othermodes import open_elsewhere
from engine.runtime.rehandle import begins_at
from engine.runtime.watching import first_events

HISTORY_BARS = 300
ENGINE_ACTOR = "engine"
AT_START = "start"  # the id of limits that a start asks for
_CLOSING = frozenset({Phase.FLATTENING, Phase.HALTED})


async def begin(
    context: EngineContext, commands: CommandDesk, now: Callable[[], int], *, until_flat: bool
) -> None:
    """Take the first events of a session, and post the commands that its start asks for.

    `until_flat`: the engine is there for a flatten alone, so a latch leads to one even where it is halted.
    """
    pump = context.pump
    if not context.resumed:
        await pump.begin(begins_at(context.tape, context.started))
    beyond = context.beyond
    if beyond.orders or beyond.fills or beyond.sequence > context.loop.machine.desk.sequence:
        recalled = Recalled(now(), beyond.orders, beyond.fills, beyond.sequence, beyond.signals)
        await pump.consume(recalled, now())
    if context.feed is not None and context.resumed:
        # whatever the venue did meanwhile, nobody heard of it
        await pump.consume(FeedChanged(now(), "market", FeedState.CONNECTED, "after a restart"), now())
    elif context.feed is not None:
        await pump.consume(Backfill(now(), tuple(context.feed.history(HISTORY_BARS))), now())
    if context.source.trading is not None:
        # until the stream of our orders stands nobody would tell what becomes of an entry
        silent = FeedChanged(now(), "orders", FeedState.CONNECTING, channel=Channel.PRIVATE)
        await pump.consume(silent, now())
    await _keep_to_limits(context, now)
    for event in tuple(first_events(context, now())):
        await pump.consume(event, now())
    for note in context.notes:
        await pump.consume(Remark(now(), "recovery", note), now())
    if context.tape is None:
        for text in open_elsewhere(context.directory, unwatched(context.settings), now()):
            await pump.consume(Remark(now(), "positions", text), now())
    for tape in context.source.tapes:
        await pump.consume(Remark(now(), "data", tape.headline, is_warning=False), now())
        for guess in tape.derived:
            context.log.info(guess)
    _follow_arm(context, commands)
    _stay_safe(context, commands, until_flat=until_flat)


async def _keep_to_limits(context: EngineContext, now: Callable[[], int]) -> None:
    """Let limits that were changed between two runs go the way of those that change within one."""
    policy, setup = context.loop.machine.policy, context.config.setup
    if not context.resumed:
        return
    if (policy.limits, policy.calendar) != (setup.limits, setup.calendar) or policy.proposal is not None:
        changed = LimitsChanged(now(), AT_START, setup.limits, setup.calendar)
        await context.pump.consume(changed, now())


def _follow_arm(context: EngineContext, commands: CommandDesk) -> None:
    """A restart is armed only where --arm was given; a fresh start already is as its setup says."""
    if not context.resumed:
        return
    phase = context.loop.machine.authority.operator.phase
    if context.settings.arm and phase is Phase.DISARMED:
        commands.post(Action.ARM, ENGINE_ACTOR, "--arm", context.config.setup.confirm_name)
    elif not context.settings.arm and phase is Phase.ARMED:
        commands.post(Action.DISARM, ENGINE_ACTOR, "a restart without --arm starts disarmed")


def _stay_safe(context: EngineContext, commands: CommandDesk, *, until_flat: bool) -> None:
    """Never come back freer than what was stored last, whatever state could be gone on from.

    The database knows of a pause at once, the record a moment later.
    """
    operator = context.loop.machine.authority.operator
    at_rest = operator.phase is Phase.HALTED and not until_flat
    latched = context.latch.engaged() and not at_rest and operator.phase is not Phase.FLATTENING
    if latched:
        commands.post(Action.FLATTEN, ENGINE_ACTOR, f"latch found at start: {context.latch.text()}")
    if context.tape is not None:
        return
    stored = {kind: row.after for kind, row in context.standing.items()}
    if not latched and stored.get(TransitionKind.PHASE) in _CLOSING and operator.phase not in _CLOSING:
        commands.post(Action.FLATTEN, ENGINE_ACTOR, "was halted before the restart")
    if stored.get(TransitionKind.PAUSE) == "paused" and not operator.paused:
        commands.post(Action.PAUSE, ENGINE_ACTOR, "was paused before the restart")
    mode = RiskMode(stored.get(TransitionKind.RISK_MODE, operator.risk_mode))
    reason = "stood so before the restart"
    if context.lost:
        mode, reason = min(mode, RiskMode.REDUCE, key=FREEDOM.__getitem__), context.lost
    if FREEDOM[mode] < FREEDOM[operator.risk_mode]:
        commands.post(Action.RISK_MODE, ENGINE_ACTOR, reason, mode)
