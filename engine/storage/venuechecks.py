"""Which venues passed the order cases, and with which versions: what unlocks them for orders."""

from importlib.metadata import version
from pathlib import Path

import msgspec

from engine.domain.errors import StorageError
from engine.storage.atomic import make_directory, write_whole

FOLDER = ".venues"  # no instance can be named so
CCXT = "ccxt"


class CheckedCase(msgspec.Struct, frozen=True):
    """One order case and how it ended."""

    number: str
    verdict: str
    text: str = ""


class VenueCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the order cases: where, when (ns UTC), with what, and how they ended."""

    venue: str
    site: str
    at: int
    ccxt: str
    adapter: int
    passed: bool
    cases: tuple[CheckedCase, ...]


def ccxt_version() -> str:
    """Return the installed version of ccxt, without the second that importing it takes."""
    return version(CCXT)


def check_path(root: Path, venue: str) -> Path:
    """Return the file of a venue's last check; it need not exist."""
    return root / FOLDER / f"{venue}.json"


def save_check(root: Path, check: VenueCheck) -> Path:
    """Keep a check; it takes the place of the venue's last one. Raises StorageError."""
    path = check_path(root, check.venue)
    try:
        make_directory(path.parent)
        write_whole(path, msgspec.json.format(msgspec.json.encode(check), indent=2))
    except OSError as error:
        raise StorageError(f"{path}: the check could not be kept: {error.strerror}") from error
    return path


def why_locked(root: Path, venue: str, adapter: int) -> str:
    """Return why a venue is there for data only, empty where its order cases passed with these versions."""
    path = check_path(root, venue)
    try:
        check = msgspec.json.decode(path.read_bytes(), type=VenueCheck)
    except FileNotFoundError:
        return "its order cases were never run here"
    except (OSError, msgspec.DecodeError) as error:
        return f"the result of its order cases cannot be read: {error}"
    if not check.passed:
        return f"{sum(case.verdict == 'fail' for case in check.cases)} of its order cases failed"
    if check.ccxt != ccxt_version():
        return f"its order cases passed with ccxt {check.ccxt}, and {ccxt_version()} is installed"
    if check.adapter != adapter:
        return "its order cases passed with another version of the adapter"
    return ""
