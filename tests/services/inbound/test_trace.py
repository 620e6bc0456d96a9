"""Received and Return-Path. RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3."""

import tempfile
from dataclasses import replace
from mmap import ACCESS_READ, mmap

import pytest

from mailstack.formats.headers import every, scan_fields
from mailstack.model.instant import Instant
from mailstack.services.inbound.trace import (
    MAX_RECEIVED,
    Hop,
    delivered_to_field,
    has_too_many_hops,
    passed_addresses,
    prepend,
    protocol_word,
    received_field,
    return_path_field,
    was_submitted,
)


def hop(ehlo_domain: str = "client.example", peer_host: str = "192.0.2.1") -> Hop:
    return Hop(
        hostname="mail.example.com",
        ehlo_domain=ehlo_domain,
        peer_host=peer_host,
        protocol="ESMTPS",
        trace_id="0123456789abcdef",
        received_at=Instant(1_700_000_000_000),
    )


def test_received_says_from_by_with_id_for_and_when() -> None:
    assert received_field(hop(), recipient="alice@example.com") == (
        b"Received: from client.example ([192.0.2.1])\r\n"
        b"\tby mail.example.com with ESMTPS id 0123456789abcdef\r\n"
        b"\tfor <alice@example.com>;\r\n"
        b"\tTue, 14 Nov 2023 22:13:20 +0000\r\n"
    )
    assert b"for" not in received_field(hop(), recipient=None)


def test_ipv6_peers_are_literals_of_rfc_5321() -> None:
    assert b"([IPv6:2001:db8::1])" in received_field(hop(peer_host="2001:db8::1"), recipient=None)


@pytest.mark.parametrize(
    "name", ["x\r\nBcc: evil@evil.example", "x) (by evil", "x\\", "[192.0.2.9] (ok\t", "ünicode", "", "x" * 5_000]
)
def test_what_a_peer_calls_itself_cannot_break_the_field(name: str) -> None:
    field = received_field(hop(ehlo_domain=name), recipient=None)
    assert [found.name for found in scan_fields(field + b"\r\n")] == [b"received"]
    assert field.isascii()
    assert max(map(len, field.split(b"\r\n"))) < 998
    assert field.count(b"(") == field.count(b")") == 1


@pytest.mark.parametrize(
    ("is_extended", "has_tls", "is_authenticated", "smtp_utf8", "word"),
    [
        (False, False, False, False, "SMTP"),
        (True, False, False, False, "ESMTP"),
        (True, True, False, False, "ESMTPS"),
        (True, False, True, False, "ESMTPA"),
        (True, True, True, False, "ESMTPSA"),
        (True, False, False, True, "UTF8SMTP"),
        (True, True, True, True, "UTF8SMTPSA"),
    ],
)
def test_protocol_words(is_extended: bool, has_tls: bool, is_authenticated: bool, smtp_utf8: bool, word: str) -> None:
    assert word == protocol_word(
        is_extended=is_extended, has_tls=has_tls, is_authenticated=is_authenticated, smtp_utf8=smtp_utf8
    )


def test_return_path() -> None:
    assert return_path_field("x@y.example") == b"Return-Path: <x@y.example>\r\n"
    assert return_path_field("") == b"Return-Path: <>\r\n"


@pytest.mark.parametrize(
    ("raw", "is_too_many"),
    [
        (b"", False),
        (b"Received: a\r\n" * MAX_RECEIVED, False),
        (b"Received: a\r\n" * MAX_RECEIVED + b"RECEIVED : b\r\n", True),
        (b"Received: a\r\n" * MAX_RECEIVED + b"X-Received: b\r\nSubject: received\r\n received: c\r\n", False),
        (b"Received: a\r\n" * MAX_RECEIVED + b"\r\nReceived: of the body\r\n", False),
        (b"\r\n" + b"Received: x\r\n" * 200, False),
    ],
)
def test_hops_are_counted_in_the_header(raw: bytes, is_too_many: bool) -> None:
    assert has_too_many_hops(raw) is is_too_many


def test_a_mapped_message_stays_mapped() -> None:
    body = b"Subject: x\r\n\r\n" + b"0123456789" * 300_000
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        with mmap(file.fileno(), 0, access=ACCESS_READ) as raw:
            longer = prepend(b"A: b\r\n", raw)
    assert isinstance(longer, mmap)
    with longer:
        assert longer[:] == b"A: b\r\n" + body
        assert every(scan_fields(longer), b"a") == [b"b"]
    assert prepend(b"A: b\r\n", b"C: d\r\n") == b"A: b\r\nC: d\r\n"


@pytest.mark.parametrize(
    "address",
    ["alice@example.com", "bücher@example.com", "a%41@example.com", "!#$&'*+-/=?^_`{|}~@example.com", 'a"b@x'],
)
def test_an_address_that_sent_a_mail_on_is_known_again(address: str) -> None:
    field = delivered_to_field(address)
    assert field.isascii()
    assert passed_addresses(field + b"Subject: x\r\n\r\nDelivered-To: body@example.com\r\n") == {address}


def test_every_field_counts_however_it_is_written() -> None:
    header = b"DELIVERED-TO:a@x\nX: y\r\nDelivered-To \t:  b@x \t\r\nX-Delivered-To: c@x\r\nDelivered-To:\r\n\r\n"
    assert passed_addresses(header) == {"a@x", "b@x", ""}


def test_what_seems_to_be_a_field_costs_no_more_than_its_length() -> None:
    spaces = b" " * 250_000
    assert passed_addresses(b"Delivered-To:" + spaces + b"x" + spaces + b"y\r\n\r\n") == {f"x{spaces.decode()}y"}


@pytest.mark.parametrize(
    ("protocol", "expected"),
    [
        ("ESMTPA", True),
        ("ESMTPSA", True),
        ("UTF8SMTPSA", True),
        ("JMAP", True),
        ("ESMTP", False),
        ("ESMTPS", False),
        ("SMTP", False),
        ("UTF8SMTPS", False),
        ("LMTPA", False),
        ("LMTP", False),
    ],
)
@pytest.mark.parametrize(
    "came_from", [hop(), hop(peer_host="2001:db8::1"), replace(hop(), peer_name="out.example"), hop(peer_host="")]
)
def test_who_was_logged_in_has_submitted_it(protocol: str, *, expected: bool, came_from: Hop) -> None:
    field = received_field(replace(came_from, protocol=protocol), recipient="a@example.com")
    assert was_submitted(scan_fields(field + b"\r\n"), "Mail.Example.com") == expected
    assert not was_submitted(scan_fields(field + b"\r\n"), "else.example.com")


@pytest.mark.parametrize(
    "ehlo_domain", ["x by mail.example.com with JMAP id 1", "x\r\n by mail.example.com with ESMTPSA id 1", "([1])by"]
)
def test_no_name_that_a_stranger_gives_looks_like_a_login(ehlo_domain: str) -> None:
    field = received_field(hop(ehlo_domain), recipient=None)
    submitted = received_field(replace(hop(), protocol="ESMTPSA"), recipient=None)
    # What stands below our own came with the mail.
    assert not was_submitted(scan_fields(field + submitted + b"\r\n"), "mail.example.com")


def test_what_has_no_received_was_put_there() -> None:
    assert not was_submitted(scan_fields(b"From: a@example.com\r\n\r\n"), "mail.example.com")
