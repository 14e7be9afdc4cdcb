"""Watches the models of plays: resolves their forecasts bar by bar, and demotes one that no longer knows.

A demotion lets no entry of that play through, latches the risk mode and is an alarm. It stands over restarts
and over new versions of play and model, until a person sets the risk mode back.
"""

from collections.abc import Iterable

import msgspec

from engine.core.authority import Authority
from engine.core.board import Board
from engine.core.runner import Runner
from engine.core.snapshot import ModelBin, ModelRow
from engine.domain.alarms import Severity
from engine.domain.play import ModelRef
from engine.domain.reasons import Reason
from engine.domain.signals import cycle_id
from engine.domain.vetoes import veto
from engine.risk.calibration import Calibration, CalibrationPolicy, CalibrationState, demotion
from engine.risk.causes import RiskCause
from engine.risk.sizing import Refusal


class WatchedState(msgspec.Struct, frozen=True):
    """A watched model as a checkpoint holds it; `demoted` is when (ns UTC), 0 for a model in use."""

    play: str
    sha256: str
    calibration: CalibrationState
    bars: int = 0
    demoted: int = 0
    values: dict[str, str] = {}


class _Watched:
    """The model of one play, and how it does."""

    def __init__(self, model: ModelRef, policy: CalibrationPolicy) -> None:
        self.sha256 = model.sha256
        self.calibration = Calibration(model, policy.window)
        self.bars = 0  # of the evaluator, when it was looked at last
        self.demoted = 0
        self.values: dict[str, str] = {}


class ModelWatch:
    """Follows the models of all plays that have one."""

    def __init__(self, policy: CalibrationPolicy, authority: Authority, board: Board) -> None:
        self._policy, self._authority, self._board = policy, authority, board
        self._watched: dict[str, _Watched] = {}

    def follow(self, runner: Runner, now: int) -> None:
        """Take the bar that a play with a model was just evaluated on, if it was on one."""
        watched, evaluator = self._of(runner), runner.evaluator
        if evaluator.bars == watched.bars:
            return
        watched.bars = evaluator.bars
        resolved = watched.calibration.take(evaluator.bars, evaluator.close, evaluator.forecast)
        if resolved and not watched.demoted:
            values = demotion(watched.calibration.scores(), self._policy)
            if values:
                self._demote(runner, watched, values, now)

    def swapped(self, runner: Runner) -> None:
        """Follow a new version of a play: its bars count anew; another model is judged by its own words."""
        if runner.binding.spec.model is not None:
            self._of(runner).calibration.let_go()

    def forgive(self, runners: Iterable[Runner]) -> None:
        """Let demoted models trade again: a person said so. They are judged by what they say from now on."""
        for runner in runners:
            name = runner.binding.spec.name
            watched = self._watched.get(name)
            if watched is not None and watched.demoted:
                watched.demoted, watched.values = 0, {}
                watched.calibration.forget()
                runner.barred = None
                self._board.clear_alarm(f"model:{name}")

    def rows(self, runners: Iterable[Runner]) -> tuple[ModelRow, ...]:
        """Return what a screen shows of each model."""
        return tuple(
            self._row(runner, m) for runner in runners if (m := runner.binding.spec.model) is not None
        )

    def _of(self, runner: Runner) -> _Watched:
        """Return what is known of a play's model, anew where it is another model than before."""
        spec = runner.binding.spec
        assert spec.model is not None, "only plays with a model are watched"
        before = self._watched.get(spec.name)
        if before is not None and before.sha256 == spec.model.sha256:
            return before
        watched = self._watched[spec.name] = _Watched(spec.model, self._policy)
        if before is not None:
            watched.demoted, watched.values = before.demoted, before.values
        return watched

    def _demote(self, runner: Runner, watched: _Watched, values: dict[str, str], now: int) -> None:
        play, symbol = runner.binding.spec.name, runner.binding.symbol
        values = {"model": watched.sha256[:12], **values}
        watched.demoted, watched.values = now, values
        runner.barred = Refusal(Reason.MODEL_DEMOTED, values)
        facts = {"play": play, "symbol": symbol, **values}
        self._board.store(veto(Reason.MODEL_DEMOTED, ts=now, cycle_id=cycle_id(play, now), **facts))
        told = ", ".join(f"{name} {value}" for name, value in values.items())
        text = f"{Reason.MODEL_DEMOTED.value}: the model of {play} does not know what it says: {told}"
        self._board.raise_alarm(f"model:{play}", Severity.CRITICAL, text, now)
        self._authority.latch_risk(RiskCause.MODEL_DEMOTION, now, f"the model of {play} was demoted")

    def _row(self, runner: Runner, model: ModelRef) -> ModelRow:
        watched = self._of(runner)
        scores = watched.calibration.scores()
        bins = watched.calibration.bins()
        return ModelRow(
            play=runner.binding.spec.name,
            sha256=watched.sha256,
            architecture=model.architecture,
            horizon_bars=model.horizon_bars,
            resolved=scores.resolved,
            resolved_min=self._policy.resolved_min,
            rate=scores.rate,
            brier=scores.brier,
            brier_base=scores.brier_base,
            gap=scores.gap,
            bins=tuple(ModelBin(*each) for each in bins if each[0]),
            demoted=watched.demoted,
            text=", ".join(f"{name} {value}" for name, value in watched.values.items()),
        )

    # checkpoint

    def state(self) -> tuple[WatchedState, ...]:
        """Return all that a checkpoint needs."""
        return tuple(
            WatchedState(play, each.sha256, each.calibration.state(), each.bars, each.demoted, each.values)
            for play, each in self._watched.items()
        )

    def restore(self, states: Iterable[WatchedState], runners: Iterable[Runner]) -> None:
        """Take up a checkpoint's state; a demotion stands."""
        kept = {state.play: state for state in states}
        for runner in runners:
            state = kept.get(runner.binding.spec.name)
            if state is None or runner.binding.spec.model is None:
                continue
            watched = self._of(runner)
            watched.demoted, watched.values = state.demoted, state.values
            if state.sha256 == watched.sha256:
                watched.calibration.restore(state.calibration)
                watched.bars = state.bars
            runner.barred = Refusal(Reason.MODEL_DEMOTED, state.values) if state.demoted else None
