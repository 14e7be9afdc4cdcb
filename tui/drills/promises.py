"""What a drill promises, whether it was kept, and how long it took."""

from typing import NamedTuple


class Kept(NamedTuple):
    """One promise after it was tried; `took_s` counts from what it answers to."""

    what: str
    ok: bool
    took_s: float
    within_s: float
    found: str = ""  # what there was instead, where it was not kept

    @property
    def line(self) -> str:
        """Return what people read."""
        verdict = "kept  " if self.ok else "BROKEN"
        text = f"{verdict} {self.took_s:6.2f} s of {self.within_s:g}  {self.what}"
        return f"{text}\n{'':<7}{self.found}" if self.found and not self.ok else text


class Report(NamedTuple):
    """How a drill went."""

    drill: str
    about: str
    promises: tuple[Kept, ...]
    error: str = ""  # why it could not be carried through

    @property
    def ok(self) -> bool:
        """Tell whether every promise was kept."""
        return not self.error and all(each.ok for each in self.promises)

    def facts(self) -> dict[str, object]:
        """Return what scripts read."""
        promises = [
            {
                "what": p.what,
                "ok": p.ok,
                "took_s": round(p.took_s, 3),
                "within_s": p.within_s,
                "found": p.found,
            }
            for p in self.promises
        ]
        return {"drill": self.drill, "ok": self.ok, "promises": promises, "error": self.error}
