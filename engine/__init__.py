"""The trading engine: one deterministic core and the adapters around it. It knows no screen."""

__version__ = "0.1.0"
