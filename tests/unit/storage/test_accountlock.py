"""The lock of an account: one engine at a time, found by the key and without keeping it."""

import os
import socket
from pathlib import Path

import pytest

from engine.domain.errors import LockHeldError
from engine.storage.accountlock import account_folder, account_lock
from engine.storage.elsewhere import instance_folders

KEY = "AbCdEf0123456789xy"
NOW = 1_760_000_000_000_000_000


def test_a_second_engine_on_an_account_is_told_who_has_the_first(tmp_path):
    first = account_lock(tmp_path, "bybit live", KEY)
    first.acquire("day", NOW)
    with pytest.raises(LockHeldError) as refused:
        account_lock(tmp_path, "bybit live", KEY).acquire("night", NOW)
    message = str(refused.value)
    assert message.startswith("bybit live: this account is traded by ")
    assert f"pid {os.getpid()} on {socket.gethostname()} since 2025-10-09" in message
    assert "(instance 'day')" in message
    assert "sub-account" in message
    assert refused.value.exit_code == 3
    first.release()
    account_lock(tmp_path, "bybit live", KEY).acquire("night", NOW)


@pytest.mark.parametrize(
    ("account", "key"), [("bybit demo", KEY), ("okx live", KEY), ("bybit live", "other")]
)
def test_other_accounts_are_free(tmp_path, account, key):
    held = account_lock(tmp_path, "bybit live", KEY)
    held.acquire("day", NOW)
    account_lock(tmp_path, account, key).acquire("night", NOW)


def test_the_key_is_in_no_name_and_in_no_file(tmp_path):
    lock = account_lock(tmp_path, "bybit live", KEY)
    lock.acquire("day", NOW)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 2
    for path in written:
        assert KEY not in str(path)
        assert KEY.encode() not in path.read_bytes()


def test_the_hash_is_salted_with_the_place_of_the_account(tmp_path):
    codes = {account_folder(tmp_path, place, KEY).name for place in ("bybit live", "bybit demo", "okx live")}
    assert len(codes) == 3


def test_the_folder_of_accounts_is_no_instance(tmp_path):
    account_lock(tmp_path, "bybit live", KEY).acquire("day", NOW)
    (tmp_path / "day").mkdir()
    assert instance_folders(tmp_path) == (Path(tmp_path / "day"),)
