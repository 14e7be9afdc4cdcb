"""A console on an engine of another machine: its control socket comes through a tunnel, as ssh makes one."""

import json
import socket
import threading
from contextlib import suppress

import pytest

from engine.api import Phase
from tests.process.harness import eventually

pytestmark = pytest.mark.process


class Tunnel:
    """A Unix socket that leads to another one, as `ssh -L HERE:THERE` makes it."""

    def __init__(self, here, there):
        self.here = here
        self._there = there
        self._there_now = True
        self._ends = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(here))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._there_now:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                self._ends += [near, far]
                with suppress(OSError):
                    far.connect(self._there)
                    for source, sink in ((near, far), (far, near)):
                        threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()
                    continue
                near.close()  # what ssh does where nothing answers at the far end

    @staticmethod
    def _pass_on(source, sink):
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self, *, mends):
        """Break all that goes through; whoever comes next gets through where it `mends`."""
        self._there_now = mends
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self._there_now = True

    def close(self):
        for end in (self._listener, *self._ends):
            end.close()


@pytest.fixture
def tunnel(house):
    house.holding()
    there = json.loads(house.run("status", "--json").out)["socket"]
    passage = Tunnel(house.root / "x.sock", there)
    yield passage
    passage.close()


def test_a_console_watches_and_flattens_through_a_tunnel(house, tmux, tunnel):
    console = tmux("far", "attach", "--read-only", "--socket", tunnel.here)
    console.wait_for(r"READ-ONLY")
    console.wait_for(r"BTCUSDT")
    assert not house.snapshot().status.in_control
    console.keys("F12")
    console.wait_for(r"FLATTEN\?")
    console.keys("F12")
    eventually(lambda: house.phase() is Phase.HALTED, "flattened from afar", show=console.screen)
    console.keys("C-q")
    console.wait_for("Detach")
    console.keys("Home", "Down", "Enter")
    assert console.note("code") == "0"
    console.wait_for("Hand-over at ")


def test_a_line_that_breaks_is_said_to_be_broken_and_mends_by_itself(house, tmux, tunnel):
    pid = house.pid()
    console = tmux("far", "attach", "--socket", tunnel.here)
    console.wait_for(r"PAPER +ARMED")
    tunnel.cut(mends=False)
    console.wait_for("The connection is lost")
    console.wait_for("may still run and trade")
    assert house.pid() == pid
    tunnel.mend()
    console.wait_for(r"the same engine\W+\(pid")
    console.wait_for("eng ok")
    console.keys("p")
    eventually(lambda: house.snapshot().status.paused, "it commands again", show=console.screen)


def test_a_line_that_breaks_for_a_moment_is_taken_up_at_once(house, tmux, tunnel):
    console = tmux("far", "attach", "--socket", tunnel.here)
    console.wait_for(r"PAPER +ARMED")
    tunnel.cut(mends=True)
    console.wait_for(r"the same engine\W+\(pid")
    assert "connection is lost" not in console.screen()


def test_a_tunnel_that_leads_nowhere_is_explained(house):
    missing = house.root / "x.sock"
    told = house.run("attach", "--plain", "--socket", missing)
    assert told.code == 1
    assert "there is no socket at" in told.err
    assert "ssh -N -L PATH:ITS_SOCKET HOST" in told.err
    passage = Tunnel(missing, str(house.root / "nobody.sock"))
    try:
        told = house.run("attach", "--plain", "--socket", missing)
    finally:
        passage.close()
    assert told.code == 1
    assert "leads to no engine" in told.err
    assert "Traceback" not in told.err
