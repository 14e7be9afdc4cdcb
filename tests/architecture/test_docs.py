"""The docs that come from the code are what the code says, and what the others show works as shown."""

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import click
import pytest

from engine.api import COMMANDS_COLUMNS, COMMANDS_TABLE, Action, RowKind
from engine.config.packaged import data_path
from engine.config.plays import parse_play
from engine.core.commands_table import HOLDER_ABOUT, SYMBOL_HOLDERS
from engine.domain.errors import ConfigError
from engine.domain.modes import HOLDERS, Holder, Rung
from engine.domain.play import SizingKind
from engine.strategy.expression import parse_rule
from engine.venues.instruments import InstrumentFile, read_instrument_file
from tests.architecture.source import ROOT
from tui.cli import cli

DOCS = ROOT / "docs"
PAGES = sorted(chain(DOCS.rglob("*.md"), ROOT.glob("*.md")))
_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
_YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_NAMED = re.compile(r"(?:`|^)trader-tui ([a-z]+)\b", re.MULTILINE)
_CALL = re.compile(r"trader-tui((?: [^\s`|\]#]+)*)")


def test_generated_pages_are_current():
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "adr"
    listed = (folder / "README.md").read_text("utf-8")
    decisions = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for name in decisions if f"]({name})" not in listed] == []
    assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))


def test_pinned_versions_name_no_index():
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        name, equals, version = line.partition("==")
        assert name, line
        assert equals, line
        assert version, line
        assert "/" not in line, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    links = _LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_in_the_docs_exist(page: Path):
    text = page.read_text("utf-8")
    calls = [match[1].split() for match in _CALL.finditer(text) if match[1]]
    assert [words for words in calls if _unknown(words)] == []
    assert set(_NAMED.findall(text)) <= set(cli.commands)


def _unknown(words: list[str]) -> str:
    """Return the first option that the command line does not know, empty where it knows them."""
    group: click.Group = cli
    for at, word in enumerate(words):
        command = group.commands.get(word.strip("`.,;:)"))
        if command is None and group is not cli:
            return _unknown_option(group, words[at:])  # a group that does something by itself
        if not isinstance(command, click.Group):
            return _unknown_option(command or cli.commands["run"], words[at:])
        group = command
    return ""


def _unknown_option(command: click.Command, words: list[str]) -> str:
    known = {flag for option in command.params for flag in option.opts} | {"--help", "--version"}
    flags = [word.strip("`.,;:)[]") for word in words if word.startswith(("--", "[--"))]
    return next((flag for flag in flags if flag not in known), "")


REST_OF_A_PLAY = """\
name: part
size: {notional: 1}
long: {enter: close > open}
short: {enter: close < open}
"""


def test_the_plays_in_the_docs_are_plays():
    blocks = _YAML.findall((DOCS / "plays.md").read_text("utf-8"))
    written = [block if block.startswith("name:") else REST_OF_A_PLAY + block for block in blocks]
    names = [parse_play(text, "plays.md").name for text in written]
    assert [name for name in names if name != "part"] == [
        "rsi_pullback",
        "both_sides",
        "two_timeframes",
        "cheap_leg",
    ]
    assert names.count("part") == 5, "entry, exits, further entries and their sides, protections"


def test_the_sizes_in_the_docs_are_sizes():
    text = (DOCS / "plays.md").read_text("utf-8").partition("## Sizes")[2].partition("##")[0]
    sizes = re.findall(r"^\| `(\{.*?\})`", text, re.MULTILINE)
    rest = REST_OF_A_PLAY + "stop_loss: {percent: 1}\n"
    kinds = {parse_play(rest.replace("{notional: 1}", size), "plays.md").sizing.kind for size in sizes}
    assert kinds == set(SizingKind)


def test_the_rules_in_the_docs_can_be_parsed():
    operators = (" crosses_above ", " crosses_below ", " > ", " < ")
    codes = _CODE.findall((DOCS / "plays.md").read_text("utf-8"))
    rules = [
        code for code in codes if any(word in code for word in operators) and not code.startswith(("a ", "<"))
    ]
    assert len(rules) > 2
    for rule in rules:
        parse_rule(rule)


def test_the_instrument_file_in_the_docs_holds_every_key(tmp_path):
    (block,) = _YAML.findall((DOCS / "files.md").read_text("utf-8"))
    file = tmp_path / "x.instrument.yaml"
    file.write_text(block, "utf-8")
    assert set(read_instrument_file(file).model_fields_set) == set(InstrumentFile.model_fields)


def test_the_commands_table_agrees_with_the_ladder():
    held = {row.takes[0]: row for row in COMMANDS_TABLE if row.kind is RowKind.HOLDER}
    assert {holder: row.rung for holder, row in held.items()} == {h: HOLDERS[h].rung for h in Holder}
    for row in COMMANDS_TABLE:
        if row.kind is RowKind.COMMAND:
            assert row.rung is min((HOLDERS[holder].rung for holder in row.takes), default=Rung.FULL)
            assert not set(row.takes) & set(row.frees)
        assert len(row.cells) == len(COMMANDS_COLUMNS)
    assert {h for h, row in held.items() if row.symbol_only} == SYMBOL_HOLDERS
    assert set(HOLDER_ABOUT) == set(Holder)


def test_every_command_has_its_rows():
    rows = {(row.action, row.argument) for row in COMMANDS_TABLE if row.kind is RowKind.COMMAND}
    assert {action for action, _ in rows} == set(Action) - {Action.ACKNOWLEDGE}
    assert len(rows) == sum(row.kind is RowKind.COMMAND for row in COMMANDS_TABLE)


@pytest.mark.parametrize("name", sorted(path.stem for path in data_path("configs/plays").glob("*.yaml")))
def test_shipped_plays_are_named_in_the_docs(name: str):
    assert data_path(f"configs/plays/{name}.yaml").is_file()
    assert f"`{name}`" in (DOCS / "plays.md").read_text("utf-8")


def test_the_error_shown_in_the_docs_is_the_one_that_is_given():
    text = (
        "name: x\nsize: {notional: 1}\nlong:\n  enter: ema(12) croses_above ema(26)\nstop_los: {percent: 2}\n"
    )
    with pytest.raises(ConfigError) as caught:
        parse_play(text, "my_play.yaml")
    shown = (DOCS / "plays.md").read_text("utf-8")
    assert str(caught.value).splitlines()[0] in shown
