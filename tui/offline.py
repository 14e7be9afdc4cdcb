"""Commands that need no running engine: backtest and verify."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from engine.api import ConfigError, run_backtest, state_directory, verify_session

if TYPE_CHECKING:
    from engine.api import Settings

DIFFERENT = 4


def backtest(settings: "Settings", *, as_json: bool) -> int:
    """Run a backtest and print its result."""
    result = run_backtest(settings)
    if as_json:
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        return 0
    width = max(len(name) for name in result.__struct_fields__)
    for name in result.__struct_fields__:
        value = getattr(result, name)
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        sys.stdout.write(f"{name.ljust(width)}  {text}\n")
    return 0


def verify(settings: "Settings", session: str, *, as_json: bool) -> int:
    """Re-run a session and print whether every decision is the same."""
    verdict = verify_session(_session_directory(settings, session))
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


def _session_directory(settings: "Settings", session: str) -> Path:
    """Find a session by its folder, its name, or `last`."""
    path = Path(session)
    if path.is_dir():
        return path
    records = state_directory(settings) / "records"
    known = sorted(folder.name for folder in records.iterdir() if folder.is_dir()) if records.is_dir() else []
    if session == "last" and known:
        return records / known[-1]
    if session in known:
        return records / session
    listed = ", ".join(known[-5:]) or "none"
    raise ConfigError(f"there is no session {session!r} in {records}; the newest there: {listed}")
