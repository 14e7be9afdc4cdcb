"""Errors carry the exit code of their reaction and name the place."""

import pytest

from engine.domain import errors
from engine.domain.errors import ConfigError, LockHeldError, NotFlatError, RateLimitedError, TraderError


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "wrong"),
        ({"file": "a.yaml"}, "a.yaml: wrong"),
        ({"file": "a.yaml", "line": 3, "field": "x.y"}, "a.yaml:3: x.y: wrong"),
        ({"file": "a.yaml", "line": 3, "column": 7}, "a.yaml:3:7: wrong"),
        ({"field": "x"}, "x: wrong"),
    ],
)
def test_a_config_error_names_file_line_and_field(place, text):
    error = ConfigError("wrong", **place)
    assert str(error) == text
    assert error.message == "wrong"


@pytest.mark.parametrize(
    ("kind", "code"), [(TraderError, 1), (ConfigError, 2), (LockHeldError, 3), (NotFlatError, 4)]
)
def test_the_class_decides_the_exit_code(kind, code):
    assert kind.exit_code == code


def test_every_error_of_ours_is_a_trader_error():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    own = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert all(issubclass(kind, TraderError) for kind in own)


def test_a_rate_limit_says_how_long_to_wait():
    error = RateLimitedError("slow down", 1.5)
    assert error.retry_after_s == 1.5
    assert str(error) == "slow down"
