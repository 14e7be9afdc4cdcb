"""The end of an engine that broke: no entry may go on working where nobody watches it."""

from engine.core.operator import FREEDOM
from engine.domain.commands import SaveTransition, TransitionKind
from engine.domain.errors import InvariantError, StorageError
from engine.domain.ids import OrderRole
from engine.domain.modes import RiskMode
from engine.runtime.context import EngineContext

_ACTOR = "engine"


async def freeze(context: EngineContext, error: BaseException, now: int) -> str:
    """Cancel the working entries, straight at the venue; return what was done, for the exit report.

    The core may be what broke, so it is only read. Protective orders stay. After a broken core the risk mode
    is stored as OBSERVE: the next start lets nothing in until a person has looked. On a tape there is no
    market to keep away from.
    """
    if context.tape is not None:
        return ""
    said = _cancel_entries(context, now)
    if isinstance(error, InvariantError):
        said += await _store_observe(context, error, now)
    return said


def _cancel_entries(context: EngineContext, now: int) -> str:
    loop = context.loop
    entries = list(loop.machine.desk.book.select(OrderRole.ENTRY))
    for order in entries:
        loop.venue.cancel(order.client_id, order.request.symbol, now)
        context.log.warning("asked the venue to cancel", client_id=order.client_id)
    return f" Asked the venue to cancel {len(entries)} working entries." if entries else ""


async def _store_observe(context: EngineContext, error: InvariantError, now: int) -> str:
    mode = context.loop.machine.authority.operator.risk_mode
    if FREEDOM[mode] <= FREEDOM[RiskMode.OBSERVE]:
        return ""
    change = SaveTransition(
        now, TransitionKind.RISK_MODE, mode.value, RiskMode.OBSERVE.value, _ACTOR, str(error)
    )
    try:
        await context.journal.commit((change,))
    except StorageError as failure:
        context.log.error("the risk mode could not be stored", error=str(failure))
        return f" The risk mode could not be stored ({failure}): start without --arm."
    return " The next start begins in risk mode OBSERVE."
