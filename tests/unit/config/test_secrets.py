"""Keys never show: not printed, not logged, not in an error, not from a file that others can read."""

import copy
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.config.secrets import HIDDEN, Credentials, Redactor, Secret, load_credentials
from engine.domain.errors import ConfigError

KEY, PASSWORD = "k3y-of-the-venue", "pa55-of-the-venue"
ENV = {"BYBIT_API_KEY": KEY, "BYBIT_API_SECRET": PASSWORD}


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "keys.yaml"
    file.write_text(f"bybit:\n  api_key: {KEY}\n  api_secret: {PASSWORD}\n  passphrase: third\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize("shown", [repr, str, "{}".format, "%s".__mod__])
def test_a_secret_does_not_show_itself(shown):
    assert KEY not in shown(Secret(KEY))
    assert KEY not in shown([Credentials(Secret(KEY), Secret(PASSWORD))])


def test_a_secret_is_compared_but_not_pickled():
    assert Secret(KEY) == Secret(KEY)
    assert Secret(KEY) != Secret(PASSWORD)
    assert Secret(KEY) != KEY
    assert len({Secret(KEY), Secret(KEY)}) == 1
    assert Secret(KEY)
    assert not Secret("")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Secret(KEY))
    with pytest.raises(TypeError):
        copy.copy(Secret(KEY))


def test_the_environment_comes_first(key_file):
    found = load_credentials("bybit", key_file, ENV | {"BYBIT_API_PASSPHRASE": "p"})
    assert (found.api_key.reveal(), found.api_secret.reveal(), found.passphrase.reveal()) == (
        KEY,
        PASSWORD,
        "p",
    )


def test_the_file_is_read_where_the_environment_is_silent(key_file):
    found = load_credentials("bybit", key_file, {})
    assert (found.api_key.reveal(), found.passphrase.reveal()) == (KEY, "third")


def test_the_process_environment_is_the_default(key_file, monkeypatch):
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    assert load_credentials("bybit", key_file).api_key == Secret(KEY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_credentials("bybit", key_file, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not complete"),
        ("other: {}", "not complete"),
        ("bybit: {api_key: x}", "not complete"),
        (f"bybit: {{api_key: [{KEY}]}}", "takes api_key, api_secret, passphrase"),
        ("bybit: {api_key: 123456789}", "quoted"),
        (f"bybit: {{api_key: x, key: {KEY}}}", "takes api_key"),
        (f"bybit: [{KEY}", "not YAML"),
        (f"bybit: !!int {KEY}", "not YAML"),
        (f"bybit: {KEY}", "takes api_key"),
    ],
)
def test_a_broken_key_file_is_refused_without_showing_a_key(key_file, text, words):
    key_file.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_credentials("bybit", key_file, {})
    assert KEY not in str(caught.value)
    assert str(key_file) in str(caught.value)


def test_bytes_that_are_no_text_are_refused(key_file):
    key_file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not YAML"):
        load_credentials("bybit", key_file, {})


def test_missing_keys_name_the_variables_and_the_file(tmp_path):
    with pytest.raises(ConfigError, match=r"BYBIT_API_SECRET, or write .* in .*keys\.yaml"):
        load_credentials("bybit", tmp_path / "keys.yaml", {})
    with pytest.raises(ConfigError, match="not complete: set BYBIT_API_KEY and BYBIT_API_SECRET"):
        load_credentials("bybit", tmp_path / "keys.yaml", {"BYBIT_API_KEY": "half"})


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_credentials("bybit", tmp_path, {})


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /v5?api_key=abc&side=Buy", f"GET /v5?api_key={HIDDEN}&side=Buy"),
        ('{"apiSecret": "abc", "qty": 1}', f'{{"apiSecret": "{HIDDEN}", "qty": 1}}'),
        ("Authorization: Bearer abcdefgh", f"Authorization: Bearer {HIDDEN}"),
        ("sent bearer abcdefgh1234", f"sent bearer {HIDDEN}"),
        ("wss://me:pass@venue/x", f"wss://me:{HIDDEN}@venue/x"),
        ("token=a b", f"token={HIDDEN} b"),
        ("key AbCdEfGhIjKlMnOpQrStUvWxYz012345 end", f"key {HIDDEN} end"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nx", f"{HIDDEN}\nx"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc", HIDDEN),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, clean):
    assert Redactor().text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bffdd000000000000abcd",
        "tt0t5k3p1defacanae0000042",
        "canary@1700000000000 LADDER holder=disarmed",
        "~/.local/state/trader-tui/default/engine.log",
        "order 12:30:05 filled: 0.001 BTCUSDT at 61234.7",
        "https://venue.example/v5/order?symbol=BTCUSDT",
    ],
)
def test_what_traders_read_stays(text):
    assert Redactor([Secret("")]).text(text) == text


def test_secrets_are_hidden_at_any_depth():
    value = {
        "outer": [{"api_key": "short", "qty": 1}, ("ok", {PASSWORD})],
        "token": 5,
        "secret": None,
        7: 2.5,
    }
    assert Redactor([Secret(PASSWORD)]).value(value) == {
        "outer": [{"api_key": HIDDEN, "qty": 1}, ["ok", [HIDDEN]]],
        "token": HIDDEN,
        "secret": None,
        "7": 2.5,
    }


def test_other_objects_are_taken_as_their_text():
    assert Redactor([Secret(PASSWORD)]).value(Decimal("1.50")) == "1.50"
    assert Redactor([Secret(PASSWORD)]).value(ValueError(f"bad {PASSWORD}")) == f"bad {HIDDEN}"


@given(st.text(max_size=30), st.text(max_size=30), st.text(min_size=4, max_size=20))
def test_a_known_secret_never_gets_through(before, after, secret):
    if secret not in HIDDEN:
        assert secret not in Redactor([Secret(secret)]).text(f"{before}{secret}{after}").replace(HIDDEN, "\0")
