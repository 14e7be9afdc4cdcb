"""Commands to a running engine from a shell: status, arm, pause, flatten, stop and the like."""

import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from engine.api import (
    Action,
    CommandReply,
    ControlError,
    Phase,
    Snapshot,
    TraderError,
    fetch_status,
    running_engine,
    running_instances,
    send_command,
    state_directory,
    wait_flat,
)
from engine.api import flatten_direct as api_flatten_direct
from tui.supervisor import actor_name

if TYPE_CHECKING:
    from engine.api import Settings

NOT_FLAT = 4
REFUSED = 4


def status(settings: "Settings", *, as_json: bool) -> int:
    """Print how the engine is."""
    hello, snapshot = fetch_status(settings)
    facts = status_facts(snapshot, hello.pid)
    if as_json:
        _print(facts)
        return 0
    for name, value in facts.items():
        _line(f"{name}: {value if isinstance(value, str | int | float | bool) else _compact(value)}")
    return 0


def status_facts(snapshot: Snapshot, pid: int) -> dict[str, Any]:
    """Return what `status --json` prints."""
    at = snapshot.status
    health = snapshot.health
    return {
        "mode": at.mode.value,
        "instance": at.instance,
        "phase": at.phase.value,
        "armed": at.phase is Phase.ARMED,
        "paused": at.paused,
        "risk_mode": at.risk_mode.value,
        "rung": at.rung.name,
        "holders": [msgspec.to_builtins(hold) for hold in at.holds],
        "plays": list(at.plays),
        "account": msgspec.to_builtins(snapshot.account),
        "positions": [msgspec.to_builtins(p) for p in snapshot.positions if p.qty != 0],
        "orders": [msgspec.to_builtins(o) for o in snapshot.orders if o.state.is_open],
        "alarms": [msgspec.to_builtins(alarm) for alarm in snapshot.alarms],
        "flatten": msgspec.to_builtins(snapshot.flatten),
        "feeds": [msgspec.to_builtins(feed) for feed in snapshot.feeds],
        "breakers": [],
        "hot_reload": [msgspec.to_builtins(row) for row in snapshot.reloads],
        "latency": {
            "p50_ms": health.latency_p50_ms,
            "p99_ms": health.latency_p99_ms,
            "p999_ms": health.latency_p999_ms,
        },
        "health": msgspec.to_builtins(health),
        "uptime_s": health.uptime_s,
        "pid": pid,
    }


def command(settings: "Settings", name: str, *, reason: str, argument: str, as_json: bool) -> int:
    """Send one command; exit 4 where the engine refused it."""
    reply = send_command(
        settings, Action(name), actor=actor_name(os.environ.get), reason=reason, argument=argument
    )
    return _tell(reply, as_json=as_json)


def stop(settings: "Settings", on_stop: str, *, as_json: bool) -> int:
    """Ask the engine to end in order."""
    reply = send_command(
        settings, Action.STOP, actor=actor_name(os.environ.get), reason="stop", argument=on_stop
    )
    return _tell(reply, as_json=as_json)


def flatten(settings: "Settings", *, everywhere: bool, timeout_s: float, as_json: bool) -> int:
    """Flatten one instance, or all on this machine; exit 4 unless every one is flat."""
    instances = running_instances(settings) if everywhere else (settings,)
    if not instances:
        raise ControlError(f"no engine runs under {state_directory(settings).parent}")
    outcomes = [_flatten_one(one, timeout_s, as_json=as_json) for one in instances]
    if as_json:
        _print({"flat": all(o["flat"] for o in outcomes), "instances": outcomes})
    return 0 if all(outcome["flat"] for outcome in outcomes) else NOT_FLAT


def _flatten_one(settings: "Settings", timeout_s: float, *, as_json: bool) -> dict[str, Any]:
    shown: list[str] = []

    def progress(snapshot: Snapshot) -> None:
        at = snapshot.flatten
        line = f"{settings.instance}: {at.step}, {at.cancels_left} to cancel, {at.positions_left} to close"
        if not as_json and at.step and line not in shown:
            shown.append(line)
            _line(line)

    try:
        reply = send_command(settings, Action.FLATTEN, actor=actor_name(os.environ.get), reason="flatten")
        if not reply.ok and reply.reason != "FLATTEN_RUNNING":
            return {"instance": settings.instance, "flat": False, "error": reply.text, "residual": []}
        snapshot = wait_flat(settings, timeout_s=timeout_s, on_progress=progress)
    except TraderError as error:
        _line(f"{settings.instance}: {error}", err=True)
        if running_engine(settings) is not None:
            _line("the engine does not answer: `trader-tui flatten --direct` ends it and closes", err=True)
        return {"instance": settings.instance, "flat": False, "error": str(error), "residual": []}
    at = snapshot.flatten
    flat = at.step == "flat"
    if not as_json:
        _line(f"{settings.instance}: {'FLAT' if flat else 'NOT FLAT, left: ' + '; '.join(at.residual)}")
    return {"instance": settings.instance, "flat": flat, "residual": list(at.residual)}


def flatten_direct(settings: "Settings", *, as_json: bool) -> int:
    """End the engine and flatten from its last state in this process."""
    report = api_flatten_direct(settings, lambda text: _line(text, err=True))
    flat = report.exit_code == 0 and not report.positions and not report.open_orders
    left = [*report.open_orders, *report.positions]
    if as_json:
        _print({"flat": flat, "residual": left, "text": report.text})
    else:
        _line("FLAT" if flat else "NOT FLAT, left: " + "; ".join(left))
    return 0 if flat else NOT_FLAT


def _tell(reply: CommandReply, *, as_json: bool) -> int:
    if as_json:
        _print(msgspec.to_builtins(reply))
    else:
        _line(reply.text, err=not reply.ok)
    return 0 if reply.ok else REFUSED


def _print(facts: object) -> None:
    sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")


def _line(text: str, *, err: bool = False) -> None:
    (sys.stderr if err else sys.stdout).write(text + "\n")


def _compact(value: object) -> str:
    return msgspec.json.encode(value).decode()
