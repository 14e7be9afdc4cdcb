"""What the exchange refuses, under the codes of Bybit v5, and the reasons of our matching that lead there."""

from engine.domain.reasons import Reason

PARAMETERS = 10001
EXPIRED = 10002
INVALID_KEY = 10003
WRONG_SIGNATURE = 10004
NOT_PERMITTED = 10005
TOO_MANY_VISITS = 10006
UNKNOWN_PATH = 10404
NOT_FOUND = 110001
PRICE_OUT_OF_RANGE = 110003
NO_BALANCE = 110007
TOO_MANY_STOPS = 110009
LEVERAGE_TOO_HIGH = 110013
REDUCE_ONLY = 110017
TOO_MANY_ORDERS = 110020
SAME_LEVERAGE = 110043
DUPLICATE_ID = 110072
TRIGGER_NOT_ABOVE = 110092
TRIGGER_NOT_BELOW = 110093
UNDER_MINIMUM_VALUE = 110094
NOT_MODIFIED = 34040


class RefusedError(Exception):
    """The exchange does not do what was asked; it leaves this package as `retCode` and `retMsg`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


def parameter_error(text: str) -> RefusedError:
    """Refuse a request whose parameters cannot be used."""
    return RefusedError(PARAMETERS, f"params error: {text}")


def of_reason(reason: Reason, text: str) -> RefusedError:
    """Put a reason of our matching into the exchange's codes."""
    match reason:
        case Reason.REDUCE_ONLY_WOULD_INCREASE:
            return RefusedError(REDUCE_ONLY, f"Reduce-only rule not satisfied: {text}")
        case Reason.VENUE_MINIMUM if "notional" in text:
            return RefusedError(UNDER_MINIMUM_VALUE, f"Order does not meet minimum order value: {text}")
        case _:
            return parameter_error(text)
