"""`trader-tui doctor` as the command line declares it, and how its findings are printed."""

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tui.flags import RUN_FLAGS, load
from tui.options import instance_options, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import Check

FAILED = 4
_WORDS = {"ok": "ok", "warn": "WARN", "fail": "FAIL", "skipped": "-"}


@click.command()
@click.option("--mode", metavar="MODE", help="The mode that is to be started (default: paper).")
@click.option("--play", "plays", multiple=True, metavar="FILE", help="A play that is to run (repeatable).")
@click.option("--venue", metavar="NAME", help="The venue that is to be traded on.")
@click.option("--profile", metavar="NAME", help="A named set of settings.")
@instance_options
@click.option("--offline", is_flag=True, help="Do not ask the venue.")
@json_option
def doctor(*, offline: bool, as_json: bool, **options: Any) -> None:
    """Look at everything an engine needs before it matters.

    Settings and plays, clock, disk, permissions, other engines, and for demo and live the account's keys and
    what the venue says of them. Changes nothing. Exit code 4 where a check failed.
    """
    sys.exit(examine_and_tell(options, offline=offline, as_json=as_json))


def examine_and_tell(options: dict[str, Any], *, offline: bool, as_json: bool) -> int:
    """Print what was found; return the exit code."""
    from engine.api import examine

    checks = examine(load(options, RUN_FLAGS), offline=offline)
    ok = all(check.verdict != "fail" for check in checks)
    if as_json:
        facts = {"ok": ok, "checks": checks}
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    else:
        sys.stdout.write("\n".join(lines_of(checks)) + "\n")
    return 0 if ok else FAILED


def lines_of(checks: "Sequence[Check]") -> list[str]:
    """Return what people read: a line a check, and what to do under those that are not well."""
    lines = []
    for check in checks:
        lines.append(f"{_WORDS[check.verdict]:<5} {check.name:<12} {check.text}")
        if check.remedy and check.verdict in ("fail", "warn"):
            lines.append(f"{'':<19}{check.remedy}.")
    bad = sum(check.verdict == "fail" for check in checks)
    lines.append(f"{bad} of {len(checks)} checks failed" if bad else f"{len(checks)} checks, none failed")
    return lines
