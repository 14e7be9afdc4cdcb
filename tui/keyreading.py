"""From the terminal's bytes to messages, whatever comes: the kill-switch is heard here."""

import contextlib
import re
from codecs import getincrementaldecoder

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message

_ESCAPES = re.compile("(?=\x1b)")


class KeyReader:
    """Reads keys, pastes and reports. A sequence that breaks the parser is left out, nothing else."""

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug
        self._decode = getincrementaldecoder("utf-8")(errors="replace").decode
        self._parser = XTermParser(debug)

    def feed(self, data: bytes) -> list[Message]:
        """Return what the bytes mean so far; a character or a sequence that is not whole yet waits.

        The parser gets no empty text: that would be its end.
        """
        parts = filter(None, _ESCAPES.split(self._decode(data)))
        return [message for part in parts for message in self._take(part)]

    def tick(self) -> list[Message]:
        """Return what a sequence that was not gone on with for a while meant; called now and then."""
        return self._take("")

    def _take(self, part: str) -> list[Message]:
        messages: list[Message] = []
        try:
            messages.extend(self._parser.feed(part) if part else self._parser.tick())
        except Exception:  # noqa: BLE001 - it raises what it likes at a sequence that no terminal should send
            self._parser = XTermParser(self._debug)
        return messages

    def close(self) -> None:
        """Let the parser end."""
        with contextlib.suppress(EOFError, ParseError):
            for _ in self._parser.feed(""):
                pass
