"""Plays as pure computation: rules, indicators, evaluators."""
