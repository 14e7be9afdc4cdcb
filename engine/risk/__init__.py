"""Gates, limits and sizing as pure functions."""
