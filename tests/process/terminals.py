"""Terminals for the console: a bare pseudo-terminal, and tmux with a real screen."""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import termios
import threading
from contextlib import suppress
from typing import Any

from tests.process.harness import BRISK, LIMIT_S, House, end, eventually

ALTERNATE_ON, ALTERNATE_OFF = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A pseudo-terminal with the program in it; everything that is drawn is read away and kept."""

    def __init__(self, house: House, *words: object, cols: int = 120, rows: int = 40) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self._slave = slave  # kept open: it shows the terminal's settings after the program has gone
        self.before = self.settings()
        self._drawn = bytearray()
        self.reading = threading.Event()  # cleared, nobody reads: a line that has become very slow
        self.reading.set()
        self.process = subprocess.Popen(
            house.words(*words),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=house.root,
            env=house.env | BRISK,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - nothing but a system call
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):
            while self.reading.wait(LIMIT_S) and (data := os.read(self._master, 65_536)):
                self._drawn += data

    @property
    def drawn(self) -> bytes:
        """Everything the program wrote."""
        return bytes(self._drawn)

    @property
    def words(self) -> str:
        """What the program wrote outside of its screen, lines joined: it wraps them at the screen's width."""
        after = self.drawn.rpartition(ALTERNATE_OFF)[2].decode(errors="replace")
        return " ".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z<]", "", after).split())

    def settings(self) -> list[Any]:
        """Return the terminal's settings (stty)."""
        return termios.tcgetattr(self._slave)

    def restored(self) -> bool:
        """Tell whether the terminal is as it was: settings, screen and cursor."""
        drawn = self.drawn
        screen = drawn.rfind(ALTERNATE_OFF) >= drawn.rfind(ALTERNATE_ON)
        cursor = drawn.rfind(b"\x1b[?25h") >= drawn.rfind(b"\x1b[?25l")
        return screen and cursor and self.settings() == self.before

    def type(self, keys: bytes) -> None:
        """Send keys."""
        os.write(self._master, keys)

    def resize(self, cols: int, rows: int) -> None:
        """Take another size; the program gets SIGWINCH."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def forget(self) -> None:
        """Drop what was drawn so far."""
        self._drawn.clear()

    def wait_drawing(self) -> None:
        """Wait until the console has taken the screen."""
        eventually(
            lambda: ALTERNATE_ON in self.drawn, "the console draws", show=lambda: repr(self.drawn[-500:])
        )

    def wait(self) -> int:
        """Wait for the program to end and return its exit code."""
        return self.process.wait(LIMIT_S)

    def hang_up(self) -> None:
        """Close the terminal as a lost connection does."""
        os.close(self._slave)
        self._slave = -1
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """End the program and close the terminal."""
        end(self.process)
        for fd in (self._slave, self._master):
            if fd >= 0:
                os.close(fd)


class Tmux:
    """A tmux server of its own with one session, in which a shell runs the program and notes how it ended."""

    def __init__(self, house: House, name: str, *words: object, cols: int = 120, rows: int = 40) -> None:
        self._house = house
        self._socket = f"{house.root.parent.name}-{house.root.name}-{name}"[-60:]
        self._notes = house.root / f"tmux-{name}"
        self._notes.mkdir()
        script = self._notes / "script"
        script.write_text(self._script(house.words(*words)))
        self._tmux(
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            cols,
            "-y",
            rows,
            "-s",
            "s",
            f"sh {shlex.quote(str(script))}",
        )

    def _script(self, command: list[str]) -> str:
        notes = shlex.quote(str(self._notes))
        return "\n".join(
            (
                "trap : HUP",  # the note is written even when the session is killed
                f"stty -g > {notes}/before",
                f"sh -c 'echo $$ > {notes}/pid; exec \"$@\"' console {shlex.join(command)}",
                f"echo $? > {notes}/code",
                f"stty -g > {notes}/after",
                "echo left the console",
                "exec sleep 600",
            )
        )

    def _tmux(self, *words: object) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._socket, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            env=self._house.env | BRISK,
            cwd=self._house.root,
            timeout=LIMIT_S,
        )
        return done.stdout

    def note(self, name: str) -> str:
        """Return what the shell noted, waiting for it: pid, before, after, code."""
        path = self._notes / name
        return eventually(
            lambda: path.read_text().strip() if path.is_file() else "",
            f"the shell notes its {name}",
            show=self.screen,
        )

    @property
    def screen_is_alternate(self) -> bool:
        """Whether a program holds the screen."""
        return self._tmux("display-message", "-p", "-t", "s", "#{alternate_on}").strip() == "1"

    def screen(self) -> str:
        """Return the screen as text."""
        return self._tmux("capture-pane", "-p", "-t", "s")

    def shows(self, pattern: str) -> bool:
        """Tell whether a pattern is on the screen."""
        return re.search(pattern, self.screen()) is not None

    def wait_for(self, pattern: str) -> None:
        """Wait until a pattern is on the screen."""
        eventually(lambda: self.shows(pattern), f"the screen shows {pattern!r}", show=self.screen)

    def keys(self, *keys: str) -> None:
        """Send keys by tmux's names, at once."""
        self._tmux("send-keys", "-t", "s", *keys)

    def kill_session(self) -> None:
        """Do what `tmux kill-session` does to whoever is inside."""
        self._tmux("kill-session", "-t", "s")

    def close(self) -> None:
        """End the server and all in it."""
        self._tmux("kill-server")
