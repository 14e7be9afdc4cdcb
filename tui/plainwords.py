"""What may be typed in `--plain`: a word a line, as the commands of the shell are called."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from engine.api import Action, CommandReply, Link, OnStop, RiskMode, Snapshot, TraderError
from tui.formats import clean

READ_BYTES = 4096
LINE_MAX = 1_000  # characters; a longer line is nobody's typing

HELP = """\
arm NAME [REASON]   let plays open positions; NAME is asked for so that nobody arms by mistake
disarm              no new positions; exits and protection go on
pause, resume       hold entries back for a while
mode normal|reduce|observe [REASON]
flatten             kill-switch: cancel our orders, close our positions, verify, halt. At once
quiet               quiet the alarms
stop [cancel_entries|keep|flatten]   shut the engine down
quit                leave; the engine goes on
close, cancel, promote, rollback, limits, status, why, handover: `trader-tui WORD --help` in a shell"""


class Wish(msgspec.Struct, frozen=True):
    """A command to the engine."""

    action: Action
    argument: str = ""
    reason: str = ""


class Said(msgspec.Struct, frozen=True):
    """What the console itself answers to a line; `leaves` ends it."""

    text: str
    leaves: bool = False


SINGLE = {
    "disarm": Action.DISARM,
    "pause": Action.PAUSE,
    "resume": Action.RESUME,
    "flatten": Action.FLATTEN,
}

# what says first what it would do, or tells a page
IN_A_SHELL = frozenset(
    {"close", "cancel", "promote", "rollback", "limits", "resolve", "status", "why", "handover"}
)


def understood(line: str) -> Wish | Said:
    """Return what a typed line asks for; words that are not known are answered with those that are."""
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    match word.lower():
        case "arm":
            name, _, reason = rest.partition(" ")
            return Wish(Action.ARM, name, reason.strip()) if name else Said("arm what? Type: arm NAME")
        case "mode":
            mode, _, reason = rest.partition(" ")
            if mode in set(RiskMode):
                return Wish(Action.RISK_MODE, mode, reason.strip())
            return Said(f"which mode? Type: mode {' | mode '.join(RiskMode)}")
        case "stop":
            if rest and rest not in set(OnStop):
                return Said(f"stop how? Type: stop {' | stop '.join(OnStop)}")
            return Wish(Action.STOP, rest, "stop")
        case "quiet":
            return Wish(Action.ACKNOWLEDGE)
        case "quit" | "exit" | "detach":
            return Said("the engine goes on; `trader-tui stop` ends it", leaves=True)
        case "help" | "?":
            return Said(HELP)
        case elsewhere if elsewhere in IN_A_SHELL:
            return Said(
                f"{elsewhere} is not done here: `trader-tui {elsewhere} --help` in a shell tells how."
            )
        case single if single in SINGLE and not rest:
            return Wish(SINGLE[single])
        case _:
            return Said(f"{clean(line.strip()[:40])!r} is not known here. Type help.")


async def obey(link: Link, wish: Wish, latest: Snapshot | None) -> list[str]:
    """Send what was asked for; return the answers in words."""
    wishes = [wish]
    if wish.action is Action.ACKNOWLEDGE:
        loud = [alarm.id for alarm in (latest.alarms if latest else ()) if not alarm.acknowledged]
        wishes = [Wish(Action.ACKNOWLEDGE, name) for name in loud]
    answers = [await _answer(link, one) for one in wishes]
    return answers or ["there is no alarm to quiet"]


async def _answer(link: Link, wish: Wish) -> str:
    title = wish.action.value.replace("_", " ")
    try:
        reply = await link.command(wish.action, reason=wish.reason, argument=wish.argument)
    except (TraderError, OSError) as error:
        return f"{title}: no answer, {error}; it may still take effect, `trader-tui {wish.action}` asks again"
    return _words(title, reply)


def _words(title: str, reply: CommandReply) -> str:
    from tui.operator import refusal_words  # noqa: PLC0415 - only refusals need the table of reasons

    return (reply.text or f"{title}: done") if reply.ok else f"{title} REFUSED: {refusal_words(reply)}"


def listen(take: Callable[[str], None], fd: int = 0) -> None:
    """Hand over every line that is typed or piped in, from a thread of its own; its end is no event.

    A terminal of which this process does not have the foreground is left alone: reading would stop it.
    """
    if _may_read(fd):
        threading.Thread(target=_read_lines, args=(take, fd), name="typed lines", daemon=True).start()


def _may_read(fd: int) -> bool:
    try:
        return not os.isatty(fd) or os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return False


def _read_lines(take: Callable[[str], None], fd: int) -> None:
    """Read with the system's own call: an interpreter that ends must not wait for a lock of a buffer."""
    pending = b""
    with suppress(OSError):
        while data := os.read(fd, READ_BYTES):
            *lines, pending = (pending + data).split(b"\n")
            pending = pending[-LINE_MAX:]
            for line in lines:
                text = line[:LINE_MAX].decode(sys.getfilesystemencoding(), "replace").strip()
                if text:
                    take(text)
