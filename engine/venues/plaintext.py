"""Text of others made fit for a log line and a terminal."""

SHOWN_MAX = 160  # characters of a venue's answer that a message repeats


def shown(text: str) -> str:
    """Return a venue's text on one line without what a terminal might obey, cut where it is long."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= SHOWN_MAX else f"{line[: SHOWN_MAX - 3]}..."
