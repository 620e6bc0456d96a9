"""What is known of a sender is the same at delivery and when the stored message is learned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.authres import write_results
from mailstack.model.instant import Instant
from mailstack.model.verdict import (
    ArcResult,
    ArcVerdict,
    Authentication,
    DkimResult,
    DkimVerdict,
    DmarcResult,
    DmarcVerdict,
    IprevResult,
    IprevVerdict,
    SpfIdentity,
    SpfResult,
    SpfVerdict,
)
from mailstack.services.inbound.trace import Hop, received_field, return_path_field
from mailstack.services.spam.sender import sender_in, sender_of
from tests.support.evidence import checked

HOSTNAME = "mx.example.com"
MESSAGE = b"From: a@b.test\r\nSubject: x\r\n\r\nx\r\n"

domains = st.sampled_from(["a.test", "mail.b.test", "xn--bcher-kva.test", "c_d.test"])
spf_verdicts = st.builds(
    SpfVerdict, result=st.sampled_from(SpfResult), identity=st.just(SpfIdentity.MAILFROM), domain=domains
)
dkim_verdicts = st.builds(DkimVerdict, result=st.sampled_from(DkimResult), domain=domains)
authentications = st.builds(
    Authentication,
    iprev=st.builds(IprevVerdict, result=st.sampled_from(IprevResult)),
    helo=st.just(SpfVerdict(result=SpfResult.PASS, identity=SpfIdentity.HELO, domain="helo.test")),
    mail_from=spf_verdicts,
    dkim=st.lists(dkim_verdicts, max_size=3).map(tuple),
    arc=st.just(ArcVerdict(result=ArcResult.NONE)),
    dmarc=st.builds(DmarcVerdict, result=st.sampled_from(DmarcResult), from_domain=domains),
)
hops = st.builds(
    Hop,
    hostname=st.just(HOSTNAME),
    ehlo_domain=st.sampled_from(["a.test", "[192.0.2.1]", "odd (name)", "", "ünïcode.test"]),
    peer_host=st.sampled_from(["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.7"]),
    protocol=st.sampled_from(["SMTP", "ESMTP", "ESMTPS", "UTF8SMTPS"]),
    trace_id=st.just("t1"),
    received_at=st.just(Instant(0)),
    peer_name=st.sampled_from(["", "mail.a.test"]),
)
paths = st.sampled_from(["", "alice@a.test", "ä@b.test", '"odd name"@a.test'])


@given(found=authentications, hop=hops, path=paths)
def test_it_reads_of_a_stored_message_what_it_knew_at_delivery(found: Authentication, hop: Hop, path: str) -> None:
    results = write_results(HOSTNAME, found, peer_host=hop.peer_host, mail_from=path)
    stored = return_path_field(path) + results + received_field(hop, recipient=None) + MESSAGE
    known = sender_of(
        found,
        peer_host=hop.peer_host,
        peer_name=hop.named,
        ehlo_domain=hop.called,
        protocol=hop.protocol,
        reverse_path=path,
    )
    assert sender_in(stored, HOSTNAME) == known


HOP = Hop(
    hostname=HOSTNAME,
    ehlo_domain="a.test",
    peer_host="192.0.2.1",
    protocol="ESMTP",
    trace_id="t1",
    received_at=Instant(0),
)
RECEIVED = received_field(HOP, recipient=None)
RESULTS = b"Authentication-Results: mx.example.com;\r\n\tspf=pass smtp.mailfrom=a@a.test\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        MESSAGE,
        RECEIVED + MESSAGE,  # of peers that the spec trusts
        RESULTS + MESSAGE,
        RECEIVED + RESULTS + MESSAGE,  # what stands below our own came with the mail
        RESULTS + RECEIVED.replace(b"by mx.example.com", b"by mx.else.test") + MESSAGE,
        RESULTS.replace(b"mx.example.com", b"mx.else.test") + RECEIVED + MESSAGE,
        RESULTS + b"Received: nonsense\r\n" + RECEIVED + MESSAGE,
    ],
)
def test_of_others_it_knows_nothing(raw: bytes) -> None:
    assert sender_in(raw, HOSTNAME) is None


def test_of_several_signatures_that_of_the_author_counts() -> None:
    """Whoever sends for others signs as well, and often first."""
    found = checked(dkim=[("esp.example", DkimResult.PASS), ("shop.example", DkimResult.PASS)])
    known = sender_of(
        found, peer_host="192.0.2.1", peer_name="", ehlo_domain="", protocol="ESMTP", reverse_path="x@esp.example"
    )
    assert known.verified_domain == "shop.example"
