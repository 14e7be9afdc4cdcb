"""Tests of engine.strategy.indicators."""
