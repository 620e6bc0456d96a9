"""Which mechanisms there are, and what is offered of them."""

import pytest

from mailstack.wire.sasl.mechanisms import Offer, mechanism
from mailstack.wire.sasl.plain import Plain
from mailstack.wire.sasl.steps import Mechanism

EVERY = Offer(has_verifiers=True, end_point=b"hash")
NO_BINDING = Offer(has_verifiers=True)
NO_VERIFIERS = Offer(has_verifiers=False, end_point=b"hash")


def begun(name: str, offer: Offer) -> Mechanism | None:
    return mechanism(name, offer, nonce="nonce")


@pytest.mark.parametrize(
    ("offer", "names"),
    [
        (EVERY, ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN")),
        (NO_BINDING, ("SCRAM-SHA-256", "PLAIN", "LOGIN")),
        (NO_VERIFIERS, ("PLAIN", "LOGIN")),
    ],
)
def test_scram_is_offered_where_it_can_succeed_for_somebody(offer: Offer, names: tuple[str, ...]) -> None:
    assert offer.names == names
    assert all(begun(name, offer) is not None for name in names)


@pytest.mark.parametrize(
    ("name", "offer"),
    [("SCRAM-SHA-256-PLUS", NO_BINDING), ("SCRAM-SHA-256", NO_VERIFIERS), ("CRAM-MD5", EVERY), ("", EVERY)],
)
def test_what_is_not_offered_is_not_taken(name: str, offer: Offer) -> None:
    assert begun(name, offer) is None


def test_names_are_taken_in_any_case() -> None:
    assert isinstance(begun("plain", EVERY), Plain)
