"""The deterministic machine: events in, commands out."""
