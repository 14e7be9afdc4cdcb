"""Each account has keys of its own, and nothing opens one with those of the other."""

from pathlib import Path

import pytest

from engine.config.keys import LOCAL_KEYS, account_name, find_keys

REAL = {"BYBIT_API_KEY": "real", "BYBIT_API_SECRET": "s1"}
DEMO = {"BYBIT_DEMO_API_KEY": "demo", "BYBIT_DEMO_API_SECRET": "s2"}
NOWHERE = Path("/nonexistent/keys.yaml")


def test_real_and_demo_money_are_filed_apart():
    assert account_name("bybit", real_money=True) == "bybit"
    assert account_name("bybit", real_money=False) == "bybit-demo"


@pytest.mark.parametrize(("real_money", "env", "key"), [(True, REAL, "real"), (False, DEMO, "demo")])
def test_an_account_takes_its_own_keys(real_money, env, key):
    found = find_keys("bybit", NOWHERE, real_money=real_money, env=env)
    assert found.credentials is not None
    assert (found.credentials.api_key.reveal(), found.flaw, found.shared) == (key, "", False)


@pytest.mark.parametrize(("real_money", "env", "name"), [(True, DEMO, "BYBIT"), (False, REAL, "BYBIT_DEMO")])
def test_the_keys_of_the_other_account_are_no_keys(real_money, env, name):
    found = find_keys("bybit", NOWHERE, real_money=real_money, env=env)
    assert found.credentials is None
    assert f"set {name}_API_KEY and {name}_API_SECRET" in found.flaw


def test_the_same_keys_for_both_accounts_are_told():
    env = REAL | {"BYBIT_DEMO_API_KEY": "real", "BYBIT_DEMO_API_SECRET": "s1"}
    for real_money in (True, False):
        assert find_keys("bybit", NOWHERE, real_money=real_money, env=env).shared


def test_both_accounts_stand_in_one_file(tmp_path):
    file = tmp_path / "keys.yaml"
    file.write_text('bybit: {api_key: "r", api_secret: "s"}\nbybit-demo: {api_key: "d", api_secret: "t"}\n')
    file.chmod(0o600)
    found = find_keys("bybit", file, real_money=False, env={})
    assert found.credentials is not None
    assert (found.credentials.api_key.reveal(), found.shared) == ("d", False)


def test_a_file_that_others_can_read_gives_no_keys(tmp_path):
    file = tmp_path / "keys.yaml"
    file.write_text('bybit: {api_key: "r", api_secret: "s"}\n')
    file.chmod(0o644)
    assert "chmod 600" in find_keys("bybit", file, real_money=True, env={}).flaw


def test_the_local_exchange_needs_none():
    assert find_keys("local", NOWHERE, real_money=False, env={}).credentials == LOCAL_KEYS


def test_the_local_exchange_takes_others_where_they_are_given():
    env = {"LOCAL_DEMO_API_KEY": "local-withdraw-key", "LOCAL_DEMO_API_SECRET": "local-secret"}
    found = find_keys("local", NOWHERE, real_money=False, env=env)
    assert found.credentials is not None
    assert found.credentials.api_key.reveal() == "local-withdraw-key"


def test_the_environment_of_the_process_is_the_default(monkeypatch):
    for name, value in REAL.items():
        monkeypatch.setenv(name, value)
    assert find_keys("bybit", NOWHERE, real_money=True).credentials is not None
