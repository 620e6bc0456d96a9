"""What a client changes of an email: its keywords and its mailboxes, as a whole or one by one. RFC 8621 §4.6."""

from collections.abc import Mapping
from dataclasses import dataclass

from mailstack.model.email import SetPatch
from mailstack.model.errors import Invalid
from mailstack.model.flags import NO_KEYWORDS, Keywords
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property
from mailstack.wire.jmap.mail.email_given import given_mailbox_ids
from mailstack.wire.jmap.mail.keywords import read_keyword, read_keywords
from mailstack.wire.jmap.patch import read_patch

_PATCHED = frozenset({"keywords", "mailboxIds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailPatch:
    """mailbox_ids: as they are given."""

    keywords: SetPatch[str]
    mailbox_ids: SetPatch[str]


def email_patch(patch: Mapping[str, object]) -> EmailPatch:
    """Raises NotSet."""
    whole: dict[str, frozenset[str]] = {}
    added: dict[str, set[str]] = {name: set() for name in _PATCHED}
    removed: dict[str, set[str]] = {name: set() for name in _PATCHED}
    for way, value in read_patch(patch).items():
        name = way[0]
        if name not in _PATCHED:
            # RFC 8621 §4.1: all others are immutable, or the server's to set.
            raise invalid_property(name, "cannot be changed")
        if len(way) == 1:
            whole[name] = _keywords(value) if name == "keywords" else frozenset(given_mailbox_ids(value))
            continue
        if len(way) > 2 or (value is not None and value is not True):
            raise NotSet(SetFault(type=SetFaultType.INVALID_PATCH, description=f"{'/'.join(way)} is true or null"))
        element = _keyword(way[1]) if name == "keywords" else way[1]
        (removed if value is None else added)[name].add(element)
    keywords, mailbox_ids = (
        SetPatch(whole=whole.get(name), added=frozenset(added[name]), removed=frozenset(removed[name]))
        for name in ("keywords", "mailboxIds")
    )
    return EmailPatch(keywords=keywords, mailbox_ids=mailbox_ids)


def respelt(patch: SetPatch[str], before: Keywords) -> SetPatch[str]:
    """RFC 8621 §4.1.1: keywords are the same whatever their case; what an email has stays as it was spelled."""
    spelled = {keyword.lower(): keyword for keyword in before}

    def each(keywords: frozenset[str]) -> frozenset[str]:
        return frozenset(spelled.get(keyword.lower(), keyword) for keyword in keywords)

    return SetPatch(
        whole=None if patch.whole is None else each(patch.whole), added=each(patch.added), removed=each(patch.removed)
    )


def _keywords(value: object) -> Keywords:
    return NO_KEYWORDS if value is None else read_keywords(value)


def _keyword(text: str) -> str:
    try:
        return read_keyword(text)
    except Invalid as fault:
        raise invalid_property(f"keywords/{text[:100]}", str(fault)) from None
