"""The mechanisms offered, by name. Under plain text none is offered: that is the protocol server's to decide."""

from dataclasses import dataclass

from mailstack.wire.sasl import scram
from mailstack.wire.sasl.login import Login
from mailstack.wire.sasl.plain import Plain
from mailstack.wire.sasl.scram import Scram
from mailstack.wire.sasl.steps import Mechanism


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one connection is offered. has_verifiers: whether SCRAM can succeed for anybody. end_point: the hash of the
    certificate that the connection showed, None where that is not certain."""

    has_verifiers: bool
    end_point: bytes | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The strongest first, in the order in which capabilities list them."""
        if not self.has_verifiers:
            return ("PLAIN", "LOGIN")
        plus = () if self.end_point is None else (scram.PLUS_NAME,)
        return (*plus, scram.NAME, "PLAIN", "LOGIN")


def mechanism(name: str, offer: Offer, *, nonce: str) -> Mechanism | None:
    """A fresh exchange; None for what is not offered. RFC 4422 §3.1: names are upper case; clients are not held to it.

    nonce: fresh and printable, without a comma.
    """
    wanted = name.upper()
    if wanted not in offer.names:
        return None
    match wanted:
        case "PLAIN":
            return Plain()
        case "LOGIN":
            return Login()
        case _:
            return Scram(nonce=nonce, end_point=offer.end_point, is_plus=wanted == scram.PLUS_NAME)
