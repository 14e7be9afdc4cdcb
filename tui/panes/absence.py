"""What an empty pane says: what stands between now and something to see, and which key changes that."""

from engine.api import Phase, RiskMode, Rung, Snapshot
from tui.feedwords import CONNECTED
from tui.panes.content import Frame

PHASES = {
    Phase.HALTED: "HALTED after a flatten: {arm} arms again, with a reason.",
    Phase.FLATTENING: "FLATTENING: nothing new is entered.",
    Phase.STOPPING: "STOPPING: nothing new is entered.",
    Phase.DISARMED: "DISARMED: {arm} arms.",
}


def data_steps(snapshot: Snapshot, frame: Frame) -> tuple[str, ...]:
    """Return why plays have nothing to decide on; empty where they have."""
    status = snapshot.status
    if not status.plays:
        return ("No play is loaded: start with --play FILE.",)
    if status.data_ended:
        return ("The data has ended: nothing more comes.",)
    lost = [feed for feed in snapshot.feeds if feed.state != CONNECTED]
    if lost:
        name, state, where = lost[0].name, lost[0].state, frame.key("pane-8")
        return (f"The feed {name} is {state}: it connects again by itself, {where} tells more.",)
    if not snapshot.ticks:
        return (f"No price has come yet: {_feed_key(frame)}",)
    return ()


def entry_steps(snapshot: Snapshot, frame: Frame) -> tuple[str, ...]:
    """Return why nothing is entered: no data, or whoever holds the engine back; else where to look."""
    status = snapshot.status
    steps = [*data_steps(snapshot, frame)]
    if status.phase in PHASES:
        steps.append(PHASES[status.phase].format(arm=frame.key("arm")))
    if status.paused:
        steps.append(f"PAUSED: {frame.key('pause')} resumes.")
    if status.risk_mode is not RiskMode.NORMAL:
        steps.append(f"Risk mode {status.risk_mode.value.upper()}: {frame.key('risk-mode')} changes it.")
    if not steps and status.rung is not Rung.FULL:
        steps.append(f"Held at {status.rung.name}: {frame.key('pane-5')} tells by whom.")
    return tuple(steps) or (f"Armed: {frame.key('why')} tells why no bar has led to an entry yet.",)


def no_book(symbol: str, frame: Frame) -> tuple[str, ...]:
    """Return what to say of a symbol without bid and offer."""
    return (f"No bid and offer of {symbol} has come yet.", _feed_key(frame))


def no_curve(frame: Frame) -> tuple[str, ...]:
    """Return what to say before equity was noted twice."""
    return ("No equity curve yet: it begins with the market.", _feed_key(frame))


def _feed_key(frame: Frame) -> str:
    return f"{frame.key('pane-8')} tells how the feed is."
