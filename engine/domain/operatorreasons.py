"""Why an operator's command was refused, and what ended by one: a part of the table of reasons."""

from engine.domain.layers import Layer, ReasonFacts
from engine.domain.reasons import Reason

_O = Layer.OPERATOR
_F = ReasonFacts

OPERATOR_REASONS: dict[Reason, ReasonFacts] = {
    Reason.NOT_CONFIRMED: _F(
        _O,
        "The typed confirmation does not match the play or account name.",
        "Type the name that the screen shows.",
    ),
    Reason.REASON_REQUIRED: _F(
        _O, "This step toward more freedom needs a reason.", "Give one: --reason TEXT."
    ),
    Reason.ALREADY_SO: _F(_O, "The engine is already in that state.", "Nothing."),
    Reason.FLATTEN_RUNNING: _F(
        _O, "A flatten is running; nothing may be freed before it ends.", "Wait for FLAT or the residual."
    ),
    Reason.HALTED: _F(
        _O, "The engine is halted after a flatten.", "Arm with a reason when the position is as you want it."
    ),
    Reason.STOPPING: _F(_O, "The engine is shutting down.", "Start it again."),
    Reason.COOLING_DOWN: _F(
        _O, "The risk mode was lowered too recently to be raised again.", "Wait; the values say how long."
    ),
    Reason.UNKNOWN_COMMAND: _F(_O, "The engine knows no such command.", "See `trader-tui --help`."),
    Reason.NO_SUCH_ORDER: _F(
        _O,
        "Our books hold no order with this client id.",
        "Take the id from the alarm, or from `trader-tui status`.",
    ),
    Reason.ORDER_NOT_UNKNOWN: _F(
        _O,
        "The order is neither UNKNOWN nor unsettled: the venue's word on it counts.",
        "Nothing where it ended; where it is open, wait for the alarm `unsettled`, or flatten.",
    ),
    Reason.ORDER_ENDED: _F(
        _O, "The order is not open any more.", "Nothing: there is nothing left of it to cancel."
    ),
    Reason.ORDER_PROTECTS: _F(
        _O,
        "The order is the stop or target of an open position: without it nothing would close that position.",
        "Close the position instead (`trader-tui close PLAY`): its stops and targets go with it.",
    ),
    Reason.SITS_OUT: _F(
        _O,
        "An operator closed this play's position or canceled its entry, and the rule that led to it still "
        "holds on every bar since.",
        "Nothing: the play enters again on its next signal, once a bar has closed on which the rule is "
        "false, or on a signal of the other side.",
    ),
    Reason.READ_ONLY: _F(
        _O,
        "This console only watches: another one has control, or nobody has.",
        "Take control first; it is asked for once and recorded. The kill-switch needs no control.",
    ),
    Reason.RESOLVED_BY_OPERATOR: _F(
        _O,
        "An operator said that the order is dead; nothing was booked.",
        "Should the venue report it alive or filled after all: look there at once.",
    ),
    Reason.FLATTEN_DEADLINE: _F(
        _O,
        "The venue did not confirm everything closed before the deadline.",
        "Act on the listed venue ids by hand, then arm with a reason.",
    ),
    Reason.NO_SUCH_TWIN: _F(
        _O,
        "No shadow twin has this name, or it is another version by now.",
        "The values name those that run.",
    ),
    Reason.TWIN_NEEDS_RESTART: _F(
        _O,
        "The twin has another name, symbols, legs or timeframe than a running play.",
        "Stop the engine and start it with this play.",
    ),
    Reason.CHANGED_SINCE_SHOWN: _F(
        _O,
        "What was confirmed is not there any more: another position or version has taken its place.",
        "Look again, then decide on what is there now.",
    ),
    Reason.WHICH_POSITION: _F(
        _O,
        "The play holds several positions, and the command names none of them.",
        "Name the symbol: `trader-tui close PLAY --symbol SYM`. The values list them.",
    ),
    Reason.NOTHING_TO_ROLL_BACK: _F(
        _O, "No earlier version of this play is known.", "Change its file back, or start with the other one."
    ),
}
