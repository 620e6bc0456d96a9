"""The mechanisms offered, by name. Under plain text none is offered: that is the protocol server's to decide."""

from mailstack.wire.sasl.login import Login
from mailstack.wire.sasl.plain import Plain
from mailstack.wire.sasl.steps import Mechanism

MECHANISM_NAMES = ("PLAIN", "LOGIN")
"""In the order in which capabilities list them."""


def mechanism(name: str) -> Mechanism | None:
    """A fresh exchange. RFC 4422 §3.1: names are upper case; clients are not held to it."""
    match name.upper():
        case "PLAIN":
            return Plain()
        case "LOGIN":
            return Login()
        case _:
            return None
