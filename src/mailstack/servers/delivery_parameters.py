"""What a sender asks to be told: RET, ENVID, NOTIFY and ORCPT as MAIL and RCPT have them, read strictly, whichever
protocol brings them. RFC 3461 §4, RFC 6533 §3.

They are kept as written, for the next server; what is done about them is services' business.
"""

import re
from collections.abc import Mapping

from mailstack.formats.xtext import decode_xtext
from mailstack.model.errors import Invalid
from mailstack.model.handling import UNASKED, Notification, NotifyOn, Returned

MAX_ENVELOPE_ID_CHARACTERS = 100
MAX_ORIGINAL_RECIPIENT_CHARACTERS = 500

# RFC 3461 §4.2: addr-type = atom
_ADDRESS_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+\-/?^_`{|}~]++")
# RFC 6533 §3: utf-8-addr-xtext, and utf-8-addr-unitext under SMTPUTF8; "\x{HEX}" stands for what is not ASCII.
_UTF8_ADDRESS = re.compile(r"(?:[!-*,-<>-\[\]-~]|[^\x00-\x9f\s]|\\x\{(?:[0-9A-F]{2,6})\})++")


def parse_returned(parameters: Mapping[str, str | None]) -> Returned | None:
    """parameters: by upper-case keyword, of MAIL; None where one has no value. Raises Invalid.

    RFC 3461 §4.3: ret-parameter = "RET=" ( "FULL" / "HDRS" ), in any case.
    """
    if "RET" not in parameters:
        return None
    try:
        return Returned((parameters["RET"] or "").upper())
    except ValueError:
        raise Invalid("RET is FULL or HDRS") from None


def parse_envelope_id(parameters: Mapping[str, str | None]) -> str:
    """As parse_returned; kept as written. RFC 3461 §4.4: xtext, at most 100 characters."""
    if "ENVID" not in parameters:
        return ""
    text = parameters["ENVID"] or ""
    if not text or len(text) > MAX_ENVELOPE_ID_CHARACTERS:
        raise Invalid(f"ENVID has 1 to {MAX_ENVELOPE_ID_CHARACTERS} characters")
    decode_xtext(text)
    return text


def parse_notification(parameters: Mapping[str, str | None], *, smtp_utf8: bool) -> Notification:
    """As parse_returned, of RCPT."""
    if not parameters:
        return UNASKED
    return Notification(
        notify_on=_notify_on(parameters), original_recipient=_original_recipient(parameters, smtp_utf8=smtp_utf8)
    )


def _notify_on(parameters: Mapping[str, str | None]) -> frozenset[NotifyOn] | None:
    """RFC 3461 §4.1: NEVER, which stands alone, or a list of the others."""
    if "NOTIFY" not in parameters:
        return None
    words = (parameters["NOTIFY"] or "").upper().split(",")
    if words == ["NEVER"]:
        return frozenset()
    try:
        events = frozenset(map(NotifyOn, words))
    except ValueError:
        raise Invalid("NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY") from None
    if len(events) != len(words):
        raise Invalid("NOTIFY says something twice")
    return events


def _original_recipient(parameters: Mapping[str, str | None], *, smtp_utf8: bool) -> str:
    """RFC 3461 §4.2: original-recipient-address = addr-type ";" xtext, of 500 characters at most (§5.4)."""
    if "ORCPT" not in parameters:
        return ""
    text = parameters["ORCPT"] or ""
    kind, _, address = text.partition(";")
    if len(text) > MAX_ORIGINAL_RECIPIENT_CHARACTERS or not address or not _ADDRESS_TYPE.fullmatch(kind):
        raise Invalid("ORCPT is a type and an address")
    if kind.casefold() != "utf-8":
        decode_xtext(address)
    elif not _UTF8_ADDRESS.fullmatch(address) or not (smtp_utf8 or address.isascii()):
        raise Invalid("ORCPT holds no address of RFC 6533")
    return text
