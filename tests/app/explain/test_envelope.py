"""What a mail says of its own envelope, and what of that is taken."""

import pytest

from mailstack.app.explain.envelope import Addressed, Given, addressed, as_mail
from mailstack.model.errors import Invalid
from mailstack.model.instant import Instant
from mailstack.services.inbound.trace import Hop, received_field


def ours(peer_host: str) -> bytes:
    """As this server writes it."""
    hop = Hop(
        hostname="mail.example.com",
        ehlo_domain="mx.sender.test",
        peer_host=peer_host,
        protocol="ESMTPS",
        trace_id="17",
        received_at=Instant(0),
    )
    return received_field(hop, recipient="alice@example.com")


OURS = ours("192.0.2.1")
OURS_OF_IPV6 = ours("2001:db8::1")
THEIRS = b"Received: from laptop ([198.51.100.1])\r\n\tby mx.sender.test with ESMTPSA id 3; Wed, 31 Dec 2025\r\n"


def read(raw: bytes, given: Given | None = None) -> Addressed:
    domains = ("example.com", "xn--bcher-kva.example")
    return addressed(raw, given or Given(), hostname="mail.example.com", domains=domains)


def with_peer(raw: bytes) -> Addressed:
    return read(raw, Given(peer="192.0.2.9"))


def test_our_own_received_field_on_top_says_who_brought_it() -> None:
    for field, peer in ((OURS, "192.0.2.1"), (OURS_OF_IPV6, "2001:db8::1")):
        found = read(b"Return-Path: <>\r\n" + field + THEIRS + b"To: alice@example.com\r\n\r\n")
        assert (found.peer, found.helo, found.mail_from) == (peer, "mx.sender.test", "")


@pytest.mark.parametrize("raw", [b"", THEIRS, THEIRS + OURS, OURS.replace(b"[192.0.2.1]", b"[192.0.2.256]")])
def test_nobody_elses_field_does(raw: bytes) -> None:
    with pytest.raises(Invalid, match="Say --from ADDRESS"):
        read(raw + b"From: x@sender.test\r\nTo: alice@example.com\r\n\r\n")


def test_the_name_of_another_peer_is_not_taken_for_this_ones() -> None:
    raw = OURS + b"From: x@sender.test\r\nTo: alice@example.com\r\n\r\n"
    assert with_peer(raw).helo == "[192.0.2.9]"
    assert read(raw, Given(peer="192.0.2.1")).helo == "mx.sender.test"
    assert read(raw, Given(peer="2001:db8::7")).helo == "[IPv6:2001:db8::7]"


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        (b"Return-Path: <bounce@sender.test>\r\nFrom: x@sender.test\r\n", "bounce@sender.test"),
        (b"Return-Path: <>\r\nFrom: x@sender.test\r\n", ""),
        (b"Return-Path: nonsense\r\nFrom: X <x@sender.test>\r\n", "x@sender.test"),
        (b"From: X <x@sender.test>, y@sender.test\r\n", "x@sender.test"),
    ],
)
def test_the_sender(header: bytes, sender: str) -> None:
    assert with_peer(header + b"To: alice@example.com\r\n\r\n").mail_from == sender


@pytest.mark.parametrize(
    ("header", "recipients"),
    [
        (b"Delivered-To: alice+x@example.com\r\nTo: bob@example.com\r\n", ("alice+x@example.com",)),
        (b"X-Original-To: alice@example.com\r\nTo: bob@example.com\r\n", ("alice@example.com",)),
        (b"Delivered-To: somebody@elsewhere.test\r\nTo: bob@example.com\r\n", ("bob@example.com",)),
        (
            b"To: A <alice@Example.COM>, x@else.test\r\nCc: alice@Example.COM, b@example.com\r\n",
            ("alice@Example.COM", "b@example.com"),
        ),
        ("To: i@bücher.example\r\n".encode(), ("i@bücher.example",)),
    ],
)
def test_the_recipients_are_addresses_of_ours(header: bytes, recipients: tuple[str, ...]) -> None:
    assert with_peer(b"From: x@sender.test\r\n" + header + b"\r\n").recipients == recipients


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"To: alice@example.com\r\n", "Say --mail-from ADDRESS"),
        (b"From: x@sender.test\r\nTo: somebody@elsewhere.test\r\n", "Say --rcpt ADDRESS"),
    ],
)
def test_what_is_missing_is_said(header: bytes, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        with_peer(header + b"\r\n")


def test_line_ends_and_the_separator_of_an_mbox_are_mended_and_said() -> None:
    raw, notes = as_mail(b"From x@sender.test Wed Dec 31 12:00:00 2025\nSubject: a\n\nFrom here on\n")
    assert raw == b"Subject: a\r\n\r\nFrom here on\r\n"
    assert len(notes) == 2
    assert as_mail(b"Subject: a\r\n\r\n") == (b"Subject: a\r\n\r\n", ())
