"""Failure drills: an exchange and an engine of their own, a fault, and what was promised for it."""
