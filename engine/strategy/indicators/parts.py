"""The state of an indicator that is made of others."""

from collections.abc import Iterable

from engine.strategy.indicators import Restorable, State


def states(parts: Iterable[Restorable]) -> State:
    """Return the states of parts in one list: for each its length, then itself."""
    joined: State = []
    for part in parts:
        state = part.state()
        joined.append(float(len(state)))
        joined += state
    return joined


def restore(parts: Iterable[Restorable], state: State) -> None:
    """Give each part its state of a list that `states` made. Raises ValueError or IndexError if it is not."""
    start = 0
    for part in parts:
        end = start + 1 + int(state[start])
        part.restore(state[start + 1 : end])
        start = end
    if start != len(state):
        raise ValueError(f"the parts take {start} numbers, the state has {len(state)}")
