"""The faults in force: which of them strike a call, a message or a socket. Seeded, so that a run repeats."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from random import Random
from typing import Any

import msgspec

from engine.domain.market import NS_PER_MS, NS_PER_S
from engine.venues.bybit_server.faultrules import (
    ON_CALLS,
    ON_MESSAGES,
    Do,
    FaultFile,
    FaultRule,
)


class Fault:
    """A rule in force, with how often it looked and struck."""

    def __init__(self, number: int, rule: FaultRule, seed: int, now: int) -> None:
        self.number, self.rule = number, rule
        self.seen = self.hits = 0
        self._until = None if rule.for_s is None else now + int(rule.for_s * NS_PER_S)
        if rule.do is Do.DISCONNECT and rule.for_s is None:
            self._until = now  # it breaks off what is there, and is over
        self._random = Random(f"{seed}:{number}")  # noqa: S311 - which faults strike must repeat

    def stands(self, now: int) -> bool:
        """Tell whether its time has not run out."""
        return self._until is None or now < self._until

    def strikes(self, name: str, now: int) -> bool:
        """Tell whether it strikes this once, and count."""
        rule = self.rule
        if not self.stands(now) or not fnmatchcase(name, rule.on):
            return False
        if rule.count is not None and self.hits >= rule.count:
            return False
        self.seen += 1
        if self.seen <= rule.skip or (rule.probability < 1 and self._random.random() >= rule.probability):
            return False
        self.hits += 1
        return True

    def delay_s(self) -> float:
        """Draw how long it delays, in seconds."""
        jitter_ms = self._random.uniform(0, self.rule.jitter_ms) if self.rule.jitter_ms else 0.0
        return (self.rule.ms + jitter_ms) * NS_PER_MS / NS_PER_S

    def report(self, now: int) -> dict[str, Any]:
        """Say what it is and what it did."""
        told = self.rule.model_dump(mode="json", exclude_defaults=True)
        told.setdefault("on", self.rule.on)
        rule = self.rule
        spent = rule.count is not None and self.hits >= rule.count
        return {
            "id": self.number,
            **told,
            "seen": self.seen,
            "hits": self.hits,
            "active": self.stands(now) and not spent,
        }


class Plan(msgspec.Struct, frozen=True):
    """What befalls one call: delays before and after the effect, and how it ends instead of an answer."""

    before_s: float = 0.0
    after_s: float = 0.0
    end: FaultRule | None = None


NO_FAULT = Plan()


class Faults:
    """All faults in force."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._faults: list[Fault] = []
        self._number = 0

    def add(self, file: FaultFile, now: int) -> list[int]:
        """Put faults in force; return their ids."""
        if "seed" in file.model_fields_set:
            self.seed = file.seed
        added = []
        for rule in file.faults:
            self._number += 1
            self._faults.append(Fault(self._number, rule, self.seed, now))
            added.append(self._number)
        return added

    def remove(self, number: int | None = None) -> int:
        """Take one fault away, or all; return how many there were."""
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if number is not None and fault.number != number]
        return before - len(self._faults)

    def report(self, now: int) -> list[dict[str, Any]]:
        """Say of each fault what it is and what it did."""
        return [fault.report(now) for fault in self._faults]

    def call(self, name: str, via: str, now: int) -> Plan:
        """Plan what befalls a call of an endpoint; the first fault that ends it counts."""
        if not self._faults:
            return NO_FAULT
        before_s = after_s = 0.0
        end: FaultRule | None = None
        for fault in self._faults:
            rule = fault.rule
            if rule.do not in ON_CALLS or rule.via not in (None, via) or (end and rule.do is not Do.LATENCY):
                continue
            if not fault.strikes(name, now):
                continue
            if rule.do is not Do.LATENCY:
                end = rule
            elif rule.effect == "none":
                before_s += fault.delay_s()
            else:
                after_s += fault.delay_s()
        return Plan(before_s, after_s, end)

    def message(self, topic: str, now: int) -> Iterator[Fault]:
        """Yield the faults that strike a message of a topic on its way to one who hears it."""
        for fault in self._faults:
            if fault.rule.do in ON_MESSAGES and fault.strikes(topic, now):
                yield fault

    def gaps(self, topic: str, now: int) -> int:
        """Return how many numbers the next message of an order book leaves out."""
        return sum(fault.rule.do is Do.GAP and fault.strikes(topic, now) for fault in self._faults)

    def standing(self, do: Do, name: str, now: int) -> bool:
        """Tell whether a lasting fault is in force for a socket, or everywhere."""
        return any(
            fault.rule.do is do and fault.stands(now) and fnmatchcase(name, fault.rule.on)
            for fault in self._faults
        )

    def skew_ms(self, now: int) -> int:
        """Return how far the exchange's clock is off."""
        return sum(
            fault.rule.ms for fault in self._faults if fault.rule.do is Do.CLOCK_SKEW and fault.stands(now)
        )
