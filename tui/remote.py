"""Commands to a running engine from a shell: status, arm, pause, flatten, stop and the like."""

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from engine.api import (
    Action,
    CommandReply,
    ControlError,
    Snapshot,
    TraderError,
    control_socket,
    fetch_status,
    find_again,
    running_engine,
    running_instances,
    send_command,
    set_latch,
    wait_flat,
)
from engine.api import flatten_direct as api_flatten_direct
from tui.folding import folded
from tui.formats import clean, clean_lines
from tui.statuswords import status_facts, status_lines
from tui.supervisor import actor_name, unreached

if TYPE_CHECKING:
    from engine.api import Settings

NOT_FLAT = 4
REFUSED = 4
UNFINISHED = 1
POLL_S = 0.05
CONFIRMED_CHARACTERS = 4  # of a client id: its number, in which it differs from the others


# status


def status(settings: "Settings", *, as_json: bool) -> int:
    """Print how the engine is."""
    try:
        hello, snapshot = fetch_status(settings)
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None
    if as_json:
        print_facts({**status_facts(snapshot, hello.pid), "socket": str(control_socket(settings))})
    else:
        print_line("\n".join(status_lines(snapshot, hello.pid, str(control_socket(settings)))))
    return 0


# commands


def command(settings: "Settings", name: str, *, reason: str, argument: str, as_json: bool) -> int:
    """Send one command; exit 4 where the engine refused it."""
    return _tell(_send(settings, Action(name), reason, argument), as_json=as_json)


def resolve(
    settings: "Settings", client_id: str, outcome: str, *, confirm: str, reason: str, as_json: bool
) -> int:
    """Say what became of an order; refused here where its id's last characters were not typed."""
    expected = client_id[-CONFIRMED_CHARACTERS:]
    if confirm != expected:
        text = (
            f"NOT_CONFIRMED typed={clean(confirm)} expected={clean(expected)}: look at the venue first, then "
            f"confirm with the last {CONFIRMED_CHARACTERS} characters of the id: --confirm {clean(expected)}"
        )
        return _tell(CommandReply(0, ok=False, reason="NOT_CONFIRMED", text=text), as_json=as_json)
    argument = f"{client_id} {outcome}"
    return command(settings, Action.RESOLVE, reason=reason, argument=argument, as_json=as_json)


def stop(settings: "Settings", on_stop: str, *, timeout_s: float, as_json: bool) -> int:
    """Ask the engine to end in order and wait until it has; exit 1 where it takes longer."""
    before = running_engine(settings)
    reply = _send(settings, Action.STOP, "stop", on_stop)
    if not reply.ok and reply.reason != "STOPPING":
        return _tell(reply, as_json=as_json)
    pid = before.pid if before is not None else 0
    deadline_s = time.monotonic() + timeout_s
    while not (ended := _has_ended(settings, pid)) and time.monotonic() < deadline_s:
        time.sleep(POLL_S)
    if as_json:
        print_facts({**msgspec.to_builtins(reply), "ended": ended, "pid": pid})
    elif ended:
        print_line(f"the engine (pid {pid}) has ended")
    else:
        print_line(f"the engine (pid {pid}) is still stopping after {timeout_s:g} s", err=True)
    return 0 if ended else UNFINISHED


def _send(settings: "Settings", action: Action, reason: str, argument: str) -> CommandReply:
    try:
        actor = actor_name(os.environ.get)
        return send_command(settings, action, actor=actor, reason=reason, argument=argument)
    except ControlError as error:
        raise ControlError(unreached(settings, error)) from None


def _has_ended(settings: "Settings", pid: int) -> bool:
    owner = running_engine(settings)
    return owner is None or owner.pid != pid


# flatten


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one instance's flatten came to."""

    instance: str
    flat: bool
    residual: tuple[str, ...]
    error: str = ""


def flatten(settings: "Settings", *, everywhere: bool, timeout_s: float, as_json: bool) -> int:
    """Flatten one instance, or all at the same time; exit 4 unless every one is flat."""
    instances = running_instances(settings) if everywhere else (settings,)
    if not instances:
        print_line("no engine runs on this machine: nothing was flattened", err=True)
    try:
        outcomes = _flatten_all(instances, timeout_s, quiet=as_json)
    except KeyboardInterrupt:
        print_line("no longer watching; a flatten that was taken goes on: see `trader-tui status`", err=True)
        return 130
    flat = bool(outcomes) and all(outcome.flat for outcome in outcomes)
    if as_json:
        print_facts({"flat": flat, "instances": outcomes})
    return 0 if flat else NOT_FLAT


def _flatten_all(instances: Sequence["Settings"], timeout_s: float, *, quiet: bool) -> list[Outcome]:
    """Flatten each in a thread of its own: an engine that hangs must not hold up the others."""
    outcomes: dict[int, Outcome] = {}

    def work(number: int, one: "Settings") -> None:
        try:
            outcomes[number] = _flatten_one(one, timeout_s, quiet=quiet)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, that instance is not known to be flat
            text = f"{type(error).__name__}: {error}"
            print_line(f"{one.instance}: {text}\n{one.instance}: {_without_answer(one)}", err=True)
            outcomes[number] = Outcome(instance=one.instance, flat=False, residual=(), error=text)

    threads = [threading.Thread(target=work, args=each, daemon=True) for each in enumerate(instances)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[number] for number in sorted(outcomes)]


def _flatten_one(settings: "Settings", timeout_s: float, *, quiet: bool) -> Outcome:
    name = settings.instance
    shown: set[str] = set()

    def progress(snapshot: Snapshot) -> None:
        at = snapshot.flatten
        line = f"{name}: {at.step}, {at.cancels_left} to cancel, {at.positions_left} to close"
        if not quiet and at.step and line not in shown:
            shown.add(line)
            print_line(line)

    try:
        reply = send_command(settings, Action.FLATTEN, actor=actor_name(os.environ.get), reason="flatten")
    except TraderError as error:
        print_line(f"{name}: {error}\n{name}: {_without_answer(settings)}", err=True)
        return Outcome(instance=name, flat=False, residual=(), error=str(error))
    if not reply.ok and reply.reason != "FLATTEN_RUNNING":
        print_line(f"{name}: {reply.text}", err=True)
        return Outcome(instance=name, flat=False, residual=(), error=reply.text)
    try:
        at = wait_flat(settings, timeout_s=timeout_s, on_progress=progress).flatten
    except TraderError as error:
        print_line(f"{name}: {error}", err=True)
        return Outcome(instance=name, flat=False, residual=(), error=str(error))
    flat = at.step == "flat"
    if not quiet:
        print_line(f"{name}: {'FLAT' if flat else 'NOT FLAT, left: ' + '; '.join(at.residual)}")
    return Outcome(instance=name, flat=flat, residual=at.residual)


def _without_answer(settings: "Settings") -> str:
    """Do what can be done to an engine that does not answer; return that, and what is left to a person.

    The latch keeps it from entering; the signal reaches its own thread even where its loop stands still and
    its socket is gone.
    """
    direct = f"`trader-tui flatten --direct {find_again(settings)}`"
    unknown = "NOT FLAT as far as is known"
    try:
        owner = running_engine(settings)
        if owner is None:
            return f"{unknown}; {direct} looks and closes without an engine"
        signalled = _signal(owner.pid, owner.host)
        set_latch(settings, f"flatten by {actor_name(os.environ.get)}, which the engine did not confirm")
    except TraderError as error:
        return f"{unknown}, and the latch could not be set: {error}; {direct} acts without it"
    return f"{unknown}; the latch is set, no entry leaves{signalled}. {direct} ends the engine and closes"


def _signal(pid: int, host: str) -> str:
    """Tell an engine on this machine by signal to flatten; return how to say so."""
    if host != os.uname().nodename:
        return f"; it runs on {host}: flatten it there"
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGUSR1)
        return f"; SIGUSR1 told pid {pid} to flatten"
    return ""


def flatten_direct(settings: "Settings", *, as_json: bool) -> int:
    """End the engine and flatten from its last state in this process."""
    report = api_flatten_direct(settings, lambda text: print_line(text, err=True))
    flat = report.exit_code == 0 and not report.positions and not report.open_orders
    left = [*report.open_orders, *report.positions]
    if as_json:
        print_facts({"flat": flat, "residual": left, "text": report.text})
    else:
        print_line("FLAT" if flat else f"NOT FLAT ({report.text}), left: " + ("; ".join(left) or "unknown"))
    return 0 if flat else NOT_FLAT


# words


def _tell(reply: CommandReply, *, as_json: bool) -> int:
    if as_json:
        print_facts(msgspec.to_builtins(reply))
    else:
        print_line(reply.text, err=not reply.ok)
    return 0 if reply.ok else REFUSED


def print_facts(facts: object) -> None:
    """Print one JSON object."""
    sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")


def print_line(text: str, *, err: bool = False) -> None:
    """Print text, to stderr where it says why something was not done; a terminal obeys nothing of it."""
    stream = sys.stderr if err else sys.stdout
    stream.write(folded(clean_lines(text), stream) + "\n")
    stream.flush()
