"""What `shadow`, `promote` and `rollback` do."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.api import (
    Action,
    CommandReply,
    ControlError,
    Snapshot,
    TwinRow,
    approve_play,
    fetch_status,
    find_play,
    running_engine,
    send_command,
    shadow_report,
)
from tui.formats import clean, clean_lines
from tui.supervisor import actor_name, unreached

if TYPE_CHECKING:
    from engine.api import Approval, Settings, ShadowReport, ShadowSignal

REFUSED = 4
SHORT_HASH = 12
NS_PER_S = 1_000_000_000
NS_PER_H = 3_600 * NS_PER_S


# promote and roll back


def promote(settings: "Settings", play: str, *, at_once: bool, reason: str, as_json: bool) -> int:
    """Accept a version for live where orders are real or nobody runs, and swap it in where it is watched."""
    snapshot = _snapshot(settings)
    path = _file_of(play, snapshot)
    approval = None
    if snapshot is None or snapshot.status.needs_approval:
        approval = approve_play(settings, path, actor=actor_name(os.environ.get), reason=reason)
        if not as_json:
            _tell_approval(approval)
    if snapshot is None:
        if as_json:
            _print({"approval": approval, "reply": None})
        return 0
    twin = _twin_of(play, snapshot, approval)
    if twin is None and approval is not None:
        if as_json:
            _print({"approval": approval, "reply": None})
        else:
            _line("the running engine takes it as approved; no shadow twin has this version to swap in")
        return 0
    label = play if twin is None else twin.label
    expected = f" {twin.hash[:SHORT_HASH]}" if twin is not None else ""
    reply = _send(settings, Action.PROMOTE, f"{label}{expected}{' now' * at_once}", reason)
    return _answer(settings, reply, approval, label, as_json=as_json)


def roll_back(settings: "Settings", play: str, *, at_once: bool, reason: str, as_json: bool) -> int:
    """Let the version before run again."""
    reply = _send(settings, Action.ROLL_BACK, f"{play}{' now' * at_once}", reason)
    return _answer(settings, reply, None, play, as_json=as_json)


def _file_of(play: str, snapshot: Snapshot | None) -> Path:
    """Return a play's file: that of the running play of this name, else what a start would take."""
    rows = snapshot.reloads if snapshot is not None else ()
    found = next((row.file for row in rows if row.play == play), "")
    return Path(found) if found else find_play(play)


def _twin_of(play: str, snapshot: Snapshot, approval: "Approval | None") -> TwinRow | None:
    """Return the twin that is meant: by its version where one was approved, else by name."""
    if approval is not None:
        return next((twin for twin in snapshot.twins if twin.hash == approval.hash), None)
    stem = Path(play).stem
    return next((twin for twin in snapshot.twins if twin.label in (play, stem)), None)


def _snapshot(settings: "Settings") -> Snapshot | None:
    """Return how the instance's engine is, None where none runs."""
    if running_engine(settings) is None:
        return None
    try:
        return fetch_status(settings)[1]
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None


def _send(settings: "Settings", action: Action, argument: str, reason: str) -> CommandReply:
    try:
        actor = actor_name(os.environ.get)
        return send_command(settings, action, actor=actor, reason=reason, argument=argument)
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None


def _answer(
    settings: "Settings",
    reply: CommandReply,
    approval: "Approval | None",
    label: str,
    *,
    as_json: bool,
) -> int:
    waits = False
    if reply.ok:
        after = _snapshot(settings)
        waits = after is not None and _waits(after, label)
    if as_json:
        _print({"approval": approval, "reply": reply, "waits": waits})
    elif not reply.ok:
        _line(reply.text, err=True)
    else:
        waiting = f"{label}: waits until the play is flat; --now swaps at once"
        _line(waiting if waits else f"{label}: swapped")
    return 0 if reply.ok else REFUSED


def _waits(snapshot: Snapshot, label: str) -> bool:
    """Tell whether a swap that was asked for waits until its play is flat."""
    twin = next((twin for twin in snapshot.twins if twin.label == label), None)
    return (label if twin is None or not twin.of else twin.of) in snapshot.status.swaps_waiting


def _tell_approval(approval: "Approval") -> None:
    _line(f"{approval.play} {approval.hash[:SHORT_HASH]} is promoted to live by {approval.actor}")
    for line in approval.evidence.lines:
        _line(f"  {line}")


# shadow


def show(settings: "Settings", mode: str | None, *, last: int, as_json: bool) -> int:
    """Print what the shadow store holds, and how the running twins are."""
    snapshot = _snapshot(settings)
    wanted = mode or (snapshot.status.mode.value if snapshot is not None else settings.mode.value)
    report = shadow_report(settings.model_copy(update={"mode": type(settings.mode)(wanted)}), last)
    own = snapshot is not None and snapshot.status.mode.value == wanted
    twins = snapshot.twins if snapshot is not None and own else ()
    if as_json:
        facts = {"mode": wanted, "twins": twins, "signals": report.signals, "stages": report.stages}
        _print(facts)
        return 0
    for twin in twins:
        _tell_twin(twin)
    _tell_report(report, wanted)
    return 0


def _tell_twin(twin: TwinRow) -> None:
    beside = f"beside {twin.of} {twin.running_hash[:SHORT_HASH]}" if twin.of else "beside no running play"
    _line(f"{twin.label} {twin.hash[:SHORT_HASH]} generation {twin.generation}, {beside}")
    warm = f", {twin.bars_missing} bars to its first signal" if twin.bars_missing else ""
    _line(f"  {twin.bars} bars, {twin.signals} signals, {twin.trades} trades{warm}")
    _line(f"  would-be P&L {twin.pnl:+.2f}, position {twin.qty:f}; running {twin.running_pnl:+.2f}")
    _line(f"  signals: {twin.both} both, {twin.only_running} running only, {twin.only_twin} twin only")
    if twin.waits:
        _line("  takes the running one's place once that is flat")


def _tell_report(report: "ShadowReport", mode: str) -> None:
    if not report.signals:
        _line(f"no shadow twin has signalled in mode {mode}; run one with --shadow FILE or --mode shadow")
    for signal in report.signals:
        when = datetime.fromtimestamp(signal.ts // NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M:%S")
        what = f"{when} {clean(signal.label)} {signal.kind} {signal.side} {signal.symbol} at {signal.price:g}"
        _line(f"{what}: {_became(signal)}" + (f" ({signal.reason})" if signal.reason else ""))
    for stage in report.stages:
        hours = (stage.until - stage.began) / NS_PER_H
        _line(
            f"{clean(stage.play)} {stage.hash[:SHORT_HASH]} ran as {stage.role} for {hours:.1f} h: "
            f"{stage.bars} bars, {stage.signals} signals, {stage.trades} trades, P&L {stage.pnl:+.2f}"
        )


def _became(signal: "ShadowSignal") -> str:
    if not signal.resolved:
        return "open"
    if signal.kind == "exit":
        return "done"
    money = "" if signal.pnl is None else f"P&L {signal.pnl:+.2f}, "
    path = f"worst {signal.mae_percent:+.2f} %, best {signal.mfe_percent:+.2f} %"
    return f"{money}{signal.return_percent:+.2f} % until {signal.exit_price:g}, {path}"


def _print(facts: object) -> None:
    sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")


def _line(text: str, *, err: bool = False) -> None:
    (sys.stderr if err else sys.stdout).write(clean_lines(text) + "\n")
