"""Keywords of an email as JSON: IMAP's system flags with a dollar sign, all in lower case. RFC 8621 §4.1.1."""

from collections.abc import Mapping

from mailstack.model.errors import Invalid
from mailstack.model.flags import ANSWERED, DRAFT, FLAGGED, MAX_KEYWORDS_PER_MESSAGE, SEEN, Keywords, canonical_flag
from mailstack.wire.jmap.faults import NotSet, SetFault, SetFaultType, invalid_property

_FLAGS = {"$seen": SEEN, "$answered": ANSWERED, "$flagged": FLAGGED, "$draft": DRAFT}
# What JMAP spells in lower case, and mail programs over IMAP otherwise.
_USUAL = {keyword.lower(): keyword for keyword in ("$Forwarded", "$MDNSent", "$Junk", "$NotJunk", "$Phishing")}
_SPELLED = {flag: keyword for keyword, flag in _FLAGS.items()}


def write_keywords(keywords: Keywords) -> dict[str, bool]:
    return {_SPELLED.get(keyword) or keyword.lower(): True for keyword in sorted(keywords)}


def read_keyword(text: str) -> str:
    """As the store has it. Raises Invalid."""
    known = _FLAGS.get(text.lower()) or _USUAL.get(text.lower())
    if known is None and text.startswith("\\"):
        raise Invalid("a keyword holds no backslash")
    return known or canonical_flag(text.lower())


def read_keywords(value: object) -> Keywords:
    """Raises NotSet."""
    if not isinstance(value, Mapping) or not all(set_ is True for set_ in value.values()):
        raise invalid_property("keywords", "an object whose values are all true")
    if len(value) > MAX_KEYWORDS_PER_MESSAGE:
        raise NotSet(SetFault(type=SetFaultType.TOO_MANY_KEYWORDS))
    try:
        return frozenset(map(read_keyword, value))
    except Invalid as fault:
        raise invalid_property("keywords", str(fault)) from None
