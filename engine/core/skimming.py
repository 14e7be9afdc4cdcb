"""Takes market events many at a time where nothing but a play's rules looks at each of them."""

from engine.core.losses import Losses
from engine.core.market import Market
from engine.core.trading import Trading
from engine.domain.market import Bar, Stretch
from engine.execution.ledger import Ledger


class Skimming:
    """Brings the machine to the end of a stretch, or to the first signal in it, to the same bits.

    Nothing is taken where more than the rules of one play looks at every bar (a limit on the day's loss, a
    position in another symbol, a second play, what follows a position), and where the day is new.
    """

    def __init__(self, market: Market, ledger: Ledger, trading: Trading, losses: Losses) -> None:
        self._market, self._ledger, self._trading = market, ledger, trading
        self._losses = losses

    def take(self, stretch: Stretch, first: int, last: int) -> int:
        """Take events of [first, last), all of one UTC day; return the end of what was taken."""
        symbol, step_ns, ledger = stretch.symbol, stretch.step_ns, self._ledger
        if (self._losses.watches and ledger.has_open) or not ledger.takes_stretches(symbol):
            return first
        if stretch.told[last - 1] >= min(self._market.day_end(symbol, step_ns), ledger.day_end):
            return first
        runners = self._trading.evaluated_on(symbol, step_ns)
        if not runners:
            self._pass(stretch, first, last, kept=False)
            return last
        runner = runners[0]
        if len(runners) > 1 or runner.binding.others or runner.needs_bars:
            return first
        end, signal = runner.evaluator.skim(stretch, first, last, runner.side)
        self._pass(stretch, first, end, kept=True)
        if signal is not None:
            self._trading.on_signal(signal, runner, stretch.told[end - 1])
        return end

    def _pass(self, stretch: Stretch, first: int, last: int, *, kept: bool) -> None:
        if stretch.kind is Bar:
            self._market.on_stretch(stretch, first, last)
        else:
            self._market.on_prints(stretch, first, last, keep=kept)
        self._ledger.mark_stretch(stretch.symbol, stretch.close[first:last])
