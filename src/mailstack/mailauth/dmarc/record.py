"""A DMARC policy record, as found in DNS. Never raises: what cannot be read has its default. RFC 9989 §4.7, §4.8."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeVar

from mailstack.model.verdict import DmarcPolicy

MAX_TAGS = 100
"""The registry has a dozen; a TXT record of 64 KB could bring thirty thousand."""

_KEPT_CHARACTERS = 1_024
# RFC 9989 §4.8: dmarc-version = "v" equals %s"DMARC1" ; case sensitive, and the first of all
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
# dmarc-tag = 1*ALPHA equals 1*dmarc-value; dmarc-value = %x20-3A / %x3C-7E
_TAG = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*([\x20-\x3a\x3c-\x7e]*?)[ \t]*")
# RFC 3986 §3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,]+", re.IGNORECASE)

Word = TypeVar("Word", bound=Enum)


class PublicSuffix(Enum):
    """`psd`. UNSAID: by the tree walk."""

    YES = "y"
    NO = "n"
    UNSAID = "u"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """subdomains, nonexistent: with the policies that stand in for them where the owner named none. is_usable: False
    where a policy is none of the known ones, and no reports are asked for (RFC 9989 §4.10.1)."""

    policy: DmarcPolicy = DmarcPolicy.NONE
    subdomains: DmarcPolicy = DmarcPolicy.NONE
    nonexistent: DmarcPolicy = DmarcPolicy.NONE
    public_suffix: PublicSuffix = PublicSuffix.UNSAID
    has_strict_dkim: bool = False
    has_strict_spf: bool = False
    is_testing: bool = False
    is_usable: bool = True


def the_record(texts: Sequence[str]) -> DmarcRecord | None:
    """Of the TXT records of one name, the one that is a DMARC record; None where there is none, or more than one."""
    found = [text for text in texts if _VERSION.match(text)]
    # RFC 9989 §4.10: if several are returned, all of them are discarded.
    if len(found) != 1:
        return None
    # Those of large senders come with every second mail. Longer ones would let strangers fill the memory.
    return _parse_again(found[0]) if len(found[0]) <= _KEPT_CHARACTERS else _parse(found[0])


@lru_cache(maxsize=1024)
def _parse_again(text: str) -> DmarcRecord:
    return _parse(text)


def _parse(text: str) -> DmarcRecord:
    tags = _tags(text)
    policies = _policies(tags)
    # RFC 9989 §4.10.1: with a policy that nobody knows, p=none where there is a valid rua, else no DMARC at all.
    policy, subdomains, nonexistent = policies or (DmarcPolicy.NONE,) * 3
    return DmarcRecord(
        policy=policy,
        subdomains=subdomains,
        nonexistent=nonexistent,
        public_suffix=_word(PublicSuffix, tags.get("psd", "")) or PublicSuffix.UNSAID,
        has_strict_dkim=tags.get("adkim") == "s",
        has_strict_spf=tags.get("aspf") == "s",
        is_testing=tags.get("t") == "y",
        is_usable=policies is not None or _asks_for_reports(tags),
    )


def _policies(tags: Mapping[str, str]) -> tuple[DmarcPolicy, DmarcPolicy, DmarcPolicy] | None:
    """p, sp and np; None where one of them is no policy."""
    # RFC 9989 §4.7: without p, as if it were p=none; without np, sp stands for it, and without sp, p.
    policy = _word(DmarcPolicy, tags.get("p", "none"))
    subdomains = _word(DmarcPolicy, tags["sp"]) if "sp" in tags else policy
    nonexistent = _word(DmarcPolicy, tags["np"]) if "np" in tags else subdomains
    return (policy, subdomains, nonexistent) if policy and subdomains and nonexistent else None


def _asks_for_reports(tags: Mapping[str, str]) -> bool:
    return any(_URI.fullmatch(uri.strip()) for uri in tags.get("rua", "").split(","))


def _tags(text: str) -> dict[str, str]:
    """Lower-case, for the strings of ABNF are in any case. What is no tag is passed over, as unknown ones are."""
    found: dict[str, str] = {}
    for part in text.split(";", MAX_TAGS)[:MAX_TAGS]:
        match = _TAG.fullmatch(part)
        if match:
            found.setdefault(match[1].lower(), match[2].lower())
    return found


def _word(words: type[Word], text: str) -> Word | None:
    return next((word for word in words if word.value == text), None)
