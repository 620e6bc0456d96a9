"""Which mechanisms there are."""

from mailstack.wire.sasl.mechanisms import MECHANISM_NAMES, mechanism
from mailstack.wire.sasl.plain import Plain


def test_every_name_offered_has_a_mechanism() -> None:
    assert all(mechanism(name) is not None for name in MECHANISM_NAMES)


def test_names_are_taken_in_any_case() -> None:
    assert isinstance(mechanism("plain"), Plain)


def test_an_unknown_name_has_none() -> None:
    assert mechanism("CRAM-MD5") is None
