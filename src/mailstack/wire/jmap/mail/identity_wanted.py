"""What a client wants an identity to be: the properties that it may set. RFC 8621 §6, §6.3."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mailstack.model.errors import Invalid
from mailstack.model.header_value import EmailAddress
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.header_given import read_addresses
from mailstack.wire.jmap.mail.settable import check_settable


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityWanted:
    email: str
    name: str
    reply_to: Sequence[EmailAddress] | None
    bcc: Sequence[EmailAddress] | None
    text_signature: str
    html_signature: str


_SETTABLE = frozenset({"name", "replyTo", "bcc", "textSignature", "htmlSignature"})
# Values go into header fields, and addresses into commands.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+|\".+\"@[^@\s]+")


def read_identity(properties: Mapping[str, Any], *, fixed: Mapping[str, Any] | None = None) -> IdentityWanted:
    """fixed: all properties of one that there is. Raises NotSet."""
    # RFC 8621 §6: the address is immutable.
    check_settable(properties, _SETTABLE | {"email"} if fixed is None else _SETTABLE, fixed=fixed or {})
    return IdentityWanted(
        email=_text(properties, "email", _CONTROL, default=None),
        name=_text(properties, "name", _CONTROL),
        reply_to=_addresses(properties, "replyTo"),
        bcc=_addresses(properties, "bcc"),
        text_signature=_text(properties, "textSignature", _CONTROL_BUT_LINES),
        html_signature=_text(properties, "htmlSignature", _CONTROL_BUT_LINES),
    )


def _text(properties: Mapping[str, Any], name: str, refused: re.Pattern[str], *, default: str | None = "") -> str:
    value = properties.get(name, default)
    if not isinstance(value, str):
        raise invalid_property(name, "a String")
    if refused.search(value):
        raise invalid_property(name, "holds control characters")
    return value


def _addresses(properties: Mapping[str, Any], name: str) -> Sequence[EmailAddress] | None:
    value = properties.get(name)
    if value is None:
        return None
    try:
        found = read_addresses(value)
    except Invalid as fault:
        raise invalid_property(name, str(fault)) from None
    for each in found:
        if _CONTROL.search((each.name or "") + each.email) or not _ADDRESS.fullmatch(each.email):
            raise invalid_property(name, "holds what is no address")
    return found
