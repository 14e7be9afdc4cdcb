"""Write the pages and parts of docs/ that come from the code's own tables.

python docs/generate.py          writes them
python docs/generate.py --check  writes nothing and ends with 1 when one of them is not what the code says

Some pages are written whole. In the others, what stands between `<!-- NAME -->` and `<!-- /NAME -->` is
written, NAME being a block of docs/blocks.py.
"""

import argparse
import re
import sys
from pathlib import Path

import blocks
import conforming
import operating

from engine.config.playschema import schema_text
from engine.domain.orders import OrderState

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/generate.py from the code; edit the code, then run it again. -->"
_MARKED = re.compile(r"<!-- (?P<name>[a-z_]+) -->\n.*?<!-- /(?P=name) -->", re.DOTALL)

REASONS_INTRODUCTION = """\
Whatever was not done carries one of these codes, with the layer that decided, the cycle it belongs to and
the values that mattered. A code is never renamed and never used again for something else."""

EFFECTS_INTRODUCTION = """\
What the engine may do is one ladder of four rungs. Whoever has a reason holds a rung, the lowest rung held
counts, and the status row names rung and holder. A row says what holds while nobody holds a lower rung."""

EFFECTS_NOTES = """\
- *Rest of an entry*: what is left of a partly filled entry. A further entry into a position (`scale_in`) is
  an entry.
- *On fresh data*: a play's exit needs a bar that closed no longer than `stale_after_s` ago. A stop or target
  that rests at the venue needs nothing.
- *Kept up*: after each fill the position's stop and target are brought to its size, on any rung.
- *Starts disarmed*, *still held*: with `run --arm` (replay and paper) an engine that was disarmed starts
  armed. One that is halted stays halted.
- *Its symbol*: the holder holds for one symbol, the others go on.
- While the flatten latch is set (a file, see [files.md](files.md)), an order that would increase exposure is
  refused with `LATCHED`, whatever the rung; arming after a halt removes it. An engine that finds it at its
  start flattens.
- The console asks for what stands under *confirmation*. The command line asks for the name (`--confirm`) and
  for reasons (`--reason`) only, and SIGUSR1 for nothing.
- *Resolve*: for an order that is UNKNOWN, or that the venue was asked about in vain (alarm `unsettled`), once
  you looked there. It ends as REJECTED, or as CANCELED where the venue had it; who said so and why is stored.
  Where it proves alive all the same, that is said, and its fills are booked."""


CONFORMANCE_INTRODUCTION = """\
What every venue must do, as numbered cases with one body that runs on any adapter: in the tests on those of
this table, and with `trader-tui venue check --testnet --venue NAME` on the testnet of a real venue. *-*: the
adapter takes no orders, or has no market of its own. *n/a*: it has nothing of the kind."""

CONFORMANCE_NOTES = """\
*simulated* is the matching engine of paper, backtest and replay with the embedded market, *replay* a played
file, *ccxt on the local exchange* the order adapter over real sockets against `trader-tui venue`.

A venue takes entries where all order cases passed with the installed version of ccxt and of the adapter; the
result is kept in the state folder (`.venues/NAME.json`). Until then it is there for data: an entry is refused
with `VENUE_NOT_CHECKED`, and what reduces is sent all the same. The cases place and fill orders of the
smallest size in an instrument in which the account holds nothing, and close what they open."""


def page(*parts: str) -> str:
    """Join parts into a page."""
    return "\n\n".join([NOTE, *parts]) + "\n"


def reasons_page() -> str:
    """Return docs/reasons.md."""
    return page("# Reason codes", REASONS_INTRODUCTION, blocks.reasons())


def commands_page() -> str:
    """Return docs/commands.md."""
    return page(
        "# Commands and what they do",
        "## Effects",
        EFFECTS_INTRODUCTION,
        operating.effects(),
        EFFECTS_NOTES,
        "## Answers",
        "What the engine answers to a command: the state it moves to, or the code of its refusal (see\n"
        "[reasons.md](reasons.md)). Arming is shown with the right name typed and a reason given.",
        operating.answers(),
        "## Keys",
        "Rebind them in `keymap.yaml` in your config directory (see [setup.md](setup.md)).",
        operating.keys(),
        "## Command line",
        "`trader-tui` alone, or with options only, means `trader-tui run`.\n"
        "Exit codes: 0 done; 1 failed, or nobody answers; 2 wrong use or configuration; 3 another engine\n"
        "holds the instance; 4 refused, not flat or not known to be (`flatten` where no engine runs or\n"
        "answers), or not identical; 128+n ended by signal n.",
        operating.command_line(),
    )


def conformance_page() -> str:
    """Return docs/conformance.md: the cases that every venue must pass."""
    return page("# Conformance", CONFORMANCE_INTRODUCTION, conforming.cases(), CONFORMANCE_NOTES)


def tables_page() -> str:
    """Return docs/architecture/tables.md: the state tables, their diagrams and the ladder."""
    still_trading = ", ".join(state for state in OrderState if state.is_open)
    return page(
        "# State tables",
        "## Orders",
        "A trigger that a row does not list leaves the state as it is: venues repeat and reorder updates.\n"
        f"Still able to trade: {still_trading}.",
        blocks.orders(),
        blocks.orders_diagram(),
        "## Intents",
        "What was to be done at the venue and how it ended. UNKNOWN is ended by the venue's evidence,\n"
        "or by an operator's recorded word (`trader-tui resolve`).",
        blocks.intents(),
        blocks.intents_diagram(),
        "## Flatten",
        blocks.flatten(),
        blocks.flatten_diagram(),
        "## The circuit breaker of a channel",
        "One for each of orders, queries, the private stream and market data. A failure trips it where it\n"
        "fills the window; a success while it is open closes it at the end of its rest.",
        blocks.breaker(),
        blocks.breaker_diagram(),
        "## The operator's phases",
        blocks.operator_diagram(),
        "## The ladder",
        "The lowest rung that anyone holds counts, for everything or for one symbol.",
        blocks.ladder(),
        blocks.holders(),
    )


def filled(text: str) -> str:
    """Return a page with its marked parts written anew. Raises KeyError for a mark that names no block."""

    def written(match: re.Match[str]) -> str:
        name = match["name"]
        return f"<!-- {name} -->\n{blocks.BLOCKS[name]()}\n<!-- /{name} -->"

    return _MARKED.sub(written, text)


def pages() -> dict[Path, str]:
    """Return every generated or marked page by its path."""
    whole = {
        DOCS / "reasons.md": reasons_page(),
        DOCS / "commands.md": commands_page(),
        DOCS / "architecture" / "tables.md": tables_page(),
        DOCS / "conformance.md": conformance_page(),
        DOCS / "play.schema.json": schema_text() + "\n",
    }
    others = [path for path in (*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md") if path not in whole]
    texts = {path: path.read_text("utf-8") for path in others}
    return whole | {path: filled(text) for path, text in texts.items() if _MARKED.search(text)}


def main() -> int:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    written = pages()
    stale = [path for path, text in written.items() if not path.is_file() or path.read_text("utf-8") != text]
    for path in stale:
        if check:
            print(f"{path} is not what the code says; run: python docs/generate.py", file=sys.stderr)
        else:
            path.write_text(written[path], "utf-8")
            print(f"wrote {path}")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
