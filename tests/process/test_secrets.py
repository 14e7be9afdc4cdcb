"""No key shows anywhere: not in outputs, logs, records, databases, snapshots or process arguments."""

import gzip
import json
import zlib
from pathlib import Path

import psutil
import pytest

from tests.process.harness import finish

pytestmark = pytest.mark.process

KEY, SECRET, PHRASE = "Kq7-the-key-of-ours", "Sx9-the-secret-of-ours", "Pz3-the-phrase-of-ours"
SECRETS = (KEY, SECRET, PHRASE)
ENV = {
    f"{account}_API_{name}": value
    for account in ("BYBIT", "BYBIT_DEMO", "LOCAL_DEMO")
    for name, value in (("KEY", KEY), ("SECRET", SECRET), ("PASSPHRASE", PHRASE))
}
LIVE = ("--mode", "live", "--confirm", "--venue", "bybit", "--play", "canary")


def shown_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def folders_show(root: Path) -> list[str]:
    """Return every file below a folder that holds a secret, compressed segments read as what they hold."""
    return [
        f"{path}: {secret}"
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
        for secret in SECRETS
        if any(secret.encode() in data for data in _readings(path.read_bytes()))
    ]


def _readings(data: bytes) -> list[bytes]:
    """Return a file's bytes, and what is compressed in them."""
    found = [data]
    for offset in range(len(data) - 2):
        if data[offset : offset + 2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
            try:
                found.append(zlib.decompressobj().decompress(data[offset:]))
            except zlib.error:
                continue
    if data[:2] == b"\x1f\x8b":
        found.append(gzip.decompress(data))
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("doctor", "--offline"),
        ("doctor", "--offline", "--json", *LIVE[:2], *LIVE[3:5]),
        ("run", "--headless", *LIVE),
        ("run", "--headless", "--json", "--mode", "demo", "--venue", "bybit", "--play", "canary"),
        ("run", "--plain", *LIVE),
    ],
)
def test_commands_that_have_keys_do_not_show_them(house, words):
    done = house.run(*words, env=ENV | {"CONFIRM_LIVE_TRADING": "no"})
    assert shown_in(done.out + done.err) == []
    assert folders_show(house.root) == []


def test_keys_in_a_file_do_not_show_either(house):
    file = house.root / "keys.yaml"
    file.write_text(f'bybit: {{api_key: "{KEY}", api_secret: {SECRET}: broken\n')
    file.chmod(0o600)
    done = house.run("doctor", "--offline", *LIVE[:2], *LIVE[3:5], env={"TRADER_TUI_KEYS_FILE": str(file)})
    assert done.code == 4
    assert "the key file is not YAML" in done.out
    assert shown_in(done.out + done.err) == []


def test_an_engine_that_runs_with_keys_in_its_environment_does_not_show_them(house):
    engine = house.engine(env=ENV)
    arguments = [
        " ".join(process.cmdline()) for process in psutil.Process(engine.pid).children(recursive=True)
    ]
    arguments += psutil.Process(engine.pid).cmdline()
    told = house.run("status", "--json"), house.run("status"), house.run("stop")
    done = finish(engine)
    outputs = "".join(each.out + each.err for each in (*told, done))
    assert shown_in(" ".join(arguments)) == []
    assert shown_in(outputs) == []
    assert folders_show(house.root) == []


@pytest.fixture
def exchange(house):
    """The local exchange in a process of its own; return the environment that leads to it."""
    process = house.start("venue", "--port", "0", "--json")
    facts = json.loads(process.stdout.readline())
    return {"TRADER_TUI_LOCAL__PORT": str(facts["port"])}


ON_LOCAL = ("--mode", "demo", "--venue", "local", "--symbol", "BTCUSDT", "--play", "canary")


def test_keys_that_a_venue_refuses_do_not_show(house, exchange):
    done = house.run("run", "--headless", *ON_LOCAL, env=ENV | exchange)
    assert done.code == 2
    assert "local refuses the keys" in done.err
    assert "are they those of a demo account?" in done.err
    told = house.run("doctor", "--mode", "demo", "--venue", "local", env=ENV | exchange)
    assert told.code == 4
    assert shown_in(done.out + done.err + told.out + told.err) == []
    assert folders_show(house.root) == []


def test_an_account_that_is_traded_on_does_not_show_its_keys(house, exchange, monkeypatch):
    monkeypatch.setattr("tests.process.test_secrets.SECRETS", ("local-secret", "local-key"))
    engine = house.engine(*ON_LOCAL, env=exchange)
    arguments = psutil.Process(engine.pid).cmdline()
    told = house.run("status", "--json"), house.run("status"), house.run("stop", timeout_s=60)
    done = finish(engine)
    assert json.loads(told[0].out)["venue"]["name"]
    assert shown_in(" ".join(arguments)) == []
    assert shown_in("".join(each.out + each.err for each in (*told, done))) == []
    assert folders_show(house.state_dir) == []


def test_the_reading_finds_what_is_compressed(tmp_path):
    (tmp_path / "segment").write_bytes(b"head" + zlib.compress(SECRET.encode()))
    assert folders_show(tmp_path) == [f"{tmp_path / 'segment'}: {SECRET}"]
