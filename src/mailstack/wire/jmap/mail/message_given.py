"""An email that is to be made of a message that is there: of a blob, or of an email of another account.

RFC 8621 §4.7, §4.8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailstack.model.flags import Keywords
from mailstack.model.instant import Instant
from mailstack.wire.jmap.arguments import REFERENCE, is_id
from mailstack.wire.jmap.faults import invalid_property
from mailstack.wire.jmap.mail.email_given import given_mailbox_ids, given_received_at
from mailstack.wire.jmap.mail.keywords import read_keywords

_KNOWN = frozenset({"mailboxIds", "keywords", "receivedAt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenMessage:
    """source: the id of what it is made of. Ids as they are given, `#` and a creation id among them. None: not said."""

    source: str
    mailbox_ids: Sequence[str]
    keywords: Keywords | None
    received_at: Instant | None


def given_message(given: Mapping[str, object], *, of: str) -> GivenMessage:
    """of: the property that has the id of the source. Raises NotSet."""
    unknown = next((name for name in given if name != of and name not in _KNOWN), None)
    if unknown is not None:
        raise invalid_property(unknown, "cannot be given")
    source = given.get(of)
    if not isinstance(source, str) or not is_id(source.removeprefix(REFERENCE)):
        raise invalid_property(of, "is not an Id")
    return GivenMessage(
        source=source,
        mailbox_ids=given_mailbox_ids(given.get("mailboxIds")),
        keywords=None if given.get("keywords") is None else read_keywords(given["keywords"]),
        received_at=given_received_at(given.get("receivedAt")),
    )
