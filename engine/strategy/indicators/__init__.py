"""Incremental indicators: one small class each."""
