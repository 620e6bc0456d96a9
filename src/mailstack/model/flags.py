"""Flags and keywords of a message. RFC 9051 §2.3.2; JMAP's keywords (RFC 8621 §4.1.1) are the same set, respelt.

Keywords belong to the message, `\\Deleted` to its place in one mailbox.
"""

from functools import lru_cache

from mailstack.model.errors import Invalid

SEEN = "\\Seen"
ANSWERED = "\\Answered"
FLAGGED = "\\Flagged"
DRAFT = "\\Draft"
DELETED = "\\Deleted"
SYSTEM_FLAGS = (ANSWERED, FLAGGED, DELETED, SEEN, DRAFT)

Keywords = frozenset[str]
NO_KEYWORDS: Keywords = frozenset()

MAX_KEYWORD_OCTETS = 100
MAX_KEYWORDS_PER_MESSAGE = 64

_CANONICAL = {flag.casefold(): flag for flag in SYSTEM_FLAGS}
_ATOM_SPECIALS = frozenset('(){%*"\\] ')


def canonical_flag(flag: str) -> str:
    """System flags in their usual spelling, keywords as given. Raises Invalid.

    RFC 9051 §2.3.2: flags are case-insensitive; flag-keyword = "$…" / atom, flag-extension = "\\" atom.
    """
    known = _CANONICAL.get(flag.casefold())
    if known:
        return known
    if flag.startswith("\\"):
        # RFC 9051 §9: a client must not set flag-extensions that the server did not offer.
        raise Invalid(f"{flag} is no system flag")
    if not flag or len(flag) > MAX_KEYWORD_OCTETS or not flag.isascii() or not flag.isprintable():
        raise Invalid("a keyword has 1 to 100 printable ASCII characters")
    if _ATOM_SPECIALS & set(flag):
        raise Invalid(f"a keyword must not hold any of {''.join(sorted(_ATOM_SPECIALS))}")
    return flag


@lru_cache(maxsize=4096)
def keywords_from_text(text: str) -> Keywords:
    """The inverse of keywords_text; cached, for a mailbox of 100,000 messages has a dozen combinations."""
    return frozenset(text.split()) if text else NO_KEYWORDS


def keywords_text(keywords: Keywords) -> str:
    """How the store keeps them: sorted, parted by one space."""
    return " ".join(sorted(keywords))
