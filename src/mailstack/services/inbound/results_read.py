"""What our checks found of a mail's sender, read back from the field that we wrote on top of it. RFC 8601 §5: what
others wrote in our name was taken out then.
"""

from collections.abc import Iterable
from typing import TypeVar

from mailstack.formats.authres import MethodResult
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

Word = TypeVar("Word", SpfResult, DkimResult, DmarcResult, DmarcPolicy, IprevResult)
_OF_PATH, _OF_HELO = "smtp.mailfrom", "smtp.helo"


def authentication_in(results: Iterable[MethodResult]) -> Authentication | None:
    """As far as the field has it. What a sealer saw is not in it: nobody vouches for such a mail."""
    by_method: dict[str, list[MethodResult]] = {}
    for each in results:
        by_method.setdefault(each.method, []).append(each)
    if not by_method:
        return None
    spf = by_method.get("spf", ())
    return Authentication(
        iprev=next(map(_iprev, by_method.get("iprev", ())), IprevVerdict(result=IprevResult.PERMERROR)),
        helo=_spf(spf, _OF_HELO, SpfIdentity.HELO),
        mail_from=_spf(spf, _OF_PATH, SpfIdentity.MAILFROM),
        dkim=tuple(map(_dkim, by_method.get("dkim", ()))),
        arc=ArcVerdict(result=ArcResult.NONE),
        dmarc=next(map(_dmarc, by_method.get("dmarc", ())), DmarcVerdict(result=DmarcResult.NONE)),
    )


def _word(words: type[Word], text: str, other: Word) -> Word:
    """other: for what is no such word, for a client of ours may have written the field."""
    return next((word for word in words if word.value == text), other)


def _iprev(seen: MethodResult) -> IprevVerdict:
    return IprevVerdict(result=_word(IprevResult, seen.result, IprevResult.PERMERROR))


def _spf(results: Iterable[MethodResult], name: str, identity: SpfIdentity) -> SpfVerdict:
    for seen in results:
        if name in seen.properties:
            domain = seen.properties[name].rpartition("@")[2]
            return SpfVerdict(result=_word(SpfResult, seen.result, SpfResult.NONE), identity=identity, domain=domain)
    return SpfVerdict(result=SpfResult.NONE, identity=identity, domain="")


def _dkim(seen: MethodResult) -> DkimVerdict:
    domain = seen.properties.get("header.d", "")
    return DkimVerdict(result=_word(DkimResult, seen.result, DkimResult.NONE), domain=domain)


def _dmarc(seen: MethodResult) -> DmarcVerdict:
    return DmarcVerdict(
        result=_word(DmarcResult, seen.result, DmarcResult.NONE),
        from_domain=seen.properties.get("header.from", ""),
        policy=_word(DmarcPolicy, seen.properties.get("policy.dmarc", ""), DmarcPolicy.NONE),
    )
