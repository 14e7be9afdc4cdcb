"""What needs no running engine: spans of recorded time, and `trader-tui verify`."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from engine.api import ConfigError, recorded_sessions, state_directory, verify_session

if TYPE_CHECKING:
    from engine.api import Settings

DIFFERENT = 4
NS_PER_MS = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MS_MAX = 8_000_000_000_000  # the year 2223: int64 nanoseconds hold it


class Span(msgspec.Struct, frozen=True):
    """A stretch of a tape: from `since` on and before `until`, ns UTC; None leaves an end open."""

    since: int | None = None
    until: int | None = None

    @classmethod
    def of(
        cls, since: str | None, until: str | None, *, names: tuple[str, str] = ("--from", "--to")
    ) -> "Span":
        """Read what was written after --from and --to, or what they are called. Raises ConfigError."""
        span = cls(_moment(names[0], since), _moment(names[1], until))
        if span.since is not None and span.until is not None and span.since >= span.until:
            raise ConfigError(f"it must lie after {names[0]} ({since})", field=names[1])
        return span


def _moment(option: str, text: str | None) -> int | None:
    """Return ns UTC of an ISO date or time (UTC unless it says otherwise), or of milliseconds since 1970."""
    if text is None:
        return None
    if text.isdecimal() and len(text) > len("20200131"):
        at_ms = int(text)
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ConfigError(
                f"{text!r} is no time; write 2020-01-31, 2020-01-31T12:00 (UTC) or milliseconds since 1970",
                field=option,
            ) from None
        since_epoch = (at if at.tzinfo else at.replace(tzinfo=UTC)) - EPOCH
        at_ms = round(since_epoch.total_seconds() * 1000)
    if not 0 <= at_ms <= MS_MAX:
        raise ConfigError(f"{text!r} lies outside of what recorded data can hold", field=option)
    return at_ms * NS_PER_MS


def warn(line: str) -> None:
    """Tell what the result is none the worse for."""
    click.echo(f"trader-tui: {line}", err=True)


def verify(settings: "Settings", session: str, *, as_json: bool) -> int:
    """Re-run a session and print whether every decision is the same."""
    verdict = verify_session(session_directory(settings, session))
    if as_json:
        sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
    else:
        word = "identical" if verdict.identical else "DIFFERENT"
        counts = f"{verdict.events} events, {verdict.decisions} decisions"
        sys.stdout.write(f"{word}: {counts}, fingerprint {verdict.fingerprint}\n")
        for note in (verdict.difference, verdict.torn, "" if verdict.ended else "the session broke off"):
            if note:
                sys.stdout.write(f"  {note}\n")
    return 0 if verdict.identical else DIFFERENT


def session_directory(settings: "Settings", session: str) -> Path:
    """Find a session by its folder, its name, or `last`."""
    path = Path(session)
    if path.is_dir():
        return path
    known = {folder.name: folder for folder in recorded_sessions(settings)}
    if session == "last" and known:
        return next(reversed(known.values()))
    if session in known:
        return known[session]
    listed = ", ".join([*known][-5:]) or "none"
    raise ConfigError(
        f"there is no session {session!r} in {state_directory(settings)}; the newest there: {listed}"
    )
