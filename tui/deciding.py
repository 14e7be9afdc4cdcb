"""What waits for a person: looser limits, versions of plays. Accept, decline, promote, roll back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.api import Action, EarlierVersion, Snapshot, TwinRow
from tui.formats import age_between, clock, date, several, signed

if TYPE_CHECKING:
    from tui.app import ConsoleApp

SHORT_HASH = 12
CHANGES_MAX = 6  # fields of a version; the rest is a number
ONCE_FLAT = "It takes over once {} is flat. What runs now is watched as its twin then, and can be taken back."
APPROVED = "Entries are real here: `trader-tui promote` has approved this version."
NOT_APPROVED = (
    "NOT APPROVED: entries are real here, and the engine refuses. `trader-tui promote {} --reason WHY` "
    "counts backtest, shadow time and demo stage of this version, approves it, and swaps it in."
)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be decided, and what speaks for it or against it."""

    action: Action
    argument: str
    title: str
    evidence: tuple[str, ...]
    typed: str = ""  # what must be typed before it is done
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
            decision.title,
            decision.evidence,
            decision.title,
            typed=decision.typed,
            needs_reason=decision.needs_reason,
        )
        self._app.push_screen(dialog, answered)


def decisions(snapshot: Snapshot) -> Iterator[Decision]:
    """Yield what can be decided now, what waits first."""
    risk, waiting = snapshot.risk, snapshot.status.swaps_waiting
    if risk.pending_id:
        asked = tuple(f"{row.setting}: {row.now} -> {row.wanted}" for row in risk.pending)
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
            yield _promotion(twin, snapshot)
    for earlier in snapshot.status.earlier:
        if earlier.play not in waiting:
            yield _roll_back(earlier)


def _promotion(twin: TwinRow, snapshot: Snapshot) -> Decision:
    """Return the promotion of a twin: what would take over from what, and all that is known of both."""
    now = snapshot.status.now
    takes, runs = _named(twin.generation, twin.hash), _named(twin.running_generation, twin.running_hash)
    since = f"{age_between(now, twin.since)}, since {date(twin.since)} {clock(twin.since)} UTC"
    pnl = f"{signed(twin.pnl)} after fees, what runs made {signed(twin.running_pnl)}"
    gave = f"{twin.both} the same, {twin.only_running} only of what runs, {twin.only_twin} only of the twin"
    counted = ((twin.bars, "bar"), (twin.signals, "signal"), (twin.trades, "trade"))
    seen = ", ".join(several(number, what) for number, what in counted)
    return Decision(
        action=Action.PROMOTE,
        argument=f"{twin.label} {twin.hash} {twin.running_hash}",
        title=f"Promote {twin.label} generation {twin.generation}",
        evidence=(
            f"{twin.label} {takes} takes over from {twin.of} {runs}, which runs.",
            *_approval(twin, snapshot),
            *((f"NOT WARM: {several(twin.bars_missing, 'bar')} missing.",) if twin.bars_missing else ()),
            *_changes(twin, snapshot),
            f"Watched for {since}: {seen}.",
            f"It would have made {pnl}. Signals of the last bars: {gave}.",
            ONCE_FLAT.format(twin.of),
        ),
        typed=twin.label,
    )


def _changes(twin: TwinRow, snapshot: Snapshot) -> Iterator[str]:
    """Yield what the twin changes, where it is the version that its file brought last."""
    row = next((row for row in snapshot.reloads if row.play == twin.of and row.result == "shadow"), None)
    if row is None or twin.label != twin.of or not row.changes:
        return
    more = len(row.changes) - CHANGES_MAX
    rest = (f"{more} more",) if more > 0 else ()
    yield f"It changes {'; '.join((*row.changes[:CHANGES_MAX], *rest))}."


def _approval(twin: TwinRow, snapshot: Snapshot) -> Iterator[str]:
    if snapshot.status.needs_approval:
        yield APPROVED if twin.approved else NOT_APPROVED.format(twin.label)


def _roll_back(earlier: EarlierVersion) -> Decision:
    takes = _named(earlier.generation, earlier.hash)
    runs = _named(earlier.running_generation, earlier.running_hash)
    return Decision(
        action=Action.ROLL_BACK,
        argument=f"{earlier.play} {earlier.running_hash}",
        title=f"Roll {earlier.play} back to generation {earlier.generation}",
        evidence=(
            f"{earlier.play} {takes} takes over from {runs}, which runs.",
            ONCE_FLAT.format(earlier.play),
        ),
    )


def _named(generation: int, hash_: str) -> str:
    return f"generation {generation} ({hash_[:SHORT_HASH]})"
