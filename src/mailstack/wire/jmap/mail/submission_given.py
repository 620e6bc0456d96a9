"""What a client gives of an email that is to be sent. RFC 8621 §7, §7.5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.wire.jmap.arguments import REFERENCE, is_id
from mailstack.wire.jmap.faults import invalid_property

_KNOWN = frozenset({"identityId", "emailId", "envelope"})
Parameters = Mapping[str, str | None]
"""By upper-case keyword, values as people read them: xtext is SMTP's affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAddress:
    email: str
    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEnvelope:
    mail_from: GivenAddress
    rcpt_to: Sequence[GivenAddress]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSubmission:
    """Ids as they are given, `#` and a creation id among them. envelope: None where the email says it."""

    identity_id: str
    email_id: str
    envelope: GivenEnvelope | None


def given_submission(given: Mapping[str, Any]) -> GivenSubmission:
    """Raises NotSet."""
    unknown = next((name for name in given if name not in _KNOWN), None)
    if unknown is not None:
        raise invalid_property(unknown, "cannot be given")
    envelope = given.get("envelope")
    return GivenSubmission(
        identity_id=_reference(given, "identityId"),
        email_id=_reference(given, "emailId"),
        envelope=None if envelope is None else _envelope(envelope),
    )


def _reference(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name)
    if not isinstance(found, str) or not is_id(found.removeprefix(REFERENCE)):
        raise invalid_property(name, "is not an Id")
    return found


def _envelope(given: object) -> GivenEnvelope:
    if not isinstance(given, Mapping) or given.keys() != {"mailFrom", "rcptTo"}:
        raise invalid_property("envelope", "has mailFrom and rcptTo, and nothing else")
    if not isinstance(given["rcptTo"], list):
        raise invalid_property("envelope", "rcptTo is not an array")
    return GivenEnvelope(mail_from=_address(given["mailFrom"]), rcpt_to=[*map(_address, given["rcptTo"])])


def _address(given: object) -> GivenAddress:
    if not isinstance(given, Mapping) or not isinstance(given.get("email"), str):
        raise invalid_property("envelope", "an address has an email")
    if given.keys() - {"email", "parameters"}:
        raise invalid_property("envelope", "an address has an email and parameters, and nothing else")
    return GivenAddress(email=given["email"], parameters=_parameters(given.get("parameters")))


def _parameters(given: object) -> Parameters:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(value is None or isinstance(value, str) for value in given.values()):
        raise invalid_property("envelope", "parameters is not an object of Strings")
    found = {name.upper(): value for name, value in given.items()}
    if len(found) < len(given):
        raise invalid_property("envelope", "a parameter is there twice")
    return found
