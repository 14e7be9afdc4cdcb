"""The tables of reactions: every class of ccxt is in them, and codes go before classes."""

import socket

import ccxt.async_support as ccxt
import pytest
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from engine.domain.errors import (
    AmbiguousError,
    AuthError,
    RateLimitedError,
    RefusedError,
    TransientError,
    VenueError,
)
from engine.domain.reasons import Reason
from engine.venues.ccxt_errors import CLASSES, CODES, Reaction, judged, rule_of

CLASSES_OF_CCXT = [
    each for each in vars(ccxt).values() if isinstance(each, type) and issubclass(each, ccxt.BaseError)
]


@pytest.mark.parametrize("cls", CLASSES_OF_CCXT, ids=lambda cls: cls.__name__)
def test_every_class_of_ccxt_calls_for_something(cls: type[Exception]):
    rule = rule_of(cls("bybit what it said"), "bybit")
    assert rule.reaction in Reaction
    for writes in (True, False):
        told = judged(cls("bybit said"), rule, "bybit", writes=writes, retry_after_s=3.0)
        assert isinstance(told, VenueError)
        assert str(told).startswith("bybit: ")


def test_every_class_in_the_table_is_one_of_ccxt():
    assert not CLASSES.keys() - {cls.__name__ for cls in CLASSES_OF_CCXT}


def test_only_what_surely_was_not_done_is_a_refusal_of_a_write():
    lost = {cls.__name__ for cls in CLASSES_OF_CCXT if rule_of(cls(""), "bybit").reaction is Reaction.LOST}
    assert {"ExchangeError", "RequestTimeout", "ExchangeNotAvailable", "OnMaintenance", "BadResponse"} <= lost
    assert not lost & {"InvalidOrder", "InsufficientFunds", "AuthenticationError", "InvalidNonce"}


@pytest.mark.parametrize(
    ("venue", "text", "reaction", "reason"),
    [
        ("bybit", '{"retCode":10016}', Reaction.LOST, Reason.NO_ANSWER),
        ("bybit", '{"retCode":110017}', Reaction.REFUSED, Reason.REDUCE_ONLY_WOULD_INCREASE),
        ("bybit", '{"retCode":110072}', Reaction.TWICE, Reason.DUPLICATE_ID),
        ("binanceusdm", '{"code":-1007,"msg":"Timeout"}', Reaction.LOST, Reason.NO_ANSWER),
        ("binanceusdm", '{"code":-4116}', Reaction.TWICE, Reason.DUPLICATE_ID),
        ("binanceusdm", '{"code":-1021}', Reaction.CLOCK, Reason.CLOCK_SKEW),
        ("okx", '{"code":"1","data":[{"sCode":"51016"}]}', Reaction.TWICE, Reason.DUPLICATE_ID),
        ("okx", '{"code":"1","data":[{"sCode":"51400"}]}', Reaction.REFUSED, Reason.ORDER_NOT_FOUND),
        ("kraken", '{"retCode":10016}', Reaction.REFUSED, Reason.VENUE_REFUSED),
    ],
)
def test_a_venues_own_code_goes_before_the_class(venue: str, text: str, reaction: Reaction, reason: Reason):
    rule = rule_of(ccxt.InvalidOrder(f"{venue} {text}"), venue)
    assert (rule.reaction, rule.reason) == (reaction, reason)


def test_every_code_has_a_pattern_that_finds_it():
    for venue, (pattern, rules) in CODES.items():
        for code in rules:
            text = {"bybit": f'{{"retCode":{code}}}', "okx": f'{{"sCode":"{code}"}}'}.get(
                venue, f'{{"code":{code}}}'
            )
            assert pattern.findall(text) == [code]


def test_an_unknown_host_was_never_reached():
    error = ccxt.ExchangeNotAvailable("bybit POST")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert rule_of(error, "bybit").reaction is Reaction.UNSENT


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "nobody listens there"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (socket.gaierror(), "no connection"),
    ],
)
def test_where_no_connection_was_made_a_person_reads_why(cause: OSError, why: str):
    error = ccxt.ExchangeNotAvailable("bybit GET http://127.0.0.1:7475/v5/market/time")
    error.__cause__ = ClientConnectorError(
        ConnectionKey("127.0.0.1", 7475, False, True, None, None, None), cause
    )
    told = judged(error, rule_of(error, "bybit"), "local", writes=False, retry_after_s=0.0)
    assert str(told) == f"local cannot be reached: {why} (http://127.0.0.1:7475/v5/market/time)"
    error = ccxt.ExchangeNotAvailable("bybit")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    told = judged(error, rule_of(error, "bybit"), "bybit", writes=True, retry_after_s=0.0)
    assert str(told) == "bybit cannot be reached: Name or service not known (bybit)"


@pytest.mark.parametrize(
    ("cls", "read", "written"),
    [
        (ccxt.AuthenticationError, AuthError, AuthError),
        (ccxt.RateLimitExceeded, RateLimitedError, RateLimitedError),
        (ccxt.InvalidNonce, TransientError, RefusedError),
        (ccxt.InsufficientFunds, RefusedError, RefusedError),
        (ccxt.RequestTimeout, TransientError, AmbiguousError),
        (ccxt.DuplicateOrderId, TransientError, AmbiguousError),
    ],
)
def test_a_read_and_a_write_are_told_what_to_do(
    cls: type[Exception], read: type[VenueError], written: type[VenueError]
):
    error = cls("bybit said \x1b[31mno\n")
    rule = rule_of(error, "bybit")
    told = judged(error, rule, "bybit", writes=False, retry_after_s=7.0)
    assert type(told) is read
    assert "\x1b" not in str(told)
    assert type(judged(error, rule, "bybit", writes=True, retry_after_s=7.0)) is written
    if isinstance(told, RateLimitedError):
        assert told.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'bybit {"retCode":10006,"retMsg":"Too many visits.","result":{}}',
            "local: Too many visits. (10006)",
        ),
        (
            'okx {"code":"1","data":[{"sCode":"51008","sMsg":"No margin"}],"msg":""}',
            "local: No margin (51008)",
        ),
        (
            "bybit POST https://api.bybit.com/v5/order/create",
            "local: POST https://api.bybit.com/v5/order/create",
        ),
        (
            "bybit GET http://h/v5/order 429 Too Many Requests <html><head><title>429 fault</title></head>",
            "local: GET http://h/v5/order 429 Too Many Requests 429 fault",
        ),
        (
            "503, message='Invalid response status', url='ws://127.0.0.1:7475/v5/private?max=9'",
            "local: HTTP 503 from ws://127.0.0.1:7475/v5/private",
        ),
        ("", "local: ExchangeError"),
    ],
)
def test_a_person_reads_the_venues_words_and_not_its_envelope(said: str, told: str):
    error = ccxt.ExchangeError(said)
    text = str(judged(error, rule_of(error, "bybit"), "local", writes=False, retry_after_s=0.0))
    assert text.startswith(told)
    assert "{" not in text
