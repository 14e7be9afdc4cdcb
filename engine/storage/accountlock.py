"""One engine for each account: a lock in the usual place of instances, named by a hash of the account's key.

Two engines on one account size their orders by the same money and count their losses apart. The key itself
is kept nowhere: its hash is salted with venue and site, so that the names of one say nothing of another. The
salt is no secret file that could be lost while an engine runs; what guards a key is that nobody guesses it.
"""

import hashlib
from pathlib import Path

from engine.storage.lock import InstanceLock

FOLDER = ".accounts"  # no instance's name begins with a point
_CODE_BYTES = 12


def account_folder(root: Path, account: str, key: str) -> Path:
    """Return the folder of an account's lock; `account` names venue and site, `key` is the account's key."""
    salt = hashlib.sha256(f"account of {account}".encode()).digest()[: hashlib.blake2b.SALT_SIZE]
    code = hashlib.blake2b(key.encode(), digest_size=_CODE_BYTES, salt=salt, person=b"trader-tui").hexdigest()
    return root / FOLDER / code


def account_lock(root: Path, account: str, key: str) -> InstanceLock:
    """Return the lock of an account, not taken yet; LockHeldError names who has it."""

    def refused(_: Path, who: str) -> str:
        return (
            f"{account}: this account is traded by {who}. One engine trades an account: give your plays to "
            "that one, end it with `trader-tui stop` (with its --instance or --state-dir), or use the keys "
            "of a sub-account."
        )

    return InstanceLock(account_folder(root, account, key), refused)
