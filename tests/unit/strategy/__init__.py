"""Tests of engine.strategy."""
