"""Which properties of emails a client asks for, and how much of their text. RFC 8621 §4.2, §4.9."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailstack.wire.jmap.arguments import Arguments
from mailstack.wire.jmap.faults import invalid_arguments
from mailstack.wire.jmap.mail.header_property import CONVENIENT, HeaderProperty, header_property

STORED = ("id", "blobId", "threadId", "mailboxIds", "keywords", "size", "receivedAt")
"""RFC 8621 §4.1.1: what the message itself does not say."""
_OTHERS = ("headers", "bodyStructure", "bodyValues", "textBody", "htmlBody", "attachments", "hasAttachment", "preview")
_KNOWN = frozenset((*STORED, *_OTHERS))

PARSED_BY_DEFAULT = (
    *("messageId", "inReplyTo", "references", "sender", "from", "to", "cc", "bcc", "replyTo", "subject", "sentAt"),
    *("hasAttachment", "preview", "bodyValues", "textBody", "htmlBody", "attachments"),
)
"""RFC 8621 §4.9."""
FETCHED_BY_DEFAULT = (*STORED, *PARSED_BY_DEFAULT)
"""RFC 8621 §4.2."""
_PART_BY_DEFAULT = (
    *("partId", "blobId", "size", "name", "type", "charset", "disposition", "cid", "language", "location"),
)
_PART_KNOWN = frozenset((*_PART_BY_DEFAULT, "headers", "subParts"))
MAX_PROPERTIES = 200
"""Of an email, or of a part: each that is a header field is looked for in every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailWanted:
    """names, part_names: properties that are no header fields, of the email and of its parts. headers, part_headers:
    those that are. max_body_value_octets: 0 for no limit."""

    names: frozenset[str]
    headers: Sequence[HeaderProperty]
    part_names: frozenset[str]
    part_headers: Sequence[HeaderProperty]
    text_values: bool
    html_values: bool
    all_values: bool
    max_body_value_octets: int


def email_wanted(arguments: Arguments, *, by_default: Sequence[str]) -> EmailWanted:
    """Raises MethodFault for what is no property, and for a form that is not allowed for its field."""
    given = _given(arguments, "properties", by_default)
    names = frozenset(given) & _KNOWN
    part_given = _given(arguments, "bodyProperties", _PART_BY_DEFAULT)
    part_names = frozenset(part_given) & _PART_KNOWN
    return EmailWanted(
        names=names,
        headers=tuple(CONVENIENT.get(each) or _header(each) for each in given if each not in names),
        part_names=part_names,
        part_headers=tuple(_header(each) for each in part_given if each not in part_names),
        text_values=arguments.boolean("fetchTextBodyValues", default=False),
        html_values=arguments.boolean("fetchHTMLBodyValues", default=False),
        all_values=arguments.boolean("fetchAllBodyValues", default=False),
        max_body_value_octets=arguments.optional_unsigned("maxBodyValueBytes") or 0,
    )


def _given(arguments: Arguments, name: str, by_default: Sequence[str]) -> Sequence[str]:
    """Each once."""
    texts = arguments.texts(name)
    found = list(by_default if texts is None else dict.fromkeys(texts))
    if len(found) > MAX_PROPERTIES:
        raise invalid_arguments(f"{name} has at most {MAX_PROPERTIES} of them")
    return found


def _header(given: str) -> HeaderProperty:
    found = header_property(given)
    if found is None:
        # RFC 8621 §4.2: a form that is forbidden must be refused; RFC 8620 §5.1: and so must an unknown property.
        raise invalid_arguments(f"{given[:100]} is no property that can be asked for")
    return found
