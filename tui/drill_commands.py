"""`trader-tui drill` as the command line declares it, and how its reports are printed."""

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from tui.options import json_option

if TYPE_CHECKING:
    from tui.drills.promises import Report

BROKEN = 4
ALL = "all"


@click.command()
@click.argument("name", required=False)
@json_option
def drill(name: str | None, *, as_json: bool) -> None:
    """Rehearse a failure: NAME, or `all`; without one they are listed.

    Each drill starts a local exchange and an engine of its own in a scratch folder, lets something go wrong,
    and prints what was promised for it, whether it was kept, and how long it took. Nothing of yours is read
    or touched. Exit code 4 where a promise was broken.
    """
    from tui.drills.catalog import DRILLS, carry_out

    if name is None and as_json:
        listed = [{"drill": each.name, "about": each.about} for each in DRILLS.values()]
        sys.stdout.write(msgspec.json.encode(listed).decode() + "\n")
        return
    if name is None:
        width = max(map(len, DRILLS))
        sys.stdout.write("".join(f"{each.name:<{width}}  {each.about}\n" for each in DRILLS.values()))
        return
    chosen = list(DRILLS.values()) if name == ALL else [DRILLS[name]] if name in DRILLS else []
    if not chosen:
        raise click.UsageError(f"there is no drill {name!r}; there are {', '.join(DRILLS)} and {ALL}")
    reports: list[Report] = []
    for each in chosen:
        if not as_json:
            sys.stdout.write(f"{each.name}: {each.about}\n")
            sys.stdout.flush()
        reports.append(carry_out(each))
        if not as_json:
            sys.stdout.write(text_of(reports[-1]))
    if as_json:
        sys.stdout.write(msgspec.json.encode([report.facts() for report in reports]).decode() + "\n")
    sys.exit(0 if all(report.ok for report in reports) else BROKEN)


def text_of(report: "Report") -> str:
    """Return what people read of one drill."""
    lines = [f"  {line}" for promise in report.promises for line in promise.line.split("\n")]
    if report.error:
        lines.append(f"  it could not be carried through: {report.error}")
    kept = sum(promise.ok for promise in report.promises)
    lines.append(f"  {kept} of {len(report.promises)} promises kept")
    return "\n".join(lines) + "\n"
