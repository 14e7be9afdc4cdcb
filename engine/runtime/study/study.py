"""A backtest with its report: the run, its figures, its trades and equity, and where it comes from."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from engine.config.settings import Settings
from engine.runtime.backtest import run_backtest
from engine.runtime.report import RunReport
from engine.runtime.study.caveats import caveats
from engine.runtime.study.curve import Curve, curve, days, moments
from engine.runtime.study.figures import Figures, Month, figures, months
from engine.runtime.study.origin import Origin, origin
from engine.runtime.study.recorder import Recorder
from engine.runtime.study.roundtrips import RoundTrip


class Study(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a run. Trades stand by their end; those that the data left open come last."""

    run: RunReport
    figures: Figures
    months: list[Month]
    origin: Origin
    trades: list[RoundTrip]
    curve: Curve
    currency: str
    notes: tuple[str, ...] = ()  # what to know before believing the figures

    def summary(self) -> dict[str, Any]:
        """Return the run and its figures as one flat object with months and origin inside: summary.json."""
        return {
            **msgspec.structs.asdict(self.run),
            **msgspec.structs.asdict(self.figures),
            "currency": self.currency,
            "notes": self.notes,
            "months": self.months,
            "origin": self.origin,
        }


def study(
    settings: Settings,
    *,
    since: int | None = None,
    until: int | None = None,
    begun: Callable[[Recorder], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> Study:
    """Run a backtest over [since, until), ns UTC, and work out its report. Raises ConfigError.

    `begun` and `tell` are those of `engine.offline.run_backtest`.
    """
    seen = Recorder(begun)
    run = run_backtest(settings, since=since, until=until, watch=seen, tell=tell)
    seen.settle()
    setup, ledger = seen.config.setup, seen.loop.machine.ledger
    start = float(setup.start_equity)
    marks = {i.symbol: Decimal(repr(ledger.mark_of(i.symbol))) for i in setup.instruments}
    left = seen.trips.open(marks)
    at = moments(seen.tapes, seen.fills, start)
    by_day = days(at, start)
    return Study(
        run=run,
        figures=figures(seen, at, by_day, left),
        months=months(at, by_day, seen.trips.closed, start),
        origin=origin(settings, setup, seen.tapes, since=since, until=until),
        trades=[*seen.trips.closed, *left],
        curve=curve(at, seen.tapes[0].base_step_ns),
        currency=setup.currency,
        notes=caveats(seen.loop.machine, seen.tapes),
    )
