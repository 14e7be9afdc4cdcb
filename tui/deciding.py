"""What waits for a person: looser limits, versions of plays. Accept, decline, promote, roll back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.api import Action, Snapshot, TwinRow
from tui.formats import clean

if TYPE_CHECKING:
    from tui.app import ConsoleApp

SHORT_HASH = 12
BACK = "runs; the version before takes its place once the play is flat, and this one is watched as its twin."
REAL = (
    "Entries are real here: `trader-tui promote` checks backtest, shadow time and demo stage first and "
    "approves; without it the engine refuses."
)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be decided, and what speaks for it or against it."""

    action: Action
    argument: str
    title: str
    evidence: tuple[str, ...]
    needs_reason: bool = True


class Deciding:
    """Lists what can be decided now, shows the evidence, asks for a reason, sends."""

    def __init__(self, app: "ConsoleApp") -> None:
        self._app = app

    def act(self) -> None:
        """Offer what can be decided."""
        from tui.screens.choose import ChooseDialog  # noqa: PLC0415 - loaded when first opened

        latest = self._app.latest
        if latest is None or self._app.link is None or self._app.gone:
            self._app.tell("There is no engine to ask yet.", severity="warning")
            return
        found = list(decisions(latest))

        def chosen(index: int | None) -> None:
            if index is not None:
                self._ask(found[index])

        waits = sum(d.action is Action.ACCEPT_LIMITS for d in found) + len(latest.status.swaps_waiting)
        about = (
            f"{waits or 'Nothing'} {'waits' if waits < 2 else 'wait'} for you. What runs is in pane Reload."
        )
        self._app.push_screen(ChooseDialog("Reload", about, [d.title for d in found]), chosen)

    def _ask(self, decision: Decision) -> None:
        from tui.screens.confirm import ConfirmDialog  # noqa: PLC0415 - loaded when first opened

        def answered(reason: str | None) -> None:
            if reason is not None:
                operator = self._app.operator
                operator.send(decision.action, decision.title, reason=reason, argument=decision.argument)

        dialog = ConfirmDialog(
            decision.title, decision.evidence, decision.title, needs_reason=decision.needs_reason
        )
        self._app.push_screen(dialog, answered)


def decisions(snapshot: Snapshot) -> Iterator[Decision]:
    """Yield what can be decided now, what waits first."""
    risk, waiting = snapshot.risk, snapshot.status.swaps_waiting
    if risk.pending_id:
        asked = tuple(f"{row.setting}: {clean(row.now)} -> {clean(row.wanted)}" for row in risk.pending)
        yield Decision(
            action=Action.ACCEPT_LIMITS,
            argument=risk.pending_id,
            title=f"Accept {len(risk.pending)} looser limits",
            evidence=("In force from the next event on:", *asked),
        )
        yield Decision(
            action=Action.DECLINE,
            argument=risk.pending_id,
            title=f"Decline {len(risk.pending)} looser limits",
            evidence=("Limits stay as they are; the file asks again when it changes again.", *asked),
            needs_reason=False,
        )
    for play in waiting:
        yield Decision(
            action=Action.DECLINE,
            argument=play,
            title=f"Decline the version that waits for {play}",
            evidence=(f"{play} runs on as it is; the version that waits to be flat is watched as a twin.",),
            needs_reason=False,
        )
    for twin in snapshot.twins:
        if twin.of and twin.of not in waiting:
            yield _promotion(twin, needs_approval=snapshot.status.needs_approval)
    for row in snapshot.reloads:
        if row.play in snapshot.status.plays and row.generation > 1 and row.play not in waiting:
            yield Decision(
                action=Action.ROLL_BACK,
                argument=row.play,
                title=f"Roll {row.play} back",
                evidence=(f"Generation {row.generation} ({row.hash[:SHORT_HASH]}) {BACK}", *row.changes),
            )


def _promotion(twin: TwinRow, *, needs_approval: bool) -> Decision:
    pnl = f"would-be P&L {twin.pnl:+.2f} beside {twin.running_pnl:+.2f} of what runs"
    gave = f"{twin.both} of both, {twin.only_running} only of what runs, {twin.only_twin} only of the twin"
    return Decision(
        action=Action.PROMOTE,
        argument=f"{twin.label} {twin.hash[:SHORT_HASH]}",
        title=f"Promote {twin.label} generation {twin.generation}",
        evidence=(
            f"Watched for {twin.bars} bars: {pnl}, {twin.trades} trades, {twin.signals} signals.",
            f"Signals of the last bars: {gave}.",
            *((f"Not warm yet: {twin.bars_missing} bars are missing.",) if twin.bars_missing else ()),
            f"{twin.of} swaps once it is flat; what ran is watched as its twin and can be rolled back to.",
            *((REAL,) if needs_approval else ()),
        ),
    )
