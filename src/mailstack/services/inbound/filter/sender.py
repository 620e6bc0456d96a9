"""What is known of who sent a mail that scripts act on. A mail out of the queue was checked when it came, and says so
itself: in the field that we wrote on top of it. RFC 8601 §5: what others wrote in our name was taken out then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from mailstack.formats.authres import MethodResult, results_by
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcPolicy,
    DmarcResult,
    DmarcVerdict,
    IprevResult,
    IprevVerdict,
    SpfIdentity,
    SpfResult,
    SpfVerdict,
)
from mailstack.services.inbound.deliver import Letter

Word = TypeVar("Word", SpfResult, DkimResult, DmarcResult, DmarcPolicy)
_UNSAID = SpfVerdict(result=SpfResult.NONE, identity=SpfIdentity.HELO, domain="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Works as services.inbound.trust.Sent."""

    reverse_path: str
    authentication: Authentication | None
    is_suspicious: bool


def sender_of(letter: Letter, hostname: str) -> Sender:
    """hostname: ours, as Authentication-Results has it."""
    found = letter.authentication
    if found is None and not letter.peer_host:
        found = _read(results_by(letter.raw, (hostname.lower(),)))
    return Sender(reverse_path=letter.reverse_path, authentication=found, is_suspicious=letter.is_suspicious)


def _read(results: Iterable[MethodResult]) -> Authentication | None:
    """As far as trust asks. What a sealer saw is not in the field: nobody vouches for such a mail."""
    by_method: dict[str, list[MethodResult]] = {}
    for each in results:
        by_method.setdefault(each.method, []).append(each)
    if not by_method:
        return None
    spf = [each for each in by_method.get("spf", ()) if "smtp.mailfrom" in each.properties]
    return Authentication(
        iprev=IprevVerdict(result=IprevResult.PERMERROR),
        helo=_UNSAID,
        mail_from=next(map(_spf, spf), _UNSAID),
        dkim=tuple(DkimVerdict(result=_word(DkimResult, each.result)) for each in by_method.get("dkim", ())),
        arc=ArcVerdict(result=ArcResult.NONE),
        dmarc=next(map(_dmarc, by_method.get("dmarc", ())), DmarcVerdict(result=DmarcResult.NONE)),
    )


def _word(words: type[Word], text: str) -> Word:
    """NONE for what is no such word: a client of ours may have written the field."""
    return next((word for word in words if word.value == text), words["NONE"])


def _spf(seen: MethodResult) -> SpfVerdict:
    domain = seen.properties["smtp.mailfrom"].rpartition("@")[2]
    return SpfVerdict(result=_word(SpfResult, seen.result), identity=SpfIdentity.MAILFROM, domain=domain)


def _dmarc(seen: MethodResult) -> DmarcVerdict:
    return DmarcVerdict(
        result=_word(DmarcResult, seen.result),
        from_domain=seen.properties.get("header.from", ""),
        policy=_word(DmarcPolicy, seen.properties.get("policy.dmarc", "")),
    )
