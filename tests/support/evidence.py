"""Mail as rules look at it, brought by whom a test wants."""

from collections.abc import Sequence

from mailstack.formats.addresses import parse_mailboxes
from mailstack.formats.headers import first
from mailstack.model.instant import Instant
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
from mailstack.services.spam.correspondents import author_key
from mailstack.services.spam.sender import sender_of
from mailstack.spam.correspondent import Correspondent
from mailstack.spam.features import features_in
from mailstack.spam.rules.evidence import Evidence, Ours
from mailstack.spam.seen import look_at

OURS = Ours(
    hostname="mx.example.org",
    domains=frozenset({"example.org", "northwind.example"}),
)
NOW = Instant(1_790_000_000_000)
"""21 September 2026."""
HEADER = (
    b"From: Carol <carol@shop.example>\r\nTo: alice@example.org\r\nSubject: Hello\r\n"
    b"Date: Mon, 21 Sep 2026 14:00:00 +0000\r\nMessage-ID: <1@shop.example>\r\n"
)
HONEST = HEADER + b"\r\nSee you on Monday.\r\n"


def checked(
    *,
    dmarc: DmarcResult = DmarcResult.NONE,
    policy: DmarcPolicy = DmarcPolicy.NONE,
    spf: SpfResult = SpfResult.PASS,
    spf_domain: str = "shop.example",
    helo: SpfResult = SpfResult.NONE,
    dkim: Sequence[tuple[str, DkimResult]] = (),
    iprev: IprevResult = IprevResult.PASS,
    host: str = "out.shop.example",
    sealed: str = "",
) -> Authentication:
    """sealed: the results that a trusted sealer saw."""
    return Authentication(
        iprev=IprevVerdict(result=iprev, name=host if iprev is IprevResult.PASS else ""),
        helo=SpfVerdict(result=helo, identity=SpfIdentity.HELO, domain="out.shop.example"),
        mail_from=SpfVerdict(result=spf, identity=SpfIdentity.MAILFROM, domain=spf_domain),
        dkim=tuple(DkimVerdict(result=result, domain=domain) for domain, result in dkim),
        arc=ArcVerdict(result=ArcResult.PASS if sealed else ArcResult.NONE, trusted_results=sealed),
        dmarc=DmarcVerdict(result=dmarc, from_domain="shop.example", policy=policy),
    )


def evidence(
    raw: bytes = HONEST,
    *,
    authentication: Authentication | None = None,
    peer_host: str = "203.0.113.7",
    ehlo_domain: str = "out.shop.example",
    reverse_path: str = "carol@shop.example",
    ours: Ours = OURS,
) -> Evidence:
    seen = look_at(raw)
    author = next(iter(parse_mailboxes(first(seen.root.fields, b"from") or b"")), None)
    sender = None
    if authentication is not None:
        sender = sender_of(
            authentication,
            peer_host=peer_host,
            peer_name=authentication.iprev.name,
            ehlo_domain=ehlo_domain,
            protocol="ESMTPS",
            reverse_path=f"x@{authentication.mail_from.domain}",
        )
    return Evidence(
        raw=raw,
        seen=seen,
        tokens=frozenset(features_in(seen).tokens),
        authentication=authentication,
        author=author,
        standing=Correspondent(author=author_key(author), sender=sender, peer_host=peer_host).standing,
        peer_host=peer_host,
        ehlo_domain=ehlo_domain,
        reverse_path=reverse_path,
        received_at=NOW,
        ours=ours,
    )


def with_field(name: bytes, value: bytes, header: bytes = HEADER) -> bytes:
    """HONEST with that field in place of its own; b"" takes it away."""
    kept = b"".join(line for line in header.splitlines(True) if not line.lower().startswith(name.lower() + b":"))
    return kept + (name + b": " + value + b"\r\n" if value else b"") + b"\r\nSee you on Monday.\r\n"
