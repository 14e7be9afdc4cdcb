"""Two files that only grow: backtests on record, and who accepted which version of a play for live.

Each line of the second holds the sha256 of all before it: a line that was changed or taken out shows.
"""

import hashlib
import os
from pathlib import Path

import msgspec

from engine.domain.errors import StorageError
from engine.domain.play import PlaySpec
from engine.risk.promotion import Backtested, Evidence
from engine.storage.atomic import make_directory, sync_directory, write_whole
from engine.storage.failures import os_failure

FOLDER = ".plays"  # no instance can be named so
BACKTESTS, APPROVALS = "backtests.jsonl", "approvals.jsonl"
BACKTESTS_BYTES_MAX = 4_194_304  # of them the newer half is kept


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Who (`actor`) accepted which version for live, when (ns UTC), why and on which evidence."""

    at: int
    actor: str
    reason: str
    play: str
    hash: str
    spec: PlaySpec
    evidence: Evidence
    chain: str  # the sha256 of the lines before


def approvals_path(root: Path) -> Path:
    """Return the file of approvals; it need not exist."""
    return root / FOLDER / APPROVALS


def keep_backtest(root: Path, backtest: Backtested) -> None:
    """Put a backtest on record. Raises StorageError."""
    path = root / FOLDER / BACKTESTS
    _append(path, msgspec.json.encode(backtest))
    if path.stat().st_size > BACKTESTS_BYTES_MAX:
        lines = path.read_bytes().splitlines(keepends=True)
        write_whole(path, b"".join(lines[len(lines) // 2 :]))


def kept_backtests(root: Path) -> tuple[Backtested, ...]:
    """Return the backtests on record, oldest first; a line that cannot be read is none."""
    found = []
    for line in _lines(root / FOLDER / BACKTESTS):
        try:
            found.append(msgspec.json.decode(line, type=Backtested))
        except msgspec.DecodeError:
            continue  # torn by a crash, or of another release
    return tuple(found)


def approve(root: Path, approval: Approval) -> Approval:
    """Put an approval on record, chained to those before. Raises StorageError."""
    path = approvals_path(root)
    approvals(root)
    chain = hashlib.sha256(b"".join(line + b"\n" for line in _lines(path))).hexdigest()
    chained = msgspec.structs.replace(approval, chain=chain)
    _append(path, msgspec.json.encode(chained))
    return chained


def approvals(root: Path) -> tuple[Approval, ...]:
    """Return the approvals on record, oldest first. Raises StorageError where one was changed."""
    path = approvals_path(root)
    seen = hashlib.sha256()
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            approval = msgspec.json.decode(line, type=Approval)
        except msgspec.DecodeError as error:
            raise StorageError(
                f"{path}:{number}: this line is no approval ({error}); nothing is approved."
            ) from None
        if approval.chain != seen.hexdigest():
            raise StorageError(
                f"{path}:{number}: a line before this one was changed or taken out; nothing is approved. "
                "Move the file away and promote again."
            )
        seen.update(line + b"\n")
        found.append(approval)
    return tuple(found)


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise os_failure(path, "read", error) from error


def _append(path: Path, line: bytes) -> None:
    """Add a line durably; one write, so that two programs at once do not mix theirs."""
    try:
        make_directory(path.parent)
        is_new = not path.exists()
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(path.parent)
    except OSError as error:
        raise os_failure(path, "add a line", error) from error
