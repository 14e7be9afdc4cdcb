"""Builds the loop of a session from its facts: the core, and the venue that its orders go to."""

from engine.core.machine import Machine
from engine.core.twinned import TwinnedMachine
from engine.domain.errors import ConfigError
from engine.ports import Venue
from engine.runtime.loop import Loop
from engine.runtime.session import SessionConfig
from engine.strategy.model import NO_MODELS, Models
from engine.venues.silent import SilentVenue
from engine.venues.simulated import SimulatedVenue


def build_loop(config: SessionConfig, models: Models = NO_MODELS) -> Loop:
    """Build the loop of a session: the machine and the simulated venue inside it, or nobody to send to.

    `models` holds those that its plays ask.

    Raises ConfigError where the venue's dead-man's switch would cancel protective orders, too.
    """
    if config.orders:
        return Loop(machine_of(config, models), SilentVenue())
    return loop_on(config, SimulatedVenue(config.setup.instruments, config.venue), models)


def loop_on(config: SessionConfig, venue: Venue, models: Models = NO_MODELS) -> Loop:
    """Build the loop of a session on a venue. Raises ConfigError, as above."""
    if config.setup.dead_man_ms and not venue.spares_protection:
        raise ConfigError(
            "the dead-man's switch of this venue cancels protective stops, too, or is not known to spare "
            "them, and would leave positions bare; set it to null",
            field="runtime.dead_man_s",
        )
    return Loop(machine_of(config, models), venue)


def machine_of(config: SessionConfig, models: Models) -> Machine:
    """Build the core, with shadow twins beside it where a session may have some."""
    if not config.setup.hosts_twins:
        return Machine(config.setup, models)
    return TwinnedMachine(config.setup, lambda instruments: SimulatedVenue(instruments, config.venue), models)
