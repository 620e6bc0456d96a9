"""Who a mail is from: the same when it comes in and when the stored message is learned."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstack.formats.authres import write_results
from mailstack.model.instant import Instant
from mailstack.model.verdict import DmarcResult, DmarcVerdict, SpfResult
from mailstack.services.inbound.trace import Hop, received_field, return_path_field
from mailstack.services.spam.correspondents import MAX_FROM_OCTETS, Arrived, arrived_in, key_of
from mailstack.services.spam.keys import SenderKeys
from mailstack.services.spam.sender import sender_of
from mailstack.spam.correspondent import Correspondent
from tests.support.examined import RAW, examined
from tests.support.senders import known

HOSTNAME = "mx.example.com"
RECEIVED_AT = Instant(1_795_000_000_000)


@pytest.mark.parametrize("peer_host", ["192.0.2.1", "2001:db8::1"])
def test_it_is_the_same_then_and_now(peer_host: str) -> None:
    found = known(DmarcVerdict(result=DmarcResult.PASS, from_domain="shop.example"), spf=SpfResult.PASS)
    hop = Hop(
        hostname=HOSTNAME,
        ehlo_domain="mx.shop.example",
        peer_host=peer_host,
        protocol="ESMTPS",
        trace_id="t",
        received_at=RECEIVED_AT,
    )
    path = "bounce@shop.example"
    sender = sender_of(
        found,
        peer_host=peer_host,
        peer_name=hop.named,
        ehlo_domain=hop.called,
        protocol=hop.protocol,
        reverse_path=path,
    )
    came = examined(sender=sender, peer_host=peer_host)
    results = write_results(HOSTNAME, found, peer_host=peer_host, mail_from=path)
    stored = return_path_field(path) + results + received_field(hop, recipient=None) + RAW
    assert arrived_in(stored, HOSTNAME) == Arrived(sent_by=came.correspondent, received_at=RECEIVED_AT)
    assert came.correspondent.author == "deals@shop.example"


def test_of_a_message_that_did_not_come_from_outside_the_author_is_known() -> None:
    for raw, author in ((RAW, "deals@shop.example"), (b"Subject: x\r\n\r\n", "")):
        nobody = Correspondent(author=author, sender=None)
        assert arrived_in(raw, HOSTNAME) == Arrived(sent_by=nobody, received_at=Instant(0))


@pytest.mark.parametrize(("octets", "author"), [(MAX_FROM_OCTETS, "a@bank.example.evil.example"), (9_000, "")])
def test_no_author_is_cut_off(octets: int, author: str) -> None:
    """What is left of the longer one would be an address of the bank."""
    address = b"<a@bank.example.evil.example>"
    raw = b"From: %s %s\r\n\r\n" % (b"x" * (octets - len(address) - 1), address)
    assert arrived_in(raw, HOSTNAME).sent_by.author == author


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("A@B.Example", "a@b.example"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a", ""),
        ("@x", ""),
        ("a@", ""),
    ],
)
def test_keys_of_addresses(address: str, expected: str) -> None:
    assert key_of(address) == expected


@given(
    author=st.binary(max_size=60),
    peer=st.sampled_from([b"192.0.2.1", b"IPv6:fe80::1%eth0", b"IPv6:::", b"\xff", b"999.1.1.1"]),
    date=st.binary(max_size=30),
)
def test_whatever_a_message_says_of_itself_can_be_learned(author: bytes, peer: bytes, date: bytes) -> None:
    received = b"Received: from x ([" + peer + b"])\r\n\tby mx.example.com with ESMTP id 1;\r\n\t" + date + b"\r\n"
    results = (
        b"Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=a@b.test; dmarc=pass header.from=b.test\r\n"
    )
    arrived = arrived_in(results + received + b"From: " + author + b"\r\n\r\n", HOSTNAME)
    keys = SenderKeys(b"k" * 32)
    assert all(-(2**63) <= keys.of_subject(*subject) < 2**63 for subject in arrived.sent_by.subjects)
