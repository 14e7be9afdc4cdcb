"""How the model of a play does, in a line."""

from engine.api import ModelRow

SHORT_HASH = 8


def model_words(row: ModelRow) -> str:
    """Say which model it is and how its forecasts did of late."""
    name = f"{row.architecture} {row.sha256[:SHORT_HASH]}"
    if row.demoted:
        return f"model {name} DEMOTED: {row.text}; entries stop until the risk mode is set back"
    if not row.resolved:
        return f"model {name}, no forecast resolved yet"
    judged = "" if row.resolved >= row.resolved_min else f" (judged from {row.resolved_min} on)"
    figures = f"Brier {row.brier:.4f} (base rate {row.brier_base:.4f}), gap {row.gap:.3f}"
    return f"model {name}, {figures} over {row.resolved} resolved{judged}"
